//! Scaled dot-product attention.

pub(crate) mod fused;
mod heads;

use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use heads::{Heads, Piece, Strides};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use tensor::{Shape, View, ViewMut};

/// y = softmax(scale · q·kᵀ + mask) · v, head by head. ONNX `Attention` without a cache of past
/// keys.
///
/// Sources: q \[b, heads, s, e\], k \[b, shared, t, e\], v \[b, shared, t, f\], where `shared` divides
/// `heads`; or all heads side by side: q \[b, s, heads·e\], k \[b, t, shared·e\], v
/// \[b, t, shared·f\]; or, with `packed`, one source \[b, s, 3·heads·e\] of q, k and v side by side.
/// Then an optional mask that is added (−∞ hides a key), whose shape broadcasts to
/// \[b, heads, s, t\] and ends in t. Results: y like q with the columns of v; log Σ e^score
/// \[b, heads, s\].
///
/// Only rows of scores are kept: memory grows with s + t, not with s · t. A query that sees no key
/// gives 0. The mask has no gradient.
///
/// A. Vaswani et al.: "Attention is all you need", NIPS 2017; T. Dao et al.: "FlashAttention",
/// NeurIPS 2022.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attention {
    /// Number of heads of the queries; needed only where they lie side by side.
    pub q_num_heads: usize,
    /// Number of heads of keys and values; needed only where they lie side by side.
    pub kv_num_heads: usize,
    /// Factor of the products; nothing: 1 / √e.
    pub scale: Option<f32>,
    /// Query i sees the keys up to i only.
    pub is_causal: bool,
    /// Queries, keys and values come in one source.
    pub packed: bool,
}

impl Attention {
    /// Number of sources before the mask.
    fn operands(&self) -> usize {
        if self.packed { 1 } else { 3 }
    }

    fn heads(&self, src: &[&Shape]) -> Result<Heads, OpError> {
        let n = self.operands();
        expect_operands(src, n..=n + 1)?;
        let refuse = || {
            let got: Vec<String> = src.iter().map(|shape| shape.to_string()).collect();
            OpError::mismatch(
                "q [b, heads, s, e], k [b, shared, t, e], v [b, shared, t, f] and a mask that \
                 broadcasts to [b, heads, s, t], or the heads side by side",
                format!(
                    "{} ({} and {} heads)",
                    got.join(", "),
                    self.q_num_heads,
                    self.kv_num_heads
                ),
                "Reshape the inputs, and give the numbers of heads.",
            )
        };
        let (hq, hk) = (self.q_num_heads, self.kv_num_heads);
        // [batch, heads, rows, columns] and strides of each.
        let split = |shape: &Shape, heads: usize| match *shape.dims() {
            [b, h, s, e] => {
                let strides = Strides { offset: 0, batch: h * s * e, head: s * e, row: e };
                Some(([b, h, s, e], strides))
            }
            [b, s, d] if heads > 0 && d % heads == 0 => {
                let strides = Strides { offset: 0, batch: s * d, head: d / heads, row: d };
                Some(([b, heads, s, d / heads], strides))
            }
            _ => None,
        };
        let [q, k, v] = if self.packed {
            let (dims, strides) = split(src[0], 3 * hq).ok_or_else(refuse)?;
            if src[0].rank() != 3 {
                return Err(refuse());
            }
            let [b, _, s, e] = dims;
            let part = |i| ([b, hq, s, e], Strides { offset: i * hq * e, ..strides });
            [part(0), part(1), part(2)]
        } else {
            let parts = [split(src[0], hq), split(src[1], hk), split(src[2], hk)];
            let [Some(q), Some(k), Some(v)] = parts else { return Err(refuse()) };
            [q, k, v]
        };
        let ([b, heads, s, e], [_, shared, t, _], [_, _, _, f]) = (q.0, k.0, v.0);
        let sharing = heads.checked_div(shared).unwrap_or(0);
        if k.0 != [b, shared, t, e] || v.0 != [b, shared, t, f] || sharing * shared != heads {
            return Err(refuse());
        }
        let mask = match src.get(n) {
            None => [0; 3],
            Some(mask) if mask.rank() <= 4 && mask.dims().last() == Some(&t) => {
                let all = Shape::new(&[b, heads, s, t]);
                if Shape::broadcast(mask, &all).ok().as_ref() != Some(&all) {
                    return Err(refuse());
                }
                let strides = mask.broadcast_strides(&all);
                [strides[0], strides[1], strides[2]]
            }
            Some(_) => return Err(refuse()),
        };
        let y = if src[0].rank() == 4 {
            Strides { offset: 0, batch: heads * s * f, head: s * f, row: f }
        } else {
            Strides { offset: 0, batch: s * heads * f, head: f, row: heads * f }
        };
        Ok(Heads {
            batch: b,
            heads,
            sharing: sharing.max(1),
            rows: [s, t],
            cols: [e, f],
            q: q.1,
            k: k.1,
            v: v.1,
            y,
            scale: self.scale.unwrap_or(1.0 / (e as f32).sqrt()),
            causal: self.is_causal,
            mask,
        })
    }
}

impl Op for Attention {
    fn name(&self) -> &'static str {
        "Attention"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            let heads = self.heads(src)?;
            let Heads { batch, heads, rows: [s, _], cols: [_, f], .. } = heads;
            let y = match src[0].rank() {
                4 => Shape::new(&[batch, heads, s, f]),
                _ => Shape::new(&[batch, s, heads * f]),
            };
            Ok(vec![y, Shape::new(&[batch, heads, s])])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(dy) = g.diff_dst(0) else { return Ok(()) };
        if g.needs(self.operands()) {
            return Err(g.refuse());
        }
        let mut src: Vec<_> = (0..g.sources()).map(|i| g.src(i)).collect();
        src.splice(0..0, [g.dst(0), dy, g.dst(1)]);
        let diffs = g.emit(AttentionBackward(self.clone()), &src)?;
        (0..self.operands()).for_each(|i| g.set(i, diffs[i]));
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let src: Vec<&Shape> = (0..compiler.sources()).map(|i| compiler.src_shape(i)).collect();
        let heads = self.heads(&src).expect("checked by infer");
        let n = self.operands();
        // Without the sums, which inference does not read, queries are apart from each other too.
        let (piece, results) = match (compiler.src_shape(0).rank(), compiler.is_used(1)) {
            (4, _) => (Piece::Head, &[0, 1][..]),
            (_, true) => (Piece::Sample, &[0, 1][..]),
            (_, false) => (Piece::Query, &[0][..]),
        };
        let kernel = move |pieces: Range<usize>, src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let mut given: [&[f32]; 4] = [&[]; 4];
            for (to, from) in given.iter_mut().zip(src) {
                *to = from.get()?;
            }
            let (y, log_sum) = match dst {
                [y, log_sum] => (y.get()?, Some(log_sum.get()?)),
                dst => (dst[0].get()?, None),
            };
            heads.forward(piece, pieces, split(&given[..src.len()], n), (y, log_sum));
            Ok(())
        };
        compiler.piece_kernel(heads.pieces(piece), kernel, results)
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.products(2.0, &src.iter().collect::<Vec<_>>(), dst)
    }
}

impl Attention {
    /// Cost of so many products of all queries with all keys.
    fn products(&self, count: f64, src: &[&Shape], dst: &[Shape]) -> Cost {
        let Ok(heads) = self.heads(src) else { return Cost::default() };
        let Heads { batch, heads, rows: [s, t], cols: [e, f], .. } = heads;
        let bytes = src.iter().copied().chain(dst).map(|shape| shape.bytes() as f64).sum();
        Cost { flops: count * (batch * heads * s * t * (e + f)) as f64, bytes }
    }
}

/// Queries, keys, values and mask (empty if there is none).
fn split<'a>(src: &[&'a [f32]], operands: usize) -> [&'a [f32]; 4] {
    let mask: &[f32] = src.get(operands).copied().unwrap_or(&[]);
    if operands == 1 { [src[0], src[0], src[0], mask] } else { [src[0], src[1], src[2], mask] }
}

/// The gradients of the sources but the mask. Sources: y, dy, log Σ e^score, then those of
/// [`Attention`].
#[derive(Clone, Debug)]
struct AttentionBackward(Attention);

impl Op for AttentionBackward {
    fn name(&self) -> &'static str {
        "AttentionBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let n = self.0.operands();
        float_types(src, |src| Ok(src[3..3 + n].iter().map(|s| (*s).clone()).collect()))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let src: Vec<&Shape> = (3..compiler.sources()).map(|i| compiler.src_shape(i)).collect();
        let heads = self.0.heads(&src).expect("checked by infer");
        let n = self.0.operands();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst.iter_mut().for_each(|dst| dst.fill(0.0));
            let kept = [src[0], src[1], src[2]];
            heads.backward(split(&src[3..], n), kept, dst, &mut vec![0.0; heads.scratch()]);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        self.0.products(5.0, &src[3..].iter().collect::<Vec<_>>(), dst)
    }
}
