//! Who started whom on this host, by `/proc`.

use std::fs;

use crate::frame::{Parent, Parents};

/// Generations that are followed upward: deeper ones are nobody's idea of a tree.
const MAX_DEPTH: usize = 32;

/// Ancestors that are looked up at a time: 4 µs each.
const MAX_LOOKED_UP: usize = 4_096;

/// The first process, which everybody descends from.
const FIRST: u32 = 1;

/// The parents of these processes, and theirs, up to the first process. Whoever cannot be looked up is not there.
pub(crate) fn of(pids: impl Iterator<Item = u32>) -> Parents {
    let mut parents = Parents::new();
    for pid in pids {
        let mut pid = pid;
        for _ in 0..MAX_DEPTH {
            if pid <= FIRST || parents.contains_key(&pid) || parents.len() >= MAX_LOOKED_UP {
                break;
            }
            let Some(stat) = fs::read(format!("/proc/{pid}/stat")).ok() else {
                break;
            };
            let Some(parent) = parse(&String::from_utf8_lossy(&stat)) else {
                break;
            };
            let above = parent.pid;
            parents.insert(pid, parent);
            pid = above;
        }
    }
    parents
}

/// The name stands in parentheses and may hold some itself, so that the last one ends it.
fn parse(stat: &str) -> Option<Parent> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let pid = after.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let name = name.to_owned();
    Some(Parent { pid, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses() {
        let parent = parse("42 (a (b) c) S 7 42 42 0").unwrap();
        assert_eq!((parent.pid, parent.name.as_str()), (7, "a (b) c"));
        assert_eq!(parse("42 (a"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_has_a_parent() {
        let own = std::process::id();
        let parents = of([own, 0, u32::MAX].into_iter());
        assert_eq!(parents[&own].pid, std::os::unix::process::parent_id());
        assert!(!parents.contains_key(&0) && !parents.contains_key(&u32::MAX));
    }
}
