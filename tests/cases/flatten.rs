//! Cases of flattening.

use super::{Case, Refusal};
use nn::ops::Flatten;
use oracle::Array;
use oracle::ops::shape;

fn case(name: &str, axis: usize, x: &[usize]) -> Case {
    Case::new(name, Flatten { axis }, move |src: &[Array]| vec![shape::flatten(&src[0], axis)])
        .operand(x)
        .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("images", 1, &[2, 3, 4, 5]),
        case("two dimensions of rows", 2, &[2, 3, 4, 5]),
        case("to one row", 0, &[2, 3]),
        case("to one column", 2, &[2, 3]),
        case("one image", 1, &[1, 3, 2, 2]),
        case("empty batch", 1, &[0, 3, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Flatten { axis: 3 },
        &[&[2, 3]],
        "Flatten \"case\": expected an axis up to 2, got 3. Use axis 1 to keep the batch.",
    )]
}
