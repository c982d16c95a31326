//! Cases of the pooling of whole planes.

use super::{Case, Refusal};
use nn::ops::{GlobalAveragePool, GlobalLpPool, GlobalMaxPool};
use oracle::Array;

/// One number for each plane.
fn planes(x: &Array, f: impl Fn(&[f64]) -> f64) -> Vec<Array> {
    let plane: usize = x.dims[2..].iter().product();
    let mut dims = vec![1; x.dims.len()];
    dims[..2].copy_from_slice(&x.dims[..2]);
    vec![Array::new(&dims, x.data.chunks(plane).map(f).collect())]
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for dims in [&[2, 3, 4][..], &[2, 16, 3, 4], &[1, 2, 2, 3, 2]] {
        let name = format!("of {dims:?}");
        let mean = |plane: &[f64]| plane.iter().sum::<f64>() / plane.len() as f64;
        let max = |plane: &[f64]| plane.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let norm = |plane: &[f64]| plane.iter().map(|x| x.abs().powi(3)).sum::<f64>().cbrt();
        let case = |case: Case| case.operand(dims);
        cases.extend([
            case(Case::new(&name[..], GlobalAveragePool {}, move |src| planes(&src[0], mean))),
            case(Case::new(&name[..], GlobalMaxPool {}, move |src| planes(&src[0], max))),
            case(Case::new(&name[..], GlobalLpPool { p: 3 }, move |src| planes(&src[0], norm))),
        ]);
    }
    cases
}

pub fn refusals() -> Vec<Refusal> {
    vec![
        Refusal::new(
            GlobalAveragePool {},
            &[&[4, 10]],
            "GlobalAveragePool \"case\": expected src [n, c, …] with one to three spatial \
             dimensions, got [4, 10]. Reshape the input to batch, channels, height, width.",
        ),
        Refusal::new(
            GlobalMaxPool {},
            &[],
            "GlobalMaxPool \"case\": expected 1 operand, got 0. Connect the missing inputs.",
        ),
        Refusal::new(
            GlobalLpPool { p: 0 },
            &[&[1, 1, 4, 4]],
            "GlobalLpPool \"case\": expected p of at least 1, got 0. Choose the norm.",
        ),
    ]
}
