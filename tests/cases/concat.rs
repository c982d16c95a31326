//! Cases of concatenation.

use super::{Case, Refusal};
use nn::ops::Concat;
use oracle::Array;
use oracle::ops::shape;

fn case(name: &str, axis: i64, shapes: &[&[usize]]) -> Case {
    let index = if axis < 0 { axis + shapes[0].len() as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| vec![shape::concat(&src.iter().collect::<Vec<_>>(), index)];
    let case = Case::new(name, Concat { axis }, oracle).tolerance(1e-6, "nothing is computed");
    shapes.iter().fold(case, |case, dims| case.operand(dims))
}

pub fn cases() -> Vec<Case> {
    vec![
        case("channels", 1, &[&[2, 3, 4, 3], &[2, 5, 4, 3]]),
        case("whole blocks of channels", 1, &[&[1, 16, 3, 3], &[1, 32, 3, 3]]),
        case("three of them", 1, &[&[3, 1], &[3, 4], &[3, 2]]),
        case("only one", 1, &[&[2, 3]]),
        case("the batch", 0, &[&[2, 3], &[1, 3]]),
        case("the last axis", -1, &[&[2, 3, 2], &[2, 3, 5]]),
        case("an empty part", 1, &[&[2, 3], &[2, 0]]),
        case("empty batch", 1, &[&[0, 3], &[0, 2]]),
    ]
}

pub fn timed() -> Vec<Case> {
    vec![case("64 + 128 28×28 b16", 1, &[&[16, 64, 28, 28], &[16, 128, 28, 28]])]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            Concat { axis: 1 },
            &[&[2, 3, 4], &[2, 3, 5]],
            "Concat \"case\": expected shapes equal to [2, 3, 4] but for axis 1, got [2, 3, 5]. Pad \
             or pool the inputs to the same extents.",
        ),
        Refusal::new(
            Concat { axis: 2 },
            &[&[2, 3]],
            "Concat \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or \
             from −1 at the end.",
        ),
    ]
}
