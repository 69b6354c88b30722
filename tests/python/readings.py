"""Prints what a foreign NVML client reads, as a JSON list with an object per GPU.

    readings.py nvml      through nvidia-ml-py, NVIDIA's own binding
    readings.py nvitop    through nvitop

The keys are the paths of the agent's own body. A value that the client calls absent is null.
"""

import json
import sys


def nvml():
    import pynvml as n

    def read(call, *arguments):
        try:
            return call(*arguments)
        except n.NVMLError:
            return None

    def scaled(value, factor):
        return None if value is None else value / factor

    n.nvmlInit()
    gpus = []
    for index in range(n.nvmlDeviceGetCount()):
        h = n.nvmlDeviceGetHandleByIndex(index)
        rates = read(n.nvmlDeviceGetUtilizationRates, h)
        memory = read(lambda: n.nvmlDeviceGetMemoryInfo(h, version=n.nvmlMemory_v2))
        compute = read(n.nvmlDeviceGetComputeRunningProcesses, h) or []
        graphics = read(n.nvmlDeviceGetGraphicsRunningProcesses, h) or []
        encoder, decoder = read(n.nvmlDeviceGetEncoderUtilization, h), read(n.nvmlDeviceGetDecoderUtilization, h)
        gpus.append({
            "gpu_name": n.nvmlDeviceGetName(h),
            "gpu_uuid": n.nvmlDeviceGetUUID(h),
            "driver_version": n.nvmlSystemGetDriverVersion(),
            "utilization.gpu_percent": rates and rates.gpu,
            "utilization.memory_percent": rates and rates.memory,
            "utilization.encoder_percent": encoder and encoder[0],
            "utilization.decoder_percent": decoder and decoder[0],
            "memory.total_mb": memory and memory.total / 2**20,
            "memory.used_mb": memory and memory.used / 2**20,
            "memory.free_mb": memory and memory.free / 2**20,
            "temperature.current_celsius": read(n.nvmlDeviceGetTemperature, h, n.NVML_TEMPERATURE_GPU),
            "temperature.slowdown_threshold_celsius": read(n.nvmlDeviceGetTemperatureThreshold, h, n.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN),
            "temperature.shutdown_threshold_celsius": read(n.nvmlDeviceGetTemperatureThreshold, h, n.NVML_TEMPERATURE_THRESHOLD_SHUTDOWN),
            "power.power_draw_watts": scaled(read(n.nvmlDeviceGetPowerUsage, h), 1000),
            "power.power_limit_watts": scaled(read(n.nvmlDeviceGetPowerManagementLimit, h), 1000),
            "power.total_energy_joules": scaled(read(n.nvmlDeviceGetTotalEnergyConsumption, h), 1000),
            "clocks.graphics_clock_mhz": read(n.nvmlDeviceGetClockInfo, h, n.NVML_CLOCK_GRAPHICS),
            "clocks.sm_clock_mhz": read(n.nvmlDeviceGetClockInfo, h, n.NVML_CLOCK_SM),
            "clocks.memory_clock_mhz": read(n.nvmlDeviceGetClockInfo, h, n.NVML_CLOCK_MEM),
            "fan_speed_percent": read(n.nvmlDeviceGetFanSpeed, h),
            "performance_state": f"P{n.nvmlDeviceGetPerformanceState(h)}",
            "pcie.generation": read(n.nvmlDeviceGetCurrPcieLinkGeneration, h),
            "pcie.width": read(n.nvmlDeviceGetCurrPcieLinkWidth, h),
            "ecc.corrected_volatile": read(n.nvmlDeviceGetTotalEccErrors, h, n.NVML_MEMORY_ERROR_TYPE_CORRECTED, n.NVML_VOLATILE_ECC),
            "pids": sorted({p.pid for p in compute + graphics}),
        })
    return gpus


def nvitop():
    from nvitop import NA, Device

    def known(value, factor=1):
        return None if value is NA or value is None else value / factor if isinstance(value, (int, float)) else value

    return [
        {
            "gpu_name": device.name(),
            "gpu_uuid": device.uuid(),
            "driver_version": Device.driver_version(),
            "utilization.gpu_percent": known(device.gpu_utilization()),
            "utilization.memory_percent": known(device.memory_utilization()),
            "utilization.encoder_percent": known(device.encoder_utilization()),
            "utilization.decoder_percent": known(device.decoder_utilization()),
            "memory.total_mb": known(device.memory_total(), 2**20),
            "memory.used_mb": known(device.memory_used(), 2**20),
            "memory.free_mb": known(device.memory_free(), 2**20),
            "temperature.current_celsius": known(device.temperature()),
            "power.power_draw_watts": known(device.power_usage(), 1000),
            "power.power_limit_watts": known(device.power_limit(), 1000),
            "clocks.sm_clock_mhz": known(device.sm_clock()),
            "clocks.memory_clock_mhz": known(device.memory_clock()),
            "fan_speed_percent": known(device.fan_speed()),
            "performance_state": device.performance_state(),
        }
        for device in Device.all()
    ]


if __name__ == "__main__":
    json.dump({"nvml": nvml, "nvitop": nvitop}[sys.argv[1]](), sys.stdout)
