use super::*;
use crate::optim::tests::optimizers;
use crate::optim::{Sgd, oracle};
use crate::slices::slice;
use crate::tree;
use nn::Initializer;
use proptest::prelude::*;
use tensor::random::{Philox, Purpose};

/// A table with every kind of parameter, of 10,007 floats: more than two chunks, no round number.
fn table() -> ParameterTable {
    let mut table = ParameterTable::new();
    let kinds = [
        ("conv.weight", 4500, ParameterKind::Trainable),
        ("bn.running_mean", 7, ParameterKind::Statistic),
        ("frozen.weight", 2500, ParameterKind::Frozen),
        ("dense.weight", 3000, ParameterKind::Trainable),
    ];
    for (name, len, kind) in kinds {
        table.push(name, [len].into(), kind, Initializer::Zeros).unwrap();
    }
    table
}

fn numbers(stream: u64, len: usize) -> Vec<f32> {
    let philox = Philox::new(3, Purpose::Weights, stream, 0);
    (0..len as u64).map(|position| philox.normal(position)).collect()
}

/// Two iterations over all slices with these tasks; shard gradients are the same in every call.
fn train(optimizer: &Optimizer, slices: usize, owner: &[usize]) -> (Vec<f32>, Vec<Vec<f32>>) {
    let (table, shards) = (table(), owner.len());
    let len = table.len();
    let mut weights = numbers(1000, len);
    let mut state: Vec<Vec<f32>> =
        (0..slices).map(|n| vec![0.0; optimizer.slots() * slice(n, slices, len).len()]).collect();
    for iteration in 0..2 {
        let mut sums: Vec<Vec<f32>> =
            (0..shards as u64).map(|shard| numbers(iteration * 100 + shard, len)).collect();
        let mut roots = Vec::new();
        for task in 0..shards {
            roots.extend(tree::roots((0..shards).filter(|&s| owner[s] == task), shards));
        }
        for &root in &roots {
            for (into, from) in tree::additions(root, shards) {
                let from = sums[from].clone();
                tree::add(&mut sums[into], &from);
            }
        }
        let old = weights.clone();
        for (n, state) in state.iter_mut().enumerate() {
            let at = slice(n, slices, len);
            let gradients: Vec<&[f32]> =
                roots.iter().map(|root| &sums[root.first][at.clone()]).collect();
            let state_old = state.clone();
            Update {
                optimizer,
                parameters: &table,
                slice: at.clone(),
                iteration,
                rate_factor: 1.0,
                sums: &[],
                shards,
                roots: &roots,
                gradients: &gradients,
                weights_old: &old[at.clone()],
                state_old: &state_old,
            }
            .run(&mut weights[at], state)
            .unwrap();
        }
    }
    (weights, state)
}

/// Two updates of the whole vector with a single shard, in f64 and by the papers.
fn by_the_book(optimizer: &Optimizer, gradients: &[Vec<f32>], weights: &[f32]) -> Vec<f64> {
    let element = |(i, &weight): (usize, &f32)| {
        let mut state = [0.0; 3];
        gradients.iter().zip(1..).fold(weight as f64, |w, (gradient, t)| {
            oracle::step(optimizer, t, gradient[i] as f64, w, &mut state)
        })
    };
    weights.iter().enumerate().map(element).collect()
}

#[test]
fn trainable_weights_follow_the_rules_and_others_keep_theirs() {
    let table = table();
    for optimizer in optimizers() {
        let (weights, _) = train(&optimizer, 1, &[0]);
        let start = numbers(1000, table.len());
        let gradients = [numbers(0, table.len()), numbers(100, table.len())];
        let expected = by_the_book(&optimizer, &gradients, &start);
        for parameter in table.iter() {
            for i in parameter.range() {
                match parameter.kind {
                    // f32 against f64: a few roundings of values of order 1.
                    ParameterKind::Trainable => {
                        let error = (weights[i] as f64 - expected[i]).abs();
                        assert!(error < 2e-6, "{optimizer:?} {i}: {error}");
                    }
                    ParameterKind::Statistic => assert_eq!(weights[i], gradients[1][i]),
                    ParameterKind::Frozen => assert_eq!(weights[i], start[i]),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn slices_and_owners_of_shards_do_not_change_a_bit(
        slices in 1usize..40,
        owner in proptest::collection::vec(0usize..5, 5),
        which in 0..optimizers().len(),
    ) {
        let optimizer = &optimizers()[which];
        let (expected, _) = train(optimizer, 1, &[0; 5]);
        let (weights, _) = train(optimizer, slices, &owner);
        prop_assert_eq!(crate::hash(&weights), crate::hash(&expected));
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let (table, optimizer) = (table(), &optimizers()[3]);
    let len = table.len();
    let gradient = numbers(0, len);
    let (weights, state) = (numbers(1, len), numbers(2, 2 * len).iter().map(|v| v * v).collect());
    let state: Vec<f32> = state;
    let update = Update {
        optimizer,
        parameters: &table,
        slice: 0..len,
        iteration: 5,
        rate_factor: 1.0,
        sums: &[],
        shards: 1,
        roots: &[Root { first: 0, level: 0 }],
        gradients: &[&gradient],
        weights_old: &weights,
        state_old: &state,
    };
    let (mut one, mut many) = (weights.clone(), weights.clone());
    let (mut state_one, mut state_many) = (state.clone(), state.clone());
    update.run(&mut one, &mut state_one).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    update.run_on(&pool, &mut many, &mut state_many).unwrap();
    assert_eq!(crate::hash(&one), crate::hash(&many));
    assert_eq!(crate::hash(&state_one), crate::hash(&state_many));
}

#[test]
fn vectors_that_do_not_fit_are_refused_and_nothing_is_written() {
    let (table, optimizer) = (table(), Optimizer::Sgd(Sgd::default()));
    let gradient = [1.0f32; 10];
    let fits = Update {
        optimizer: &optimizer,
        parameters: &table,
        slice: 5..15,
        iteration: 0,
        rate_factor: 1.0,
        sums: &[],
        shards: 1,
        roots: &[Root { first: 0, level: 0 }],
        gradients: &[&gradient],
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
    fits.run(&mut weights, &mut []).unwrap();
    assert_eq!(weights, [1.99; 10]);
    Update { rate_factor: 0.5, ..fits.clone() }.run(&mut weights, &mut []).unwrap();
    assert_eq!(weights, [1.995; 10]);
}
