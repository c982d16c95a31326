//! Ops that move elements without changing them.

use crate::Array;

/// A matrix of the same elements: the dimensions before `axis` become rows, the others columns.
pub fn flatten(x: &Array, axis: usize) -> Array {
    let dims = [x.dims[..axis].iter().product(), x.dims[axis..].iter().product()];
    Array::new(&dims, x.data.clone())
}

/// The same elements in another shape: 0 keeps the dimension at its place, -1 is what remains.
pub fn reshape(x: &Array, shape: &[i64]) -> Array {
    let mut dims: Vec<usize> = shape
        .iter()
        .enumerate()
        .map(|(d, &dim)| match dim {
            0 => x.dims[d],
            -1 => 1,
            dim => usize::try_from(dim).expect("a dimension is -1, 0 or positive"),
        })
        .collect();
    if let Some(free) = shape.iter().position(|&dim| dim == -1) {
        dims[free] = x.data.len() / dims.iter().product::<usize>();
    }
    Array::new(&dims, x.data.clone())
}

/// The elements in another type, whose rounding is `round`.
pub fn cast(x: &Array, round: impl Fn(f64) -> f64) -> Array {
    x.map(round)
}

/// The arrays one after the other along `axis`; their other dimensions are equal.
pub fn concat(xs: &[&Array], axis: usize) -> Array {
    let mut dims = xs[0].dims.clone();
    dims[axis] = xs.iter().map(|x| x.dims[axis]).sum();
    Array::from_fn(&dims, |index| {
        let mut index = index.to_vec();
        let owner = xs.iter().find(|x| {
            let inside = index[axis] < x.dims[axis];
            if !inside {
                index[axis] -= x.dims[axis];
            }
            inside
        });
        owner.expect("the arrays cover the axis").at(&index)
    })
}

/// The gradients by each of the `xs` of a scalar whose gradient by `concat(xs, axis)` is `dy`.
pub fn concat_backward(xs: &[&Array], axis: usize, dy: &Array) -> Vec<Array> {
    let mut begin = 0;
    xs.iter()
        .map(|x| {
            let part = Array::from_fn(&x.dims, |index| {
                let mut index = index.to_vec();
                index[axis] += begin;
                dy.at(&index)
            });
            begin += x.dims[axis];
            part
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::assert_gradient;

    #[test]
    fn shapes_follow_the_definitions() {
        let x = Array::sample(&[2, 3, 4], 1);
        assert_eq!(flatten(&x, 0).dims, [1, 24]);
        assert_eq!(flatten(&x, 1).dims, [2, 12]);
        assert_eq!(flatten(&x, 3).dims, [24, 1]);
        assert_eq!(reshape(&x, &[0, -1, 6]).dims, [2, 2, 6]);
        assert_eq!(reshape(&x, &[4, 3, 2]).data, x.data);
    }

    #[test]
    fn backward_of_concat_cuts_the_gradient() {
        for axis in 0..3 {
            let mut dims = [2, 3, 2];
            let a = Array::sample(&dims, 1);
            dims[axis] = 4;
            let b = Array::sample(&dims, 2);
            let y = concat(&[&a, &b], axis);
            let dy = Array::sample(&y.dims, 3);
            let gradients = concat_backward(&[&a, &b], axis, &dy);
            assert_gradient(|a| concat(&[a, &b], axis), &a, &dy, &gradients[0]);
            assert_gradient(|b| concat(&[&a, b], axis), &b, &dy, &gradients[1]);
        }
    }
}
