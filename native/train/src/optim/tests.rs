use super::*;
use crate::Update;
use crate::schedule::{Schedule, Step, Warmup};
use crate::tree::Root;
use nn::{Initializer, ParameterKind, ParameterTable};
use tensor::random::{Philox, Purpose};

/// Every optimizer, with every setting that has an effect of its own at least once.
pub(crate) fn optimizers() -> Vec<Optimizer> {
    let sgd = Sgd { learning_rate: 0.1, weight_decay: 0.01, ..Sgd::default() };
    let momentum = Sgd { momentum: 0.9, ..sgd.clone() };
    let weight_decay = 0.01;
    let rms = RMSprop { learning_rate: 0.05, weight_decay, ..RMSprop::default() };
    let ftrl = Ftrl { learning_rate: 0.2, ..Ftrl::default() };
    let strong = Ftrl {
        beta: 1.0,
        l1_regularization_strength: 0.5,
        l2_regularization_strength: 0.1,
        l2_shrinkage_regularization_strength: 0.05,
        ..ftrl.clone()
    };
    let decay = Common { decay: 0.1, ..Common::default() };
    let clip_value = Common { clip_value: Some(0.7), ..Common::default() };
    let clip_norm = Common { clip_value: Some(0.7), clip_norm: Some(2.5), ..Common::default() };
    let schedule = Some(Schedule::Step(Step { step_size: 1, gamma: 0.5 }));
    let schedule = Common { schedule, ..Common::default() };
    let plain = Common::default();
    [
        (Method::Sgd(sgd), decay.clone()),
        (Method::Sgd(Sgd { dampening: 0.3, ..momentum.clone() }), plain.clone()),
        (Method::Sgd(momentum.clone()), clip_value.clone()),
        (Method::Sgd(Sgd { nesterov: true, ..momentum }), clip_norm.clone()),
        (Method::Adam(Adam { weight_decay, ..Adam::default() }), decay.clone()),
        (
            Method::AdamW(AdamW { learning_rate: 0.1, weight_decay: 0.1, ..AdamW::default() }),
            plain.clone(),
        ),
        (Method::Adamax(Adamax { weight_decay, ..Adamax::default() }), schedule.clone()),
        (
            Method::Adagrad(Adagrad { weight_decay, learning_rate: 0.5, ..Adagrad::default() }),
            plain.clone(),
        ),
        (
            Method::Adagrad(Adagrad { initial_accumulator_value: 0.1, ..Adagrad::default() }),
            plain.clone(),
        ),
        (Method::Adadelta(Adadelta { weight_decay, ..Adadelta::default() }), schedule),
        (Method::RMSprop(rms.clone()), plain.clone()),
        (Method::RMSprop(RMSprop { momentum: 0.9, ..rms.clone() }), plain.clone()),
        (Method::RMSprop(RMSprop { centered: true, ..rms.clone() }), plain.clone()),
        (Method::RMSprop(RMSprop { centered: true, momentum: 0.5, ..rms }), clip_value.clone()),
        (Method::Ftrl(ftrl), decay.clone()),
        (Method::Ftrl(strong), decay),
        (Method::Lars(Lars { learning_rate: 1.0, ..Lars::default() }), clip_norm.clone()),
        (Method::Lars(Lars { trust: 0.1, adapt_vectors: true, ..Lars::default() }), plain.clone()),
        (Method::Lamb(Lamb::default()), clip_value),
        (Method::Lamb(Lamb { weight_decay, adapt_vectors: true, ..Lamb::default() }), plain),
    ]
    .map(|(method, common)| Optimizer { method, common })
    .into()
}

/// Optimizers that treat layers of the update's tests in different ways.
pub(crate) fn per_layer() -> Vec<Optimizer> {
    let json = [
        r#"{"class": "PerLayer", "config": {
            "default": {"class": "SGD", "config": {"learning_rate": 0.1}},
            "layers": [{"prefix": "conv", "optimizer": {"class": "Adam", "config": {}}},
                       {"prefix": "dense.bias", "rate_factor": 0.5}]}}"#,
        r#"{"class": "PerLayer", "config": {"ema_decay": 0.75,
            "default": {"class": "LARS", "config": {"clip_value": 1.5}},
            "layers": [{"prefix": "conv", "frozen": true},
                       {"prefix": "dense.b*", "optimizer": {"class": "Adamax", "config": {}}}],
            "clip_norm": 3}}"#,
        r#"{"class": "PerLayer", "config": {
            "default": {"class": "LBFGS", "config": {"history_size": 2, "learning_rate": 0.1}},
            "layers": [{"prefix": "dense.bias", "optimizer": {"class": "LAMB"}}]}}"#,
    ];
    json.map(|json| Optimizer::from_json(json).unwrap()).into()
}

fn numbers(stream: u64) -> Vec<f32> {
    let philox = Philox::new(5, Purpose::Weights, stream, 0);
    (0..257).map(|position| philox.normal(position)).collect()
}

/// One step of all weights, which are one parameter; state is slot after slot.
pub(crate) fn step(
    optimizer: &Optimizer,
    iteration: u64,
    gradient: &[f32],
    w: &mut [f32],
    state: &mut [f32],
) {
    let (weights_old, state_old) = (w.to_vec(), state.to_vec());
    let mut table = ParameterTable::new();
    let shape = [w.len()].into();
    table.push("weight", shape, ParameterKind::Trainable, Initializer::Zeros).unwrap();
    let update = Update {
        optimizer,
        parameters: &table,
        slice: 0..w.len(),
        iteration,
        age: iteration,
        rate_factor: 1.0,
        sums: &[],
        shards: 1,
        roots: &[Root { first: 0, level: 0 }],
        gradients: &[gradient],
        rounding: None,
        weights_old: &weights_old,
        state_old: &state_old,
    };
    let sums = update.partial_sums().unwrap();
    Update { sums: &sums, ..update }.run(w, state).unwrap();
}

#[test]
fn ten_steps_follow_the_pseudo_code_of_the_papers() {
    for optimizer in optimizers() {
        let mut weights = numbers(0);
        let mut expected: Vec<f64> = weights.iter().map(|&w| w as f64).collect();
        let mut state = vec![0.0; optimizer.slots() * weights.len()];
        let mut memory = vec![[0.0f64; 3]; weights.len()];
        for t in 1..=10 {
            let gradient = numbers(t as u64);
            step(&optimizer, t as u64 - 1, &gradient, &mut weights, &mut state);
            let clipped = oracle::clip(&optimizer, &gradient);
            oracle::step(&optimizer, t, 1, &clipped, &mut expected, &mut memory);
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
    for method in [
        Method::AdamW(AdamW { learning_rate, ..AdamW::default() }),
        Method::Ftrl(Ftrl { learning_rate, ..Ftrl::default() }),
    ] {
        let common = Common { schedule: schedule.clone(), ..Common::default() };
        let optimizer = Optimizer { method, common };
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
    step(&Method::AdamW(rule).into(), 0, &[0.0], &mut weights, &mut state);
    assert_eq!(weights, [1.5]);
}

#[test]
fn the_l1_penalty_of_ftrl_makes_weights_exactly_zero() {
    let rule = Ftrl { l1_regularization_strength: 1.0, ..Ftrl::default() };
    let (mut weights, mut state) = ([0.0; 2], [0.0; 4]);
    step(&Method::Ftrl(rule).into(), 0, &[0.9, 1.1], &mut weights, &mut state);
    assert_eq!(weights[0], 0.0);
    assert!(weights[1] < 0.0);
}

#[test]
fn a_gradient_within_its_bounds_is_not_clipped() {
    let sgd = |common| Optimizer { method: Method::Sgd(Sgd::default()), common };
    let wide = Common { clip_norm: Some(5.0), ..Common::default() };
    let narrow = Common { clip_norm: Some(2.5), ..Common::default() };
    for (common, expected) in [(wide, [-0.03f32, -0.04]), (narrow, [-0.015, -0.02])] {
        let mut weights = [0.0; 2];
        step(&sgd(common), 0, &[3.0, 4.0], &mut weights, &mut []);
        assert_eq!(weights, expected);
    }
}

#[test]
fn layers_of_zeros_or_without_a_gradient_move_at_the_plain_rate() {
    let lars = Lars { adapt_vectors: true, weight_decay: 0.0, ..Lars::default() };
    let lamb = Lamb { adapt_vectors: true, weight_decay: 0.0, ..Lamb::default() };
    // The first step of Adam is the rate times the gradient's sign, but for ε.
    for (method, step_of_zeros) in [(Method::Lars(lars), -0.05), (Method::Lamb(lamb), -0.001)] {
        let optimizer = Optimizer::from(method);
        let (mut zeros, mut ones) = ([0.0f32; 2], [1.0f32; 2]);
        step(&optimizer, 0, &[0.5; 2], &mut zeros, &mut [0.0; 4][..2 * optimizer.slots()]);
        assert!((zeros[0] - step_of_zeros).abs() < 1e-8, "{optimizer:?}: {zeros:?}");
        step(&optimizer, 0, &[0.0; 2], &mut ones, &mut [0.0; 4][..2 * optimizer.slots()]);
        assert_eq!(ones, [1.0; 2], "{optimizer:?}");
    }
}

#[test]
fn the_definition_survives_a_round_trip() {
    for optimizer in optimizers().into_iter().chain(per_layer()) {
        assert_eq!(Optimizer::from_json(&optimizer.to_json()).unwrap(), optimizer);
    }
}

#[test]
fn a_prefix_names_whole_layers_or_with_a_star_all_that_begins_so() {
    let check = |prefix: &str| {
        let mut table = ParameterTable::new();
        for name in ["conv1.weight", "conv10.weight", "block/fc.bias"] {
            table.push(name, [1].into(), ParameterKind::Frozen, Initializer::Zeros).unwrap();
        }
        let layers = serde_json::json!([{"prefix": prefix}]);
        let json = serde_json::json!({"class": "PerLayer",
            "config": {"default": {"class": "SGD"}, "layers": layers}});
        let optimizer = Optimizer::from_json(&json.to_string()).unwrap();
        let named = table.iter().filter(|p| optimizer.group_of(&p.name) == 1).count();
        assert_eq!(named > 0, optimizer.check_names(&table).is_ok());
        (named, optimizer.check_names(&table).err().map(|error| error.to_string()))
    };
    for (prefix, expected) in [("conv1", 1), ("conv*", 2), ("block", 1), ("block/fc.bias", 1)] {
        assert_eq!(check(prefix), (expected, None), "{prefix}");
    }
    let message = check("conv").1.unwrap();
    assert!(message.contains("\"conv\", and the parameters are conv1.weight, conv10"), "{message}");
}

#[test]
fn the_learning_rate_decays_with_the_iterations() {
    let method = Method::Adam(Adam { learning_rate: 0.1, ..Adam::default() });
    let adam = Optimizer { method, common: Common { decay: 0.5, ..Common::default() } };
    assert_eq!(adam.learning_rate(0), 0.1);
    assert_eq!(adam.learning_rate(2), 0.05);
}

#[test]
fn a_bad_definition_is_refused_with_its_remedy() {
    for (json, expected) in [
        (r#"{"class": "Magic", "config": {}}"#, "Magic"),
        (r#"{"class": "SGD", "config": {"speed": 1}}"#, "speed"),
        (r#"{"class": "SGD", "config": {"learning_rate": -1}}"#, "SGD: learning_rate is -1"),
        (r#"{"class": "SGD", "config": {"dampening": 2}}"#, "SGD: dampening is 2"),
        (
            r#"{"class": "SGD", "config": {"nesterov": true, "momentum": 0.9, "dampening": 0.1}}"#,
            "SGD: dampening is 0.1, expected 0 when nesterov",
        ),
        (r#"{"class": "SGD", "config": {"nesterov": true}}"#, "SGD: momentum is 0"),
        (r#"{"class": "Adam", "config": {"beta_2": 1.0}}"#, "Adam: beta_2 is 1"),
        (r#"{"class": "Adam", "config": {"clip_value": 0}}"#, "Adam: clip_value is 0"),
        (r#"{"class": "Adam", "config": {"ema_decay": 1}}"#, "Adam: ema_decay is 1"),
        (r#"{"class": "Adam", "config": {"clip_norm": -1}}"#, "Adam: clip_norm is -1"),
        (r#"{"class": "Adam", "config": {"speed": 1}}"#, "each optimizer also has `clip_norm`"),
        (r#"{"class": "SGD", "config": {"clip_norm": "1"}}"#, "expected f64"),
        (r#"{"class": "AdamW", "config": {"beta_1": -1}}"#, "AdamW: beta_1 is -1"),
        (r#"{"class": "Adamax", "config": {"epsilon": 0}}"#, "Adamax: epsilon is 0"),
        (
            r#"{"class": "Adagrad", "config": {"initial_accumulator_value": -1}}"#,
            "Adagrad: initial_accumulator_value is -1",
        ),
        (r#"{"class": "Adadelta", "config": {"rho": 1}}"#, "Adadelta: rho is 1"),
        (r#"{"class": "LARS", "config": {"trust": 0}}"#, "LARS: trust is 0"),
        (r#"{"class": "LBFGS", "config": {"history_size": 33}}"#, "LBFGS: history_size is 33"),
        (r#"{"class": "LBFGS", "config": {"clip_norm": 1}}"#, "LBFGS: clip_norm is 1"),
        (r#"{"class": "LAMB", "config": {"epsilon": 0}}"#, "LAMB: epsilon is 0"),
        (r#"{"class": "LAMB", "config": {"clip_norm": 1}}"#, "LAMB: clip_norm is 1"),
        (
            r#"{"class": "PerLayer", "config": {"default": {"class": "SGD"}, "layers": [],
                "clip_value": 1}}"#,
            "PerLayer: clip_value is given, expected absent",
        ),
        (
            r#"{"class": "PerLayer", "config": {"default": {"class": "SGD"}, "layers": [
                {"prefix": "a", "optimizer": {"class": "SGD", "config": {"clip_norm": 1}}}]}}"#,
            "PerLayer: clip_norm is given, expected absent in the optimizers",
        ),
        (
            r#"{"class": "PerLayer", "config": {"default": {"class": "SGD"}, "layers": [
                {"prefix": "a", "optimizer": {"class": "SGD", "config": {"momentum": 2}}}]}}"#,
            "SGD: momentum is 2",
        ),
        (
            r#"{"class": "PerLayer", "config": {"default": {"class": "SGD"}, "layers": [
                {"prefix": "a", "optimizer": {"class": "SGD", "config": {"schedule":
                    {"class": "Plateau", "config": {}}}}}]}}"#,
            "PerLayer: schedule is one with Plateau",
        ),
        (
            r#"{"class": "PerLayer", "config": {"default": {"class": "LAMB"}, "layers": [],
                "clip_norm": 1}}"#,
            "LAMB: clip_norm is 1",
        ),
        (
            r#"{"class": "PerLayer", "config": {"default": {"class": "SGD"},
                "layers": [{"prefix": ""}]}}"#,
            "PerLayer: prefix is empty",
        ),
        (
            r#"{"class": "PerLayer", "config": {"layers": [], "default":
                {"class": "PerLayer", "config": {"default": {"class": "SGD"}, "layers": []}}}}"#,
            "PerLayer: optimizer is PerLayer",
        ),
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
