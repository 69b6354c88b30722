//! The two formats, byte by byte.

use gpulse_models::Timestamp;

use super::*;

fn at() -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_500).unwrap()
}

fn written(format: Format, created: bool) -> String {
    let mut text = Text::new(format, created);
    let labels = Labels::new([("gpu", "0".to_owned())]);
    text.family(&Family::new(Kind::Gauge, "a_watts", "Draw \\ \"now\"."));
    text.series(&labels, &[("b", "x\"")], 87.5.into());
    text.family(&Family::new(Kind::Counter, "c_bytes_total", "Sent."));
    let point = Point {
        value: 3.0,
        created: Some(at()),
        exemplar: Some(Exemplar {
            label: ("event", "7"),
            value: 1.0,
            at: at(),
        }),
    };
    text.series(&Labels::default(), &[], point);
    text.family(&Family::new(Kind::Counter, "D_ENERGY", "Energy."));
    text.series(&labels, &[], 1e9.into());
    text.family(&Family::new(Kind::Info, "e_info", "What it is."));
    text.series(&labels, &[("name", "x")], 1.0.into());
    text.family(&Family::new(Kind::Histogram, "g_seconds", "Latency."));
    let histogram = Histogram {
        bounds: &[0.01, 1.0],
        counts: &[2, 1, 1],
        sum: 4.25,
    };
    text.histogram(&labels, &[("call", "h")], &histogram);
    text.finish()
}

#[test]
fn prometheus_text_is_what_its_format_says() {
    assert_eq!(
        written(Format::Prometheus, true),
        r#"# HELP a_watts Draw \\ "now".
# TYPE a_watts gauge
a_watts{gpu="0",b="x\""} 87.5
# HELP c_bytes_total Sent.
# TYPE c_bytes_total counter
c_bytes_total 3
# HELP D_ENERGY Energy.
# TYPE D_ENERGY counter
D_ENERGY{gpu="0"} 1000000000
# HELP e_info What it is.
# TYPE e_info gauge
e_info{gpu="0",name="x"} 1
# HELP g_seconds Latency.
# TYPE g_seconds histogram
g_seconds_bucket{gpu="0",call="h",le="0.01"} 2
g_seconds_bucket{gpu="0",call="h",le="1"} 3
g_seconds_bucket{gpu="0",call="h",le="+Inf"} 4
g_seconds_sum{gpu="0",call="h"} 4.25
g_seconds_count{gpu="0",call="h"} 4
"#
    );
}

#[test]
fn openmetrics_text_is_what_its_format_says() {
    assert_eq!(
        written(Format::OpenMetrics, true),
        r##"# HELP a_watts Draw \\ \"now\".
# TYPE a_watts gauge
# UNIT a_watts watts
a_watts{gpu="0",b="x\""} 87.5
# HELP c_bytes Sent.
# TYPE c_bytes counter
# UNIT c_bytes bytes
c_bytes_total 3 # {event="7"} 1 1800000000.5
c_bytes_created 1800000000.5
# HELP D_ENERGY Energy.
# TYPE D_ENERGY unknown
D_ENERGY{gpu="0"} 1000000000
# HELP e What it is.
# TYPE e info
e_info{gpu="0",name="x"} 1
# HELP g_seconds Latency.
# TYPE g_seconds histogram
# UNIT g_seconds seconds
g_seconds_bucket{gpu="0",call="h",le="0.01"} 2
g_seconds_bucket{gpu="0",call="h",le="1.0"} 3
g_seconds_bucket{gpu="0",call="h",le="+Inf"} 4
g_seconds_sum{gpu="0",call="h"} 4.25
g_seconds_count{gpu="0",call="h"} 4
# EOF
"##
    );
}

#[test]
fn created_series_are_left_out_unless_wanted() {
    assert!(!written(Format::OpenMetrics, false).contains("_created"));
}
