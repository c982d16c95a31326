use super::*;
use crate::optim::tests::{optimizers, per_layer};
use crate::optim::{Common, Method, Sgd, oracle};
use crate::tree;
use nn::{Initializer, ParameterKind};
use proptest::prelude::*;
use tensor::random::{Philox, Purpose};

/// A table with every kind of parameter, of 10,007 floats: more than two chunks, no round number.
fn table() -> ParameterTable {
    let mut table = ParameterTable::new();
    let kinds = [
        ("conv.weight", vec![45, 100], ParameterKind::Trainable),
        ("bn.running_mean", vec![7], ParameterKind::Statistic),
        ("frozen.weight", vec![2500], ParameterKind::Frozen),
        ("dense.weight", vec![27, 100], ParameterKind::Trainable),
        ("dense.bias", vec![300], ParameterKind::Trainable),
    ];
    for (name, shape, kind) in kinds {
        table.push(name, shape.into(), kind, Initializer::Zeros).unwrap();
    }
    table
}

fn numbers(stream: u64, len: usize) -> Vec<f32> {
    let philox = Philox::new(3, Purpose::Weights, stream, 0);
    (0..len as u64).map(|position| philox.normal(position)).collect()
}

/// Two iterations over all slices with these tasks; shard gradients are the same in every call.
fn train(optimizer: &Optimizer, slices: usize, owner: &[usize]) -> (Vec<f32>, Vec<Vec<f32>>) {
    train_for(2, optimizer, slices, owner)
}

fn train_for(
    iterations: u64,
    optimizer: &Optimizer,
    slices: usize,
    owner: &[usize],
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let (table, shards) = (table(), owner.len());
    let len = table.len();
    let mut weights = numbers(1000, len);
    let mut state: Vec<Vec<f32>> = (0..slices)
        .map(|n| vec![0.0; optimizer.slots() * optimizer.slice(n, slices, len).len()])
        .collect();
    for iteration in 0..iterations {
        let mut sums: Vec<Vec<f32>> =
            (0..shards as u64).map(|shard| numbers(iteration * 100 + shard, len)).collect();
        let mut roots = Vec::new();
        for task in 0..shards {
            roots.extend(tree::roots((0..shards).filter(|&s| owner[s] == task), shards));
        }
        for &root in &roots {
            for (block, from) in tree::additions(root, shards) {
                let from = sums[from].clone();
                tree::add(&mut sums[block.first], &from);
            }
        }
        let old = weights.clone();
        let cut: Vec<_> = (0..slices).map(|n| optimizer.slice(n, slices, len)).collect();
        let gradients: Vec<Vec<&[f32]>> = cut
            .iter()
            .map(|at| roots.iter().map(|root| &sums[root.first][at.clone()]).collect())
            .collect();
        let state_old = state.clone();
        let update = |n: usize| Update {
            optimizer,
            parameters: &table,
            slice: cut[n].clone(),
            iteration,
            age: iteration,
            rate_factor: 1.0,
            sums: &[],
            shards,
            roots: &roots,
            gradients: &gradients[n],
            rounding: None,
            weights_old: &old[cut[n].clone()],
            state_old: &state_old[n],
        };
        let partial = (0..slices).map(|n| update(n).partial_sums().unwrap());
        let partial = partial.collect::<Vec<_>>().concat();
        for (n, state) in state.iter_mut().enumerate() {
            let update = Update { sums: &partial, ..update(n) };
            update.run(&mut weights[cut[n].clone()], state).unwrap();
        }
    }
    (weights, state)
}

/// Two updates of the trainable weights with a single shard, in f64 and by the papers.
fn by_the_book(optimizer: &Optimizer, gradients: &[Vec<f32>], weights: &[f32]) -> Vec<f64> {
    let mut weights: Vec<f64> = weights.iter().map(|&w| w as f64).collect();
    let mut state = vec![[0.0; 3]; weights.len()];
    for (gradient, t) in gradients.iter().zip(1..) {
        let gradient = oracle::clip(optimizer, gradient);
        let mut begin = 0;
        for parameter in table().iter().filter(|p| p.kind == ParameterKind::Trainable) {
            let (at, rank) = (begin..begin + parameter.shape.len(), parameter.shape.rank());
            begin = at.end;
            let (w, s) = (&mut weights[at.clone()], &mut state[at.clone()]);
            oracle::step(optimizer, t, rank, &gradient[at], w, s);
        }
    }
    weights
}

/// The values at the places of the trainable parameters.
fn trainable(values: &[f32]) -> Vec<f32> {
    let table = table();
    let ranges = table.iter().filter(|p| p.kind == ParameterKind::Trainable).map(|p| p.range());
    ranges.flat_map(|range| values[range].to_vec()).collect()
}

#[test]
fn trainable_weights_follow_the_rules_and_others_keep_theirs() {
    let table = table();
    for optimizer in optimizers() {
        let (weights, _) = train(&optimizer, 1, &[0]);
        let start = numbers(1000, table.len());
        let gradients = [numbers(0, table.len()), numbers(100, table.len())];
        let expected = by_the_book(
            &optimizer,
            &gradients.each_ref().map(|g| trainable(g)),
            &trainable(&start),
        );
        for (i, (got, expected)) in trainable(&weights).into_iter().zip(expected).enumerate() {
            // f32 against f64: a few roundings of values of order 1.
            let error = (got as f64 - expected).abs();
            assert!(error < 2e-6, "{optimizer:?} {i}: {error}");
        }
        for parameter in table.iter() {
            for i in parameter.range() {
                match parameter.kind {
                    ParameterKind::Trainable => {}
                    ParameterKind::Statistic => assert_eq!(weights[i], gradients[1][i]),
                    ParameterKind::Frozen => assert_eq!(weights[i], start[i]),
                }
            }
        }
    }
}

fn every() -> Vec<Optimizer> {
    optimizers().into_iter().chain(per_layer()).collect()
}

/// What `optimizer` makes of one parameter.
fn parameter(optimizer: &Optimizer, name: &str) -> Vec<f32> {
    train(optimizer, 1, &[0]).0[table().get(name).unwrap().range()].to_vec()
}

#[test]
fn the_average_of_the_weights_starts_at_their_beginning_and_follows_them() {
    let common = Common { ema_decay: Some(0.75), ..Common::default() };
    for optimizer in [optimizers()[4].clone(), optimizers()[0].clone()] {
        let averaging = Optimizer { common: common.clone(), ..optimizer.clone() };
        let plain = Optimizer { common: Common::default(), ..optimizer };
        assert_eq!(averaging.average_slot(), Some(plain.slots()));
        assert_eq!(averaging.slots(), plain.slots() + 1);
        let len = table().len();
        let (weights, state) = train(&averaging, 1, &[0]);
        let (expected, rest) = train(&plain, 1, &[0]);
        assert_eq!(weights, expected);
        assert_eq!(state[0][..plain.slots() * len], rest[0]);
        let (start, one) = (numbers(1000, len), train_for(1, &plain, 1, &[0]).0);
        let average = &state[0][plain.slots() * len..];
        for parameter in table().iter() {
            for i in parameter.range() {
                let expected = match parameter.kind {
                    ParameterKind::Trainable => {
                        (start[i] * 0.75 + one[i] * 0.25) * 0.75 + weights[i] * 0.25
                    }
                    ParameterKind::Statistic | ParameterKind::Frozen => weights[i],
                };
                // Three roundings of numbers below 4.
                assert!((average[i] - expected).abs() < 1e-6, "{i}");
            }
        }
    }
}

#[test]
fn layers_with_optimizers_of_their_own_move_as_if_alone() {
    let json = |json: &str| Optimizer::from_json(json).unwrap();
    let optimizer = &per_layer()[0];
    assert_eq!(optimizer.slots(), 2);
    let adam = json(r#"{"class": "Adam"}"#);
    let sgd = json(r#"{"class": "SGD", "config": {"learning_rate": 0.1}}"#);
    let half = json(r#"{"class": "SGD", "config": {"learning_rate": 0.05}}"#);
    for (name, alone) in [("conv.weight", adam), ("dense.weight", sgd), ("dense.bias", half)] {
        assert_eq!(parameter(optimizer, name), parameter(&alone, name), "{name}");
    }
}

#[test]
fn frozen_layers_stay_and_are_no_part_of_the_norm() {
    let json = |json: &str| Optimizer::from_json(json).unwrap();
    let frozen = json(
        r#"{"class": "PerLayer", "config": {"default": {"class": "SGD"}, "clip_norm": 0.5,
            "layers": [{"prefix": "conv", "frozen": true}, {"prefix": "dense.weight",
                        "frozen": true}]}}"#,
    );
    let start = numbers(1000, table().len());
    let range = table().get("conv.weight").unwrap().range();
    assert_eq!(parameter(&frozen, "conv.weight"), start[range]);
    // Two steps of norm 0.5, whose gradients are nearly orthogonal.
    let range = table().get("dense.bias").unwrap().range();
    let moved = parameter(&frozen, "dense.bias").into_iter().zip(&start[range]);
    let norm = moved.map(|(new, old)| (new - old).powi(2)).sum::<f32>().sqrt();
    assert!((norm - 0.01 * 0.5 * 2f32.sqrt()).abs() < 5e-4, "{norm}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn slices_and_owners_of_shards_do_not_change_a_bit(
        slices in 1usize..40,
        owner in proptest::collection::vec(0usize..5, 5),
        which in 0..every().len(),
    ) {
        let optimizer = &every()[which];
        let (expected, _) = train_for(4, optimizer, 1, &[0; 5]);
        let (weights, _) = train_for(4, optimizer, slices, &owner);
        prop_assert_eq!(crate::hash(&weights), crate::hash(&expected));
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let table = table();
    let clip_norm = Some(3.0);
    let optimizer = optimizers()[4].clone();
    let optimizer = Optimizer { common: Common { clip_norm, ..optimizer.common }, ..optimizer };
    let len = table.len();
    let gradient = numbers(0, len);
    let (weights, state) = (numbers(1, len), numbers(2, 2 * len).iter().map(|v| v * v).collect());
    let state: Vec<f32> = state;
    let update = Update {
        optimizer: &optimizer,
        parameters: &table,
        slice: 0..len,
        iteration: 5,
        age: 5,
        rate_factor: 1.0,
        sums: &[],
        shards: 1,
        roots: &[Root { first: 0, level: 0 }],
        gradients: &[&gradient],
        rounding: None,
        weights_old: &weights,
        state_old: &state,
    };
    let (mut one, mut many) = (weights.clone(), weights.clone());
    let (mut state_one, mut state_many) = (state.clone(), state.clone());
    let sums = update.partial_sums().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    assert_eq!(update.partial_sums_on(&pool).unwrap(), sums);
    let update = Update { sums: &sums, ..update };
    update.run(&mut one, &mut state_one).unwrap();
    update.run_on(&pool, &mut many, &mut state_many).unwrap();
    assert_eq!(crate::hash(&one), crate::hash(&many));
    assert_eq!(crate::hash(&state_one), crate::hash(&state_many));
}

#[test]
fn vectors_that_do_not_fit_are_refused_and_nothing_is_written() {
    let (table, optimizer) = (table(), Optimizer::from(Method::Sgd(Sgd::default())));
    let gradient = [1.0f32; 10];
    let fits = Update {
        optimizer: &optimizer,
        parameters: &table,
        slice: 5..15,
        iteration: 0,
        age: 0,
        rate_factor: 1.0,
        sums: &[],
        shards: 1,
        roots: &[Root { first: 0, level: 0 }],
        gradients: &[&gradient],
        rounding: None,
        weights_old: &[2.0; 10],
        state_old: &[],
    };
    let mut weights = [7.0; 10];
    let cases = [
        (Update { slice: 9_999..10_009, ..fits.clone() }, "update: slice is 9999..10009 of 10007"),
        (Update { weights_old: &[2.0; 9], ..fits.clone() }, "expected 10 floats, got 9"),
        (Update { gradients: &[&gradient[1..]], ..fits.clone() }, "gradient: expected 10 floats"),
        (Update { gradients: &[], ..fits.clone() }, "number of gradients is 0 for 1 roots"),
        (Update { state_old: &[0.0; 10], ..fits.clone() }, "state before the update"),
        (Update { sums: &[1.0], ..fits.clone() }, "sums: expected 0 floats, got 1"),
        (Update { rate_factor: -1.0, ..fits.clone() }, "rate_factor is -1"),
        (Update { shards: 2, ..fits.clone() }, "shard 1 of 2 is missing"),
    ];
    for (update, expected) in cases {
        let message = update.run(&mut weights, &mut []).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(weights, [7.0; 10]);
    let clip_norm = Common { clip_norm: Some(1.0), ..Common::default() };
    let clipping = Optimizer { common: clip_norm, ..optimizer.clone() };
    let cut = Update { optimizer: &clipping, ..fits.clone() };
    let message = cut.partial_sums().unwrap_err().to_string();
    assert!(message.contains("slice is 5..15, expected one that Optimizer::slice"), "{message}");
    let message = cut.run(&mut weights, &mut []).unwrap_err().to_string();
    // Two cells of conv.weight, two of dense.weight, one of dense.bias.
    assert!(message.contains("sums: expected 5 floats, got 0"), "{message}");
    fits.run(&mut weights, &mut []).unwrap();
    assert_eq!(weights, [1.99; 10]);
    Update { rate_factor: 0.5, ..fits.clone() }.run(&mut weights, &mut []).unwrap();
    assert_eq!(weights, [1.995; 10]);
}
