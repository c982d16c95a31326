use super::*;
use crate::schedule::{Schedule, Step, Warmup};
use tensor::random::{Philox, Purpose};

/// Every optimizer, with every setting that has an effect of its own at least once.
pub(crate) fn optimizers() -> Vec<Optimizer> {
    let sgd = Sgd { learning_rate: 0.1, weight_decay: 0.01, decay: 0.1, ..Sgd::default() };
    let (weight_decay, schedule) = (0.01, Some(Schedule::Step(Step { step_size: 1, gamma: 0.5 })));
    let rms = RMSprop { learning_rate: 0.05, weight_decay, ..RMSprop::default() };
    let ftrl = Ftrl { learning_rate: 0.2, decay: 0.1, ..Ftrl::default() };
    vec![
        Optimizer::Sgd(sgd.clone()),
        Optimizer::Sgd(Sgd { momentum: 0.9, clip_value: Some(0.7), ..sgd.clone() }),
        Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, ..sgd }),
        Optimizer::Adam(Adam { weight_decay, decay: 0.1, ..Adam::default() }),
        Optimizer::AdamW(AdamW { learning_rate: 0.1, weight_decay: 0.1, ..AdamW::default() }),
        Optimizer::Adamax(Adamax { weight_decay, schedule: schedule.clone(), ..Adamax::default() }),
        Optimizer::Adagrad(Adagrad { weight_decay, learning_rate: 0.5, ..Adagrad::default() }),
        Optimizer::Adagrad(Adagrad { initial_accumulator_value: 0.1, ..Adagrad::default() }),
        Optimizer::Adadelta(Adadelta { weight_decay, schedule, ..Adadelta::default() }),
        Optimizer::RMSprop(rms.clone()),
        Optimizer::RMSprop(RMSprop { momentum: 0.9, ..rms.clone() }),
        Optimizer::RMSprop(RMSprop { centered: true, ..rms.clone() }),
        Optimizer::RMSprop(RMSprop { centered: true, momentum: 0.5, clip_value: Some(0.7), ..rms }),
        Optimizer::Ftrl(ftrl.clone()),
        Optimizer::Ftrl(Ftrl {
            beta: 1.0,
            l1_regularization_strength: 0.5,
            l2_regularization_strength: 0.1,
            l2_shrinkage_regularization_strength: 0.05,
            ..ftrl
        }),
    ]
}

fn numbers(stream: u64) -> Vec<f32> {
    let philox = Philox::new(5, Purpose::Weights, stream, 0);
    (0..257).map(|position| philox.normal(position)).collect()
}

/// One step of all weights; state is slot after slot.
fn step(optimizer: &Optimizer, iteration: u64, gradient: &[f32], w: &mut [f32], state: &mut [f32]) {
    let (weights_old, old) = (w.to_vec(), state.to_vec());
    let len = weights_old.len();
    optimizer.step(&mut Chunk {
        iteration,
        rate_factor: 1.0,
        gradient,
        weights_old: &weights_old,
        weights_new: w,
        state_old: old.chunks(len).collect(),
        state_new: state.chunks_mut(len).collect(),
    });
}

#[test]
fn ten_steps_follow_the_pseudo_code_of_the_papers() {
    for optimizer in optimizers() {
        let bound = optimizer.clip_value().unwrap_or(f32::INFINITY);
        let mut weights = numbers(0);
        let mut expected: Vec<f64> = weights.iter().map(|&w| w as f64).collect();
        let mut state = vec![0.0; optimizer.slots() * weights.len()];
        let mut memory = vec![[0.0f64; 3]; weights.len()];
        for t in 1..=10 {
            let gradient: Vec<f32> =
                numbers(t as u64).iter().map(|g| g.clamp(-bound, bound)).collect();
            step(&optimizer, t as u64 - 1, &gradient, &mut weights, &mut state);
            for i in 0..weights.len() {
                let (g, w) = (gradient[i] as f64, expected[i]);
                expected[i] = oracle::step(&optimizer, t, g, w, &mut memory[i]);
            }
        }
        for (i, (&got, &expected)) in weights.iter().zip(&expected).enumerate() {
            // Ten steps with about four roundings each, of weights and steps below 4 (here at most
            // 3 standard deviations and sums of ten steps below 1): 10 · 4 · 4 · 2⁻²⁴ = 1e-5.
            let error = (got as f64 - expected).abs();
            assert!(error < 1e-5, "{optimizer:?} {i}: {got} for {expected}");
        }
    }
}

#[test]
fn a_weight_without_gradients_stays_finite() {
    for optimizer in optimizers() {
        let (mut weights, gradient) = (vec![1.0f32; 3], [0.0; 3]);
        let mut state = vec![0.0; optimizer.slots() * 3];
        for iteration in 0..20 {
            step(&optimizer, iteration, &gradient, &mut weights, &mut state);
        }
        assert!(weights.iter().chain(&state).all(|value| value.is_finite()), "{optimizer:?}");
    }
}

#[test]
fn a_learning_rate_of_zero_keeps_the_weights() {
    let schedule = Some(Schedule::Warmup(Warmup { delta: 0.1 }));
    let learning_rate = 0.0;
    for optimizer in [
        Optimizer::AdamW(AdamW { learning_rate, schedule: schedule.clone(), ..AdamW::default() }),
        Optimizer::Ftrl(Ftrl { learning_rate, schedule, ..Ftrl::default() }),
    ] {
        let (mut weights, gradient) = (vec![1.0f32; 3], [0.5; 3]);
        let mut state = vec![0.0; optimizer.slots() * 3];
        step(&optimizer, 0, &gradient, &mut weights, &mut state);
        assert_eq!(weights, [1.0; 3], "{optimizer:?}");
        step(&optimizer, 1, &gradient, &mut weights, &mut state);
        assert!(weights[0] < 1.0, "{optimizer:?}: {weights:?}");
    }
}

#[test]
fn decoupled_weight_decay_shrinks_without_a_gradient() {
    let rule = AdamW { learning_rate: 0.5, weight_decay: 0.5, ..AdamW::default() };
    let (mut weights, mut state) = ([2.0], [0.0; 2]);
    step(&Optimizer::AdamW(rule), 0, &[0.0], &mut weights, &mut state);
    assert_eq!(weights, [1.5]);
}

#[test]
fn the_l1_penalty_of_ftrl_makes_weights_exactly_zero() {
    let rule = Ftrl { l1_regularization_strength: 1.0, ..Ftrl::default() };
    let (mut weights, mut state) = ([0.0; 2], [0.0; 4]);
    step(&Optimizer::Ftrl(rule), 0, &[0.9, 1.1], &mut weights, &mut state);
    assert_eq!(weights[0], 0.0);
    assert!(weights[1] < 0.0);
}

#[test]
fn the_definition_survives_a_round_trip() {
    for optimizer in optimizers() {
        assert_eq!(Optimizer::from_json(&optimizer.to_json()).unwrap(), optimizer);
    }
}

#[test]
fn the_learning_rate_decays_with_the_iterations() {
    let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.1, decay: 0.5, ..Sgd::default() });
    assert_eq!(sgd.learning_rate(0), 0.1);
    assert_eq!(sgd.learning_rate(2), 0.05);
}

#[test]
fn a_bad_definition_is_refused_with_its_remedy() {
    for (json, expected) in [
        (r#"{"class": "Magic", "config": {}}"#, "Magic"),
        (r#"{"class": "SGD", "config": {"speed": 1}}"#, "speed"),
        (r#"{"class": "SGD", "config": {"learning_rate": -1}}"#, "SGD: learning_rate is -1"),
        (r#"{"class": "SGD", "config": {"nesterov": true}}"#, "SGD: momentum is 0"),
        (r#"{"class": "Adam", "config": {"beta_2": 1.0}}"#, "Adam: beta_2 is 1"),
        (r#"{"class": "Adam", "config": {"clip_value": 0}}"#, "Adam: clip_value is 0"),
        (r#"{"class": "AdamW", "config": {"beta_1": -1}}"#, "AdamW: beta_1 is -1"),
        (r#"{"class": "Adamax", "config": {"epsilon": 0}}"#, "Adamax: epsilon is 0"),
        (
            r#"{"class": "Adagrad", "config": {"initial_accumulator_value": -1}}"#,
            "Adagrad: initial_accumulator_value is -1",
        ),
        (r#"{"class": "Adadelta", "config": {"rho": 1}}"#, "Adadelta: rho is 1"),
        (r#"{"class": "RMSprop", "config": {"momentum": 1}}"#, "RMSprop: momentum is 1"),
        (r#"{"class": "Ftrl", "config": {"weight_decay": 1}}"#, "weight_decay"),
        (r#"{"class": "Ftrl", "config": {"beta": -1}}"#, "Ftrl: beta is -1"),
        (
            r#"{"class": "SGD", "config": {"decay": 0.1, "schedule":
                {"class": "Warmup", "config": {"delta": 0.1}}}}"#,
            "SGD: decay is 0.1, expected 0 beside a schedule",
        ),
        (
            r#"{"class": "SGD", "config": {"schedule":
                {"class": "Warmup", "config": {"delta": -1}}}}"#,
            "Warmup: delta is -1",
        ),
        ("", "Expected JSON such as"),
    ] {
        let message = Optimizer::from_json(json).unwrap_err().to_string();
        assert!(message.contains(expected), "{json}: {message}");
    }
}
