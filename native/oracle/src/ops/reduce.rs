//! Reductions along axes.

use crate::Array;
use crate::array::indices;

/// `f` of the elements that differ only in `axes`; the axes stay as dimensions of 1.
pub fn reduce(x: &Array, axes: &[usize], f: impl Fn(&[f64]) -> f64) -> Array {
    let extent = |d: usize, reduced: bool| match axes.contains(&d) == reduced {
        true => x.dims[d],
        false => 1,
    };
    let rank = x.dims.len();
    let kept: Vec<usize> = (0..rank).map(|d| extent(d, false)).collect();
    let taken: Vec<usize> = (0..rank).map(|d| extent(d, true)).collect();
    Array::from_fn(&kept, |index| {
        let place = |member: &Vec<usize>| -> Vec<usize> {
            index.iter().zip(member).map(|(i, m)| i + m).collect()
        };
        f(&indices(&taken).map(|member| x.at(&place(&member))).collect::<Vec<_>>())
    })
}
