//! The footprint as a table, beside the goals.

use crate::bench::footprint::Figures;

const GOAL_RSS_MB: f64 = 20.0;
const GOAL_CPU_PERCENT: f64 = 0.5;

/// A row of figures: its name, how it is read, and the goal if there is one.
type Row = (&'static str, fn(&Figures) -> String, Option<String>);

/// The table of what was measured, of an agent with so many routes.
pub(super) fn render(profile: &str, routes: usize, measured: &[Figures]) -> String {
    let rows: [Row; 8] = [
        (
            "CPU, % of a core",
            |figures| format!("{:.2}", figures.cpu_percent),
            Some(format!("< {GOAL_CPU_PERCENT}")),
        ),
        (
            "  threads of the driver",
            |figures| format!("{:.2}", figures.driver_percent),
            None,
        ),
        (
            "  the rest",
            |figures| format!("{:.2}", figures.cpu_percent - figures.driver_percent),
            None,
        ),
        (
            "NVML calls a second",
            |figures| format!("{:.0}", figures.calls_per_second),
            None,
        ),
        (
            "RSS, MB",
            |figures| megabytes(figures.after.rss_kib),
            Some(format!("< {GOAL_RSS_MB:.0}")),
        ),
        (
            "RSS, highest, MB",
            |figures| megabytes(figures.after.peak_kib),
            None,
        ),
        ("threads", |figures| figures.after.threads.to_string(), None),
        ("open files", |figures| figures.after.files.to_string(), None),
    ];
    let mut text =
        format!("\nFootprint of gpulse over `{profile}`, release build, the simulator included\n\n");
    let mut line = |name: &str, cells: Vec<String>, goal: Option<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>11}")).collect();
        let goal = goal.unwrap_or_default();
        text += format!("  {name:<24}{cells}   {goal}").trim_end();
        text.push('\n');
    };
    let titles = measured.iter().map(|figures| figures.title.to_owned());
    line("", titles.collect(), Some("goal".to_owned()));
    for (name, cell, goal) in rows {
        line(name, measured.iter().map(cell).collect(), goal);
    }
    text += &format!(
        "\n  one GET: of /api/v1/gpus, once a second. all routes: {routes} in three encodings, once a second.\n  \
         no groups: another agent, which ticks and reads nothing: what is not there is the readings' and the simulator's.\n"
    );
    text
}

fn megabytes(kib: u64) -> String {
    format!("{:.1}", kib as f64 * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::bench::footprint::Figures;
    use crate::bench::usage::Usage;

    #[test]
    fn the_figures_stand_beside_the_goals() {
        let figures = |title, cpu_percent| Figures {
            title,
            cpu_percent,
            driver_percent: 0.1,
            calls_per_second: 800.4,
            after: Usage {
                cpu_seconds: 1.0,
                driver_seconds: 0.5,
                rss_kib: 12_500,
                peak_kib: 15_625,
                threads: 14,
                files: 20,
            },
        };
        let text = render("t4", 12, &[figures("idle", 0.134), figures("one GET", 0.2)]);
        for expected in [
            "                                  idle     one GET   goal\n",
            "  CPU, % of a core                0.13        0.20   < 0.5\n",
            "    the rest                      0.03        0.10\n",
            "  NVML calls a second              800         800\n",
            "  RSS, MB                         12.8        12.8   < 20\n",
            "  RSS, highest, MB                16.0        16.0\n",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }
}
