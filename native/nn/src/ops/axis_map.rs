//! What ops share that only move elements: where each element of the result comes from, axis by
//! axis.

use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use std::ops::Range;
use tensor::{Element, Shape, Tensor, View, ViewMut, Wide, for_dtype};

/// Marks places of the result that have no source.
pub(super) const NOWHERE: usize = usize::MAX;

/// dst\[i, j, …\] = src\[a(i) + b(j) + …\], with one table of offsets per axis of the result; 0 (or
/// the given filling) where a table says [`NOWHERE`].
#[derive(Clone, Debug)]
pub(super) struct AxisMap {
    /// Tables of the axes, without those that are covered by `run`.
    outer: Vec<Vec<usize>>,
    /// Elements that lie side by side both in source and result.
    run: usize,
    /// What stands where nothing comes from the source.
    fill: Wide,
    src: Shape,
    dst: Shape,
}

impl AxisMap {
    /// The map to a result of as many axes as there are tables.
    pub fn new(src: &Shape, tables: Vec<Vec<usize>>) -> AxisMap {
        let dst = Shape::from(tables.iter().map(Vec::len).collect::<Vec<_>>());
        let mut outer = tables;
        let mut run = 1;
        while let Some(table) = outer.last() {
            if table.iter().enumerate().any(|(i, &at)| at != i * run) {
                break;
            }
            run *= table.len();
            outer.pop();
        }
        AxisMap { outer, run, fill: Wide::ZERO, src: src.clone(), dst }
    }

    /// The map whose axis `d` steps through source axis `d` by the positions in `positions[d]`.
    pub fn select(src: &Shape, positions: Vec<Vec<usize>>) -> AxisMap {
        let mut tables = positions;
        for (table, stride) in tables.iter_mut().zip(src.strides()) {
            table.iter_mut().filter(|at| **at != NOWHERE).for_each(|at| *at *= stride);
        }
        AxisMap::new(src, tables)
    }

    /// The same map with another filling than 0.
    pub fn filled(self, fill: Wide) -> AxisMap {
        AxisMap { fill, ..self }
    }

    /// Shape of the result.
    pub fn dst_shape(&self) -> &Shape {
        &self.dst
    }

    /// Number of lines of the last table.
    fn count(&self) -> usize {
        match self.outer.split_last() {
            _ if self.dst.is_empty() => 0,
            None => 1,
            Some((_, outer)) => outer.iter().map(Vec::len).product(),
        }
    }

    /// Calls `visit` for these lines of the last table, in the order of the result: with the line's
    /// place behind the first one, and what its offsets start from unless nothing of it has a source.
    fn lines(&self, lines: Range<usize>, mut visit: impl FnMut(usize, Option<usize>, &[usize])) {
        if lines.is_empty() {
            return;
        }
        let Some((last, outer)) = self.outer.split_last() else { return visit(0, Some(0), &[0]) };
        let mut index = vec![0; outer.len()];
        let mut rest = lines.start;
        for (index, table) in index.iter_mut().zip(outer).rev() {
            (*index, rest) = (rest % table.len(), rest / table.len());
        }
        for line in 0..lines.len() {
            let place =
                |(table, &i): (&Vec<usize>, &usize)| Some(table[i]).filter(|&at| at != NOWHERE);
            let base = outer.iter().zip(&index).map(place).sum();
            visit(line * last.len() * self.run, base, last);
            let Some(d) = (0..outer.len()).rev().find(|&d| index[d] + 1 < outer[d].len()) else {
                return;
            };
            index[d] += 1;
            index[d + 1..].fill(0);
        }
    }

    /// These lines of the result; `fill` where nothing comes from the source.
    pub fn gather<T: Copy>(&self, lines: Range<usize>, src: &[T], fill: T, dst: &mut [T]) {
        let run = self.run;
        self.lines(lines, |to, base, last| {
            let dst = &mut dst[to..to + last.len() * run];
            match base {
                None => dst.fill(fill),
                Some(base) if run == 1 => {
                    let element = |at: usize| if at == NOWHERE { fill } else { src[base + at] };
                    dst.iter_mut().zip(last).for_each(|(dst, &at)| *dst = element(at));
                }
                Some(base) => {
                    for (dst, &at) in dst.chunks_exact_mut(run).zip(last) {
                        match at {
                            NOWHERE => dst.fill(fill),
                            at => dst.copy_from_slice(&src[base + at..base + at + run]),
                        }
                    }
                }
            }
        });
    }

    /// Adds each element of the result to the one it came from, in the order of the result.
    pub fn scatter_add(&self, dst: &[f32], src: &mut [f32]) {
        let run = self.run;
        self.lines(0..self.count(), |to, base, last| {
            let Some(base) = base else { return };
            for (i, &at) in last.iter().enumerate().filter(|(_, at)| **at != NOWHERE) {
                let sums = src[base + at..base + at + run].iter_mut();
                sums.zip(&dst[to + i * run..]).for_each(|(sum, d)| *sum += d);
            }
        });
    }

    /// The result for source 0 of any type, filled with zeros.
    pub fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let mut dst = Tensor::zeros(src[0].dtype(), self.dst.clone());
        self.kernel(0..self.count(), src[0].view(), &mut dst.view_mut())?;
        Ok(vec![dst])
    }

    /// Emits the step that moves source 0 of any type.
    pub fn compile(self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let count = self.count();
        let kernel = move |lines, src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            self.kernel(lines, src[0], &mut dst[0])
        };
        compiler.piece_kernel(count, kernel, &[0])
    }

    fn kernel(
        &self,
        lines: Range<usize>,
        src: View<'_>,
        dst: &mut ViewMut<'_>,
    ) -> Result<(), OpError> {
        for_dtype!(src.dtype(), T => {
            self.gather(lines, src.get::<T>()?, T::from_wide(self.fill), dst.get::<T>()?);
        });
        Ok(())
    }

    /// Adds the gradient of source 0.
    pub fn differentiate(self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let diff = g.emit(Unmove(self), &[diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }
}

/// The gradient of moving elements: each is added to where it came from.
#[derive(Clone, Debug)]
struct Unmove(AxisMap);

impl Op for Unmove {
    fn name(&self) -> &'static str {
        "Unmove"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.0.src.clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let map = self.0.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            map.scatter_add(src[0], dst[0]);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }
}

/// Implements [`Op`] for an op that only moves the elements of its one source, as its method
/// `map(&self, src: &Shape) -> Result<AxisMap, OpError>` says.
macro_rules! moves {
    ($op:ident) => {
        impl $crate::op::Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(
                &self,
                src: &[&$crate::TensorType],
            ) -> Result<Vec<$crate::TensorType>, $crate::OpError> {
                $crate::error::expect_operands(src, 1..=1)?;
                let map = self.map(&src[0].shape)?;
                Ok(vec![src[0].with_shape(map.dst_shape().clone())])
            }

            fn evaluate(
                &self,
                src: &[&tensor::Tensor],
            ) -> Result<Vec<tensor::Tensor>, $crate::OpError> {
                $crate::error::expect_operands(src, 1..=1)?;
                self.map(src[0].shape())?.evaluate(src)
            }

            fn differentiate(&self, g: &mut $crate::Gradient<'_>) -> Result<(), $crate::Error> {
                let src = g.shape(g.src(0));
                self.map(&src).expect("checked by infer").differentiate(g)
            }

            fn compile(&self, compiler: &mut $crate::Compiler<'_>) -> Result<(), $crate::Error> {
                self.map(compiler.src_shape(0)).expect("checked by infer").compile(compiler)
            }

            fn compiles(&self, _: &[tensor::DType]) -> bool {
                true
            }

            fn cost(&self, src: &[tensor::Shape], dst: &[tensor::Shape]) -> $crate::Cost {
                $crate::op::elementwise_cost(src, dst, 0.0)
            }

            fn takes_empty(&self) -> bool {
                true
            }
        }
    };
}
pub(super) use moves;
