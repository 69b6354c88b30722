//! The reference of what monitoring systems see: written from the tables, so that it cannot say anything else.

mod pushing;
mod words;

use crate::{
    Kind, Profile, Scale, Source,
    profile::native::{Derived, From, derived, labels_for},
    seen::CATALOGUE,
};

/// The reference of all profiles, as Markdown.
pub fn reference() -> String {
    let mut text = words::INTRODUCTION.to_owned();
    for profile in Profile::ALL {
        text += &format!(
            "\n## `{}`\n\n{} {}\n\n",
            profile.as_str(),
            profile.description(),
            words::of(profile)
        );
        text += "| Metric | Type | From | Meaning |\n|---|---|---|---|\n";
        if profile == Profile::Native {
            for family in words::NATIVE {
                row(&mut text, family.0, family.1, family.2, family.3);
            }
            derived()
                .iter()
                .for_each(|derived| derived_row(&mut text, derived));
        }
        for table in &profile.table().rows {
            row(
                &mut text,
                table.name,
                table.kind,
                &source(table.source),
                table.help,
            );
        }
        for family in words::beside(profile) {
            row(&mut text, family.0, family.1, family.2, family.3);
        }
    }
    text += &pushing::pushing();
    text
}

fn row(text: &mut String, name: &str, kind: Kind, from: &str, help: &str) {
    let kind = match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::Info => "info",
        Kind::Histogram => "histogram",
    };
    *text += &format!("| `{name}` | {kind} | {from} | {help} |\n");
}

fn derived_row(text: &mut String, derived: &Derived) {
    let mut from = match &derived.from {
        From::Number(leaf, scale) => format!("`{}`{}", CATALOGUE.at(*leaf).path, scaled(*scale)),
        From::Texts(texts) => {
            let labels: Vec<_> = texts.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("labels {}", labels.join(", "))
        }
    };
    if let Some(list) = derived.of {
        let labels: Vec<_> = labels_for(list).map(|name| format!("`{name}`")).collect();
        from += &format!("; by {}", labels.join(", "));
    }
    row(
        text,
        &derived.family.name,
        derived.family.kind,
        &from,
        &derived.family.help,
    );
}

fn source(source: Source) -> String {
    match source {
        Source::Reading(path, scale) => format!("`{path}`{}", scaled(scale)),
        Source::WithInstances(path, instance, scale) => {
            format!(
                "`{path}`, of MIG instances `mig.instances.{instance}`{}",
                scaled(scale)
            )
        }
        Source::Made(what, _) | Source::Each(what, _) => what.to_owned(),
    }
}

fn scaled(scale: Scale) -> String {
    match scale {
        Scale::One => String::new(),
        Scale::Times(factor) => format!(" × {factor}"),
        Scale::Over(divisor) => format!(" ÷ {divisor}"),
    }
}

#[cfg(test)]
mod tests {
    use gpulse_aggregator::{Counters, EventTotals};
    use gpulse_models::{
        DriverStatus, EventCounters, EventGpu, GpuState, HostSnapshot, LastXid, Reason, XidTally, example,
    };

    use super::*;
    use crate::{
        Profiles, View, expose,
        family::{Extra, Family, Histogram, Labels, Point, Sink},
    };

    struct Names(Vec<String>);

    impl Sink for Names {
        fn family(&mut self, family: &Family) {
            self.0.push(family.name.to_string());
        }
        fn series(&mut self, _: &Labels, _: &[Extra<'_>], _: Point<'_>) {}
        fn histogram(&mut self, _: &Labels, _: &[Extra<'_>], _: &Histogram<'_>) {}
    }

    fn names(host: &HostSnapshot, events: &EventTotals) -> Vec<String> {
        let counters = Counters::default();
        counters.calls().begin("nvmlInit_v2").finish(None);
        counters.push("otlp").sent(example::at(), 0);
        let stats = counters.read();
        let view = View {
            host,
            events,
            stats: &stats,
            node: "n",
            started_at: example::at(),
            at: example::at(),
            per_process: true,
        };
        let mut names = Names(Vec::new());
        let all: Profiles = Profile::ALL.into_iter().collect();
        expose(&view, all, &mut names);
        names.0
    }

    #[test]
    fn every_family_that_is_shown_is_in_the_reference() {
        let gpu = example::gpu(0);
        let mut hung = example::gpu(1);
        hung.health.state = GpuState::Hung;
        hung.health.last_error = Some(gpulse_models::Failure {
            reason: Reason::Timeout,
            call: "nvmlDeviceGetName".into(),
            message: String::new(),
            at: example::at(),
        });
        let mut counters = EventCounters::new();
        counters.kinds.insert("xid", 1);
        counters.xids.insert(79, XidTally::first(example::at()));
        counters.last_xid = Some(LastXid {
            code: 79,
            sequence: 1,
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
        let mut shown = names(&example::host([gpu, hung]), &events);
        let mut without = example::host([]);
        without.driver = DriverStatus::Unavailable(example::driver_fault().into());
        shown.extend(names(&without, &events));
        let reference = reference();
        let lost: Vec<_> = shown
            .iter()
            .filter(|name| !reference.contains(&format!("| `{name}` |")))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
