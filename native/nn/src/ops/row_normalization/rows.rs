//! Rows that are normalized one by one.

use crate::{Compiler, Error};
use std::ops::Range;
use tensor::math::sum;
use tensor::{View, ViewMut, vectorized};

/// How the elements of a tensor form rows, and which scale and bias belong to each element.
///
/// A row is `blocks` times `inner` elements. Block `b` of row `r` has the parameter
/// `(r mod period) · blocks + b`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub blocks: usize,
    pub inner: usize,
    pub period: usize,
    pub epsilon: f32,
    /// The mean is taken away.
    pub centered: bool,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.blocks * self.inner
    }

    /// First parameter of row `r`.
    fn first(&self, r: usize) -> usize {
        r % self.period * self.blocks
    }

    /// Emits the step that normalizes `count` rows: y, mean and inverse deviation of x, scale and
    /// perhaps bias.
    pub fn compile(self, count: usize, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let kernel = move |pieces: Range<usize>, src: &[View<'_>], dst: &mut [ViewMut<'_>]| {
            let [y, mean, inverse] = dst else { return Ok(()) };
            let (first, n) = (pieces.start, self.len());
            let x = &src[0].get::<f32>()?[first * n..pieces.end * n];
            let (scale, bias) = (src[1].get()?, src.get(2).map(|bias| bias.get()).transpose()?);
            forward(&self, first, [x, scale], bias, y.get()?, mean.get()?, inverse.get()?);
            Ok(())
        };
        compiler.piece_kernel(count, kernel, &[0, 1, 2])
    }
}

vectorized! {
    /// y = (x − mean) · inverse · scale + bias of the rows from number `first` on; also mean and
    /// inverse deviation of each.
    fn forward(
        rows: &Rows,
        first: usize,
        [x, scale]: [&[f32]; 2],
        bias: Option<&[f32]>,
        y: &mut [f32],
        mean: &mut [f32],
        inverse: &mut [f32],
    ) {
        let n = rows.len();
        for (r, (x, y)) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)).enumerate() {
            let m = if rows.centered { sum([x], |[x]| x) / n as f32 } else { 0.0 };
            let variance = sum([x], |[x]| (x - m) * (x - m)) / n as f32;
            let inv = 1.0 / (variance + rows.epsilon).sqrt();
            (mean[r], inverse[r]) = (m, inv);
            let at = rows.first(first + r);
            let scale = &scale[at..at + rows.blocks];
            let bias = bias.map(|bias| &bias[at..at + rows.blocks]);
            if rows.inner == 1 {
                match bias {
                    Some(bias) => {
                        for (((y, &x), s), b) in y.iter_mut().zip(x).zip(scale).zip(bias) {
                            *y = (x - m) * inv * s + b;
                        }
                    }
                    None => {
                        for ((y, &x), s) in y.iter_mut().zip(x).zip(scale) {
                            *y = (x - m) * inv * s;
                        }
                    }
                }
                continue;
            }
            let blocks = y.chunks_exact_mut(rows.inner).zip(x.chunks_exact(rows.inner));
            for (b, (y, x)) in blocks.enumerate() {
                let (s, shift) = (scale[b], bias.map_or(0.0, |bias| bias[b]));
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = (x - m) * inv * s + shift;
                }
            }
        }
    }

    /// dx, dscale and dbias from x, dy, scale and what `forward` kept.
    pub(super) fn backward(
        rows: &Rows,
        [x, dy, scale, mean, inverse]: [&[f32]; 5],
        dx: &mut [f32],
        dscale: &mut [f32],
        dbias: &mut [f32],
    ) {
        let n = rows.len();
        dscale.fill(0.0);
        dbias.fill(0.0);
        let each = x.chunks_exact(n).zip(dy.chunks_exact(n)).zip(dx.chunks_exact_mut(n));
        for (r, ((x, dy), dx)) in each.enumerate() {
            let (m, inv) = (mean[r], inverse[r]);
            let at = rows.first(r);
            let scale = &scale[at..at + rows.blocks];
            let (dscale, dbias) =
                (&mut dscale[at..at + rows.blocks], &mut dbias[at..at + rows.blocks]);
            // dx holds dy · scale at first.
            if rows.inner == 1 {
                for (((dx, &dy), s), db) in dx.iter_mut().zip(dy).zip(scale).zip(dbias) {
                    *dx = dy * s;
                    *db += dy;
                }
                for ((ds, &x), dy) in dscale.iter_mut().zip(x).zip(dy) {
                    *ds += dy * ((x - m) * inv);
                }
            } else {
                for b in 0..rows.blocks {
                    let at = b * rows.inner..(b + 1) * rows.inner;
                    let (x, dy) = (&x[at.clone()], &dy[at.clone()]);
                    dbias[b] += sum([dy], |[dy]| dy);
                    dscale[b] += sum([x, dy], |[x, dy]| dy * ((x - m) * inv));
                    for (dx, &dy) in dx[at].iter_mut().zip(dy) {
                        *dx = dy * scale[b];
                    }
                }
            }
            let along = sum([dx, x], |[g, x]| g * ((x - m) * inv)) / n as f32;
            let common = if rows.centered { sum([dx], |[g]| g) / n as f32 } else { 0.0 };
            for (dx, &x) in dx.iter_mut().zip(x) {
                *dx = inv * (*dx - common - (x - m) * inv * along);
            }
        }
    }
}
