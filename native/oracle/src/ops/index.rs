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
