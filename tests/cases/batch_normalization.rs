//! Cases of batch normalization.

use super::{Case, Refusal};
use nn::ops::BatchNormalization;
use oracle::Array;
use oracle::ops::batch_normalization::{inference, training};

fn case(name: &str, op: BatchNormalization, x: &[usize]) -> Case {
    let (epsilon, momentum) = (f64::from(op.epsilon), f64::from(op.momentum));
    let train = op.training;
    let oracle = move |src: &[Array]| {
        let [x, scale, bias, mean, var] = src else { unreachable!("five operands") };
        if !train {
            return vec![inference(x, scale, bias, mean, var, epsilon)];
        }
        if x.data.is_empty() {
            return vec![x.clone(), Array::zeros(&mean.dims), Array::zeros(&var.dims)];
        }
        let result = training(x, scale, bias, mean, var, epsilon, momentum);
        vec![result.y, result.running_mean, result.running_var]
    };
    let channels = &x[1..2];
    Case::new(name, op, oracle)
        .operand(x)
        .values(Array::sample(channels, 2).map(|scale| 1.0 + scale / 2.0))
        .operand(channels)
        .fixed(Array::sample(channels, 4))
        .fixed(Array::sample(channels, 5).map(|var| 1.5 + var))
        .tolerance(3e-5, "the division by the deviation magnifies the rounding of the statistics")
}

pub fn cases() -> Vec<Case> {
    let sizes: [(&str, &[usize]); 6] = [
        ("images", &[3, 5, 4, 3]),
        ("whole blocks of channels", &[2, 32, 3, 5]),
        ("one image", &[1, 3, 5, 5]),
        ("rows", &[7, 4]),
        ("sequences", &[2, 3, 5]),
        ("empty batch", &[0, 3, 2, 2]),
    ];
    let modes = [("training", true), ("inference", false)];
    let settings = |training| BatchNormalization { training, ..BatchNormalization::default() };
    let mut cases: Vec<Case> = modes
        .into_iter()
        .flat_map(|(mode, training)| {
            let case = move |(size, x)| case(&format!("{mode}, {size}"), settings(training), x);
            sizes.into_iter().map(case)
        })
        .collect();
    let other = BatchNormalization { epsilon: 0.1, momentum: 0.5, training: true };
    cases.push(case("training, other settings", other, &[4, 3, 2, 2]));
    cases
}

pub fn timed() -> Vec<Case> {
    let training = BatchNormalization { training: true, ..BatchNormalization::default() };
    vec![
        case("training 64 56×56 b16", training, &[16, 64, 56, 56]),
        case("inference 64 56×56 b16", BatchNormalization::default(), &[16, 64, 56, 56]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            BatchNormalization::default(),
            &[&[2, 3, 4, 4], &[3], &[4], &[3], &[3]],
            "BatchNormalization \"case\": expected bias [3], as src has 3 channels, got bias [4] \
             (src [2, 3, 4, 4]). Give one number per channel.",
        ),
        Refusal::new(
            BatchNormalization::default(),
            &[&[3], &[3], &[3], &[3], &[3]],
            "BatchNormalization \"case\": expected src [n, c, …], got [3]. Give the input a batch \
             and a channel dimension.",
        ),
        Refusal::new(
            BatchNormalization::default(),
            &[&[2, 3]],
            "BatchNormalization \"case\": expected 5 operands, got 1. Connect the missing inputs.",
        ),
    ]
}
