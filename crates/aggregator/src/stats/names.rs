//! Finds what belongs to the name of a call, without a lock and without comparing letters.
//!
//! Names of calls are literals: a name that is asked for again is asked for by the same address. So the table is keyed by
//! addresses; where the compiler made two literals of one name, both lead to the same thing.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Addresses that the table has room for, a power of two: four times as many as there are calls in the sampler.
const ADDRESSES: usize = 1_024;

/// Places that are looked at for one address.
const PROBES: usize = 32;

/// A name, and what belongs to it.
type Named<T> = (&'static str, Arc<T>);

/// Things by the name of a call.
#[derive(Debug)]
pub(super) struct Names<T> {
    table: Box<[OnceLock<Named<T>>]>,
    known: Mutex<Vec<Named<T>>>,
    most: usize,
    /// For names beyond what there is room for.
    rest: Arc<T>,
}

impl<T: Default> Names<T> {
    /// Room for `most` names; all others share one thing.
    pub(super) fn new(most: usize) -> Self {
        Self {
            table: (0..ADDRESSES).map(|_| OnceLock::new()).collect(),
            known: Mutex::default(),
            most,
            rest: Arc::default(),
        }
    }

    /// What belongs to `name`, as far as an opening parenthesis.
    #[inline]
    pub(super) fn find(&self, name: &'static str) -> &T {
        let first = hash(name);
        for place in (0..PROBES).map(|step| (first + step) % ADDRESSES) {
            // Entered by the first that comes here. Another thread may be quicker, with another name.
            let (owner, thing) = self.table[place].get_or_init(|| (name, self.enter(name)));
            if std::ptr::eq(*owner, name) {
                return thing;
            }
        }
        &self.rest
    }

    /// All names so far with what belongs to them, and last what the others share.
    pub(super) fn all(&self) -> (Vec<Named<T>>, &T) {
        (self.known().clone(), &self.rest)
    }

    fn enter(&self, name: &'static str) -> Arc<T> {
        let name = name.split('(').next().unwrap_or(name);
        let mut known = self.known();
        if let Some((_, thing)) = known.iter().find(|(other, _)| *other == name) {
            return Arc::clone(thing);
        }
        if known.len() == self.most {
            return Arc::clone(&self.rest);
        }
        let thing = Arc::<T>::default();
        known.push((name, Arc::clone(&thing)));
        thing
    }

    fn known(&self) -> MutexGuard<'_, Vec<Named<T>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the table for `name`, by its address.
fn hash(name: &str) -> usize {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the address.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = (name.as_ptr() as u64).wrapping_mul(GOLDEN);
    (product >> (u64::BITS - ADDRESSES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaked(text: String) -> &'static str {
        Box::leak(text.into_boxed_str())
    }

    #[test]
    fn a_name_is_one_thing_at_whatever_address_and_with_whatever_argument() {
        let names = Names::<u8>::new(8);
        let first: *const u8 = names.find("nvmlDeviceGetClockInfo(sm)");
        for name in ["nvmlDeviceGetClockInfo", "nvmlDeviceGetClockInfo(memory)"] {
            assert!(std::ptr::eq(first, names.find(name)));
            assert!(std::ptr::eq(first, names.find(leaked(name.to_owned()))));
        }
        assert!(!std::ptr::eq(first, names.find("nvmlDeviceGetClock")));
        let all: Vec<_> = names.all().0.into_iter().map(|(name, _)| name).collect();
        assert_eq!(all, ["nvmlDeviceGetClockInfo", "nvmlDeviceGetClock"]);
    }

    #[test]
    fn more_names_than_there_is_room_for_share_one_thing() {
        let names = Names::<u8>::new(2);
        let (first, second) = (names.find("a"), names.find("b"));
        let rest: Vec<&u8> = (0..10_000)
            .map(|number| names.find(leaked(format!("c{number}"))))
            .collect();
        assert!(rest.iter().all(|thing| std::ptr::eq(*thing, names.all().1)));
        assert!(!std::ptr::eq(first, second) && !std::ptr::eq(first, rest[0]));
        assert_eq!(names.all().0.len(), 2);
        assert!(
            std::ptr::eq(first, names.find("a")),
            "a full table does not forget"
        );
    }

    #[test]
    fn threads_that_come_at_once_find_the_same() {
        const TEXTS: [&str; 8] = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg", "hhhhhhhh"];
        let names = Names::<u8>::new(TEXTS.len());
        let find_all = || TEXTS.map(|text| std::ptr::from_ref(names.find(text)) as usize);
        let found: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(find_all)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(found.iter().all(|one| *one == found[0]));
        assert_eq!(names.all().0.len(), TEXTS.len());
    }
}
