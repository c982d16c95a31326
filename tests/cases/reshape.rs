//! Cases of reshaping.

use super::{Case, Refusal};
use nn::ops::Reshape;
use oracle::Array;
use oracle::ops::shape;

fn case(name: &str, to: &[i64], x: &[usize]) -> Case {
    let shape = to.to_vec();
    let oracle = move |src: &[Array]| vec![shape::reshape(&src[0], &shape)];
    Case::new(name, Reshape { shape: to.to_vec() }, oracle)
        .operand(x)
        .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("given in full", &[4, 3, 2], &[2, 12]),
        case("one dimension left", &[2, -1], &[2, 3, 4]),
        case("a dimension kept", &[0, 2, 6], &[3, 12]),
        case("one number", &[1, 1, 1], &[1]),
        case("empty batch", &[0, 6], &[0, 2, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Reshape { shape: vec![4, 4] },
            &[&[2, 3]],
            "Reshape \"case\": expected 6 numbers, as src [2, 3] has, got shape [4, 4]. Use one −1 \
             for the dimension that is left.",
        ),
        Refusal::new(
            Reshape { shape: vec![-1, -1] },
            &[&[2, 3]],
            "Reshape \"case\": expected 6 numbers, as src [2, 3] has, got shape [-1, -1]. Use one −1 \
             for the dimension that is left.",
        ),
    ]
}
