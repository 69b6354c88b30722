//! The text formats of Prometheus (0.0.4) and OpenMetrics (1.0.0).

use crate::family::{
    Exemplar, Extra, Family, Histogram, Kind, Labels, Point, Sink, write_label, write_number,
};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    Prometheus,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Prometheus, Self::OpenMetrics];

    /// Its media type, with version and character set.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes families as text.
#[derive(Debug)]
pub(crate) struct Text {
    format: Format,
    /// Whether counters say since when they count, where the format can.
    created: bool,
    /// The name of the family's series, without an ending.
    name: String,
    /// What the format adds to it for a plain value.
    ending: &'static str,
    kind: Kind,
    written: String,
}

/// What there is room for at first: an exposition of eight GPUs is some hundred kilobytes.
const ROOM: usize = 128 * 1024;

impl Text {
    pub(crate) fn new(format: Format, created: bool) -> Self {
        Self {
            format,
            created,
            name: String::new(),
            ending: "",
            kind: Kind::Gauge,
            written: String::with_capacity(ROOM),
        }
    }

    /// What was written, with the end that the format demands.
    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.written.push_str("# EOF\n");
        }
        self.written
    }

    fn describe(&mut self, what: &str, text: &str) {
        for part in ["# ", what, " ", &self.name, " "] {
            self.written.push_str(part);
        }
        for character in text.chars() {
            match (character, self.format) {
                ('\\', _) => self.written.push_str("\\\\"),
                ('\n', _) => self.written.push_str("\\n"),
                ('"', Format::OpenMetrics) => self.written.push_str("\\\""),
                (other, _) => self.written.push(other),
            }
        }
        self.written.push('\n');
    }

    /// `name{labels} value`, without an end of line.
    fn line(&mut self, ending: &str, labels: &Labels, extra: &[Extra<'_>], value: f64) {
        let text = &mut self.written;
        text.push_str(&self.name);
        text.push_str(ending);
        if !labels.text().is_empty() || !extra.is_empty() {
            text.push('{');
            text.push_str(labels.text());
            for (name, value) in extra {
                write_label(text, name, value);
            }
            text.push('}');
        }
        text.push(' ');
        write_number(text, value);
    }

    fn exemplar(&mut self, exemplar: Exemplar<'_>) {
        let text = &mut self.written;
        text.push_str(" # {");
        write_label(text, exemplar.label.0, exemplar.label.1);
        text.push_str("} ");
        write_number(text, exemplar.value);
        text.push(' ');
        write_number(text, exemplar.at.as_millisecond() as f64 / 1e3);
    }
}

impl Sink for Text {
    fn family(&mut self, family: &Family) {
        self.kind = family.kind;
        let open = self.format == Format::OpenMetrics;
        let (stem, ending) = match family.kind {
            Kind::Counter if open => (family.name.strip_suffix("_total"), "_total"),
            Kind::Info if open => (family.name.strip_suffix("_info"), "_info"),
            _ => (None, ""),
        };
        self.name.clear();
        self.name.push_str(stem.unwrap_or(&family.name));
        self.ending = if stem.is_some() { ending } else { "" };
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            // A counter whose name does not end as the format demands keeps its name and not its type.
            Kind::Counter if open && stem.is_none() => "unknown",
            Kind::Counter => "counter",
            Kind::Info if stem.is_some() => "info",
            Kind::Info => "gauge",
            Kind::Histogram => "histogram",
        };
        self.describe("HELP", &family.help);
        self.describe("TYPE", kind);
        if open && !family.unit.is_empty() {
            self.describe("UNIT", family.unit);
        }
    }

    fn series(&mut self, labels: &Labels, extra: &[Extra<'_>], point: Point<'_>) {
        self.line(self.ending, labels, extra, point.value);
        let counts = self.format == Format::OpenMetrics && self.ending == "_total";
        if let Some(exemplar) = point.exemplar.filter(|_| counts) {
            self.exemplar(exemplar);
        }
        self.written.push('\n');
        if let Some(created) = point.created.filter(|_| counts && self.created) {
            self.line("_created", labels, extra, created.as_millisecond() as f64 / 1e3);
            self.written.push('\n');
        }
    }

    fn histogram(&mut self, labels: &Labels, extra: &[Extra<'_>], histogram: &Histogram<'_>) {
        let mut below = 0;
        let bounds = histogram.bounds.iter().copied().chain([f64::INFINITY]);
        for (bound, count) in bounds.zip(histogram.counts) {
            below += count;
            let mut text = String::new();
            if self.format == Format::OpenMetrics && bound.fract() == 0.0 && bound.is_finite() {
                text = format!("{bound:.1}");
            } else {
                write_number(&mut text, bound);
            }
            let mut all = extra.to_vec();
            all.push(("le", &text));
            self.line("_bucket", labels, &all, below as f64);
            self.written.push('\n');
        }
        self.line("_sum", labels, extra, histogram.sum);
        self.written.push('\n');
        self.line("_count", labels, extra, below as f64);
        self.written.push('\n');
    }
}

#[cfg(test)]
mod tests;
