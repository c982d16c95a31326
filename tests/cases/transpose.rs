//! Cases of reordered axes.

use super::{Case, Refusal};
use nn::ops::Transpose;
use oracle::Array;
use oracle::ops::index;
use tensor::DType;

fn case(name: &str, perm: &[usize], x: &[usize]) -> Case {
    let full = if perm.is_empty() { (0..x.len()).rev().collect() } else { perm.to_vec() };
    let oracle = move |src: &[Array]| vec![index::transpose(&src[0], &full)];
    Case::new(name, Transpose { perm: perm.to_vec() }, oracle)
        .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("a matrix", &[1, 0], &[3, 5]).operand(&[3, 5]),
        case("reversed", &[], &[2, 3, 4]).operand(&[2, 3, 4]),
        case("rows that stay whole", &[1, 0, 2], &[3, 2, 5]).operand(&[3, 2, 5]),
        case("heads of attention", &[0, 2, 1, 3], &[2, 3, 4, 5]).operand(&[2, 3, 4, 5]),
        case("nothing", &[0, 1], &[3, 2]).operand(&[3, 2]),
        case("one number", &[], &[1]).operand(&[1]),
        case("integers", &[1, 0], &[2, 3]).typed(DType::I16, Array::sample(&[2, 3], 1)),
        case("empty batch", &[1, 0, 2], &[3, 0, 2]).operand(&[3, 0, 2]),
    ]
}

pub fn timed() -> Vec<Case> {
    let heads = [8, 12, 128, 64];
    vec![
        case("heads 8×128×12×64", &[0, 2, 1, 3], &[8, 128, 12, 64]).operand(&[8, 128, 12, 64]),
        case("keys 8×12×128×64", &[0, 1, 3, 2], &heads).operand(&heads),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Transpose { perm: vec![0, 0] },
        &[&[2, 3]],
        "Transpose \"case\": expected each of the 2 axes of src [2, 3] once, got perm [0, 0]. Give \
         the axes in their new order.",
    )]
}
