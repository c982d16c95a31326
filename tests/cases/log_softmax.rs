//! Cases of the logarithm of softmax.

use super::{Case, Refusal};
use nn::ops::LogSoftmax;
use oracle::Array;
use oracle::ops::softmax;

fn case(name: &str, axis: i64, x: &[usize]) -> Case {
    let index = if axis < 0 { axis + x.len() as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| vec![softmax::log_softmax(&src[0], index)];
    Case::new(name, LogSoftmax { axis }, oracle)
        .values(Array::sample(x, 1).map(|x| 5.0 * x))
        .tolerance(1e-5, "oneDNN approximates exponential and logarithm to some 1e-6")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("rows", -1, &[3, 10]),
        case("channels of images", 1, &[2, 5, 3, 2]),
        case("the first axis", 0, &[4, 3]),
        case("one class", 1, &[2, 1]),
        case("one row", 1, &[1, 17]),
        case("empty batch", 1, &[0, 5]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case("256×1000", 1, &[256, 1000])]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        LogSoftmax { axis: -3 },
        &[&[2, 3]],
        "LogSoftmax \"case\": expected an axis of 2 dimensions, got axis -3. Count axes from 0, or \
         from −1 at the end.",
    )]
}
