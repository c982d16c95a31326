//! Cases of local response normalization.

use super::{Case, Refusal};
use nn::ops::LRN;
use oracle::Array;
use oracle::ops::lrn::lrn;

fn case(name: &str, op: LRN, x: &[usize]) -> Case {
    let (size, numbers) = (op.size, [op.alpha, op.beta, op.bias].map(f64::from));
    Case::new(name, op, move |src: &[Array]| vec![lrn(&src[0], size, numbers)]).operand(x)
}

fn strong(size: usize) -> LRN {
    LRN { size, alpha: 0.7, ..LRN::default() }
}

pub fn cases() -> Vec<Case> {
    vec![
        case("of AlexNet", LRN::default(), &[2, 7, 3, 2]),
        case("that counts", strong(5), &[2, 9, 4, 3]),
        case("whole blocks of channels", strong(5), &[1, 32, 5, 5]),
        case("an even size", strong(4), &[2, 7, 3, 2]),
        case("more neighbours than channels", strong(9), &[1, 3, 2, 2]),
        case("other numbers", LRN { size: 3, alpha: 0.5, beta: 0.5, bias: 2.0 }, &[1, 4, 3, 3]),
        case("rows", strong(3), &[3, 8]),
        case("sequences", strong(3), &[2, 5, 4]),
        case("empty batch", strong(3), &[0, 5, 2, 2]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case("192 56×56 b16", LRN::default(), &[16, 192, 56, 56])]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        LRN::default(),
        &[&[3]],
        "LRN \"case\": expected src [n, c, …] and a size of at least 1, got src [3], size 5. Give \
         the input a channel dimension, and the number of channels to sum over.",
    )]
}
