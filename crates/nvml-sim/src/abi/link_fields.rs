//! Field values about NVLinks: what went over them, and what went wrong.
//!
//! Older fields have a number for each link; newer ones have one number and take the link from the scope.

use super::call::Device;
use super::code::{Code, Result};
use super::nvlink::{existing, is_active};
use crate::engine::Truth;
use crate::faults::Incident;

/// The scope that means all links together.
const ALL_LINKS: u32 = u32::MAX;

/// `NVML_NVLINK_VERSION_5_0`: from here on links count packets and bytes like a network port does.
const PORT_COUNTERS_SINCE: u32 = 7;

/// What a packet carries on average, bytes.
const PACKET: u64 = 256;

/// The value of a field, if it is one of these.
pub(super) fn read(gpu: &Device, field: u32, scope: u32, truth: &Truth) -> Option<Result<u64>> {
    let (sent, received) = (truth.nvlink_tx_bytes, truth.nvlink_rx_bytes);
    let value = match field {
        // KiB, of data and of everything on the wire, which the simulator does not tell apart.
        138 | 140 => traffic(gpu, scope, sent).map(|bytes| bytes >> 10),
        139 | 141 => traffic(gpu, scope, received).map(|bytes| bytes >> 10),
        201..=215 | 219 | 221 => port(gpu, field, scope, sent, received),
        _ => {
            let (what, link) = error_field(field, scope)?;
            existing(gpu, 0).map(|_| what.map_or(0, |what| errors(gpu, what, link)))
        }
    };
    Some(value)
}

/// How often something has gone wrong on one link, or on all of them.
pub(super) fn errors(gpu: &Device, what: Incident, link: u32) -> u64 {
    let Ok(of) = existing(gpu, 0) else {
        return 0;
    };
    let links = if link == ALL_LINKS {
        0..of.active
    } else {
        link..link.saturating_add(1)
    };
    let up = links.filter(|link| is_active(gpu, *link).unwrap_or(false));
    up.map(|link| gpu.incidents(what, Some(link))).sum()
}

/// Which error a field counts (some never happen here), and on which link.
fn error_field(field: u32, scope: u32) -> Option<(Option<Incident>, u32)> {
    use Incident::{NvlinkCrc, NvlinkRecovery, NvlinkReplay};
    // The fields of links 0 to 5 are followed by their total; those of links 6 to 11 came later.
    let first = |start| {
        if field - start == 6 {
            ALL_LINKS
        } else {
            field - start
        }
    };
    Some(match field {
        32..=38 => (Some(NvlinkCrc), first(32)),
        39..=45 => (None, first(39)),
        46..=52 => (Some(NvlinkReplay), first(46)),
        53..=59 => (Some(NvlinkRecovery), first(53)),
        96..=101 => (Some(NvlinkCrc), field - 96 + 6),
        102..=107 => (None, field - 102 + 6),
        108..=113 => (Some(NvlinkReplay), field - 108 + 6),
        114..=119 => (Some(NvlinkRecovery), field - 114 + 6),
        148..=160 => (None, ALL_LINKS),
        161 => (Some(NvlinkReplay), scope),
        162 => (Some(NvlinkRecovery), scope),
        163 => (Some(NvlinkCrc), scope),
        _ => return None,
    })
}

/// The counters of a link of the fifth generation.
fn port(gpu: &Device, field: u32, scope: u32, sent: u64, received: u64) -> Result<u64> {
    if existing(gpu, 0)?.version < PORT_COUNTERS_SINCE {
        return Err(Code::NOT_SUPPORTED);
    }
    let (sent, received) = (traffic(gpu, scope, sent)?, traffic(gpu, scope, received)?);
    Ok(match field {
        201 => sent / PACKET,
        202 => sent,
        203 => received / PACKET,
        204 => received,
        // Errors received, and those that symbols had.
        208 | 221 => errors(gpu, Incident::NvlinkCrc, scope),
        // The integrity of the link.
        211 => errors(gpu, Incident::NvlinkReplay, scope),
        // Recoveries that succeeded, and all of them.
        213 | 215 => errors(gpu, Incident::NvlinkRecovery, scope),
        _ => 0,
    })
}

/// Bytes over one link, or over all of them. Links that are up carry the same each.
fn traffic(gpu: &Device, scope: u32, bytes_per_link: u64) -> Result<u64> {
    let links = if scope == ALL_LINKS {
        let of = existing(gpu, 0)?;
        let up = (0..of.active).filter(|link| is_active(gpu, *link).unwrap_or(false));
        up.count() as u64
    } else {
        u64::from(is_active(gpu, scope)?)
    };
    Ok(bytes_per_link * links)
}
