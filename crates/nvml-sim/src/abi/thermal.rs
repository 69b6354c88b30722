//! Temperatures and fans.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, Tagged, export};
use super::layout::{
    CoolerInfo, FanSpeedInfo, MarginTemperature, TemperatureReading, ThermalSensor, ThermalSettings,
};
use crate::profile::Fans;

export! {
    device fn nvmlDeviceGetTemperature(sensor: u32, celsius: Out<u32>) |gpu| {
        if sensor != 0 {
            return Err(Code::INVALID_ARGUMENT);
        }
        celsius.write(gpu.truth()?.temperature)
    }

    device fn nvmlDeviceGetTemperatureV(reading: Tagged) |gpu| {
        let place = reading.of::<TemperatureReading>()?;
        let asked = place.read()?;
        if asked.sensor != 0 {
            return Err(Code::INVALID_ARGUMENT);
        }
        place.write(TemperatureReading { temperature: gpu.truth()?.temperature as i32, ..asked })
    }

    device fn nvmlDeviceGetTemperatureThreshold(kind: u32, celsius: Out<u32>) |gpu| {
        let thermal = &gpu.spec()?.thermal;
        let threshold = match kind {
            0 => thermal.shutdown_c,
            1 => thermal.slowdown_c,
            2 => thermal.memory_max_c.ok_or(Code::NOT_SUPPORTED)?,
            3 => thermal.gpu_max_c,
            4..=7 => return Err(Code::NOT_SUPPORTED),
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        celsius.write(threshold)
    }

    device fn nvmlDeviceGetMarginTemperature(reading: Tagged) |gpu| {
        let place = reading.of::<MarginTemperature>()?;
        if !gpu.spec()?.has_thermal_margins() {
            return Err(Code::NOT_SUPPORTED);
        }
        let margin = gpu.spec()?.thermal.gpu_max_c as i32 - gpu.truth()?.temperature as i32;
        place.write(MarginTemperature { margin, ..place.read()? })
    }

    device fn nvmlDeviceGetThermalSettings(index: u32, settings: Out<ThermalSettings>) |gpu| {
        const ALL: u32 = 15;
        if index != 0 && index != ALL {
            return Err(Code::INVALID_ARGUMENT);
        }
        // The GPU's own controller, on the GPU.
        let current = gpu.truth()?.temperature as i32;
        let slowdown = gpu.spec()?.thermal.slowdown_c as i32;
        let own =
            ThermalSensor { controller: 1, default_min: -256, default_max: slowdown, current, target: 1 };
        let none = ThermalSensor { controller: 0, default_min: 0, default_max: 0, current: 0, target: 0 };
        settings.write(ThermalSettings { count: 1, sensors: [own, none, none] })
    }

    device fn nvmlDeviceGetNumFans(count: Out<u32>) |gpu| {
        count.write(fans(gpu)?.count)
    }

    device fn nvmlDeviceGetFanSpeed(percent: Out<u32>) |gpu| {
        percent.write(gpu.truth()?.fan_percent.ok_or(Code::NOT_SUPPORTED)?)
    }

    device fn nvmlDeviceGetFanSpeed_v2 | nvmlDeviceGetTargetFanSpeed (fan: u32, percent: Out<u32>) |gpu| {
        existing(gpu, fan)?;
        percent.write(gpu.truth()?.fan_percent.ok_or(Code::NOT_SUPPORTED)?)
    }

    device fn nvmlDeviceGetFanSpeedRPM(speed: Tagged) |gpu| {
        let place = speed.of::<FanSpeedInfo>()?;
        let asked = place.read()?;
        existing(gpu, asked.fan)?;
        place.write(FanSpeedInfo { speed: gpu.truth()?.fan_rpm.ok_or(Code::NOT_SUPPORTED)?, ..asked })
    }

    device fn nvmlDeviceGetMinMaxFanSpeed(lowest: Out<u32>, highest: Out<u32>) |gpu| {
        lowest.write(fans(gpu)?.min_percent)?;
        highest.write(100)
    }

    device fn nvmlDeviceGetFanControlPolicy_v2(fan: u32, policy: Out<u32>) |gpu| {
        existing(gpu, fan)?;
        // By temperature.
        policy.write(0)
    }

    device fn nvmlDeviceGetCoolerInfo(info: Tagged) |gpu| {
        let place = info.of::<CoolerInfo>()?;
        let asked = place.read()?;
        existing(gpu, asked.index)?;
        // Of variable speed, for everything on the board.
        place.write(CoolerInfo { signal: 2, target: 0b1110, ..asked })
    }
}

fn fans(gpu: &Device) -> Result<&Fans> {
    gpu.spec()?.fans.as_ref().ok_or(Code::NOT_SUPPORTED)
}

fn existing(gpu: &Device, fan: u32) -> Result {
    if fan < fans(gpu)?.count {
        Ok(())
    } else {
        Err(Code::INVALID_ARGUMENT)
    }
}
