//! Cases of softmax with cross-entropy.

use super::{Case, Refusal};
use nn::ops::SoftmaxCrossEntropy;
use oracle::Array;
use oracle::ops::{loss, softmax};

fn case(name: &str, [n, classes]: [usize; 2], spread: f64, scale: f64) -> Case {
    let oracle = |src: &[Array]| {
        vec![loss::softmax_cross_entropy(&src[0], &src[1]), softmax::softmax(&src[0], 1)]
    };
    Case::new(name, SoftmaxCrossEntropy::default(), oracle)
        .loss()
        .values(Array::sample(&[n, classes], 1).map(|x| spread * x))
        .fixed(Array::from_fn(&[n], |i| (i[0] * 7 % classes) as f64))
        .fixed(Array::new(&[1], vec![scale]))
}

pub fn cases() -> Vec<Case> {
    vec![
        case("ten classes", [5, 10], 3.0, 0.2),
        case("two classes", [3, 2], 1.0, 1.0),
        case("one class", [2, 1], 1.0, 0.5),
        case("one sample", [1, 33], 2.0, 1.0),
        case("logits that overflow an exponential", [4, 6], 200.0, 0.25),
        case("empty batch", [0, 3], 1.0, 1.0),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case("256×1000", [256, 1000], 3.0, 1.0)]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        SoftmaxCrossEntropy::default(),
        &[&[4, 3], &[5], &[1]],
        "SoftmaxCrossEntropy \"case\": expected logits [n, classes] and labels [n], got logits \
         [4, 3], labels [5]. End the model with a Dense layer of one unit per class.",
    )]
}
