//! The arithmetic of convolutions, which their gradients and the transposed ones share.

use super::window::Window;
use crate::Product;
use onednn::ops::convolution;
use onednn::{Attr, DataType, MemoryDesc, PrimitiveDesc, PropKind};
use tensor::Shape;

/// A convolution with all its sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem {
    pub n: usize,
    pub ic: usize,
    pub oc: usize,
    pub group: usize,
    pub window: Window,
}

/// One kernel tap along one row of the result: the result at `dst..dst + len` meets the source at
/// `src`, `src + stride`, … through weight `weight`.
pub(crate) struct Row {
    pub weight: usize,
    pub src: usize,
    pub dst: usize,
    pub len: usize,
    pub stride: usize,
}

impl Problem {
    pub fn src_shape(&self) -> Shape {
        self.window.src_shape(self.n, self.ic)
    }

    pub fn dst_shape(&self) -> Shape {
        self.window.dst_shape(self.n, self.oc)
    }

    /// Visits every multiplication of the convolution, a row at a time, in a fixed order.
    pub fn rows(&self, mut visit: impl FnMut(Row)) {
        let Window { kernel: [kd, kh, kw], strides: [sd, sh, sw], src, dst, .. } = self.window;
        let taps = kd * kh * kw;
        let (ic, oc) = (self.ic / self.group, self.oc / self.group);
        for plane in 0..self.n * self.oc {
            let (n, o) = (plane / self.oc, plane % self.oc);
            for c in 0..ic {
                let src_plane = (n * self.ic + o / oc * ic + c) * src[0];
                for tap in 0..taps {
                    let (front, back, z) = self.window.met(0, tap / (kh * kw));
                    let (top, bottom, y) = self.window.met(1, tap / kw % kh);
                    let (left, right, x) = self.window.met(2, tap % kw);
                    let weight = (o * ic + c) * taps + tap;
                    for k in front..back {
                        for i in top..bottom {
                            let slice = src_plane + z + (k - front) * sd;
                            let line = slice * src[1] + y + (i - top) * sh;
                            visit(Row {
                                weight,
                                src: line * src[2] + x,
                                dst: ((plane * dst[0] + k) * dst[1] + i) * dst[2] + left,
                                len: right - left,
                                stride: sw,
                            });
                        }
                    }
                }
            }
        }
    }

    pub fn config(&self) -> convolution::Config {
        let w = &self.window;
        convolution::Config {
            strides: w.of(&w.strides).to_vec(),
            dilations: w.of(&w.dilations).to_vec(),
            padding_l: w.of(&w.pads[0]).to_vec(),
            padding_r: w.of(&w.padding_behind()).to_vec(),
        }
    }

    /// Source, weights, bias and destination, with these elements and in the layouts that oneDNN
    /// likes best.
    fn tensors(&self, [src, w, dst]: [DataType; 3]) -> Result<[MemoryDesc; 4], onednn::Error> {
        let any = |shape: &Shape, elements| MemoryDesc::any(shape.dims(), elements);
        let (ic, oc) = (self.ic / self.group, self.oc / self.group);
        let channels: &[usize] = if self.group == 1 { &[oc, ic] } else { &[self.group, oc, ic] };
        let weights = [channels, self.window.of(&self.window.kernel)].concat();
        let bias = MemoryDesc::plain(&[self.oc], DataType::F32)?;
        Ok([
            any(&self.src_shape(), src)?,
            any(&weights.into(), w)?,
            bias,
            any(&self.dst_shape(), dst)?,
        ])
    }

    pub fn forward(
        &self,
        prop: PropKind,
        bias: bool,
        attr: &Attr,
        Product { factors, result }: Product,
    ) -> Result<PrimitiveDesc, onednn::Error> {
        let [src, weights, b, dst] = self.tensors([factors, factors, result])?;
        let bias = bias.then_some(&b);
        convolution::forward(prop, &src, &weights, bias, &dst, &self.config(), attr)
    }

    pub fn backward_data(
        &self,
        Product { factors, result }: Product,
    ) -> Result<PrimitiveDesc, onednn::Error> {
        let [src, weights, _, dst] = self.tensors([result, factors, factors])?;
        let hint = self.hint(factors, false)?;
        convolution::backward_data(&src, &weights, &dst, &self.config(), &hint)
    }

    /// The gradient of the weights is f32 whatever the factors are.
    pub fn backward_weights(
        &self,
        bias: bool,
        Product { factors, .. }: Product,
    ) -> Result<PrimitiveDesc, onednn::Error> {
        let [src, weights, b, dst] = self.tensors([factors, DataType::F32, factors])?;
        let hint = self.hint(factors, bias)?;
        let bias = bias.then_some(&b);
        convolution::backward_weights(&src, &weights, bias, &dst, &self.config(), &hint)
    }

    fn hint(&self, elements: DataType, bias: bool) -> Result<PrimitiveDesc, onednn::Error> {
        let product = Product { factors: elements, result: elements };
        self.forward(PropKind::ForwardTraining, bias, &Attr::new(), product)
    }
}
