//! Ops that take, repeat, drop or reorder elements.

use crate::Array;

/// Axis `d` of the result is axis `perm[d]` of x.
pub fn transpose(x: &Array, perm: &[usize]) -> Array {
    let dims: Vec<usize> = perm.iter().map(|&d| x.dims[d]).collect();
    Array::from_fn(&dims, |index| {
        let mut at = vec![0; index.len()];
        perm.iter().zip(index).for_each(|(&d, &i)| at[d] = i);
        x.at(&at)
    })
}

/// The elements at `positions[d]` along each axis `d`, 0 where a position is none.
pub fn select(x: &Array, positions: &[Vec<Option<usize>>]) -> Array {
    let dims: Vec<usize> = positions.iter().map(Vec::len).collect();
    Array::from_fn(&dims, |index| {
        let at: Option<Vec<usize>> = positions.iter().zip(index).map(|(p, &i)| p[i]).collect();
        at.map_or(0.0, |at| x.at(&at))
    })
}

/// x repeated along its dimensions of 1 and new ones in front.
pub fn expand(x: &Array, dims: &[usize]) -> Array {
    let lead = dims.len() - x.dims.len();
    Array::from_fn(dims, |index| {
        let own = index[lead..].iter().zip(&x.dims);
        x.at(&own.map(|(&i, &dim)| if dim == 1 { 0 } else { i }).collect::<Vec<_>>())
    })
}

/// The rows of x along `axis` whose numbers are the indices, which may count from the end.
pub fn gather(x: &Array, indices: &Array, axis: usize) -> Array {
    let dims = [&x.dims[..axis], &indices.dims, &x.dims[axis + 1..]].concat();
    let rank = indices.dims.len();
    Array::from_fn(&dims, |index| {
        let row = from_end(indices.at(&index[axis..axis + rank]), x.dims[axis]);
        x.at(&[&index[..axis], &[row], &index[axis + rank..]].concat())
    })
}

/// Position of an index that may count from the end.
pub fn from_end(index: f64, dim: usize) -> usize {
    let index = if index < 0.0 { index + dim as f64 } else { index };
    assert!((0.0..dim as f64).contains(&index), "index {index} of {dim}");
    index as usize
}

/// The elements of x whose index along `axis` is the one in `indices` at their place.
pub fn gather_elements(x: &Array, indices: &Array, axis: usize) -> Array {
    Array::from_fn(&indices.dims, |index| {
        let mut at = index.to_vec();
        at[axis] = from_end(indices.at(index), x.dims[axis]);
        x.at(&at)
    })
}

/// x with each update combined into the element that `gather_elements` would take.
pub fn scatter_elements(
    x: &Array,
    indices: &Array,
    updates: &Array,
    axis: usize,
    combine: impl Fn(f64, f64) -> f64,
) -> Array {
    let mut y = x.clone();
    for index in crate::array::indices(&indices.dims) {
        let mut at = index.clone();
        at[axis] = from_end(indices.at(&index), x.dims[axis]);
        let old = y.at_mut(&at);
        *old = combine(*old, updates.at(&index));
    }
    y
}

/// For each element of a result of `gather_nd`: its index there and in x.
fn places_nd(x: &Array, indices: &Array, batch: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let (length, outer) = indices.dims.split_last().expect("vectors of indices");
    let behind = &x.dims[batch + length..];
    let pairs = crate::array::indices(outer).flat_map(|vector| {
        let axis =
            |i: usize| from_end(indices.at(&[&vector[..], &[i]].concat()), x.dims[batch + i]);
        let at: Vec<usize> =
            vector[..batch].iter().copied().chain((0..*length).map(axis)).collect();
        let pair = |rest: Vec<usize>| ([&vector[..], &rest].concat(), [&at[..], &rest].concat());
        crate::array::indices(behind).map(pair).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// The parts of x at the index vectors.
pub fn gather_nd(x: &Array, indices: &Array, batch: usize) -> Array {
    let (length, outer) = indices.dims.split_last().expect("vectors of indices");
    let mut y = Array::zeros(&[outer, &x.dims[batch + length..]].concat());
    for (to, from) in places_nd(x, indices, batch) {
        *y.at_mut(&to) = x.at(&from);
    }
    y
}

/// x with each update combined into the part that `gather_nd` would take.
pub fn scatter_nd(
    x: &Array,
    indices: &Array,
    updates: &Array,
    combine: impl Fn(f64, f64) -> f64,
) -> Array {
    let mut y = x.clone();
    for (from, to) in places_nd(x, indices, 0) {
        let old = y.at_mut(&to);
        *old = combine(*old, updates.at(&from));
    }
    y
}

/// Sums along `axis` up to each element: that element too, or not; from the end, or not.
pub fn cum_sum(x: &Array, axis: usize, exclusive: bool, reverse: bool) -> Array {
    Array::from_fn(&x.dims, |index| {
        let counts = |i: usize| match (i == index[axis], reverse) {
            (true, _) => !exclusive,
            (false, true) => i > index[axis],
            (false, false) => i < index[axis],
        };
        let element = |i: usize| {
            let mut at = index.to_vec();
            at[axis] = i;
            x.at(&at)
        };
        (0..x.dims[axis]).filter(|&i| counts(i)).map(element).sum()
    })
}

/// The positions of the elements along `axis`, the largest first and the first of equals before.
pub fn sorted_positions(x: &Array, axis: usize) -> Array {
    Array::from_fn(&x.dims, |index| {
        let element = |i: usize| {
            let mut at = index.to_vec();
            at[axis] = i;
            x.at(&at)
        };
        let before =
            |a: usize, b: usize| element(a) > element(b) || (element(a) == element(b) && a < b);
        let rank = |i: usize| (0..x.dims[axis]).filter(|&other| before(other, i)).count();
        let found = (0..x.dims[axis]).find(|&i| rank(i) == index[axis]);
        found.expect("ranks are different") as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(dims: &[usize], data: &[f64]) -> Array {
        Array::new(dims, data.to_vec())
    }

    // The examples of ONNX's documentation of the ops.

    #[test]
    fn elements_are_gathered_and_scattered_along_an_axis() {
        let x = array(&[3, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let indices = array(&[2, 3], &[1.0, 2.0, 0.0, 2.0, 0.0, 0.0]);
        assert_eq!(gather_elements(&x, &indices, 0).data, [4.0, 8.0, 3.0, 7.0, 2.0, 3.0]);
        let (x, indices) =
            (array(&[1, 5], &[1.0, 2.0, 3.0, 4.0, 5.0]), array(&[1, 2], &[1.0, 3.0]));
        let updates = array(&[1, 2], &[1.1, 2.1]);
        let y = scatter_elements(&x, &indices, &updates, 1, |_, new| new);
        assert_eq!(y.data, [1.0, 1.1, 3.0, 2.1, 5.0]);
        let same = array(&[1, 2], &[1.0, -4.0]);
        let y = scatter_elements(&x, &same, &updates, 1, |old, new| old + new);
        assert_eq!(y.data, [1.0, 2.0 + 1.1 + 2.1, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn parts_are_gathered_and_scattered_by_vectors() {
        let x = array(&[2, 2], &[0.0, 1.0, 2.0, 3.0]);
        assert_eq!(gather_nd(&x, &array(&[2, 2], &[0.0, 0.0, 1.0, 1.0]), 0).data, [0.0, 3.0]);
        assert_eq!(gather_nd(&x, &array(&[2, 1], &[1.0, 0.0]), 0).data, [2.0, 3.0, 0.0, 1.0]);
        let cube = array(&[2, 2, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(gather_nd(&cube, &array(&[2, 1], &[1.0, 0.0]), 1).data, [2.0, 3.0, 4.0, 5.0]);
        let x = array(&[8], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let indices = array(&[4, 1], &[4.0, 3.0, 1.0, 7.0]);
        let updates = array(&[4], &[9.0, 10.0, 11.0, 12.0]);
        let y = scatter_nd(&x, &indices, &updates, |_, new| new);
        assert_eq!(y.data, [1.0, 11.0, 3.0, 10.0, 9.0, 6.0, 7.0, 12.0]);
    }

    #[test]
    fn rows_are_gathered_by_number() {
        let x = array(&[3, 2], &[1.0, 1.2, 2.3, 3.4, 4.5, 5.7]);
        let y = gather(&x, &array(&[2, 2], &[0.0, 1.0, 1.0, 2.0]), 0);
        assert_eq!(y.dims, [2, 2, 2]);
        assert_eq!(y.data, [1.0, 1.2, 2.3, 3.4, 2.3, 3.4, 4.5, 5.7]);
    }

    #[test]
    fn sums_run_along_an_axis_from_either_end() {
        let x = array(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(cum_sum(&x, 0, false, false).data, [1.0, 3.0, 6.0, 10.0, 15.0]);
        assert_eq!(cum_sum(&x, 0, true, false).data, [0.0, 1.0, 3.0, 6.0, 10.0]);
        assert_eq!(cum_sum(&x, 0, false, true).data, [15.0, 14.0, 12.0, 9.0, 5.0]);
        assert_eq!(cum_sum(&x, 0, true, true).data, [14.0, 12.0, 9.0, 5.0, 0.0]);
    }

    #[test]
    fn axes_are_reordered_repeated_and_sorted() {
        let x = array(&[2, 3], &[3.0, 1.0, 2.0, 5.0, 5.0, 9.0]);
        assert_eq!(transpose(&x, &[1, 0]).data, [3.0, 5.0, 1.0, 5.0, 2.0, 9.0]);
        assert_eq!(sorted_positions(&x, 1).data, [0.0, 2.0, 1.0, 2.0, 0.0, 1.0]);
        assert_eq!(expand(&array(&[2, 1], &[1.0, 2.0]), &[2, 2]).data, [1.0, 1.0, 2.0, 2.0]);
        let cut = select(&x, &[vec![Some(1)], vec![None, Some(0)]]);
        assert_eq!((cut.dims, cut.data), (vec![1, 2], vec![0.0, 5.0]));
    }
}
