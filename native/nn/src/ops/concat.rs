//! Tensors side by side.

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::{Compiler, Error, Gradient, OpError};
use onednn::{Attr, MemoryDesc, arg, ops::concat};
use serde::{Deserialize, Serialize};
use tensor::{Operands, Shape};

/// The sources one after the other along an axis. ONNX `Concat`.
///
/// Shapes: sources equal but for the axis; y has the sum of their extents there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Concat {
    /// The axis; negative counts from the end.
    pub axis: i64,
}

impl Default for Concat {
    fn default() -> Concat {
        Concat { axis: 1 }
    }
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn infer(&self, src: &[&Shape]) -> Result<Vec<Shape>, OpError> {
        expect_operands(src, 1..=Operands::LIMIT)?;
        let axis = resolve_axis(self.axis, src[0].rank())?;
        let mut dims = src[0].dims().to_vec();
        for shape in &src[1..] {
            let mut other = shape.dims().to_vec();
            if let Some(extent) = other.get(axis).copied() {
                dims[axis] += extent;
                other[axis] = src[0].dims()[axis];
            }
            if other != src[0].dims() {
                return Err(OpError::mismatch(
                    format!("shapes equal to {} but for axis {axis}", src[0]),
                    shape.to_string(),
                    "Pad or pool the inputs to the same extents.",
                ));
            }
        }
        Ok(vec![Shape::from(dims)])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(diff) = g.diff_dst(0) else { return Ok(()) };
        let axis = resolve_axis(self.axis, g.shape(diff).rank()).expect("checked by infer");
        let mut begin = 0;
        for i in 0..g.sources() {
            let shape = g.shape(g.src(i));
            let extent = shape.dims()[axis];
            if g.needs(i) {
                let part = g.emit(Part { axis, begin, shape }, &[diff])?[0];
                g.set(i, part);
            }
            begin += extent;
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let shape = compiler.dst_shape(0).clone();
        let axis = resolve_axis(self.axis, shape.rank()).expect("checked by infer");
        let n = compiler.sources();
        if compiler.onednn() && (0..n).all(|i| !compiler.src_shape(i).is_empty()) {
            let mds: Vec<MemoryDesc> =
                (0..n).map(|i| compiler.src_descriptor(i)).collect::<Result<_, _>>()?;
            let refs: Vec<&MemoryDesc> = mds.iter().collect();
            if let Some(pd) = compiler.offered(concat::forward(&refs, None, axis, &Attr::new()))? {
                let operand = |(i, md)| (i, arg::MULTIPLE_SRC + i as i32, md);
                let src: Vec<_> = mds.into_iter().enumerate().map(operand).collect();
                return compiler.primitive(&pd, &src, &[(0, arg::DST, pd.dst_md(0))]);
            }
        }
        let rows = |shape: &Shape| shape.dims()[axis..].iter().product::<usize>();
        let parts: Vec<usize> = (0..n).map(|i| rows(compiler.src_shape(i))).collect();
        let row = rows(&shape);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for (i, mut row) in dst[0].chunks_exact_mut(row).enumerate() {
                for (src, &part) in src.iter().zip(&parts) {
                    let (head, tail) = row.split_at_mut(part);
                    head.copy_from_slice(&src[i * part..(i + 1) * part]);
                    row = tail;
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 0.0)
    }

    fn takes_empty(&self) -> bool {
        true
    }
}

/// The part of a tensor that begins at `begin` along an axis: the gradient of one source.
#[derive(Clone, Debug)]
struct Part {
    axis: usize,
    begin: usize,
    shape: Shape,
}

impl Op for Part {
    fn name(&self) -> &'static str {
        "Part"
    }

    fn infer(&self, _: &[&Shape]) -> Result<Vec<Shape>, OpError> {
        Ok(vec![self.shape.clone()])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let inner: usize = self.shape.dims()[self.axis + 1..].iter().product();
        let whole = compiler.src_shape(0).dims()[self.axis] * inner;
        let (begin, part) = (self.begin * inner, self.shape.dims()[self.axis] * inner);
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let rows = src[0].chunks_exact(whole.max(1));
            for (dst, src) in dst[0].chunks_exact_mut(part.max(1)).zip(rows) {
                dst.copy_from_slice(&src[begin..begin + part]);
            }
        })
    }

    fn cost(&self, _: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(dst, dst, 0.0)
    }
}
