//! Cases of slices.

use super::{Case, Refusal};
use nn::ops::Slice;
use oracle::Array;
use oracle::ops::index;

/// `positions` names what is taken along each axis that is not taken whole.
fn case(name: &str, op: Slice, positions: &[(usize, &[usize])], x: &[usize]) -> Case {
    let mut taken: Vec<Vec<Option<usize>>> =
        x.iter().map(|&dim| (0..dim).map(Some).collect()).collect();
    for (axis, positions) in positions {
        taken[*axis] = positions.iter().map(|&at| Some(at)).collect();
    }
    Case::new(name, op, move |src: &[Array]| vec![index::select(&src[0], &taken)])
        .operand(x)
        .tolerance(1e-6, "nothing is computed")
}

fn slice(starts: &[i64], ends: &[i64], axes: &[i64], steps: &[i64]) -> Slice {
    let [starts, ends, axes, steps] = [starts, ends, axes, steps].map(<[i64]>::to_vec);
    Slice { starts, ends, axes, steps }
}

pub fn cases() -> Vec<Case> {
    let far = i64::MAX;
    vec![
        case("rows", slice(&[1], &[3], &[], &[]), &[(0, &[1, 2])], &[4, 3]),
        case(
            "two axes",
            slice(&[1, 0], &[3, 2], &[2, 0], &[]),
            &[(2, &[1, 2]), (0, &[0, 1])],
            &[3, 2, 4],
        ),
        case("from the end", slice(&[-2], &[far], &[-1], &[]), &[(1, &[3, 4])], &[2, 5]),
        case("steps", slice(&[0], &[far], &[1], &[2]), &[(1, &[0, 2, 4])], &[2, 5]),
        case("backwards", slice(&[-1], &[-far], &[0], &[-1]), &[(0, &[2, 1, 0])], &[3, 2]),
        case("backwards by two", slice(&[9], &[0], &[0], &[-2]), &[(0, &[4, 2])], &[5]),
        case("nothing left", slice(&[2], &[1], &[0], &[]), &[(0, &[])], &[4, 2]),
        case("empty batch", slice(&[0], &[1], &[1], &[]), &[(1, &[0])], &[0, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            slice(&[0], &[1], &[2], &[]),
            &[&[2, 3]],
            "Slice \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or \
             from −1 at the end.",
        ),
        Refusal::new(
            slice(&[0], &[1], &[], &[0]),
            &[&[2, 3]],
            "Slice \"case\": expected steps other than 0, got step 0. Use 1.",
        ),
        Refusal::new(
            slice(&[0], &[], &[], &[]),
            &[&[2, 3]],
            "Slice \"case\": expected an end, an axis and a step for each of 1 starts, got ends [], \
             axes [], steps []. Give lists of one length.",
        ),
    ]
}
