//! Cases of what is known of a value before its elements are.

use super::{Case, Refusal};
use nn::ops::{Shape, Size};
use oracle::Array;

fn case(name: &str, op: Shape, dims: &'static [f64], x: &[usize]) -> Case {
    let oracle = |_: &[Array]| vec![Array::new(&[dims.len()], dims.to_vec())];
    Case::new(name, op, oracle).fixed(Array::sample(x, 1))
}

fn size(name: &str, count: f64, x: &[usize]) -> Case {
    let oracle = move |_: &[Array]| vec![Array::new(&[], vec![count])];
    Case::new(name, Size {}, oracle).fixed(Array::sample(x, 1))
}

pub fn cases() -> Vec<Case> {
    vec![
        case("all", Shape::default(), &[2.0, 3.0, 4.0], &[2, 3, 4]),
        case("the first", Shape { start: 0, end: Some(1) }, &[2.0], &[2, 3, 4]),
        case("the last two", Shape { start: -2, end: None }, &[3.0, 4.0], &[2, 3, 4]),
        case("beyond the end", Shape { start: 1, end: Some(9) }, &[3.0], &[2, 3]),
        case("none", Shape { start: 2, end: Some(1) }, &[], &[2, 3, 4]),
        size("some", 6.0, &[2, 3]),
        size("none", 0.0, &[0, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Shape::default(),
            &[],
            "Shape \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
        Refusal::new(
            Size {},
            &[&[2], &[2]],
            "Size \"case\": expected 1 operand, got 2. Connect the missing inputs.",
        ),
    ]
}
