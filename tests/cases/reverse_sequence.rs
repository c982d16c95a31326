//! Cases of sequences backwards.

use super::{Case, Refusal};
use nn::ops::ReverseSequence;
use oracle::Array;

fn case(name: &str, batch_axis: usize, x: &[usize]) -> Case {
    let time_axis = 1 - batch_axis;
    Case::new(name, ReverseSequence { batch_axis, time_axis }, move |src: &[Array]| {
        vec![Array::from_fn(&src[0].dims, |index| {
            let length = src[1].data[index[batch_axis]] as usize;
            let mut at = index.to_vec();
            if at[time_axis] < length {
                at[time_axis] = length - 1 - at[time_axis];
            }
            src[0].at(&at)
        })]
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("time first", 1, &[4, 2, 3]).indices(&[2], &[4, 2]),
        case("batch first", 0, &[3, 4]).indices(&[3], &[0, 3, 1]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        ReverseSequence::default(),
        &[&[3, 2], &[2]],
        "ReverseSequence \"case\": expected src of at least two dimensions, axes 0 and 1, and one \
         integer length per sequence, got src f32 [3, 2], axes [1, 0], lengths f32 [2]. Put batch \
         and time first.",
    )]
}
