//! General matrix product: the dense layer.

use super::Mul;
use super::exact::{Compute, Number, compute, number_types};
use super::sum_to::SumTo;
use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::infer_tensors;
use crate::{Activation, Compiler, Error, Gradient, OpError, Product, Takes, TensorType};
use onednn::ops::matmul;
use onednn::{Attr, DataType, MemoryDesc, arg};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tensor::gemm::{Matrix, gemm};
use tensor::{DType, Shape, Tensor, Wide};

/// y = alpha · A' · B' + beta · c, where A' and B' are A and B or their transposes. ONNX `Gemm`.
///
/// Shapes: A \[m, k\] (\[k, m\] if `trans_a`), B \[k, n\] (\[n, k\] if `trans_b`), c \[n\] or any
/// that broadcasts to y (optional), y \[m, n\]. Integers wrap around; factors of them are rounded
/// towards zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gemm {
    /// Read A transposed.
    pub trans_a: bool,
    /// Read B transposed.
    pub trans_b: bool,
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of c.
    pub beta: f32,
    /// Activation fused behind the sum.
    #[serde(skip)]
    pub(crate) activation: Option<Activation>,
}

impl Default for Gemm {
    fn default() -> Gemm {
        Gemm { trans_a: false, trans_b: false, alpha: 1.0, beta: 1.0, activation: None }
    }
}

impl Gemm {
    /// Product with these transpositions.
    pub fn new(trans_a: bool, trans_b: bool) -> Gemm {
        Gemm { trans_a, trans_b, ..Gemm::default() }
    }

    /// What the primitive computes: nothing is scaled, and c is one number for each column.
    fn is_plain(&self, c: Option<&Shape>, n: usize) -> bool {
        self.alpha == 1.0 && self.beta == 1.0 && c.is_none_or(|c| c.dims() == [n])
    }

    /// (m, k, n) of shapes that `infer` accepted.
    fn sizes(&self, a: &Shape, b: &Shape) -> (usize, usize, usize) {
        let (a, b) = (a.dims(), b.dims());
        let (m, k) = if self.trans_a { (a[1], a[0]) } else { (a[0], a[1]) };
        (m, k, if self.trans_b { b[0] } else { b[1] })
    }
}

impl Op for Gemm {
    fn name(&self) -> &'static str {
        "Gemm"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        number_types(src, |src| {
            expect_operands(src, 2..=3)?;
            let (a, b) = (src[0], src[1]);
            if a.rank() != 2 || b.rank() != 2 {
                return Err(OpError::mismatch(
                    "two matrices",
                    format!("shapes {a} and {b}"),
                    "Flatten the input first.",
                ));
            }
            let (m, k, n) = self.sizes(a, b);
            let inner = if self.trans_b { b.dims()[1] } else { b.dims()[0] };
            if k != inner {
                return Err(OpError::mismatch(
                    format!("{inner} features, as the weights {b} have"),
                    format!("{k} features in src {a}"),
                    "Match the layer before or the number of units.",
                ));
            }
            let dst = Shape::new(&[m, n]);
            let fits = |c: &Shape| Shape::broadcast(c, &dst).is_ok_and(|shape| shape == dst);
            if let Some(c) = src.get(2).filter(|c| !fits(c)) {
                return Err(OpError::mismatch(
                    format!("bias [{n}]"),
                    c.to_string(),
                    "Give one bias per unit.",
                ));
            }
            Ok(vec![dst])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(dy) = g.diff_dst(0) else { return Ok(()) };
        let (a, b) = (g.src(0), g.src(1));
        let (ta, tb) = (self.trans_a, self.trans_b);
        if g.needs(0) {
            let (op, src) =
                if ta { (Gemm::new(tb, true), [b, dy]) } else { (Gemm::new(false, !tb), [dy, b]) };
            let diff = g.emit(Gemm { alpha: self.alpha, ..op }, &src)?[0];
            g.set(0, diff);
        }
        if g.needs(1) {
            let (op, src) =
                if tb { (Gemm::new(true, ta), [dy, a]) } else { (Gemm::new(!ta, false), [a, dy]) };
            let diff = g.emit(Gemm { alpha: self.alpha, ..op }, &src)?[0];
            g.set(1, diff);
        }
        if g.needs(2) {
            let shape = g.shape(g.src(2));
            let mut diff = g.emit(SumTo { shape }, &[dy])?[0];
            if self.beta != 1.0 {
                let beta = g.constant(Tensor::scalar(self.beta));
                diff = g.emit(Mul {}, &[diff, beta])?[0];
            }
            g.set(2, diff);
        }
        Ok(())
    }

    fn takes(&self, src: usize) -> Takes {
        if src < 2 { Takes::Bf16 } else { Takes::F32 }
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (m, k, n) = self.sizes(compiler.src_shape(0), compiler.src_shape(1));
        let bias = compiler.sources() == 3;
        let c = bias.then(|| compiler.src_shape(2));
        if compiler.onednn() && k > 0 && self.is_plain(c, n) {
            let mut attr = Attr::new();
            if let Some(f) = self.activation {
                attr = attr.eltwise(f.algorithm(), 0.0, 0.0);
            }
            // In inference the weights are brought into the layout that suits the primitive once.
            let kept = compiler.is_kept(1) && !self.trans_a;
            let describe = |Product { factors, result }| {
                let a = matrix(m, k, self.trans_a, factors)?;
                let b = match kept {
                    true => MemoryDesc::any(&[k, n], factors)?,
                    false => matrix(k, n, self.trans_b, factors)?,
                };
                let dst = MemoryDesc::plain(&[m, n], result)?;
                let row = MemoryDesc::plain(&[1, n], DataType::F32)?;
                matmul::forward(&a, &b, bias.then_some(&row), &dst, &attr)
            };
            if let Some(pd) = compiler.product(describe)? {
                if kept {
                    let mut src = vec![(0, arg::SRC, pd.src_md(0))];
                    src.extend(bias.then(|| (2, arg::BIAS, pd.weights_md(1))));
                    let given = compiler.check(matrix(k, n, self.trans_b, DataType::F32))?;
                    let weights = (1, arg::WEIGHTS, given, pd.weights_md(0));
                    let dst = (0, arg::DST, pd.dst_md(0));
                    return compiler.primitive_seeing(&pd, &src, weights, dst);
                }
                return compiler.primitive_plain(
                    &pd,
                    &[arg::SRC, arg::WEIGHTS, arg::BIAS],
                    arg::DST,
                );
            }
        }
        let Gemm { trans_a, trans_b, alpha, beta, activation } = self.clone();
        let strides = c.map(|c| c.broadcast_strides(compiler.dst_shape(0)));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let y = &mut *dst[0];
            for (i, row) in y.chunks_exact_mut(n.max(1)).enumerate() {
                match strides.as_deref() {
                    Some(&[down, along]) => {
                        let c = |j: usize| beta * src[2][i * down + j * along];
                        row.iter_mut().enumerate().for_each(|(j, y)| *y = c(j));
                    }
                    _ => row.fill(0.0),
                }
            }
            let side = |data, rows, cols, transposed: bool| {
                let stored = if transposed { (cols, rows) } else { (rows, cols) };
                let matrix = Matrix::new(data, stored.0, stored.1);
                if transposed { matrix.transposed() } else { matrix }
            };
            gemm(alpha, side(src[0], m, k, trans_a), side(src[1], k, n, trans_b), 1.0, y);
            if let Some(f) = activation {
                f.apply_all(y);
            }
        })
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        if dst.dtype.is_float() && dst.dtype != DType::F64 {
            return Err(OpError::NotEvaluated);
        }
        let sizes = self.sizes(src[0].shape(), src[1].shape());
        let strides = src.get(2).map(|c| c.shape().broadcast_strides(&dst.shape));
        Ok(vec![compute(&Exact { gemm: self, sizes, strides }, src, &dst)?])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let (m, k, n) = self.sizes(&src[0], &src[1]);
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * (m * k * n) as f64, bytes }
    }

    fn takes_empty(&self) -> bool {
        true
    }

    fn channels_of_weights(&self, src: &[&Shape]) -> Option<usize> {
        let n = self.sizes(src[0], src[1]).2;
        let plain = self.activation.is_none() && self.is_plain(src.get(2).copied(), n);
        plain.then_some(if self.trans_b { 0 } else { 1 })
    }

    fn with_activation(&self, activation: Activation) -> Option<Arc<dyn Op>> {
        let fused = Gemm { activation: Some(activation), ..self.clone() };
        self.activation.is_none().then(|| Arc::new(fused) as Arc<dyn Op>)
    }
}

/// The product beyond f32.
struct Exact<'g> {
    gemm: &'g Gemm,
    sizes: (usize, usize, usize),
    strides: Option<Vec<usize>>,
}

impl Compute for Exact<'_> {
    fn compute<T: Number>(&self, src: &[&[T]]) -> Vec<T> {
        let (m, k, n) = self.sizes;
        let factor = |factor: f32| T::from_wide(Wide::Float(factor.into()));
        let (alpha, beta) = (factor(self.gemm.alpha), factor(self.gemm.beta));
        let mut y = Vec::with_capacity(m * n);
        for i in 0..m {
            for j in 0..n {
                let sum = (0..k).fold(T::default(), |sum, l| {
                    let a = src[0][if self.gemm.trans_a { l * m + i } else { i * k + l }];
                    let b = src[1][if self.gemm.trans_b { j * k + l } else { l * n + j }];
                    sum.plus(a.times(b))
                });
                let c = self.strides.as_deref().map_or(T::default(), |strides| {
                    src[2][i * strides[0] + j * strides[1]].times(beta)
                });
                y.push(sum.times(alpha).plus(c));
            }
        }
        y
    }
}

/// Descriptor of a `rows`×`cols` matrix that is stored row-major, or transposed.
fn matrix(
    rows: usize,
    cols: usize,
    transposed: bool,
    elements: DataType,
) -> Result<MemoryDesc, onednn::Error> {
    let strides = if transposed { [1, rows] } else { [cols, 1] };
    MemoryDesc::strided(&[rows, cols], &strides, elements)
}
