//! NVLink: which links are up, and what is at their other end.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, export};
use super::layout::{PciInfo, PciInfoV2, fixed};
use super::link_fields::errors;
use super::pci::Address;
use crate::faults::Incident;
use crate::profile::NvLink;
use crate::world::World;

/// `nvmlIntNvLinkDeviceType_t`.
const REMOTE_GPU: u32 = 0;
const REMOTE_SWITCH: u32 = 2;

/// PCI device id of the third-generation NVSwitch.
const SWITCH_DEVICE_ID: u32 = 0x22A3_10DE;

/// The switches of a node share out the links of each GPU.
const SWITCHES: u32 = 4;

/// Where something sits that is on no PCI bus of the host.
const NOWHERE: Address = Address {
    domain: u32::MAX,
    bus: 0xFF,
    device: 0xFF,
};

export! {
    device fn nvmlDeviceGetNvLinkState(link: u32, active: Out<u32>) |gpu| {
        active.write(u32::from(is_active(gpu, link)?))
    }

    device fn nvmlDeviceGetNvLinkVersion(link: u32, version: Out<u32>) |gpu| {
        version.write(existing(gpu, link)?.version)
    }

    device fn nvmlDeviceGetNvLinkCapability(link: u32, capability: u32, result: Out<u32>) |gpu| {
        let active = is_active(gpu, link)?;
        let value = match capability {
            // Peer access, access to system memory, atomics of both.
            0..=3 => u32::from(active),
            4 => 0,
            5 => 1,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        result.write(value)
    }

    device fn nvmlDeviceGetNvLinkRemotePciInfo(link: u32, info: Out<PciInfoV2>) |gpu| {
        info.write(remote_info(gpu, link)?.into())
    }

    device fn nvmlDeviceGetNvLinkRemotePciInfo_v2(link: u32, info: Out<PciInfo>) |gpu| {
        info.write(remote_info(gpu, link)?)
    }

    device fn nvmlDeviceGetNvLinkRemoteDeviceType(link: u32, kind: Out<u32>) |gpu| {
        remote(gpu, link)?;
        let switch = existing(gpu, link)?.switch;
        kind.write(if switch { REMOTE_SWITCH } else { REMOTE_GPU })
    }

    device fn nvmlDeviceGetNvLinkErrorCounter(link: u32, counter: u32, value: Out<u64>) |gpu| {
        existing(gpu, link)?;
        value.write(match counter {
            0 => errors(gpu, Incident::NvlinkReplay, link),
            1 => errors(gpu, Incident::NvlinkRecovery, link),
            2 => errors(gpu, Incident::NvlinkCrc, link),
            // Damaged data beyond its flits, and errors that a code corrected.
            3 | 4 => 0,
            _ => return Err(Code::INVALID_ARGUMENT),
        })
    }
}

pub(super) fn existing(gpu: &Device, link: u32) -> Result<&NvLink> {
    let of = gpu.spec()?.nvlink.as_ref().ok_or(Code::NOT_SUPPORTED)?;
    if link < of.links {
        Ok(of)
    } else {
        Err(Code::INVALID_ARGUMENT)
    }
}

fn remote_info(gpu: &Device, link: u32) -> Result<PciInfo> {
    let (Address { domain, bus, device }, device_id) = remote(gpu, link)?;
    Ok(PciInfo {
        bus_id_legacy: fixed(&format!("{:04X}:{bus:02X}:{device:02X}.0", domain & 0xFFFF)),
        domain,
        bus,
        device,
        pci_device_id: device_id,
        pci_subsystem_id: 0,
        bus_id: fixed(&format!("{domain:08X}:{bus:02X}:{device:02X}.0")),
    })
}

/// The place and device id of what a link leads to.
fn remote(gpu: &Device, link: u32) -> Result<(Address, u32)> {
    if !is_active(gpu, link)? {
        return Err(Code::NOT_SUPPORTED);
    }
    let of = existing(gpu, link)?;
    if of.switch && of.hidden {
        return Ok((NOWHERE, 0));
    }
    if of.switch {
        let bus = 0x05 + link % SWITCHES;
        let place = Address {
            domain: 0,
            bus,
            device: 0,
        };
        return Ok((place, SWITCH_DEVICE_ID));
    }
    let world = &gpu.world;
    let peer = bridged(world, gpu.gpu).ok_or(Code::NOT_SUPPORTED)?;
    let place = Address::of(world, peer).ok_or(Code::NOT_SUPPORTED)?;
    let device_id = world.engine.spec(peer).map_or(0, |spec| spec.pcie.device_id);
    Ok((place, device_id))
}

/// Whether a link is up.
pub(super) fn is_active(gpu: &Device, link: u32) -> Result<bool> {
    let built_up = link < existing(gpu, link)?.active;
    let down = gpu.values().and_then(|values| values.nvlink_down.as_ref());
    Ok(built_up && !down.is_some_and(|down| down.contains(&link)))
}

/// The GPU at the other end of the bridges that a GPU has, if it has any.
pub(super) fn bridged(world: &World, gpu: usize) -> Option<usize> {
    let peer = gpu ^ 1;
    let has_bridge = |gpu| {
        let link = world.engine.spec(gpu)?.nvlink.as_ref()?;
        (link.active > 0 && !link.switch).then_some(())
    };
    has_bridge(gpu).and_then(|()| has_bridge(peer)).map(|()| peer)
}
