//! Values of nvidia-smi that are made of readings, and not one of them as it is.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::field::{About, bits, present, reasons};
use crate::shown::{Cell, cell};

/// When the GPU was read, in the time zone of this process: `2026/03/01 12:00:00.123`.
pub(super) fn timestamp(about: &About<'_>) -> Result<String, String> {
    let read_at = cell(about.of, "sampled_at").plain();
    let at = if read_at.is_empty() {
        about.published_at
    } else {
        read_at.as_str()
    };
    let at: Timestamp = at.parse().map_err(|_| String::new())?;
    let at = at.to_zoned_datetime(TimeZone::system());
    Ok(at.strftime("%Y/%m/%d %H:%M:%S.%3f").to_string())
}

pub(super) fn driver_version(about: &About<'_>) -> Result<String, String> {
    let version = about.host["driver"]["driver_version"].as_str();
    version.map(str::to_owned).ok_or_else(String::new)
}

/// The GPUs of the host, whichever are shown.
pub(super) fn count(about: &About<'_>) -> Result<String, String> {
    let total = about.host["gpus"]["total"].as_u64();
    total.map(|total| total.to_string()).ok_or_else(String::new)
}

pub(super) fn pci_domain(about: &About<'_>) -> Result<String, String> {
    // As many digits as nvidia-smi writes.
    pci(about, |domain, _, _| format!("0x{domain:04X}"))
}

pub(super) fn pci_bus(about: &About<'_>) -> Result<String, String> {
    pci(about, |_, bus, _| format!("0x{bus:02X}"))
}

pub(super) fn pci_device(about: &About<'_>) -> Result<String, String> {
    pci(about, |_, _, device| format!("0x{device:02X}"))
}

fn pci(about: &About<'_>, part: fn(u32, u32, u32) -> String) -> Result<String, String> {
    let text = present(about.of, "identity.pci_bus_id")?.plain();
    let mut parts = text
        .split([':', '.'])
        .map(|part| u32::from_str_radix(part, 16).ok());
    let mut next = || parts.next().flatten().ok_or_else(String::new);
    let (domain, bus, device) = (next()?, next()?, next()?);
    Ok(part(domain, bus, device))
}

/// The speed that the first fan is driven at.
pub(super) fn fan(about: &About<'_>) -> Result<String, String> {
    match present(about.of, "thermal.fans.speed_percent")? {
        Cell::Several(speeds) => match speeds.first().and_then(Value::as_f64) {
            Some(speed) => Ok(format!("{speed:.0}")),
            None => Err(String::new()),
        },
        other => Ok(other.plain()),
    }
}

/// What has to be done to bring the GPU back into order.
pub(super) fn recovery_action(about: &About<'_>) -> Result<String, String> {
    let action = present(about.of, "reliability.recovery_action")?.plain();
    Ok(match action.as_str() {
        "none" => "None".to_owned(),
        "gpu_reset" => "GPU Reset".to_owned(),
        "node_reboot" => "Node Reboot".to_owned(),
        "drain_p2p" => "Drain P2P".to_owned(),
        "drain_and_reset" => "Drain and Reset".to_owned(),
        // What has no name yet is a number.
        _ => action,
    })
}

/// NVML's bits of the reasons why clocks are lowered.
pub(super) fn reasons_mask(about: &About<'_>) -> Result<String, String> {
    reasons(about.of).map(|names| format!("0x{:016X}", bits(&names)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_made_of_readings() {
        let gpu = json!({
            "identity": { "pci_bus_id": "00000001:3B:1F.0" }, "sampled_at": "2026-03-01T12:00:00.123456Z",
            "thermal": { "fans": [{ "speed_percent": 41.0 }, { "speed_percent": 55.0 }] },
            "clocks": { "event_reasons": ["gpu_idle"] }, "reliability": { "recovery_action": "drain_p2p" },
        });
        let host = json!({ "driver": { "driver_version": "580.95.05" }, "gpus": { "total": 8 } });
        let about = About {
            of: &gpu,
            published_at: "",
            host: &host,
        };
        let said = |make: fn(&About<'_>) -> Result<String, String>| make(&about).unwrap();
        assert_eq!(
            [
                pci_domain,
                pci_bus,
                pci_device,
                fan,
                reasons_mask,
                driver_version,
                count,
                recovery_action
            ]
            .map(said),
            [
                "0x0001",
                "0x3B",
                "0x1F",
                "41",
                "0x0000000000000001",
                "580.95.05",
                "8",
                "Drain P2P"
            ]
        );
        assert!(said(timestamp).ends_with(":00.123"), "{}", said(timestamp));
    }

    #[test]
    fn what_cannot_be_made_is_absent() {
        let gpu = json!({ "identity": null, "unavailable": { "identity": "gpu_lost" } });
        let about = About {
            of: &gpu,
            published_at: "",
            host: &Value::Null,
        };
        assert_eq!(pci_bus(&about), Err("gpu_lost".to_owned()));
        for make in [timestamp, driver_version, count, fan] {
            assert_eq!(make(&about), Err(String::new()));
        }
    }
}
