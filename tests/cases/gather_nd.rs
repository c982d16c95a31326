//! Cases of elements and parts by their places.

use super::{Case, Refusal};
use nn::TensorType;
use nn::ops::{GatherElements, GatherNd};
use oracle::Array;
use oracle::ops::index;
use tensor::DType;

fn elements(name: &str, axis: i64, x: &[usize]) -> Case {
    let at = if axis < 0 { axis + x.len() as i64 } else { axis } as usize;
    let oracle = move |src: &[Array]| vec![index::gather_elements(&src[0], &src[1], at)];
    Case::new(name, GatherElements { axis }, oracle)
        .operand(x)
        .tolerance(1e-6, "sums of a few numbers")
}

fn parts(name: &str, batch_dims: usize, x: &[usize]) -> Case {
    let oracle = move |src: &[Array]| vec![index::gather_nd(&src[0], &src[1], batch_dims)];
    Case::new(name, GatherNd { batch_dims }, oracle)
        .operand(x)
        .tolerance(1e-6, "sums of a few numbers")
}

pub fn cases() -> Vec<Case> {
    vec![
        elements("columns", 1, &[3, 4]).indices(&[3, 2], &[0, 3, -1, -1, 2, 0]),
        elements("rows of a part", 0, &[3, 4]).indices(&[2, 3], &[0, 1, 2, 2, 2, -3]),
        elements("the last axis", -1, &[2, 2, 2]).indices(&[2, 1, 2], &[1, 1, 0, 1]),
        parts("elements", 0, &[2, 3]).indices(&[2, 2], &[0, 2, 1, -1]),
        parts("rows", 0, &[3, 4]).indices(&[2, 1], &[2, 2]),
        parts("a batch", 1, &[2, 3, 2]).indices(&[2, 1], &[1, 0]),
        parts("a batch of several", 1, &[2, 3, 2]).indices(&[2, 2, 1], &[0, 1, 2, 2]),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    let with =
        |dims: &[usize]| [TensorType::new(DType::F32, [2, 3]), TensorType::new(DType::I64, dims)];
    vec![
        Refusal::typed(
            GatherElements { axis: 1 },
            &with(&[3, 3]),
            "GatherElements \"case\": expected indices within data [2, 3] but for axis 1, got \
             indices [3, 3]. Cut or expand the indices.",
        ),
        Refusal::typed(
            GatherNd { batch_dims: 1 },
            &with(&[2, 2]),
            "GatherND \"case\": expected index vectors into data [2, 3] with 1 batch dimensions, got \
             indices [2, 2]. Let the last dimension count the axes that are indexed.",
        ),
    ]
}
