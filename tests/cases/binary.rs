//! Cases of Add and Mul.

use super::{Case, Refusal};
use nn::ops::{Add, Mul};
use oracle::Array;
use oracle::ops::elementwise;

fn both(name: &str, a: &[usize], b: &[usize]) -> [Case; 2] {
    let add = |src: &[Array]| vec![elementwise::add(&src[0], &src[1])];
    let mul = |src: &[Array]| vec![elementwise::mul(&src[0], &src[1])];
    [
        Case::new(name, Add::default(), add).operand(a).operand(b),
        Case::new(name, Mul::default(), mul).operand(a).operand(b),
    ]
}

pub fn cases() -> Vec<Case> {
    [
        both("equal shapes", &[2, 3, 4, 3], &[2, 3, 4, 3]),
        both("a row for each", &[5, 7], &[7]),
        both("a column for each", &[5, 7], &[5, 1]),
        both("one number per channel", &[2, 3, 4, 5], &[3, 1, 1]),
        both("both repeated", &[3, 1, 4], &[2, 1]),
        both("the second is larger", &[4], &[3, 4]),
        both("one number", &[3, 2], &[1]),
        both("one row", &[1, 3], &[1, 3]),
        both("empty batch", &[0, 3], &[3]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn timed() -> Vec<Case> {
    let x = [16, 256, 28, 28];
    [both("256 28×28 b16", &x, &x), both("256 28×28 b16 per channel", &x, &[256, 1, 1])]
        .into_iter()
        .flatten()
        .collect()
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Add::default(),
            &[&[2, 3], &[2, 4]],
            "Add \"case\": broadcast: shapes [2, 3] and [2, 4] do not fit: \
             dimensions must be equal or 1",
        ),
        Refusal::new(
            Mul::default(),
            &[&[2, 3]],
            "Mul \"case\": expected 2 operands, got 1. Connect the missing inputs.",
        ),
    ]
}
