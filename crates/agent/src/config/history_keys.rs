//! What the keys of `history` mean.

use super::keys::{Key, key};

/// How long a tier may keep.
const KEEP: &str = "a duration from `1m` to `366days`";

/// The keys of `history`.
pub(super) const HISTORY_KEYS: &[Key] = &[
    key(
        "history.enabled",
        "`true` or `false`",
        "Whether it is kept what the GPUs did lately, for `/api/v1/history` ([HISTORY.md](HISTORY.md)).",
    ),
    key(
        "history.keep_1s",
        KEEP,
        "How far the finest tier reaches back, which has a slot for each second.",
    ),
    key(
        "history.keep_10s",
        KEEP,
        "How far the tier reaches back that has a slot for each ten seconds.",
    ),
    key(
        "history.keep_1min",
        KEEP,
        "How far the tier reaches back that has a slot for each minute.",
    ),
    key(
        "history.max_bytes",
        "a number from 1048576 to 1073741824",
        "Bytes of memory that the history may hold. When they do not suffice, all tiers reach less far back.",
    ),
    key(
        "history.directory",
        "a path",
        "The directory in which the history is kept on disk as well, so that a restart keeps it; made if it is not there. Not set: \
         it is kept in memory only.",
    ),
    key(
        "history.flush_interval",
        "a duration from `1s` to `1h`",
        "From one write to disk to the next: what a crash loses at most.",
    ),
    key(
        "history.max_disk_bytes",
        "a number from 8388608 to 1099511627776",
        "Bytes of the file. When they do not suffice, the oldest is forgotten.",
    ),
];
