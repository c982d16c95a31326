//! Cases of broadcasting.

use super::{Case, Refusal};
use nn::ops::Expand;
use oracle::Array;
use oracle::ops::index;

fn case(name: &str, shape: &[usize], to: &[usize], x: &[usize]) -> Case {
    let dims = to.to_vec();
    let oracle = move |src: &[Array]| vec![index::expand(&src[0], &dims)];
    Case::new(name, Expand { shape: shape.to_vec() }, oracle)
        .operand(x)
        .tolerance(1e-6, "sums of a few numbers")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("rows", &[4, 3], &[4, 3], &[1, 3]),
        case("columns", &[3, 4], &[3, 4], &[3, 1]),
        case("new dimensions", &[2, 3, 4], &[2, 3, 4], &[4]),
        case("a 1 keeps", &[2, 1, 1], &[2, 3, 4], &[3, 4]),
        case("one number", &[2, 2], &[2, 2], &[1]),
        case("nothing", &[3], &[3], &[3]),
        case("empty batch", &[0, 3], &[0, 3], &[1, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Expand { shape: vec![4, 4] },
        &[&[2, 4]],
        "Expand \"case\": broadcast: shapes [2, 4] and [4, 4] do not fit: dimensions must be equal \
         or 1",
    )]
}
