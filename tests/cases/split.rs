//! Cases of a tensor in parts.

use super::{Case, Refusal};
use nn::ops::Split;
use oracle::Array;

fn case(name: &str, op: Split, axis: usize, parts: &'static [usize], x: &[usize]) -> Case {
    Case::new(name, op, move |src: &[Array]| {
        let mut begin = 0;
        let part = |&extent: &usize| {
            let mut dims = src[0].dims.clone();
            dims[axis] = extent;
            begin += extent;
            Array::from_fn(&dims, |index| {
                let mut at = index.to_vec();
                at[axis] += begin - extent;
                src[0].at(&at)
            })
        };
        parts.iter().map(part).collect()
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    let equal = |axis, num_outputs| Split { axis, split: Vec::new(), num_outputs };
    let given = |axis, split: &[usize]| Split { axis, split: split.to_vec(), num_outputs: 0 };
    vec![
        case("equal", equal(0, 2), 0, &[2, 2], &[4, 3]),
        case("the last is smaller", equal(1, 3), 1, &[3, 3, 1], &[2, 7]),
        case("given", given(-1, &[1, 4]), 1, &[1, 4], &[3, 5]),
        case("an empty part", given(0, &[3, 0]), 0, &[3, 0], &[3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        Split { axis: 0, split: vec![1, 1], num_outputs: 0 },
        &[&[3]],
        "Split \"case\": expected parts that add up to 3 along axis 0, got parts [1, 1]. Give the \
         extent of every part or the number of equal parts.",
    )]
}
