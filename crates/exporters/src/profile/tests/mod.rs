//! Each profile shows what its table says, and nothing that is not fresh.

mod licences;
mod nvidia_smi;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use gpulse_aggregator::{Counters, EventTotals};
use gpulse_models::{
    EventCounters, EventGpu, GpuSnapshot, GpuState, HostSnapshot, LastXid, PodAssignments, PodContainer,
    PodHolders, Reading, Reason, XidTally, example,
};

use super::*;
use crate::{
    expose,
    family::{Extra, Family, Histogram, Kind, Labels, Point},
};

/// Keeps what it is shown, by family.
#[derive(Default)]
struct Kept {
    /// Those whose series say when they began.
    begun: BTreeSet<String>,
    families: Vec<(Family, BTreeMap<String, f64>)>,
}

impl Sink for Kept {
    fn family(&mut self, family: &Family) {
        let twice = self.families.iter().any(|(other, _)| stem(other) == stem(family));
        assert!(!twice, "{} stands there twice", family.name);
        self.families.push((family.clone(), BTreeMap::new()));
    }

    fn series(&mut self, labels: &Labels, extra: &[Extra<'_>], point: Point<'_>) {
        let all: Vec<_> = labels.pairs().chain(extra.iter().copied()).collect();
        let names: BTreeSet<_> = all.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), all.len(), "a label stands there twice: {all:?}");
        let text: Vec<_> = all
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let (family, series) = self.families.last_mut().unwrap();
        assert!(point.value.is_finite(), "{}", family.name);
        if point.created.is_some() {
            self.begun.insert(family.name.to_string());
        }
        let before = series.insert(text.join(","), point.value);
        assert!(before.is_none(), "{} {text:?} stands there twice", family.name);
    }

    fn histogram(&mut self, _: &Labels, _: &[Extra<'_>], _: &Histogram<'_>) {}
}

/// The name of a family without the ending of its type: as OpenMetrics has it, where it may stand once.
fn stem(family: &Family) -> &str {
    let ending = match family.kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        _ => "",
    };
    family.name.strip_suffix(ending).unwrap_or(&family.name)
}

impl Kept {
    fn of(&self, name: &str) -> &BTreeMap<String, f64> {
        let found = self.families.iter().find(|(family, _)| family.name == name);
        found.map_or_else(|| panic!("no {name}"), |(_, series)| series)
    }

    fn has(&self, name: &str) -> bool {
        self.families.iter().any(|(family, _)| family.name == name)
    }

    /// The value of a family that has one series.
    fn one(&self, name: &str) -> f64 {
        let series = self.of(name);
        assert_eq!(series.len(), 1, "{name}: {series:?}");
        *series.values().next().unwrap()
    }
}

fn shown(host: &HostSnapshot, events: &EventTotals, profiles: Profiles) -> Kept {
    let stats = Counters::default().read();
    let view = View {
        host,
        events,
        stats: &stats,
        node: "node-1",
        started_at: example::at(),
        at: example::at(),
        per_process: true,
    };
    let mut kept = Kept::default();
    expose(&view, profiles, &mut kept);
    kept
}

fn quiet() -> EventTotals {
    EventTotals {
        gone: Vec::new(),
        gpus: Vec::new(),
        dropped: 0,
    }
}

fn of_one(gpu: GpuSnapshot, profile: Profile) -> Kept {
    shown(&example::host([gpu]), &quiet(), Profiles::from_iter([profile]))
}

#[test]
fn every_path_of_every_table_exists() {
    for profile in Profile::ALL {
        let lost: Vec<_> = profile.table().lost().map(|row| row.name).collect();
        assert!(lost.is_empty(), "{profile:?}: {lost:?}");
    }
}

#[test]
fn all_profiles_at_once_show_no_family_and_no_series_twice() {
    let gpus = (0..3).map(example::gpu);
    let kept = shown(&example::host(gpus), &quiet(), Profile::ALL.into_iter().collect());
    assert!(kept.families.len() > 200, "{}", kept.families.len());
    for (family, _) in &kept.families {
        assert!(family.help.ends_with('.'), "{}: {}", family.name, family.help);
    }
}

#[test]
fn names_that_follow_from_the_catalogue_are_unlike_one_another_in_openmetrics() {
    let families = native::derived().iter().map(|derived| &derived.family);
    let stems: Vec<_> = families.clone().map(stem).collect();
    let unlike: BTreeSet<_> = stems.iter().collect();
    assert_eq!(unlike.len(), stems.len(), "{stems:?}");
}

#[test]
fn what_the_agent_counts_itself_says_since_when() {
    let kept = of_one(example::gpu(0), Profile::Native);
    for (name, begun) in [
        ("gpulse_gpu_samples_total", true),
        ("gpulse_pcie_resets_total", true),
        ("gpulse_power_energy_resets_total", true),
        ("gpulse_power_energy_joules_total", false),
        ("gpulse_pcie_replays_total", false),
    ] {
        assert!(kept.has(name), "{name}");
        assert_eq!(kept.begun.contains(name), begun, "{name}");
    }
}

#[test]
fn native_names_are_in_base_units() {
    let kept = of_one(example::gpu(0), Profile::Native);
    let sample = example::sample();
    assert_eq!(
        kept.one("gpulse_power_draw_watts"),
        sample.power.draw_watts.value().unwrap().0
    );
    assert_eq!(
        kept.one("gpulse_load_gpu_ratio"),
        sample.load.gpu_percent.value().unwrap().0 / 100.0
    );
    assert_eq!(
        kept.one("gpulse_clocks_sm_hertz"),
        sample.clocks.sm_mhz.value().unwrap().0 * 1e6
    );
    assert_eq!(
        kept.one("gpulse_memory_used_bytes"),
        sample.memory.used_bytes.value().unwrap().0 as f64
    );
    assert_eq!(kept.one("gpulse_gpu_cores"), 16_896.0);
    let fans = sample.thermal.fans.value().unwrap().len();
    assert_eq!(kept.of("gpulse_thermal_fan_speed_ratio").len(), fans);
    assert!(
        kept.of("gpulse_thermal_fan_speed_ratio")
            .keys()
            .next()
            .unwrap()
            .contains("fan=0")
    );
    for (family, _) in &kept.families {
        for word in ["percent", "_mhz", "_mbps", "microseconds", "_bits"] {
            assert!(!family.name.contains(word), "{}", family.name);
        }
        let counts = family.kind == Kind::Counter;
        assert_eq!(counts, family.name.ends_with("_total"), "{}", family.name);
        assert_eq!(
            family.kind == Kind::Info,
            family.name.ends_with("_info"),
            "{}",
            family.name
        );
    }
}

#[test]
fn dcgm_names_have_its_units_and_labels() {
    let kept = of_one(example::gpu(0), Profile::Dcgm);
    let sample = example::sample();
    assert_eq!(
        kept.one("DCGM_FI_DEV_SM_CLOCK"),
        sample.clocks.sm_mhz.value().unwrap().0
    );
    let used = sample.memory.used_bytes.value().unwrap().mebibytes();
    assert_eq!(kept.one("DCGM_FI_DEV_FB_USED"), used);
    let energy = sample.power.energy_joules_total.value().unwrap().0;
    assert_eq!(kept.one("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"), energy * 1e3);
    let labels = kept.of("DCGM_FI_DEV_GPU_TEMP").keys().next().unwrap();
    assert_eq!(
        labels,
        "gpu=0,UUID=GPU-00000000-0000-0000-0000-000000000000,pci_bus_id=00000000:01:00.0,device=nvidia0,\
         modelName=NVIDIA Example,Hostname=node-1,DCGM_FI_DRIVER_VERSION=580.95.05,\
         namespace=training,pod=llama-0,container=trainer"
    );
}

#[test]
fn what_is_not_fresh_has_no_series_and_says_so() {
    for state in [
        GpuState::Stale,
        GpuState::Hung,
        GpuState::Lost,
        GpuState::Unavailable,
    ] {
        let mut gpu = example::gpu(0);
        gpu.health.state = state;
        let kept = shown(
            &example::host([gpu]),
            &quiet(),
            Profile::ALL.into_iter().collect(),
        );
        for name in [
            "gpulse_power_draw_watts",
            "DCGM_FI_DEV_POWER_USAGE",
            "gpu_power_draw_watts",
            "nvidia_smi_power_draw_watts",
        ] {
            assert!(!kept.has(name), "{state:?} {name}");
        }
        assert_eq!(kept.one("gpulse_gpu_up"), 0.0);
        let states = kept.of("gpulse_gpu_state");
        let holding: Vec<_> = states.iter().filter(|(_, value)| **value == 1.0).collect();
        assert_eq!(holding.len(), 1);
        assert!(holding[0].0.ends_with(state.as_str()), "{holding:?}");
        let unavailable = kept.of("gpulse_reading_unavailable");
        assert!(
            unavailable.keys().any(|labels| labels.contains("metric=power,")),
            "{unavailable:?}"
        );
    }
}

#[test]
fn an_xid_is_counted_and_stays_where_its_gpu_is_lost() {
    let mut gpu = example::gpu(0);
    gpu.health.state = GpuState::Lost;
    let mut counters = EventCounters::new();
    counters.unwatched = None;
    counters.kinds.insert("xid", 2);
    let at = example::at();
    let mut tally = XidTally::first(at);
    tally.add(at);
    counters.xids.insert(79, tally);
    counters.last_xid = Some(LastXid {
        code: 79,
        sequence: 5,
        at: example::at(),
    });
    let events = EventTotals {
        gone: Vec::new(),
        gpus: vec![(
            EventGpu {
                index: 0,
                id: gpu.id.clone(),
                instance: None,
            },
            counters,
        )],
        dropped: 0,
    };
    let kept = shown(&example::host([gpu]), &events, Profile::ALL.into_iter().collect());
    assert_eq!(kept.one("gpulse_xid_errors_total"), 2.0);
    assert_eq!(kept.one("DCGM_FI_DEV_XID_ERRORS"), 79.0);
    assert_eq!(kept.one("DCGM_EXP_XID_ERRORS_COUNT"), 2.0);
    assert_eq!(kept.one("DCGM_FI_DEV_XID_ERROR"), 79.0);
    assert_eq!(kept.one("nvidia_smi_xid_errors_total"), 2.0);
}

#[test]
fn no_xid_is_zero_only_where_events_reach_the_agent() {
    let gpu = example::gpu(0);
    let of = |unwatched| {
        let mut counters = EventCounters::new();
        counters.unwatched = unwatched;
        let id = gpu.id.clone();
        EventTotals {
            gone: Vec::new(),
            gpus: vec![(
                EventGpu {
                    index: 0,
                    id,
                    instance: None,
                },
                counters,
            )],
            dropped: 0,
        }
    };
    let host = example::host([gpu.clone()]);
    let dcgm = Profiles::from_iter([Profile::Dcgm]);
    assert_eq!(shown(&host, &of(None), dcgm).one("DCGM_FI_DEV_XID_ERRORS"), 0.0);
    let refused = of(Some(Reason::NoPermission));
    assert!(!shown(&host, &refused, dcgm).has("DCGM_FI_DEV_XID_ERRORS"));
}

#[test]
fn a_sole_holder_labels_every_series_and_several_none() {
    let gpu = example::gpu(0);
    let uuid = gpu.id.to_string();
    let holder = |pod: &str| PodContainer {
        namespace: "team".to_owned(),
        pod: pod.to_owned(),
        container: "main".to_owned(),
    };
    let mut host = example::host([gpu]);
    let mut holders = PodHolders::default();
    holders.add(uuid.parse().unwrap(), holder("a"));
    host.pods = PodAssignments::known(holders.clone(), example::at()).into();
    let both = Profiles::from_iter([Profile::Native, Profile::Dcgm]);
    let kept = shown(&host, &quiet(), both);
    for name in ["gpulse_power_draw_watts", "DCGM_FI_DEV_POWER_USAGE"] {
        let labels = kept.of(name).keys().next().unwrap();
        assert!(
            labels.ends_with(",namespace=team,pod=a,container=main"),
            "{labels}"
        );
    }
    assert_eq!(kept.one("gpulse_pod_info"), 1.0);

    holders.add(uuid.parse().unwrap(), holder("b"));
    host.pods = PodAssignments::known(holders, example::at()).into();
    let kept = shown(&host, &quiet(), both);
    let labels = kept.of("gpulse_power_draw_watts").keys().next().unwrap();
    assert!(!labels.contains("pod="), "{labels}");
    assert_eq!(kept.of("gpulse_pod_info").len(), 2);
}

#[test]
fn sets_of_profiles_are_read_as_they_are_written() {
    for text in [
        "native",
        "dcgm,nvidia_smi",
        "native,dcgm,dcgm-4.9,nvidia_smi,resource-agent",
    ] {
        assert_eq!(text.parse::<Profiles>().unwrap().to_string(), text);
    }
    let all: Profiles = Profile::ALL.into_iter().collect();
    assert_eq!(all.number() + 1, Profiles::SETS);
    let error = "native,dgcm".parse::<Profiles>().unwrap_err();
    assert!(error.to_string().contains("`dgcm`") && error.to_string().contains("resource-agent"));
}
