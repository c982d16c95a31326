//! Maximum over a sliding window.

use super::place::{Place, Sizes};
use super::pool::Pool;
use super::window::{Attributes, AutoPad};
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::{float_types, infer_tensors, same_types};
use crate::{Compiler, Error, Gradient, OpError, Takes, TensorType};
use onednn::ops::pooling;
use onednn::{Attr, MemoryDesc, PrimitiveDesc, PropKind, arg};
use serde::{Deserialize, Serialize};
use tensor::{DType, Data, Shape, Tensor, for_dtype};

/// y\[n, c, i, j\] = max over p, q of x\[n, c, i·s + p − pad, j·s + q − pad\]; padding never wins. ONNX
/// `MaxPool` in one to three dimensions.
///
/// Shapes: x \[n, c, h, w\]; y \[n, c, oh, ow\] with oh = ⌊(h + pads − kh) / s⌋ + 1, or rounded up
/// with `ceil_mode` (a window that would start in the padding behind is left out).
///
/// The second value that this op gives is what its gradient needs (where each maximum was, the
/// first of equals), in a form that only the gradient understands; or ONNX's `Indices` into the
/// whole of x. Elements are floats, or integers of 8 bits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxPool {
    /// Size of the window; empty means 1.
    pub kernel_shape: Vec<usize>,
    /// Steps of the window; empty means 1.
    pub strides: Vec<usize>,
    /// Padding before each dimension, then behind each, all smaller than the window; empty means 0.
    pub pads: Vec<usize>,
    /// Round the size of the result up instead of down.
    pub ceil_mode: bool,
    /// Give as second output where in x each maximum is (i64), instead of what only the gradient
    /// understands.
    pub indices: bool,
    /// Count places by column: the first spatial dimension fastest. ONNX `storage_order`.
    pub column_major: bool,
    /// Distance of the window's places; empty means 1.
    pub dilations: Vec<usize>,
    /// Who decides about the padding; `pads` count if this is `NotSet`.
    pub auto_pad: AutoPad,
}

impl MaxPool {
    fn pool(&self, src: &Shape) -> Result<Pool, OpError> {
        let attributes = Attributes {
            kernel: &self.kernel_shape,
            strides: &self.strides,
            dilations: &self.dilations,
            pads: &self.pads,
            auto_pad: self.auto_pad,
            ceil: self.ceil_mode,
        };
        Pool::new(&attributes, src)
    }

    /// How the source is counted through.
    fn placed(&self, pool: &Pool) -> Sizes {
        let shape = pool.src_shape();
        Sizes { counted: shape.clone(), shape, column_major: self.column_major }
    }

    /// The sizes of a source that `infer` accepted.
    fn geometry(&self, src: &Shape) -> Pool {
        self.pool(src).expect("shapes were checked when the node was added")
    }
}

impl Op for MaxPool {
    fn name(&self) -> &'static str {
        "MaxPool"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let types = same_types(src, |src| {
            expect_operands(src, 1..=1)?;
            let dst = self.pool(src[0])?.dst_shape();
            Ok(vec![dst.clone(), dst])
        })?;
        let [y, second] = types.try_into().unwrap_or_else(|_| unreachable!("two were made"));
        if !y.dtype.is_float() && !matches!(y.dtype, DType::I8 | DType::U8) {
            return Err(OpError::mismatch(
                "floats or integers of 8 bits",
                y.dtype.name(),
                "Cast the input to f32 first.",
            ));
        }
        let dtype = if self.indices { DType::I64 } else { second.dtype };
        Ok(vec![y, TensorType { dtype, ..second }])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let (x, second) = (g.src(0), g.dst(1));
            let pool = self.geometry(&g.shape(x));
            let diff_src = if self.indices {
                let op = Place { sizes: self.placed(&pool) };
                g.emit(op, &[diff, second])?[0]
            } else {
                g.emit(MaxPoolBackward { pool }, &[diff, second, x])?[0]
            };
            g.set(0, diff_src);
        }
        Ok(())
    }

    fn compiles(&self, src: &[DType]) -> bool {
        !self.indices && src.iter().all(|&dtype| dtype == DType::F32)
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let types = infer_tensors(self, src)?;
        if !self.indices && src[0].dtype().is_float() {
            return Err(OpError::NotEvaluated);
        }
        let pool = self.geometry(src[0].shape());
        let mut dst = types.iter().map(|ty| Tensor::zeros(ty.dtype, ty.shape.clone()));
        let (Some(mut y), Some(mut second)) = (dst.next(), dst.next()) else {
            return Err(OpError::NotEvaluated);
        };
        let mut places = Vec::with_capacity(y.len());
        for_dtype!(src[0].dtype(), T => {
            let (x, mut view) = (src[0].get::<T>()?, y.view_mut());
            let y = view.get::<T>()?;
            pool.windows(|taps| {
                let larger = |a, b| first_of_larger(x, a, b);
                let largest = taps.positions().reduce(larger).unwrap_or(taps.plane);
                y[taps.dst] = x[largest];
                places.push(largest);
            });
        });
        if self.indices {
            let sizes = self.placed(&pool);
            let places = places.into_iter().map(|at| sizes.index(at) as i64).collect();
            second = Tensor::new(second.shape().clone(), Data::I64(places))?;
        }
        Ok(vec![y, second])
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let pool = self.geometry(compiler.src_shape(0));
        if compiler.onednn() {
            let src = compiler.src_descriptor(0)?;
            let forward = if compiler.is_used(1) {
                training(compiler, &pool, &src)?.map(|(forward, _)| forward)
            } else {
                self::forward(compiler, &pool, &src, PropKind::ForwardInference)?
            };
            if let Some(pd) = forward {
                let mut dst = vec![(0, arg::DST, pd.dst_md(0))];
                if compiler.is_used(1) {
                    dst.push((1, arg::WORKSPACE, pd.workspace_md()));
                }
                return compiler.primitive(&pd, &[(0, arg::SRC, src)], &dst);
            }
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let x = src[0];
            pool.windows(|taps| {
                let first_of_largest = |a, b| if x[b] > x[a] { b } else { a };
                let largest = taps.positions().reduce(first_of_largest);
                let largest = largest.unwrap_or(taps.plane);
                dst[0][taps.dst] = x[largest];
                dst[1][taps.dst] = f32::from_bits((largest - taps.plane) as u32);
            });
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        Cost { flops: self.geometry(&src[0]).flops(), ..elementwise_cost(src, &dst[..1], 0.0) }
    }
}

/// The place, a or b, of the larger element; a if they are equal.
fn first_of_larger<T: PartialOrd>(x: &[T], a: usize, b: usize) -> usize {
    if x[b] > x[a] { b } else { a }
}

/// dx of a maximum. Sources: dy, where the maxima were, x (of which only the layout matters).
#[derive(Clone, Debug)]
struct MaxPoolBackward {
    pool: Pool,
}

impl Op for MaxPoolBackward {
    fn name(&self) -> &'static str {
        "MaxPoolBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |_| Ok(vec![self.pool.src_shape()]))
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::LikeResult
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let pool = self.pool;
        if compiler.onednn() {
            let x = compiler.src_descriptor(2)?;
            if let Some((forward, backward)) = training(compiler, &pool, &x)? {
                let src = [
                    (0, arg::DIFF_DST, backward.diff_dst_md()),
                    (1, arg::WORKSPACE, forward.workspace_md()),
                ];
                return compiler.primitive(&backward, &src, &[(0, arg::DIFF_SRC, x)]);
            }
        }
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            dst[0].fill(0.0);
            pool.windows(|taps| {
                let largest = taps.plane + src[1][taps.dst].to_bits() as usize;
                dst[0][largest] += src[0][taps.dst];
            });
        })
    }

    fn reads(&self, src: usize) -> bool {
        src < 2
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(&src[..2], dst, 1.0)
    }
}

fn forward(
    compiler: &Compiler<'_>,
    pool: &Pool,
    src: &MemoryDesc,
    prop: PropKind,
) -> Result<Option<PrimitiveDesc>, Error> {
    let dst = compiler.any_like(&pool.dst_shape(), src)?;
    let config = pool.config(pooling::Algorithm::Max);
    compiler.offered(pooling::forward(prop, src, &dst, &config, &Attr::new()))
}

/// Both directions, or none: where the maxima were is only understood by the same kind of kernel.
fn training(
    compiler: &Compiler<'_>,
    pool: &Pool,
    src: &MemoryDesc,
) -> Result<Option<(PrimitiveDesc, PrimitiveDesc)>, Error> {
    let Some(forward) = forward(compiler, pool, src, PropKind::ForwardTraining)? else {
        return Ok(None);
    };
    let config = pool.config(pooling::Algorithm::Max);
    let backward = pooling::backward(src, &forward.dst_md(0), &config, &forward);
    Ok(compiler.offered(backward)?.map(|backward| (forward, backward)))
}
