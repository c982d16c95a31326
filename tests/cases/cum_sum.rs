//! Cases of running sums.

use super::{Case, Refusal};
use nn::ops::CumSum;
use oracle::Array;
use oracle::ops::index;

fn case(name: &str, axis: i64, exclusive: bool, reverse: bool, rank: usize) -> Case {
    let at = if axis < 0 { axis + rank as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| vec![index::cum_sum(&src[0], at, exclusive, reverse)];
    Case::new(name, CumSum { axis, exclusive, reverse }, oracle)
}

pub fn cases() -> Vec<Case> {
    vec![
        case("rows", 1, false, false, 2).operand(&[3, 5]),
        case("columns, exclusive", 0, true, false, 2).operand(&[4, 3]),
        case("reversed", -2, false, true, 3).operand(&[2, 3, 4]),
        case("reversed, exclusive", -1, true, true, 1).operand(&[6]),
        case("integers", 0, false, false, 1).indices(&[3], &[1, -5, 9]),
        case("empty batch", 1, false, false, 2).operand(&[0, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        CumSum { axis: 2, ..CumSum::default() },
        &[&[2, 3]],
        "CumSum \"case\": expected an axis of 2 dimensions, got axis 2. Count axes from 0, or from \
         −1 at the end.",
    )]
}
