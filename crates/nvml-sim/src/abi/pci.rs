//! The PCI bus: where a GPU sits, how wide and fast its link is, and what has gone over it.

use std::thread::sleep;
use std::time::Duration;

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, Tagged, export};
use super::layout::{PciInfo, PciInfoExt, PciInfoV1, PciInfoV2, fixed};
use crate::engine::STEP;
use crate::faults::Incident;
use crate::world::World;

/// `NVML_BUS_TYPE_PCIE`.
const BUS_TYPE_PCIE: u32 = 2;

/// The driver watches the link for so long to answer a throughput question.
const THROUGHPUT_WINDOW: Duration = STEP;

/// NVML's "KB/s": 1,024 bytes, as in all its other numbers of bytes.
const KIBIBYTE: f64 = 1_024.0;

export! {
    device fn nvmlDeviceGetPciInfo(info: Out<PciInfoV1>) |gpu| {
        let PciInfo { bus_id_legacy, domain, bus, device, pci_device_id, .. } = info_of(gpu)?;
        info.write(PciInfoV1 { bus_id: bus_id_legacy, domain, bus, device, pci_device_id })
    }

    device fn nvmlDeviceGetPciInfo_v2(info: Out<PciInfoV2>) |gpu| {
        info.write(info_of(gpu)?.into())
    }

    device fn nvmlDeviceGetPciInfo_v3(info: Out<PciInfo>) |gpu| {
        info.write(info_of(gpu)?)
    }

    device fn nvmlDeviceGetPciInfoExt(info: Tagged) |gpu| {
        let place = info.of::<PciInfoExt>()?;
        let pci = info_of(gpu)?;
        place.write(PciInfoExt {
            version: info.tag()?,
            domain: pci.domain,
            bus: pci.bus,
            device: pci.device,
            pci_device_id: pci.pci_device_id,
            pci_subsystem_id: pci.pci_subsystem_id,
            // A 3D controller, which is what boards without a display are.
            base_class: 0x03,
            sub_class: 0x02,
            bus_id: pci.bus_id,
        })
    }

    device fn nvmlDeviceGetCurrPcieLinkGeneration(generation: Out<u32>) |gpu| {
        generation.write(gpu.truth()?.pcie_generation)
    }

    device fn nvmlDeviceGetMaxPcieLinkGeneration | nvmlDeviceGetGpuMaxPcieLinkGeneration (
        generation: Out<u32>,
    ) |gpu| {
        generation.write(gpu.spec()?.pcie.generation)
    }

    device fn nvmlDeviceGetCurrPcieLinkWidth(width: Out<u32>) |gpu| {
        let said = gpu.values().and_then(|values| values.pcie_width);
        width.write(said.unwrap_or(gpu.spec()?.pcie.width))
    }

    device fn nvmlDeviceGetMaxPcieLinkWidth(width: Out<u32>) |gpu| {
        width.write(gpu.spec()?.pcie.width)
    }

    device fn nvmlDeviceGetPcieSpeed(mbps: Out<u32>) |gpu| {
        mbps.write(speed_mbps(gpu.truth()?.pcie_generation))
    }

    device fn nvmlDeviceGetPcieLinkMaxSpeed(code: Out<u32>) |gpu| {
        // NVML's codes for the speeds follow the generations.
        code.write(gpu.spec()?.pcie.generation)
    }

    device fn nvmlDeviceGetPcieReplayCounter(replays: Out<u32>) |gpu| {
        replays.write(replay_counter(gpu))
    }

    device fn nvmlDeviceGetPcieThroughput(direction: u32, kibibytes_per_second: Out<u32>) |gpu| {
        if direction > 1 {
            return Err(Code::INVALID_ARGUMENT);
        }
        // The real call blocks for its window; clients are to feel that.
        if !gpu.world.clock.is_frozen() {
            sleep(THROUGHPUT_WINDOW);
        }
        let now = gpu.world.clock.now();
        let (a, b) = (gpu.truth_at(now.saturating_sub(THROUGHPUT_WINDOW))?, gpu.truth_at(now)?);
        let bytes = if direction == 0 {
            b.pcie_tx_bytes.saturating_sub(a.pcie_tx_bytes)
        } else {
            b.pcie_rx_bytes.saturating_sub(a.pcie_rx_bytes)
        };
        let per_second = bytes as f64 / THROUGHPUT_WINDOW.as_secs_f64();
        kibibytes_per_second.write((per_second / KIBIBYTE) as u32)
    }

    device fn nvmlDeviceGetBusType(kind: Out<u32>) |_gpu| {
        kind.write(BUS_TYPE_PCIE)
    }
}

impl From<PciInfo> for PciInfoV2 {
    fn from(info: PciInfo) -> Self {
        let PciInfo {
            bus_id_legacy,
            domain,
            bus,
            device,
            pci_device_id,
            pci_subsystem_id,
            ..
        } = info;
        Self {
            bus_id: bus_id_legacy,
            domain,
            bus,
            device,
            pci_device_id,
            pci_subsystem_id,
        }
    }
}

/// Links of the simulated nodes never have to repeat themselves, unless a fault says so.
pub(super) fn replay_counter(gpu: &Device) -> u32 {
    let said = gpu.values().and_then(|values| values.pcie_replays);
    said.unwrap_or_else(|| gpu.incidents(Incident::PcieReplay, None) as u32)
}

/// A place on the bus; functions are always 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) domain: u32,
    pub(super) bus: u32,
    pub(super) device: u32,
}

impl Address {
    /// Where a GPU sits.
    pub(super) fn of(world: &World, gpu: usize) -> Option<Self> {
        let pcie = &world.engine.spec(gpu)?.pcie;
        let beyond = || {
            let last = pcie.buses.last().copied().unwrap_or(0);
            last + 1 + gpu.saturating_sub(pcie.buses.len()) as u32
        };
        let bus = pcie.buses.get(gpu).copied().unwrap_or_else(beyond);
        // A bus number has eight bits; what does not fit goes on in the next domain.
        Some(Self {
            domain: pcie.domain + (bus >> 8),
            bus: bus & 0xFF,
            device: 0,
        })
    }

    /// Reads `domain:bus:device.function`, `bus:device.function` and the same without the function.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (place, function) = text.split_once('.').unwrap_or((text, "0"));
        if u32::from_str_radix(function, 16) != Ok(0) {
            return None;
        }
        let parts: Vec<u32> = place
            .split(':')
            .map(|part| u32::from_str_radix(part, 16))
            .collect::<std::result::Result<_, _>>()
            .ok()?;
        match parts[..] {
            [domain, bus, device] => Some(Self { domain, bus, device }),
            [bus, device] => Some(Self {
                domain: 0,
                bus,
                device,
            }),
            _ => None,
        }
    }
}

/// The structure that NVML describes a place on the bus with.
fn info_of(gpu: &Device) -> Result<PciInfo> {
    let pcie = &gpu.spec()?.pcie;
    let Address { domain, bus, device } = Address::of(&gpu.world, gpu.gpu).ok_or(Code::INVALID_ARGUMENT)?;
    Ok(PciInfo {
        bus_id_legacy: fixed(&format!("{domain:04X}:{bus:02X}:{device:02X}.0")),
        domain,
        bus,
        device,
        pci_device_id: pcie.device_id,
        pci_subsystem_id: pcie.subsystem_id,
        bus_id: fixed(&format!("{domain:08X}:{bus:02X}:{device:02X}.0")),
    })
}

fn speed_mbps(generation: u32) -> u32 {
    match generation {
        1 => 2_500,
        2 => 5_000,
        3 => 8_000,
        4 => 16_000,
        5 => 32_000,
        _ => 64_000,
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn bus_ids_are_read_in_all_their_forms() {
        let wanted = Some(Address {
            domain: 0,
            bus: 0x3B,
            device: 0,
        });
        for text in ["00000000:3B:00.0", "0000:3b:00.0", "3B:00.0", "0000:3B:00"] {
            assert_eq!(Address::parse(text), wanted, "{text}");
        }
        for text in ["", "3B", "x:y", "0000:3B:00.1", "1:2:3:4"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
