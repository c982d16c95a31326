//! Cases of new steps in a cache.

use super::{Case, Refusal};
use nn::ops::TensorScatter;
use oracle::Array;

fn case(name: &str, op: TensorScatter, axis: usize, cache: &[usize], update: &[usize]) -> Case {
    let steps = cache[axis];
    Case::new(name, op, move |src: &[Array]| {
        let mut y = src[0].clone();
        for i in 0..src[1].data.len() {
            let mut at: Vec<usize> = Vec::new();
            let mut rest = i;
            for &dim in src[1].dims.iter().rev() {
                at.insert(0, rest % dim);
                rest /= dim;
            }
            let position = src.get(2).map_or(0, |positions| positions.data[at[0]] as usize);
            at[axis] = (at[axis] + position) % steps;
            *y.at_mut(&at) = src[1].data[i];
        }
        vec![y]
    })
    .operand(cache)
    .operand(update)
    .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    let linear = TensorScatter::default();
    let around = TensorScatter { circular: true, ..linear.clone() };
    let second = TensorScatter { axis: 1, ..linear.clone() };
    vec![
        case("steps", linear.clone(), 2, &[2, 3, 4, 2], &[2, 3, 2, 2]).indices(&[2], &[1, 2]),
        case("around the end", around, 1, &[2, 4, 3], &[2, 2, 3]).indices(&[2], &[3, 1]),
        case("another axis", second, 1, &[2, 3, 2], &[2, 1, 2]).indices(&[2], &[2, 0]),
        case("from the beginning", linear, 1, &[1, 3, 2], &[1, 2, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        TensorScatter::default(),
        &[&[2, 3, 4], &[2, 5, 4]],
        "TensorScatter \"case\": expected cache, update of as many or fewer steps (axis 1), positions \
         [batch], got f32 [2, 3, 4], f32 [2, 5, 4]. Match all dimensions but the axis.",
    )]
}
