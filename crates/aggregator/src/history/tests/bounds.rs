//! What the history takes: an hour of eight GPUs, and less than it would like.

use std::time::Instant;

use super::{BEGIN, gpu, store};
use crate::history::{block::Point, metrics::KEPT, recorder::pack};

/// What an hour of the finest tier may take, and all tiers together.
const HOUR_BYTES: usize = 8_000_000;
const DEFAULT_BYTES: usize = 16 << 20;

/// Numbers that look like those of a busy GPU: each metric in the grain in which NVML gives it.
struct Busy {
    random: u64,
    level: f64,
    totals: Vec<f64>,
}

impl Busy {
    fn new(seed: u64) -> Self {
        Self {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            level: 50.0,
            totals: vec![0.0; KEPT.count()],
        }
    }

    /// From 0 to 1.
    fn draw(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn tick(&mut self, second: i64) -> Vec<Point> {
        self.level = (self.level + (self.draw() - 0.5) * 10.0).clamp(0.0, 100.0);
        let mut points = Vec::new();
        for (place, metric) in KEPT.all().iter().enumerate() {
            let path = metric.path.as_str();
            let noise = self.draw() - 0.5;
            let is_slow = ["pcie.", "nvlink.", "reliability.", "modes.", "sessions."]
                .iter()
                .any(|group| path.starts_with(group));
            let value = if is_slow && second % 5 != 0 {
                f64::NAN
            } else if path.ends_with("_percent") {
                let fine = path.starts_with("activity.") || path.ends_with("mean_percent");
                let value = (self.level + noise * 4.0).clamp(0.0, 100.0);
                if fine {
                    (value * 1e4).round() / 1e4
                } else {
                    value.round()
                }
            } else if path.contains("limit_watts") {
                700.0
            } else if path.ends_with("_watts") {
                ((100.0 + self.level * 6.0 + noise * 20.0) * 1e3).round() / 1e3
            } else if path == "power.energy_joules_total" || path.ends_with("energy_joules") {
                self.totals[place] += 400.0 + (noise * 1e5).round() / 1e3;
                self.totals[place]
            } else if path.ends_with("_celsius") {
                (40.0 + self.level / 3.0).round()
            } else if path.ends_with("_mhz") && !path.contains("application") {
                1_980.0 - (15.0 * (noise * 4.0).round()).abs()
            } else if path.ends_with("used_bytes") || path.ends_with("free_bytes") {
                80e9 + (noise * 1e3).round() * 2_097_152.0
            } else if path.ends_with("bytes_per_second") {
                (self.level + noise) * 1.234e8
            } else if path.ends_with("bytes_total") {
                self.totals[place] += (1e9 * self.level * (1.0 + noise)).round();
                self.totals[place]
            } else if path.ends_with("power_seconds_total") {
                self.totals[place] += (noise.abs() * 1e6).round() / 1e6;
                self.totals[place]
            } else {
                0.0
            };
            points.push(Point::of(value));
        }
        points
    }
}

/// Feeds eight busy GPUs for some seconds and returns the most that was held after any of them.
fn feed(store: &std::sync::RwLock<crate::history::store::Store>, seconds: i64) -> usize {
    let mut gpus: Vec<_> = (0..8)
        .map(|number| (gpu(number), Busy::new(u64::from(number) + 1)))
        .collect();
    let mut most = 0;
    for second in BEGIN..BEGIN + seconds {
        for (id, busy) in &mut gpus {
            let points = busy.tick(second);
            store.write().unwrap().add(id, second, &points);
        }
        store.write().unwrap().tick(second);
        pack(store);
        most = most.max(store.read().unwrap().bytes());
    }
    most
}

#[test]
fn an_hour_of_eight_busy_gpus_fits_into_the_default() {
    let store = store(1 << 30);
    let began = Instant::now();
    let most = feed(&store, 3_600);
    let held = store.read().unwrap();
    let by_tier: Vec<(i64, usize)> = (0..3)
        .map(|place| {
            let rings = held.gpus().values().map(|gpu| &gpu.rings[place]);
            (held.tiers()[place].step, rings.map(|ring| ring.bytes()).sum())
        })
        .collect();
    println!(
        "{} metrics of 8 GPUs for an hour: {most} bytes at most, by seconds of a slot {by_tier:?}, in {:?}",
        KEPT.count(),
        began.elapsed()
    );
    assert!(by_tier[0].1 <= HOUR_BYTES, "{by_tier:?}");
    assert!(most <= DEFAULT_BYTES, "{most} bytes");
}

#[test]
fn the_bound_holds_and_the_tiers_shrink_together() {
    let max_bytes = 2 << 20;
    let store = store(max_bytes);
    let most = feed(&store, 3_600);
    assert!(most <= max_bytes, "{most} bytes");
    let held = store.read().unwrap();
    // The newest is there in all of them, and the coarser ones reach further back.
    for gpu in held.gpus().values() {
        let begins: Vec<_> = gpu.rings.iter().map(|ring| ring.begins().unwrap()).collect();
        assert!(begins[0] > BEGIN, "something was forgotten");
        assert!(begins[1] <= begins[0] && begins[2] <= begins[1], "{begins:?}");
        assert_eq!(gpu.rings[0].latest(), Some(BEGIN + 3_599));
    }
}

#[test]
fn what_is_older_than_a_tier_keeps_is_forgotten_and_so_is_a_gpu_that_is_gone() {
    let store = store(1 << 30);
    let points = Busy::new(1).tick(0);
    for second in 0..3_600 {
        store.write().unwrap().add(&gpu(0), BEGIN + second, &points);
    }
    store.write().unwrap().tick(BEGIN + 7_000);
    {
        let held = store.read().unwrap();
        let finest = &held.gpus()[&gpu(0)].rings[0];
        assert!(finest.begins().unwrap() > BEGIN + 7_000 - 3_600 - 120);
        assert!(finest.begins().unwrap() <= BEGIN + 7_000 - 3_600);
    }
    store.write().unwrap().tick(BEGIN + 3 * 86_400);
    assert!(store.read().unwrap().gpus().is_empty());
    assert_eq!(store.read().unwrap().bytes(), 0);
}
