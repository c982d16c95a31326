//! The loops of reductions.

use super::Kind;
use crate::ops::sum_to::row_offsets;
use tensor::{Data, Element, Shape, View, Wide, for_elements};

/// Columns that are taken together at a time.
const BLOCK: usize = 64;

/// Where the elements lie that are taken together.
#[derive(Clone, Debug)]
pub(super) struct Reduction {
    pub kind: Kind,
    /// Place of the first element of each group, in the order of the results.
    pub groups: Vec<usize>,
    /// Places of a group's elements, from its first on.
    pub members: Vec<usize>,
    /// Neighbouring results whose groups are neighbours too: their number.
    columns: usize,
}

impl Reduction {
    pub fn new(kind: Kind, src: &Shape, reduced: &[bool]) -> Reduction {
        let places = |which: bool| {
            let axes = || (0..src.rank()).filter(|&d| reduced[d] == which);
            let strides = src.strides();
            let mut dims: Vec<usize> = axes().map(|d| src.dims()[d]).collect();
            // The function lists all dimensions but the last.
            dims.push(1);
            row_offsets(&Shape::from(dims), &axes().map(|d| strides[d]).collect::<Vec<_>>())
        };
        let kept = reduced.iter().rposition(|&reduced| reduced).map_or(0, |last| last + 1);
        let columns = src.dims()[kept..].iter().product::<usize>().max(1);
        Reduction { kind, groups: places(false), members: places(true), columns }
    }

    /// The reduced f32.
    pub fn run(&self, src: &[f32], dst: &mut [f32]) {
        self.floats(|at| f64::from(src[at]), |at, value| dst[at] = value as f32);
    }

    /// The reduced elements of any type.
    pub fn evaluate(&self, src: View<'_>) -> Data {
        for_elements!(View, src, src => self.elements(src))
    }

    fn elements<T: Element>(&self, src: &[T]) -> Data
    where
        Data: From<Vec<T>>,
    {
        let mut dst = vec![T::default(); self.groups.len()];
        if T::DTYPE.is_float() {
            let read = |at: usize| match src[at].wide() {
                Wide::Float(x) => x,
                Wide::Int(x) => x as f64,
                Wide::Uint(x) => x as f64,
            };
            self.floats(read, |at, value| dst[at] = T::from_wide(Wide::Float(value)));
        } else {
            let bounds = (T::lowest(), T::highest());
            for (dst, &group) in dst.iter_mut().zip(&self.groups) {
                let members = self.members.iter().map(|&at| integer(src[group + at]));
                *dst = self.integers(members, bounds);
            }
        }
        Data::from(dst)
    }

    /// Reduces floats, neighbouring groups at once.
    fn floats(&self, read: impl Fn(usize) -> f64, mut write: impl FnMut(usize, f64)) {
        let kind = self.kind;
        let count = self.members.len() as f64;
        let mut first = 0;
        while first < self.groups.len() {
            let width = BLOCK.min(self.columns - first % self.columns);
            let base = self.groups[first];
            let add = |a: f64, b: f64| a + b;
            let larger = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
            let smaller = |a: f64, b: f64| if b < a || b.is_nan() { b } else { a };
            let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
            let mut shift = [0.0; BLOCK];
            let fold = Fold { reduction: self, base, width, read: &read };
            let sums = match kind {
                Kind::Sum | Kind::Mean | Kind::LogSum => fold.run(0.0, |_, x| x, add),
                Kind::Prod => fold.run(1.0, |_, x| x, |a, b| a * b),
                Kind::Max => fold.run(low, |_, x| x, larger),
                Kind::Min => fold.run(high, |_, x| x, smaller),
                Kind::L1 => fold.run(0.0, |_, x| x.abs(), add),
                Kind::L2 | Kind::SumSquare => fold.run(0.0, |_, x| x * x, add),
                Kind::LogSumExp => {
                    shift = fold.run(low, |_, x| x, larger);
                    shift.iter_mut().filter(|s| !s.is_finite()).for_each(|s| *s = 0.0);
                    fold.run(0.0, |j, x| (x - shift[j]).exp(), add)
                }
            };
            for (j, sum) in sums[..width].iter().enumerate() {
                write(
                    first + j,
                    match kind {
                        Kind::Mean => sum / count,
                        Kind::L2 => sum.sqrt(),
                        Kind::LogSum => sum.ln(),
                        Kind::LogSumExp => sum.ln() + shift[j],
                        _ => *sum,
                    },
                );
            }
            first += width;
        }
    }

    /// Reduces integers; sums and products wrap around.
    fn integers<T: Element>(
        &self,
        members: impl Iterator<Item = i128>,
        (lowest, highest): (T, T),
    ) -> T {
        let add = |sum: i128, x: i128| sum.wrapping_add(x);
        let square = |sum: i128, x: i128| add(sum, x.wrapping_mul(x));
        let float = |value: f64| T::from_wide(Wide::Float(value));
        match self.kind {
            Kind::Sum => wrapped(members.fold(0, add)),
            Kind::Mean => wrapped(members.fold(0, add) / (self.members.len().max(1) as i128)),
            Kind::Prod => wrapped(members.fold(1, i128::wrapping_mul)),
            Kind::Max => members.max().map_or(lowest, wrapped),
            Kind::Min => members.min().map_or(highest, wrapped),
            Kind::L1 => wrapped(members.map(i128::abs).fold(0, add)),
            Kind::SumSquare => wrapped(members.fold(0, square)),
            Kind::L2 => float((members.fold(0, square) as f64).sqrt()),
            Kind::LogSum => float((members.fold(0, add) as f64).ln()),
            Kind::LogSumExp => float(members.map(|x| (x as f64).exp()).sum::<f64>().ln()),
        }
    }
}

/// Partial results of a group whose elements are neighbours, so that they are taken in parallel.
const LANES: usize = 8;

/// Neighbouring groups that are reduced at once.
struct Fold<'r, R> {
    reduction: &'r Reduction,
    base: usize,
    width: usize,
    read: &'r R,
}

impl<R: Fn(usize) -> f64> Fold<'_, R> {
    /// What `join` makes of `start` and `map(group, element)` of each group.
    fn run(
        &self,
        start: f64,
        map: impl Fn(usize, f64) -> f64,
        join: impl Fn(f64, f64) -> f64,
    ) -> [f64; BLOCK] {
        let (members, read) = (&self.reduction.members, self.read);
        let mut sums = [start; BLOCK];
        let neighbours = members.last().is_some_and(|&last| last + 1 == members.len());
        if self.width == 1 && neighbours {
            let mut lanes = [start; LANES];
            let whole = members.len() / LANES * LANES;
            for first in (0..whole).step_by(LANES) {
                for (lane, partial) in lanes.iter_mut().enumerate() {
                    *partial = join(*partial, map(0, read(self.base + first + lane)));
                }
            }
            for (partial, at) in lanes.iter_mut().zip(whole..members.len()) {
                *partial = join(*partial, map(0, read(self.base + at)));
            }
            sums[0] = lanes.into_iter().reduce(&join).unwrap_or(start);
            return sums;
        }
        for &member in members {
            for (j, sum) in sums[..self.width].iter_mut().enumerate() {
                *sum = join(*sum, map(j, read(self.base + member + j)));
            }
        }
        sums
    }
}

fn integer<T: Element>(element: T) -> i128 {
    match element.wide() {
        Wide::Int(x) => x.into(),
        Wide::Uint(x) => x.into(),
        Wide::Float(x) => x as i128,
    }
}

fn wrapped<T: Element>(value: i128) -> T {
    match i64::try_from(value) {
        Ok(value) => T::from_wide(Wide::Int(value)),
        Err(_) => T::from_wide(Wide::Uint(value as u64)),
    }
}
