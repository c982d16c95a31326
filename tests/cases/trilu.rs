//! Cases of triangles.

use super::{Case, Refusal};
use nn::ops::Trilu;
use oracle::Array;

fn case(name: &str, upper: bool, k: i64, x: &[usize]) -> Case {
    Case::new(name, Trilu { upper, k }, move |src: &[Array]| {
        vec![Array::from_fn(&src[0].dims, |index| {
            let [.., row, column] = *index else { panic!("a matrix") };
            let above = column as i64 - row as i64;
            let kept = if upper { above >= k } else { above <= k };
            if kept { src[0].at(index) } else { 0.0 }
        })]
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("upper", true, 0, &[4, 5]),
        case("upper, higher", true, 2, &[2, 3, 4]),
        case("upper, lower", true, -1, &[4, 3]),
        case("lower", false, 0, &[2, 4, 4]),
        case("lower, far", false, -9, &[3, 3]),
        case("lower, higher", false, 1, &[4, 3]),
        case("empty batch", true, 0, &[0, 2, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Trilu::default(),
        &[&[3]],
        "Trilu \"case\": expected a matrix or a stack of them, got [3]. Reshape the input to at least \
         two dimensions.",
    )]
}
