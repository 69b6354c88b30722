//! The answer of `/gpu/metrics` as a table for people.

use serde_json::Value;

const HEAD: [&str; 6] = ["GPU", "Name", "Busy", "Memory", "Power", "Temp"];

/// One line per GPU; the text itself when it is not what `/gpu/metrics` answers.
pub(crate) fn render(body: &str) -> String {
    let parsed: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    let Some(gpus) = parsed["gpus"].as_array() else {
        return format!("{}\n", body.trim());
    };
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(gpus.iter().map(row));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for row in &rows {
        let [index, name, busy, memory, power, temperature] = row;
        let [w0, w1, w2, w3, w4, w5] = widths;
        text += &format!(
            "  {index:>w0$}  {name:<w1$}  {busy:>w2$}  {memory:>w3$}  {power:>w4$}  {temperature:>w5$}\n"
        );
    }
    text
}

fn row(gpu: &Value) -> [String; 6] {
    let number = |path: &str| reading(gpu, path);
    [
        gpu["gpu_id"].to_string(),
        gpu["gpu_name"].as_str().unwrap_or("?").to_owned(),
        number("utilization.gpu_percent").map_or_else(absent, |percent| format!("{percent:.0} %")),
        pair(
            number("memory.used_mb"),
            number("memory.total_mb"),
            |mb| format!("{:.1}", mb / 1024.0),
            "GiB",
        ),
        pair(
            number("power.power_draw_watts"),
            number("power.power_limit_watts"),
            |watts| format!("{watts:.0}"),
            "W",
        ),
        number("temperature.current_celsius").map_or_else(absent, |celsius| format!("{celsius:.0} °C")),
    ]
}

/// A number that the GPU really gave: these routes send 0 for what it cannot give and name it under `unavailable`.
fn reading(gpu: &Value, path: &str) -> Option<f64> {
    if gpu["unavailable"].get(path).is_some() {
        return None;
    }
    let (group, key) = path.split_once('.')?;
    gpu[group][key].as_f64()
}

fn pair(used: Option<f64>, of: Option<f64>, show: impl Fn(f64) -> String, unit: &str) -> String {
    match (used, of) {
        (None, None) => absent(),
        (used, of) => {
            format!(
                "{} / {} {unit}",
                used.map_or_else(absent, &show),
                of.map_or_else(absent, &show)
            )
        }
    }
}

fn absent() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn a_gpu_is_a_line_and_an_absent_reading_is_not_zero() {
        let text = render(
            r#"{"gpus": [{
                "gpu_id": 0, "gpu_name": "NVIDIA H100 80GB HBM3",
                "utilization": {"gpu_percent": 93.0},
                "memory": {"used_mb": 66150.4, "total_mb": 81559.0},
                "power": {"power_draw_watts": 0.0, "power_limit_watts": 700.0},
                "temperature": {"current_celsius": 61.0},
                "unavailable": {"power.power_draw_watts": "not_supported"}
            }]}"#,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "  GPU  Name                   Busy           Memory      Power   Temp"
        );
        assert_eq!(
            lines[1],
            "    0  NVIDIA H100 80GB HBM3  93 %  64.6 / 79.6 GiB  – / 700 W  61 °C"
        );
    }

    #[test]
    fn an_unexpected_answer_is_shown_as_it_is() {
        assert_eq!(render("{\"detail\":\"no\"}\n"), "{\"detail\":\"no\"}\n");
    }
}
