//! How many files the process may have open: each connection is one, and so is much of the driver's.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside the connections: the driver's devices and libraries, `/proc`, the log.
const OTHERS: u64 = 512;

/// Raises the soft limit of open files as far as `connections` need it and the hard limit lets it.
///
/// A login shell usually has 1,024, which is kept low for programs that use `select`; this one does not.
pub(crate) fn make_room(connections: usize) {
    let needed = connections as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    let Some(wanted) = raised(limit.current, limit.maximum, needed) else {
        return;
    };
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        },
    );
    if raised.is_err() || wanted < needed {
        tracing::warn!(
            needed,
            limit = wanted,
            "fewer files may be open than http.max_connections needs: raise the limit (`ulimit -n`, LimitNOFILE=), or lower that"
        );
    }
}

/// The soft limit to set; nothing if it is enough as it is. No limit is one that is enough.
fn raised(current: Option<u64>, maximum: Option<u64>, needed: u64) -> Option<u64> {
    let current = current?;
    (current < needed).then(|| maximum.map_or(needed, |maximum| maximum.min(needed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_as_far_as_needed_and_possible() {
        assert_eq!(raised(Some(1_024), Some(4_096), 1_536), Some(1_536));
        assert_eq!(raised(Some(1_024), Some(1_024), 1_536), Some(1_024));
        assert_eq!(raised(Some(1_024), None, 1_536), Some(1_536));
        assert_eq!(raised(Some(4_096), Some(4_096), 1_536), None);
        assert_eq!(raised(None, None, 1_536), None);
    }
}
