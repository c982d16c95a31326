use super::*;
use crate::Optimizer;
use proptest::prelude::*;

fn every() -> Vec<Schedule> {
    let json = [
        r#"{"class": "Default", "config": {"decay": 0.5}}"#,
        r#"{"class": "Poly", "config": {"power": 0.5, "max_iteration": 100}}"#,
        r#"{"class": "Step", "config": {"step_size": 10, "gamma": 0.3}}"#,
        r#"{"class": "MultiStep", "config": {"step_sizes": [10, 25], "gamma": 0.3}}"#,
        r#"{"class": "EpochStep",
            "config": {"step_size": 2, "gamma": 0.3, "iterations_per_epoch": 7}}"#,
        r#"{"class": "Exponential", "config": {"decay_step": 10, "decay_rate": 0.96}}"#,
        r#"{"class": "Exponential",
            "config": {"decay_step": 10, "decay_rate": 0.96, "staircase": true}}"#,
        r#"{"class": "NaturalExp", "config": {"decay_step": 10, "gamma": 0.3}}"#,
        r#"{"class": "Warmup", "config": {"delta": 0.01}}"#,
        r#"{"class": "SequentialSchedule", "config": {"stages": [
            {"schedule": {"class": "Warmup", "config": {"delta": 0.01}}, "iterations": 40},
            {"schedule": {"class": "Step", "config": {"step_size": 10, "gamma": 0.3}},
             "iterations": 20},
            {"schedule": {"class": "Cosine", "config": {"max_iteration": 50}},
             "iterations": 50}]}}"#,
        r#"{"class": "Cosine", "config": {"max_iteration": 100, "min_learning_rate": 0.01}}"#,
        r#"{"class": "OneCycle", "config": {"max_iteration": 100}}"#,
        r#"{"class": "EpochDecay",
            "config": {"exponents": [0, 0.5, 2], "iterations_per_epoch": 9}}"#,
        r#"{"class": "EpochDecayWithWarmUp", "config": {"warm_up_iteration": 12,
            "warm_up_delta": 0.01, "exponents": [0, 0.5, 2], "iterations_per_epoch": 9}}"#,
        r#"{"class": "EpochSchedule", "config": {"iterations_per_epoch": 9, "regimes": [
            {"start_epoch": 1, "end_epoch": 2, "learning_rate": 0.5},
            {"start_epoch": 4, "end_epoch": 4, "learning_rate": 0.25}]}}"#,
        r#"{"class": "PolyEpochDecay",
            "config": {"power": 2.5, "max_epochs": 5, "iterations_per_epoch": 9}}"#,
        r#"{"class": "Fixed", "config": {}}"#,
        r#"{"class": "Plateau", "config": {"monitor": "score", "mode": "max"}}"#,
    ];
    json.iter().map(|json| serde_json::from_str(json).unwrap()).collect()
}

/// The formulas with the platform's functions, step by step where the formula is a power.
fn by_the_book(schedule: &Schedule, base: f64, i: u64) -> f64 {
    let (cosine, x) = (|part: f64| (1.0 + (std::f64::consts::PI * part).cos()) / 2.0, i as f64);
    match schedule {
        Schedule::Default(s) => base / (1.0 + s.decay * x),
        Schedule::Poly(s) => base * (1.0 - x / s.max_iteration as f64).max(0.0).powf(s.power),
        Schedule::Step(s) => {
            (1..=i).filter(|at| at % s.step_size == 0).fold(base, |r, _| r * s.gamma)
        }
        Schedule::MultiStep(s) => {
            s.step_sizes.iter().filter(|&&at| i >= at).fold(base, |r, _| r * s.gamma)
        }
        Schedule::EpochStep(s) => {
            let epochs = i / s.iterations_per_epoch;
            (0..epochs / s.step_size).fold(base, |r, _| r * s.gamma)
        }
        Schedule::Exponential(s) => {
            let exponent = x / s.decay_step as f64;
            base * s.decay_rate.powf(if s.staircase { exponent.floor() } else { exponent })
        }
        Schedule::NaturalExp(s) => base * (-s.gamma * (x / s.decay_step as f64).floor()).exp(),
        Schedule::Warmup(s) => base + s.delta * x,
        Schedule::SequentialSchedule(s) => match i {
            0..40 => base + 0.01 * x,
            40..60 => by_the_book(&s.stages[1].schedule, base + 0.4, i - 40),
            _ => by_the_book(&s.stages[2].schedule, (base + 0.4) * 0.09, i - 60),
        },
        Schedule::Cosine(s) => {
            let part = (x / s.max_iteration as f64).min(1.0);
            s.min_learning_rate + (base - s.min_learning_rate) * cosine(part)
        }
        Schedule::EpochDecay(s) => base * 10f64.powf(-s.exponents[(i as usize / 9).min(2)]),
        Schedule::EpochDecayWithWarmUp(_) if i < 12 => base + 0.01 * x,
        Schedule::EpochDecayWithWarmUp(s) => {
            (base + 0.12) * 10f64.powf(-s.exponents[(i as usize / 9).min(2)])
        }
        Schedule::EpochSchedule(_) => match i {
            0..9 => base,
            9..36 => 0.5,
            _ => 0.25,
        },
        Schedule::PolyEpochDecay(_) => base * (1.0 - (i / 9) as f64 / 5.0).max(0.0).powf(2.5),
        Schedule::Fixed(_) | Schedule::Plateau(_) => base,
        Schedule::OneCycle(_) => {
            let (start, end) = (base / 25.0, base / 25.0 / 1e4);
            if i <= 29 {
                base + (start - base) * cosine(x / 29.0)
            } else {
                end + (base - end) * cosine(((x - 29.0) / 70.0).min(1.0))
            }
        }
    }
}

#[test]
fn rates_follow_the_formulas() {
    for schedule in every() {
        schedule.check().unwrap();
        for i in 0..150 {
            let (got, expected) = (schedule.rate(0.1, i), by_the_book(&schedule, 0.1, i));
            // A few roundings of numbers up to the base, and one more per factor of a power.
            assert!((got - expected).abs() < 1e-15, "{schedule:?} {i}: {got} for {expected}");
        }
    }
}

#[test]
fn rates_are_finite_and_not_negative_however_long_the_training() {
    for schedule in every() {
        for i in [1_000, 1 << 40, u64::MAX] {
            let rate = schedule.rate(0.1, i);
            assert!(rate.is_finite() && rate >= 0.0, "{schedule:?} {i}: {rate}");
        }
    }
}

#[test]
fn computed_functions_have_the_same_bits_everywhere() {
    let all = every();
    let expected = [
        (1, 4590562588934093060),
        (5, 4590962017093054119),
        (7, 4586020107333739750),
        (10, 4590278201821059421),
        (11, 4591812280539517637),
        (12, 4562254508917369341),
        (15, 4576986994449766957),
    ];
    for (which, bits) in expected {
        assert_eq!(all[which].rate(0.1, 33).to_bits(), bits, "{:?}", all[which]);
    }
}

#[test]
fn one_cycle_starts_peaks_and_ends_where_pytorch_does() {
    let json = r#"{"class": "OneCycle", "config": {"max_iteration": 10}}"#;
    let schedule: Schedule = serde_json::from_str(json).unwrap();
    // OneCycleLR(max_lr=0.01, total_steps=10): 0.01 / 25, 0.01 at step 0.3 · 10 - 1, 0.0004 / 1e4.
    for (iteration, expected) in [(0, 0.0004), (1, 0.0052), (2, 0.01), (9, 4e-8), (10, 4e-8)] {
        let rate = schedule.rate(0.01, iteration);
        assert!((rate - expected).abs() < 1e-17, "{iteration}: {rate}");
    }
}

/// Keras's `ReduceLROnPlateau.on_epoch_end`, line by line.
fn keras(s: &Plateau, base: f64, history: &[f64]) -> f64 {
    let min = s.mode == PlateauMode::Min;
    let mut best = if min { f64::INFINITY } else { f64::NEG_INFINITY };
    let (mut lr, mut cooldown_counter, mut wait) = (base, 0, 0);
    for &current in history {
        if cooldown_counter > 0 {
            cooldown_counter -= 1;
            wait = 0;
        }
        if if min { current < best - s.epsilon } else { current > best + s.epsilon } {
            best = current;
            wait = 0;
        } else if cooldown_counter <= 0 {
            wait += 1;
            if wait >= s.patience && lr > s.min_lr {
                lr = f64::max(lr * s.factor, s.min_lr);
                cooldown_counter = s.cooldown as i64;
                wait = 0;
            }
        }
    }
    lr
}

proptest! {
    #[test]
    fn a_plateau_falls_when_that_of_keras_does(
        history in proptest::collection::vec((0u8..20).prop_map(|v| f64::from(v) / 10.0), 0..60),
        patience in 1u64..5,
        cooldown in 0u64..4,
        min_lr in 0.0f64..0.05,
        max in proptest::bool::ANY,
    ) {
        let mode = if max { PlateauMode::Max } else { PlateauMode::Min };
        let plateau = Plateau { factor: 0.5, patience, cooldown, min_lr, mode, ..Plateau::default() };
        let rate = 0.1 * plateau.factor(0.1, &history);
        prop_assert!((rate - keras(&plateau, 0.1, &history)).abs() < 1e-16);
    }
}

#[test]
fn a_plateau_after_a_warm_up_falls_and_keeps_its_least_rate() {
    let json = r#"{"class": "SGD", "config": {"learning_rate": 0.1, "schedule":
        {"class": "SequentialSchedule", "config": {"stages": [
            {"schedule": {"class": "Warmup", "config": {"delta": 0.1}}, "iterations": 3},
            {"schedule": {"class": "Plateau", "config": {"patience": 1, "min_lr": 0.01}},
             "iterations": 1}]}}}}"#;
    let optimizer = Optimizer::from_json(json).unwrap();
    let factors = [&[][..], &[1.0], &[1.0, 1.0], &[1.0, 1.0, 1.0], &[f64::NAN; 9]]
        .map(|history| optimizer.rate_factor(history));
    let expected = [1.0, 1.0, 0.1, 0.025, 0.025];
    assert!(factors.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{factors:?}");
    assert_eq!(Optimizer::from_json(r#"{"class": "SGD"}"#).unwrap().rate_factor(&[1.0; 99]), 1.0);
}

#[test]
fn decay_of_an_optimizer_is_the_default_schedule() {
    let rate = |config: &str| {
        let json = format!(r#"{{"class": "SGD", "config": {config}}}"#);
        let optimizer = Optimizer::from_json(&json).unwrap();
        [0, 1, 7, 1_000_000].map(|iteration| optimizer.learning_rate(iteration))
    };
    let long = r#"{"schedule": {"class": "Default", "config": {"decay": 0.3}}}"#;
    assert_eq!(rate(r#"{"decay": 0.3}"#), rate(long));
}

#[test]
fn definitions_survive_a_round_trip() {
    for schedule in every() {
        let json = serde_json::json!(schedule).to_string();
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
    }
}

#[test]
fn a_setting_out_of_range_is_refused_and_named() {
    for (json, expected) in [
        (r#"{"class": "Default", "config": {"decay": -1}}"#, "Default: decay is -1"),
        (r#"{"class": "Poly", "config": {"power": 0, "max_iteration": 1}}"#, "Poly: power is 0"),
        (r#"{"class": "Poly", "config": {"power": 1, "max_iteration": 0}}"#, "at least 1"),
        (r#"{"class": "Step", "config": {"step_size": 0, "gamma": 1}}"#, "Step: step_size is 0"),
        (
            r#"{"class": "MultiStep", "config": {"step_sizes": [5, 5], "gamma": 1}}"#,
            "MultiStep: step_sizes is [5, 5]",
        ),
        (
            r#"{"class": "EpochStep",
                "config": {"step_size": 1, "gamma": 1, "iterations_per_epoch": 0}}"#,
            "EpochStep: iterations_per_epoch is 0",
        ),
        (
            r#"{"class": "Exponential", "config": {"decay_step": 1, "decay_rate": -1}}"#,
            "Exponential: decay_rate is -1",
        ),
        (r#"{"class": "NaturalExp", "config": {"decay_step": 0, "gamma": 1}}"#, "NaturalExp"),
        (r#"{"class": "SequentialSchedule", "config": {"stages": []}}"#, "stages is empty"),
        (
            r#"{"class": "SequentialSchedule", "config": {"stages": [
                {"schedule": {"class": "Warmup", "config": {"delta": -1}}, "iterations": 1}]}}"#,
            "Warmup: delta is -1",
        ),
        (
            r#"{"class": "EpochDecay", "config": {"exponents": [], "iterations_per_epoch": 1}}"#,
            "EpochDecay: exponents is []",
        ),
        (
            r#"{"class": "EpochSchedule", "config": {"iterations_per_epoch": 9, "regimes": [
                {"start_epoch": 1, "end_epoch": 2, "learning_rate": 0.5},
                {"start_epoch": 2, "end_epoch": 4, "learning_rate": 0.25}]}}"#,
            "EpochSchedule: regimes is 1 to 2, 2 to 4, expected ranges",
        ),
        (
            r#"{"class": "PolyEpochDecay",
                "config": {"power": 1, "max_epochs": 0, "iterations_per_epoch": 1}}"#,
            "PolyEpochDecay: max_epochs is 0",
        ),
        (r#"{"class": "Plateau", "config": {"factor": 1}}"#, "Plateau: factor is 1"),
        (r#"{"class": "Plateau", "config": {"patience": 0}}"#, "Plateau: patience is 0"),
        (r#"{"class": "Cosine", "config": {"max_iteration": 0}}"#, "Cosine: max_iteration is 0"),
        (r#"{"class": "OneCycle", "config": {"max_iteration": 3}}"#, "OneCycle: max_iteration"),
        (
            r#"{"class": "OneCycle", "config": {"max_iteration": 9, "pct_start": 1}}"#,
            "OneCycle: pct_start is 1",
        ),
    ] {
        let schedule: Schedule = serde_json::from_str(json).unwrap();
        let message = schedule.check().unwrap_err().to_string();
        assert!(message.contains(expected), "{json}: {message}");
    }
}
