//! Cases of the mean squared error.

use super::{Case, Refusal};
use nn::ops::MeanSquaredError;
use oracle::Array;
use oracle::ops::loss;

fn case(name: &str, dims: &[usize], scale: f64) -> Case {
    let oracle = |src: &[Array]| vec![loss::mean_squared_error(&src[0], &src[1])];
    Case::new(name, MeanSquaredError::default(), oracle)
        .loss()
        .operand(dims)
        .fixed(Array::sample(dims, 2))
        .fixed(Array::new(&[1], vec![scale]))
}

pub fn cases() -> Vec<Case> {
    vec![
        case("rows", &[5, 3], 0.2),
        case("one number each", &[4, 1], 0.25),
        case("images", &[2, 3, 4, 2], 2.0),
        case("one sample", &[1, 7], 1.0),
        case("empty batch", &[0, 3], 1.0),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case("256×1000", &[256, 1000], 1.0)]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        MeanSquaredError::default(),
        &[&[2, 3], &[2, 4], &[1]],
        "MeanSquaredError \"case\": expected a target like the prediction [2, 3], got [2, 4]. Give \
         labels of the model's output length.",
    )]
}
