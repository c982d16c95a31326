//! Attention on operands that lie anywhere in other values: what a pass makes of single steps.

use super::heads::{Heads, Piece, Strides};
use crate::op::{Cost, Op};
use crate::{Compiler, Error, OpError, TensorType};
use std::ops::Range;
use tensor::{Shape, View, ViewMut};

/// Sizes and places of an attention; each place is an offset and the strides of batch, head, row
/// and column.
pub(crate) struct Strided {
    /// Batch, heads, queries, keys, columns of queries and keys, columns of values.
    pub sizes: [usize; 6],
    pub q: [usize; 5],
    pub k: [usize; 5],
    pub v: [usize; 5],
    pub y: [usize; 5],
    pub scale: f32,
    pub mask: Option<Shape>,
    /// Shape of the result.
    pub dst: Shape,
}

/// y = softmax(scale · q·kᵀ + mask) · v. Sources: the values in which q, k and v lie; perhaps a mask.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    heads: Heads,
    piece: Piece,
    dst: Shape,
}

impl Fused {
    /// None for places that the kernel cannot read or write.
    pub fn new(at: Strided) -> Option<Fused> {
        let [batch, heads, s, t, e, f] = at.sizes;
        let side = |[offset, batch, head, row, column]: [usize; 5], columns| {
            let fits = column == 1 || columns == 1;
            fits.then_some(Strides { offset, batch, head, row })
        };
        let all = Shape::new(&[batch, heads, s, t]);
        let mask = match &at.mask {
            None => [0; 3],
            Some(mask) => {
                let wide = Shape::broadcast(mask, &all).ok()?;
                if wide != all || mask.dims().last() != Some(&t) {
                    return None;
                }
                let strides = mask.broadcast_strides(&all);
                [strides[0], strides[1], strides[2]]
            }
        };
        // Strides of a dimension of one element do not matter.
        let is = |place: [usize; 5], strides: [usize; 4]| {
            let dims = [batch, heads, s, f];
            let mut each = dims.iter().zip(place[1..].iter().zip(strides));
            place[0] == 0 && each.all(|(&n, (&a, b))| n == 1 || a == b)
        };
        let (piece, y) = if is(at.y, [s * heads * f, f, heads * f, 1]) {
            let y = Strides { offset: 0, batch: s * heads * f, head: f, row: heads * f };
            (Piece::Query, y)
        } else if is(at.y, [heads * s * f, s * f, f, 1]) {
            (Piece::Head, Strides { offset: 0, batch: heads * s * f, head: s * f, row: f })
        } else {
            return None;
        };
        let heads = Heads {
            batch,
            heads,
            sharing: 1,
            rows: [s, t],
            cols: [e, f],
            q: side(at.q, e)?,
            k: side(at.k, e)?,
            v: side(at.v, f)?,
            y,
            scale: at.scale,
            causal: false,
            mask,
        };
        Some(Fused { heads, piece, dst: at.dst })
    }
}

impl Op for Fused {
    fn name(&self) -> &'static str {
        "FusedAttention"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        Ok(vec![src[0].with_shape(self.dst.clone())])
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let Self { heads, piece, .. } = self.clone();
        let kernel = move |pieces: Range<usize>, src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let mut given: [&[f32]; 4] = [&[]; 4];
            for (to, from) in given.iter_mut().zip(src) {
                *to = from.get()?;
            }
            heads.forward(piece, pieces, given, (dst[0].get()?, None));
            Ok(())
        };
        compiler.piece_kernel(heads.pieces(piece), kernel, &[0])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let Heads { batch, heads, rows: [s, t], cols: [e, f], .. } = self.heads;
        let bytes = src.iter().chain(dst).map(|shape| shape.bytes() as f64).sum();
        Cost { flops: 2.0 * (batch * heads * s * t * (e + f)) as f64, bytes }
    }
}
