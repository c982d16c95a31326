//! Cases of cutting and padding to a size.

use super::{Case, Refusal};
use nn::ops::CenterCropPad;
use oracle::Array;
use oracle::ops::index;

fn case(
    name: &str,
    op: CenterCropPad,
    columns: &'static [Option<usize>],
    x: &'static [usize],
) -> Case {
    Case::new(name, op, move |src: &[Array]| {
        let rows = (0..x[0]).map(Some).collect();
        vec![index::select(&src[0], &[rows, columns.to_vec()])]
    })
    .operand(x)
    .tolerance(1e-6, "nothing is computed")
}

fn op(shape: &[usize], axes: &[i64]) -> CenterCropPad {
    CenterCropPad { shape: shape.to_vec(), axes: axes.to_vec() }
}

pub fn cases() -> Vec<Case> {
    vec![
        case("cut off", op(&[3], &[1]), &[Some(0), Some(1), Some(2)], &[2, 4]),
        case("padded", op(&[5], &[-1]), &[None, Some(0), Some(1), None, None], &[3, 2]),
        case("all axes", op(&[2, 1], &[]), &[Some(1)], &[2, 3]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    vec![Refusal::new(
        op(&[3], &[]),
        &[&[2, 4]],
        "CenterCropPad \"case\": expected an extent for each of 2 axes, got shape [3]. Name the axes \
         or give all extents.",
    )]
}
