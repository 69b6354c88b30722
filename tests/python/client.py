"""An old client: reads a running agent with strict models, and fails where they do not hold.

    client.py http://127.0.0.1:8003

The models are those that clients of the REST routes are written with: types, ranges, and which keys may be null.
"""

import sys
import urllib.request
from datetime import datetime
from typing import Annotated, Optional

from pydantic import BaseModel, ConfigDict, Field

Percent = Annotated[float, Field(ge=0, le=100)]
Amount = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """Takes no string for a number; keys that it does not know are allowed."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class Utilization(Strict):
    gpu_percent: Percent
    memory_percent: Percent
    encoder_percent: Optional[Percent]
    decoder_percent: Optional[Percent]


class Memory(Strict):
    total_mb: Amount
    used_mb: Amount
    free_mb: Amount
    utilization_percent: Percent


class Temperature(Strict):
    current_celsius: float
    slowdown_threshold_celsius: Optional[float]
    shutdown_threshold_celsius: Optional[float]


class Power(Strict):
    power_draw_watts: Amount
    power_limit_watts: Amount
    power_usage_percent: Percent


class Clocks(Strict):
    graphics_clock_mhz: float
    sm_clock_mhz: float
    memory_clock_mhz: float


class Process(Strict):
    pid: int
    process_name: str
    used_memory_mb: Amount


class Gpu(Strict):
    gpu_id: Annotated[int, Field(ge=0)]
    gpu_name: str
    gpu_uuid: str
    driver_version: str
    utilization: Utilization
    memory: Memory
    temperature: Temperature
    power: Power
    clocks: Clocks
    processes: list[Process]
    performance_state: Annotated[str, Field(pattern=r"^(P([0-9]|1[0-5])|Unknown)$")]
    fan_speed_percent: Optional[Percent]


class Collection(Strict):
    timestamp: datetime
    instance_id: str
    gpu_count: Annotated[int, Field(ge=0)]
    gpus: list[Gpu]
    total_memory_used_mb: float
    total_memory_total_mb: float
    average_gpu_utilization: Percent
    average_memory_utilization: Percent
    average_temperature: float
    total_power_draw_watts: float


class Info(Strict):
    available: bool
    gpu_count: int
    pynvml_installed: bool


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def main(base):
    info = Info.model_validate_json(get(base + "/gpu/info"))
    collection = Collection.model_validate_json(get(base + "/gpu/metrics"))
    assert collection.timestamp.utcoffset().total_seconds() == 0, collection.timestamp
    assert collection.gpu_count == len(collection.gpus) == info.gpu_count
    for gpu in collection.gpus:
        for name in (str(gpu.gpu_id), gpu.gpu_uuid):
            assert Gpu.model_validate_json(get(f"{base}/gpu/metrics/{name}")).gpu_uuid == gpu.gpu_uuid
    print(f"{collection.gpu_count} GPUs hold")


if __name__ == "__main__":
    main(sys.argv[1])
