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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_that_differ_in_the_axes_alone_are_taken_together() {
        let x = Array::new(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let sum = |axes: &[usize]| reduce(&x, axes, |x| x.iter().sum());
        assert_eq!((sum(&[0]).dims, sum(&[0]).data), (vec![1, 3], vec![5.0, 7.0, 9.0]));
        assert_eq!((sum(&[1]).dims, sum(&[1]).data), (vec![2, 1], vec![6.0, 15.0]));
        assert_eq!(sum(&[0, 1]).data, [21.0]);
        assert_eq!(sum(&[]), x);
    }
}
