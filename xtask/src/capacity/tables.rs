//! The tables of docs/FLEET.md.

use std::fmt::Write as _;

use super::measure::Scrape;

/// Sizes of fleets, in GPUs.
const FLEETS: [u32; 4] = [10, 1_000, 10_000, 100_000];

/// Scrape intervals, in seconds.
const INTERVALS: [f64; 2] = [15.0, 1.0];

/// What the large tables are computed for: nodes of this kind, with each of these.
const NODE: &str = "h100-sxm-8";
const SHOWN: [&str; 4] = ["native", "dcgm", "nvidia_smi", "resource-agent"];

/// All tables, as Markdown.
pub(super) fn render(scrapes: &[Scrape]) -> String {
    let mut text = String::from("### One scrape of one node\n\n");
    text += "| Node | Names | Series | per GPU | Bytes | gzip | zstd | gzip, per GPU |\n|---|---|--:|--:|--:|--:|--:|--:|\n";
    for scrape in scrapes {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |",
            scrape.node,
            scrape.profile,
            grouped(scrape.counts.all as f64),
            grouped(per_gpu(scrape, scrape.counts.all)),
            bytes(scrape.plain as f64),
            bytes(scrape.gzip as f64),
            bytes(scrape.zstd as f64),
            bytes(per_gpu(scrape, scrape.gzip)),
        );
    }
    text += "\n### What can be left out of the native names\n\n";
    text += "| Node | Series | of the node and the agent | of them buckets | of each NVLink | not supported | added by `created` |\n";
    text += "|---|--:|--:|--:|--:|--:|--:|\n";
    for scrape in scrapes.iter().filter(|scrape| scrape.profile == "native") {
        let counts = scrape.counts;
        let cells = [
            counts.all,
            counts.of_node,
            counts.buckets,
            counts.links,
            counts.unsupported,
            counts.counters,
        ];
        let cells = cells.map(|count| grouped(count as f64)).join(" | ");
        let _ = writeln!(text, "| `{}` | {cells} |", scrape.node);
    }
    for scrape in SHOWN.iter().filter_map(|name| {
        let of_node = scrapes.iter().filter(|scrape| scrape.node == NODE);
        of_node.clone().find(|scrape| scrape.profile == *name)
    }) {
        fleet(&mut text, scrape, scrape.profile, scrape.counts.all, scrape.gzip);
        if scrape.profile == "native" {
            let counts = scrape.counts;
            let kept = counts.all - counts.links - counts.unsupported - counts.buckets;
            fleet(&mut text, scrape, "native, thinned as below", kept, scrape.gzip);
        }
    }
    text
}

/// What fleets of nodes like this one ask for.
fn fleet(text: &mut String, scrape: &Scrape, title: &str, series: usize, gzip: usize) {
    let _ = write!(text, "\n### Fleets of `{NODE}` with the names {title}\n\n");
    *text += "| GPUs | Nodes | Active series | Samples/s at 15 s | at 1 s | Network at 15 s, gzip | at 1 s |\n|--:|--:|--:|--:|--:|--:|--:|\n";
    for gpus in FLEETS {
        // A part of a node is a node: its agent and its driver have as many series as those of a full one.
        let nodes = (f64::from(gpus) / scrape.gpus as f64).ceil();
        let all = nodes * series as f64;
        let [slow, fast] = INTERVALS;
        let network = |interval| format!("{}/s", bytes(nodes * gzip as f64 / interval));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            grouped(f64::from(gpus)),
            grouped(nodes),
            rounded(all),
            rounded(all / slow),
            rounded(all / fast),
            network(slow),
            network(fast),
        );
    }
}

fn per_gpu(scrape: &Scrape, amount: usize) -> f64 {
    amount as f64 / scrape.gpus as f64
}

/// Three digits that mean something, the rest is what a GPU happens to support.
fn rounded(number: f64) -> String {
    let digits = number.max(1.0).log10().floor() as i32;
    let step = 10_f64.powi((digits - 2).max(0));
    grouped((number / step).round() * step)
}

/// A whole number in groups of three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in decimal units.
fn bytes(number: f64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) if number / size >= 100.0 => format!("{:.0} {unit}", number / size),
        Some((size, unit)) => format!("{:.1} {unit}", number / size),
        None => format!("{number:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Counts;
    use super::*;

    #[test]
    fn a_fleet_is_of_whole_nodes() {
        let scrape = Scrape {
            node: NODE,
            gpus: 8,
            profile: "native",
            counts: Counts::default(),
            plain: 0,
            gzip: 0,
            zstd: 0,
        };
        let mut text = String::new();
        fleet(&mut text, &scrape, "native", 300, 1_500);
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| 10")).collect();
        assert_eq!(rows[0], "| 10 | 2 | 600 | 40 | 600 | 200 B/s | 3.0 kB/s |");
        assert!(rows[1].starts_with("| 10,000 | 1,250 | 375,000 |"), "{}", rows[1]);
    }

    #[test]
    fn numbers_are_rounded_to_what_means_something() {
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(grouped(12.0), "12");
        assert_eq!(rounded(1_234_567.0), "1,230,000");
        assert_eq!(rounded(12.4), "12");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(23_456.0), "23.5 kB");
        assert_eq!(bytes(234_567.0), "235 kB");
        assert_eq!(bytes(1_500_000_000.0), "1.5 GB");
    }
}
