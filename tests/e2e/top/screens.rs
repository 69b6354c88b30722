//! Screens of a world in which nothing changes, compared with those that were kept.

use nvml_sim::faults::Fault;

use super::{frozen, local, started, terminal::Terminal};

/// What differs from run to run: the version, times of day, how long something has lasted, and whether the agent keeps its pace.
fn compared(shown: &str) -> String {
    let mut lines: Vec<String> = shown.lines().map(|line| line.trim_end().to_owned()).collect();
    for line in &mut lines {
        let is_time = line.as_bytes().get(2) == Some(&b':') && line.as_bytes().get(5) == Some(&b':');
        if is_time {
            line.replace_range(..8, "HH:MM:SS");
        }
        if let Some((whom, _)) = line.split_once("● live") {
            *line = format!("{} ● live", whom.trim_end());
        }
        // Whether the driver has taken a sample of a process since it was last asked.
        if line.contains("GiB ") && line.is_char_boundary(28) && line.is_char_boundary(38) {
            line.replace_range(28..38, "  SM   BW ");
        }
    }
    lines.join("\n")
}

#[track_caller]
fn keep_and_compare(terminal: &Terminal, name: &str) {
    terminal.keep(name);
    insta::assert_snapshot!(name, compared(&terminal.shown()));
}

#[test]
fn every_screen_is_as_it_was() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 120, 40) else {
        return;
    };
    // Nothing but the driver's own samples is missing at the first look.
    terminal.until("eight GPUs are there", |shown| shown.contains("8 GPUs 8 ok"));
    terminal.press(&["3"]);
    terminal.until("the processes are there", |shown| shown.contains("MEM▼"));
    keep_and_compare(&terminal, "processes");
    terminal.press(&["?"]);
    terminal.until("the help is there", |shown| shown.contains("Everywhere"));
    keep_and_compare(&terminal, "help");
    terminal.press(&["1"]);
    let overview = terminal.until("the overview is there", |shown| shown.contains("by GPU memory"));
    terminal.keep("overview");
    // Graphs grow; what stands above them does not.
    let cards: Vec<&str> = overview.lines().skip(2).take(16).map(str::trim_end).collect();
    insta::assert_snapshot!("cards", cards.join("\n"));
}

#[test]
fn a_gpu_has_graphs_that_grow() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 120, 40) else {
        return;
    };
    terminal.press(&["Down", "Down", "Enter"]);
    let is_braille = |character: &char| ('\u{2801}'..='\u{28ff}').contains(character);
    let dots = |shown: &str| shown.chars().filter(is_braille).count();
    let first = dots(&terminal.until("GPU 2 is there", |shown| shown.contains("GPU 2 of 8")));
    let later = terminal.until("the graphs grow", |shown| dots(shown) > first + 8);
    for graph in ["Power ", "Temperature ", "PCIe in ", "NVLink out "] {
        assert!(later.contains(graph), "{graph}: {later}");
    }
    terminal.keep("gpu");
    terminal.press(&["Right"]);
    terminal.until("its neighbour is there", |shown| shown.contains("GPU 3 of 8"));
}

#[test]
fn screens_fit_terminals_of_every_size() {
    let simulator = frozen();
    let Some(terminal) = started(&local(&simulator), 120, 40) else {
        return;
    };
    for (width, height, name) in [(80, 24, "small"), (40, 20, "narrow"), (200, 60, "large")] {
        terminal.resize(width, height);
        let shown = terminal.until("it is drawn from top to bottom", |shown| {
            let (first, last) = (shown.lines().next(), shown.lines().last());
            shown.lines().count() == usize::from(height)
                && first.is_some_and(|line| line.starts_with("gpulse"))
                && last.is_some_and(|line| line.starts_with("q quit"))
        });
        let is_there = |index: &u32| {
            let mark = format!("{index} ");
            shown
                .lines()
                .any(|line| line.trim_start_matches(['▶', ' ']).starts_with(&mark))
        };
        let gpus = (0..8).filter(is_there);
        assert_eq!(gpus.count(), 8, "{shown}");
        terminal.keep(&format!("overview-{name}"));
    }
    // Smaller than anything can be of use, and back.
    terminal.resize(3, 2);
    terminal.resize(100, 30);
    terminal.until("it is drawn again", |shown| shown.contains("8 GPUs 8 ok"));
}

#[test]
fn colors_are_those_of_the_terminal() {
    let simulator = frozen();
    let named = |text: &str| text.contains("\u{1b}[32m") || text.contains("\u{1b}[36m");
    let (palette, all) = ("38;5;", "38;2;");
    for (variables, what) in [
        ("COLORTERM=truecolor", "all"),
        ("COLORTERM= TERM=xterm-256color", "palette"),
        ("COLORTERM= TERM=xterm", "sixteen"),
        ("NO_COLOR=1", "none"),
        ("COLORTERM= TERM=linux LANG=C", "ascii"),
    ] {
        let Some(terminal) = Terminal::open(100, 30) else {
            return;
        };
        terminal.run(&format!("{variables} {}", local(&simulator)));
        terminal.until("the overview is live", |shown| shown.contains(" live"));
        terminal.keep(&format!("colors-{what}"));
        let colored = terminal.colored();
        let seen = (colored.contains(all), colored.contains(palette), named(&colored));
        let expected = match what {
            "all" => (true, false, false),
            "palette" => (false, true, false),
            "none" => (false, false, false),
            _ => (false, false, true),
        };
        assert_eq!(seen, expected, "{what}: {colored}");
        assert_eq!(terminal.shown().is_ascii(), what == "ascii", "{what}");
    }
}

#[test]
fn a_hung_gpu_and_an_xid_are_shown_with_reason_and_advice() {
    let simulator = nvml_sim::testing::Simulator::start("h100-sxm-8").unwrap();
    let Some(terminal) = Terminal::open(120, 40) else {
        return;
    };
    terminal.run(&format!("GPULSE_SAMPLER__DEADLINE=500ms {}", local(&simulator)));
    terminal.until("the overview is live", |shown| shown.contains("8 GPUs 8 ok"));
    terminal.press(&["4"]);
    terminal.until("the events are there", |shown| {
        shown.contains("driver can be used")
    });
    simulator
        .set_faults(&[
            Fault::on("nvmlDeviceGetPowerUsage").gpu(3).hang(),
            Fault::everywhere().gpu(6).xid(48),
        ])
        .unwrap();
    terminal.until("the XID is there", |shown| shown.contains("XID 48"));
    terminal.click("XID 48");
    let explained = terminal.until("it is explained", |shown| shown.contains("What to do:"));
    assert!(explained.contains("reset the GPU"), "{explained}");
    terminal.keep("events");
    terminal.press(&["1"]);
    let hung = terminal.until("the hung GPU is there", |shown| {
        shown.contains("1 hung") && shown.contains("nvmlDeviceGetPowerUsage")
    });
    // It takes no other along.
    assert!(hung.contains("7 ok"), "{hung}");
    terminal.keep("hung");
    simulator.clear_faults().unwrap();
    terminal.until("it is well again", |shown| shown.contains("8 GPUs 8 ok"));
}
