//! NVLink: which links are up, and what is at their other end.

use super::call::Device;
use super::code::{Code, Result};
use super::ffi::{Out, export};
use super::layout::{PciInfo, PciInfoV2, fixed};
use crate::profile::NvLink;

/// `nvmlIntNvLinkDeviceType_t`.
const REMOTE_GPU: u32 = 0;
const REMOTE_SWITCH: u32 = 2;

/// PCI device id of the third-generation NVSwitch.
const SWITCH_DEVICE_ID: u32 = 0x22A3_10DE;

/// The switches of a node share out the links of each GPU.
const SWITCHES: u32 = 4;

export! {
    device fn nvmlDeviceGetNvLinkState(link: u32, active: Out<u32>) |gpu| {
        let of = existing(gpu, link)?;
        active.write(u32::from(link < of.active))
    }

    device fn nvmlDeviceGetNvLinkVersion(link: u32, version: Out<u32>) |gpu| {
        version.write(existing(gpu, link)?.version)
    }

    device fn nvmlDeviceGetNvLinkCapability(link: u32, capability: u32, result: Out<u32>) |gpu| {
        let of = existing(gpu, link)?;
        let value = match capability {
            // Peer access, access to system memory, atomics of both.
            0..=3 => u32::from(link < of.active),
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
        if counter > 4 {
            return Err(Code::INVALID_ARGUMENT);
        }
        value.write(0)
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
    let (bus, device_id) = remote(gpu, link)?;
    Ok(PciInfo {
        bus_id_legacy: fixed(&format!("0000:{bus:02X}:00.0")),
        domain: 0,
        bus,
        device: 0,
        pci_device_id: device_id,
        pci_subsystem_id: 0,
        bus_id: fixed(&format!("00000000:{bus:02X}:00.0")),
    })
}

/// The bus and device id of what a link leads to.
fn remote(gpu: &Device, link: u32) -> Result<(u32, u32)> {
    let of = existing(gpu, link)?;
    if link >= of.active {
        return Err(Code::NOT_SUPPORTED);
    }
    if of.switch {
        return Ok((0x05 + link % SWITCHES, SWITCH_DEVICE_ID));
    }
    let peer = gpu.gpu ^ 1;
    let address = super::pci::Address::of(&gpu.world, peer).ok_or(Code::NOT_SUPPORTED)?;
    Ok((address.bus, gpu.spec()?.pcie.device_id))
}
