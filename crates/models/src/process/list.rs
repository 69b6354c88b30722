//! The processes of one GPU, bounded: some with all that is known, the others briefly.

use serde::{Deserialize, Serialize};

use super::GpuProcess;
use crate::{Bytes, Reading};

/// The processes of one GPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessList {
    /// Those with the most memory, by pid.
    pub processes: Vec<GpuProcess>,
    /// The others, where there are any.
    pub other: Option<OtherProcesses>,
}

/// The processes that no more is said of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherProcesses {
    /// How many there are.
    pub count: u64,
    /// What they hold together, as far as NVML says what each holds.
    pub used_memory: Reading<Bytes>,
    /// Of how many it does not say that.
    pub count_without_memory: u64,
    /// What NVML says of them, by pid; the list may be shorter than their number.
    pub brief: Vec<BriefProcess>,
}

/// What NVML says of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BriefProcess {
    /// Process id as NVML sees it.
    pub pid: u32,
    /// Name as NVML gives it.
    pub name: Reading<String>,
    /// GPU memory that the process holds.
    pub used_memory: Reading<Bytes>,
}

impl ProcessList {
    /// What NVML says of each process that is kept, by pid.
    pub fn brief(&self) -> Vec<(u32, &Reading<String>, &Reading<Bytes>)> {
        let described = self
            .processes
            .iter()
            .map(|process| (process.pid, &process.name, &process.used_memory));
        let others = self.other.iter().flat_map(|other| &other.brief);
        let others = others.map(|process| (process.pid, &process.name, &process.used_memory));
        let mut all: Vec<_> = described.chain(others).collect();
        all.sort_by_key(|(pid, ..)| *pid);
        all
    }
}

#[cfg(test)]
mod tests {
    use crate::{BriefProcess, Bytes, OtherProcesses, ProcessList, Reading, Reason, example};

    #[test]
    fn brief_names_everybody_by_pid() {
        let mut list = example::processes();
        let brief = BriefProcess {
            pid: 7,
            name: Reading::Value("early".to_owned()),
            used_memory: Reading::Value(Bytes(5)),
        };
        list.other = Some(OtherProcesses {
            count: 1,
            used_memory: Reading::Value(Bytes(5)),
            count_without_memory: 0,
            brief: vec![brief],
        });
        let pids: Vec<_> = list.brief().iter().map(|(pid, ..)| *pid).collect();
        assert_eq!(pids, [7, 4242]);
    }

    #[test]
    fn a_list_survives_json_with_its_reasons() {
        let mut list = example::processes();
        list.processes[0].utilization = Reading::Unavailable(Reason::NotSupported);
        let json = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<ProcessList>(&json).unwrap(), list);
        assert!(json.contains(r#""pod_uid":{"value":null}"#), "{json}");
    }
}
