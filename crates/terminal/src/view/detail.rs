//! One GPU: what is known of it, and graphs of what was seen.

use ratatui::{layout::Rect, text::Span};

use super::{canvas::Canvas, facts, graph, number, overview, processes};
use crate::{
    action::{Action, Move},
    app::State,
    body::{Gpu, MigInstance, words},
    frame::Frame,
    look::Role,
    seen::Metric,
    text,
};

/// The least that a graph is of use in.
const GRAPH_WIDTH: u16 = 30;
const GRAPH_HEIGHT: u16 = 4;

/// MIG instances that are shown.
const INSTANCES: usize = 8;

/// Draws the screen.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, frame: &Frame, area: Rect) {
    let Some(gpu) = state.gpus().get(state.gpu_at()) else {
        canvas.text(area, 1, "The driver knows no GPU.", Role::Warning);
        return;
    };
    let mut used = head(canvas, state, gpu, area);
    let most = usize::from(area.height / 3);
    for line in facts_of(canvas, gpu, area.width).into_iter().take(most) {
        canvas.line(area, used, line);
        used += 1;
    }
    for instance in gpu.mig.instances.iter().flatten().take(INSTANCES) {
        canvas.text(area, used, &describe(instance), Role::Title);
        used += 1;
    }
    let rest = canvas.below(area, used);
    let below = if rest.height >= 20 {
        processes::of_gpu(canvas, state, frame, gpu, rest)
    } else {
        0
    };
    let rest = Rect {
        height: rest.height.saturating_sub(below),
        ..rest
    };
    graphs(canvas, state, gpu, rest);
}

/// Which GPU, and what is wrong with it.
fn head(canvas: &mut Canvas<'_>, state: &State, gpu: &Gpu, area: Rect) -> u16 {
    let count = state.gpus().len();
    let arrows = (canvas.look.pick("◀ ", "< "), canvas.look.pick(" ▶", " >"));
    let name = gpu.identity.name.as_deref().unwrap_or("GPU without a name");
    let title = format!("GPU {} of {count}", gpu.index);
    let left = canvas.line(area, 0, vec![canvas.span(arrows.0, Role::Key)]);
    let row = canvas.row(area, 0);
    canvas.spot(Rect { width: left, ..row }, Action::Move(Move::Left));
    let rest = Rect {
        x: row.x + left,
        width: row.width - left,
        ..row
    };
    let width = canvas.line(
        rest,
        0,
        vec![canvas.span(title, Role::Title), canvas.span(arrows.1, Role::Key)],
    );
    canvas.spot(
        Rect {
            x: rest.x + width.saturating_sub(2),
            width: 2,
            ..rest
        },
        Action::Move(Move::Right),
    );
    let rest = Rect {
        x: rest.x + width,
        width: rest.width - width,
        ..rest
    };
    let spans = vec![
        canvas.span(format!("  {name}"), Role::Title),
        Span::styled(format!("  {}", gpu.state), canvas.look.state(&gpu.state)),
        canvas.span(
            facts::age(state, gpu)
                .map(|age| format!("  {age}"))
                .unwrap_or_default(),
            Role::Warning,
        ),
    ];
    canvas.line(rest, 0, spans);
    match facts::trouble(state, gpu) {
        Some(trouble) => 1 + canvas.paragraph(canvas.below(area, 1), &trouble, Role::Bad),
        None => 1,
    }
}

/// What is known of it, as pairs, as many to a row as there is room for.
fn facts_of(canvas: &Canvas<'_>, gpu: &Gpu, width: u16) -> Vec<Vec<Span<'static>>> {
    let degree = canvas.look.degree();
    let celsius = |value| text::celsius(value, degree);
    let show = |text: String| text;
    let mut pairs: Vec<(&str, String)> = vec![
        ("uuid", facts::value(gpu, "uuid", gpu.uuid.clone(), show)),
        (
            "bus",
            facts::value(gpu, "identity.pci_bus_id", gpu.identity.pci_bus_id.clone(), show),
        ),
        (
            "chip",
            facts::value(
                gpu,
                "identity.architecture",
                gpu.identity.architecture.clone(),
                show,
            ),
        ),
        (
            "state",
            facts::value(
                gpu,
                "clocks.performance_state",
                gpu.clocks.performance_state.clone(),
                show,
            ),
        ),
        (
            "SM clock",
            facts::value(gpu, "clocks.sm_mhz", gpu.clocks.sm_mhz, text::megahertz),
        ),
        (
            "memory clock",
            facts::value(gpu, "clocks.memory_mhz", gpu.clocks.memory_mhz, text::megahertz),
        ),
        (
            "temperature",
            facts::value(gpu, "thermal.gpu_celsius", gpu.thermal.gpu_celsius, celsius),
        ),
        (
            "of memory",
            facts::value(gpu, "thermal.memory_celsius", gpu.thermal.memory_celsius, celsius),
        ),
        (
            "slows at",
            facts::value(
                gpu,
                "limits.slowdown_celsius",
                gpu.limits.slowdown_celsius,
                celsius,
            ),
        ),
        (
            "fan",
            facts::value(gpu, "thermal.fans", overview::fan(gpu), text::percent),
        ),
        (
            "enc",
            facts::value(
                gpu,
                "load.encoder_percent",
                gpu.load.encoder_percent,
                text::percent,
            ),
        ),
        (
            "dec",
            facts::value(
                gpu,
                "load.decoder_percent",
                gpu.load.decoder_percent,
                text::percent,
            ),
        ),
    ];
    if let Some((generation, lanes)) = gpu.pcie.generation.zip(gpu.pcie.width) {
        pairs.push(("PCIe", format!("gen {generation} x{lanes}")));
    }
    if let Some(links) = gpu.nvlink.active_links.filter(|links| *links > 0) {
        pairs.push(("NVLink", format!("{links} up")));
    }
    for (name, value) in [
        ("SM active", gpu.activity.sm_percent),
        ("tensor", gpu.activity.tensor_percent),
        ("DRAM", gpu.activity.dram_percent),
    ] {
        pairs.extend(value.map(|value| (name, text::percent(value))));
    }
    if let Some(errors) = gpu.reliability.uncorrected_volatile {
        pairs.push(("ECC uncorrected", errors.to_string()));
    }
    let action = gpu.reliability.recovery_action.as_deref();
    pairs.extend(
        action
            .filter(|action| *action != "none")
            .map(|action| ("NEEDS", words(action))),
    );
    for pod in gpu.pods.iter().flatten() {
        let name = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
        pairs.push(("pod", format!("{}/{}", name(&pod.namespace), name(&pod.pod))));
    }
    let lowered = facts::lowered_by(gpu);
    if !lowered.is_empty() {
        let reasons: Vec<String> = lowered.into_iter().map(|(reason, _)| reason).collect();
        pairs.push(("clocks held by", reasons.join(", ")));
    }
    // The first to go where there is no room for all.
    pairs.extend(
        gpu.load
            .memory_percent
            .map(|load| ("memory bus", text::percent(load))),
    );
    let on_or_off = |mode: bool| if mode { "on" } else { "off" }.to_owned();
    for (name, mode) in [
        ("persistence", gpu.modes.persistence),
        ("display", gpu.modes.display_active),
    ] {
        pairs.extend(mode.map(|mode| (name, on_or_off(mode))));
    }
    let compute = gpu.modes.compute_mode.as_deref();
    pairs.extend(compute.map(|mode| ("compute mode", words(mode))));
    flow(canvas, pairs, usize::from(width))
}

fn flow(canvas: &Canvas<'_>, pairs: Vec<(&str, String)>, width: usize) -> Vec<Vec<Span<'static>>> {
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for (name, value) in pairs {
        let length = name.chars().count() + value.chars().count() + 3;
        if used > 0 && used + length > width {
            lines.push(Vec::new());
            used = 0;
        }
        used += length;
        let role = if name == "NEEDS" { Role::Bad } else { Role::Title };
        if let Some(line) = lines.last_mut() {
            line.push(canvas.span(format!("{name} "), Role::Quiet));
            line.push(canvas.span(format!("{value}  "), role));
        }
    }
    lines
}

fn describe(instance: &MigInstance) -> String {
    let used = text::or_nothing(number(instance.memory_used_bytes), text::bytes);
    let total = text::or_nothing(number(instance.memory_total_bytes), text::bytes);
    let sm = instance
        .activity
        .as_ref()
        .and_then(|activity| activity.sm_percent);
    format!(
        "MIG {}  {}  {used}/{total}  SM {}  {}",
        text::or_nothing(instance.index, |index| index.to_string()),
        instance.profile.as_deref().unwrap_or(text::NOTHING),
        text::or_nothing(sm, text::percent),
        instance.uuid.as_deref().unwrap_or_default(),
    )
}

/// A graph: its name, what it draws, its upper edge if that is known, and how a value is shown.
struct Graph {
    name: &'static str,
    metric: Metric,
    top: Option<f64>,
    show: fn(f64) -> String,
}

/// The first graphs of a GPU, as many as there is room for, below a heading that says whose they are.
pub(super) fn graphs_of(canvas: &mut Canvas<'_>, state: &State, gpu: &Gpu, area: Rect) {
    canvas.heading(area, 0, &format!("GPU {}", gpu.index));
    graphs(canvas, state, gpu, canvas.below(area, 1));
}

fn graphs(canvas: &mut Canvas<'_>, state: &State, gpu: &Gpu, area: Rect) {
    let degrees = |value: f64| format!("{value:.0}C");
    let all = [
        Graph {
            name: "GPU",
            metric: Metric::Load,
            top: Some(100.0),
            show: text::percent,
        },
        Graph {
            name: "Memory",
            metric: Metric::Memory,
            top: number(gpu.memory.total_bytes),
            show: text::bytes,
        },
        Graph {
            name: "Power",
            metric: Metric::Power,
            top: gpu.power.enforced_limit_watts,
            show: text::watts,
        },
        Graph {
            name: "Temperature",
            metric: Metric::Temperature,
            top: Some(facts::hottest(gpu)),
            show: degrees,
        },
        Graph {
            name: "PCIe in",
            metric: Metric::PcieReceived,
            top: None,
            show: text::rate,
        },
        Graph {
            name: "PCIe out",
            metric: Metric::PcieSent,
            top: None,
            show: text::rate,
        },
        Graph {
            name: "NVLink in",
            metric: Metric::NvlinkReceived,
            top: None,
            show: text::rate,
        },
        Graph {
            name: "NVLink out",
            metric: Metric::NvlinkSent,
            top: None,
            show: text::rate,
        },
    ];
    let has_nvlink = gpu.nvlink.active_links.is_some_and(|links| links > 0);
    let wanted: Vec<&Graph> = all
        .iter()
        .filter(|graph| has_nvlink || !graph.name.starts_with("NVLink"))
        .collect();
    let columns = if area.width >= 2 * GRAPH_WIDTH { 2 } else { 1 };
    let fitting = usize::from((area.height / GRAPH_HEIGHT) * columns);
    let shown = wanted.len().min(fitting);
    if shown == 0 {
        return;
    }
    let rows = u16::try_from(shown.div_ceil(usize::from(columns)))
        .unwrap_or(1)
        .max(1);
    let width = area.width / columns;
    // What is left over goes to the first ones.
    let (height, over) = (area.height / rows, area.height % rows);
    let top = |row: u16| height * row + row.min(over);
    for (place, one) in (0..).zip(&wanted[..shown]) {
        let row = place / columns;
        let at = Rect {
            x: area.x + place % columns * width,
            y: area.y + top(row),
            width: width.saturating_sub(1),
            height: top(row + 1) - top(row),
        };
        draw_graph(canvas, state, gpu, one, at);
    }
}

fn draw_graph(canvas: &mut Canvas<'_>, state: &State, gpu: &Gpu, graph: &Graph, area: Rect) {
    let columns = graph::moments(canvas.look, area.width);
    let values = state.seen.series(&gpu.key(), graph.metric, state.step, columns);
    let now = text::or_nothing(graph.metric.of(gpu), graph.show);
    let highest = values.iter().flatten().copied().max_by(f64::total_cmp);
    let top = graph.top.filter(|top| *top > 0.0).or(highest).unwrap_or(1.0);
    #[allow(clippy::cast_precision_loss, reason = "columns of a terminal")]
    let seconds = columns as f64 * state.step;
    let of = graph.top.map(|top| format!(" of {}", (graph.show)(top)));
    let mut rest = of.unwrap_or_default();
    let highest = text::or_nothing(highest, graph.show);
    // What does not fit is not shown by half.
    for more in [format!("  max {highest}"), format!(" in {}", text::span(seconds))] {
        if graph.name.len() + 1 + now.len() + rest.len() + more.len() > usize::from(area.width) {
            break;
        }
        rest += &more;
    }
    let title = vec![
        canvas.span(format!("{} ", graph.name), Role::Quiet),
        canvas.span(now, Role::Title),
        canvas.span(rest, Role::Quiet),
    ];
    graph::draw(canvas, area, title, &values, top);
}
