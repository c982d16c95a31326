//! Batched matrix product.

use super::Reshape;
use super::exact::{Compute, Number, compute, number_types};
use super::sum_to::{SumTo, row_offsets};
use crate::error::expect_operands;
use crate::op::{Cost, Op};
use crate::tensor_type::infer_tensors;
use crate::{Compiler, Error, Gradient, OpError, Product, Takes, TensorType};
use onednn::ops::matmul;
use onednn::{Attr, MemoryDesc, arg};
use serde::{Deserialize, Serialize};
use tensor::gemm::{Matrix, gemm};
use tensor::{DType, Shape, Tensor};

/// y = A · B over the last two dimensions; the others broadcast. ONNX `MatMul`.
///
/// Shapes: A \[…, m, k\], B \[…, k, n\], y \[…, m, n\]. A vector A is a row, a vector B a column, and
/// y is without that dimension. Integers wrap around.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatMul {
    /// Read A transposed in its last two dimensions.
    #[serde(skip)]
    trans_a: bool,
    /// Read B transposed in its last two dimensions.
    #[serde(skip)]
    trans_b: bool,
}

/// A product with all its sizes.
struct Problem {
    m: usize,
    k: usize,
    n: usize,
    batch: Shape,
    a_batch: Shape,
    b_batch: Shape,
}

impl MatMul {
    fn problem(&self, a: &Shape, b: &Shape) -> Result<Problem, OpError> {
        let [a, b] = lifted(a, b);
        let (a, b) = (&a, &b);
        let split = |s: &Shape, transposed: bool| -> Option<(Shape, usize, usize)> {
            let outer = s.rank().checked_sub(2)?;
            let (rows, cols) = (s.dims()[outer], s.dims()[outer + 1]);
            let batch = Shape::new(&s.dims()[..outer]);
            Some(if transposed { (batch, cols, rows) } else { (batch, rows, cols) })
        };
        let sides = split(a, self.trans_a).zip(split(b, self.trans_b));
        let Some(((a_batch, m, k), (b_batch, inner, n))) = sides else {
            return Err(OpError::mismatch(
                "operands of at least one dimension",
                format!("shapes {a} and {b}"),
                "Use Mul to scale.",
            ));
        };
        if k != inner {
            return Err(OpError::mismatch(
                format!("{k} rows in b, as a has columns"),
                format!("shapes {a} and {b}"),
                "Match the inner dimensions.",
            ));
        }
        let batch = Shape::broadcast(&a_batch, &b_batch)?;
        Ok(Problem { m, k, n, batch, a_batch, b_batch })
    }
}

/// The operands' shapes with vectors as matrices of one row and of one column.
fn lifted(a: &Shape, b: &Shape) -> [Shape; 2] {
    [
        if let &[k] = a.dims() { Shape::new(&[1, k]) } else { a.clone() },
        if let &[k] = b.dims() { Shape::new(&[k, 1]) } else { b.clone() },
    ]
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "MatMul"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        number_types(src, |src| {
            expect_operands(src, 2..=2)?;
            let p = self.problem(src[0], src[1])?;
            let mut dims = p.batch.dims().to_vec();
            dims.extend((src[0].rank() > 1).then_some(p.m));
            dims.extend((src[1].rank() > 1).then_some(p.n));
            Ok(vec![Shape::from(dims)])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        let Some(mut dy) = g.diff_dst(0) else { return Ok(()) };
        let (mut a, mut b) = (g.src(0), g.src(1));
        let shapes = [g.shape(a), g.shape(b)];
        let [wide_a, wide_b] = lifted(&shapes[0], &shapes[1]);
        if shapes.iter().any(|shape| shape.rank() == 1) {
            let p = self.problem(&wide_a, &wide_b).expect("shapes were checked");
            let wide_y = Shape::from([p.batch.dims(), &[p.m, p.n]].concat());
            for (value, shape) in [(&mut a, &wide_a), (&mut b, &wide_b), (&mut dy, &wide_y)] {
                *value = g.emit(reshape(shape), &[*value])?[0];
            }
        }
        let wide = [wide_a, wide_b];
        let sides = [
            (MatMul { trans_a: false, trans_b: true }, [dy, b]),
            (MatMul { trans_a: true, trans_b: false }, [a, dy]),
        ];
        for (i, (op, src)) in sides.into_iter().enumerate() {
            if !g.needs(i) {
                continue;
            }
            let mut diff = g.emit(op, &src)?[0];
            if g.shape(diff) != wide[i] {
                diff = g.emit(SumTo { shape: wide[i].clone() }, &[diff])?[0];
            }
            if shapes[i] != wide[i] {
                diff = g.emit(reshape(&shapes[i]), &[diff])?[0];
            }
            g.set(i, diff);
        }
        Ok(())
    }

    fn takes(&self, _: usize) -> Takes {
        Takes::Bf16
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let (a, b) = (compiler.src_shape(0).clone(), compiler.src_shape(1).clone());
        let p = self.problem(&a, &b).expect("shapes were checked when the node was added");
        let (m, k, n) = (p.m, p.k, p.n);
        if compiler.onednn() {
            let rank = p.batch.rank() + 2;
            let side = |batch: &Shape, rows, cols, transposed, elements| {
                let mut dims = batch.padded(rank - 2);
                dims.extend([rows, cols]);
                let mut strides = Shape::from(dims.clone()).strides();
                if transposed {
                    (strides[rank - 2], strides[rank - 1]) = (1, rows);
                }
                MemoryDesc::strided(&dims, &strides, elements)
            };
            let dims = [p.batch.dims(), &[m, n]].concat();
            let describe = |Product { factors, result }| {
                let a = side(&p.a_batch, m, k, self.trans_a, factors)?;
                let b = side(&p.b_batch, k, n, self.trans_b, factors)?;
                let dst = MemoryDesc::plain(&dims, result)?;
                matmul::forward(&a, &b, None, &dst, &Attr::new())
            };
            if let Some(pd) = compiler.product(describe)? {
                return compiler.primitive_plain(&pd, &[arg::SRC, arg::WEIGHTS], arg::DST);
            }
        }
        let (at_a, at_b) = p.offsets();
        let MatMul { trans_a, trans_b } = *self;
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for (i, y) in dst[0].chunks_exact_mut((m * n).max(1)).enumerate() {
                let (a, b) = (&src[0][at_a[i]..], &src[1][at_b[i]..]);
                let a =
                    if trans_a { Matrix::new(a, k, m).transposed() } else { Matrix::new(a, m, k) };
                let b =
                    if trans_b { Matrix::new(b, n, k).transposed() } else { Matrix::new(b, k, n) };
                gemm(1.0, a, b, 0.0, y);
            }
        })
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let dst = infer_tensors(self, src)?.remove(0);
        if dst.dtype.is_float() && dst.dtype != DType::F64 {
            return Err(OpError::NotEvaluated);
        }
        Ok(vec![compute(&self.problem(src[0].shape(), src[1].shape())?, src, &dst)?])
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let columns = src[0].rank() - if self.trans_a && src[0].rank() > 1 { 2 } else { 1 };
        let bytes = src.iter().chain(dst).map(|s| s.bytes() as f64).sum();
        Cost { flops: 2.0 * (dst[0].len() * src[0].dims()[columns]) as f64, bytes }
    }
}

impl Problem {
    /// Where the matrices of a and b begin that each matrix of y is made of.
    fn offsets(&self) -> (Vec<usize>, Vec<usize>) {
        let offsets = |batch: &Shape, size: usize| -> Vec<usize> {
            let mut strides = batch.broadcast_strides(&self.batch);
            strides.iter_mut().for_each(|s| *s *= size);
            let mut dims = self.batch.dims().to_vec();
            dims.push(1);
            row_offsets(&Shape::from(dims), &strides)
        };
        (offsets(&self.a_batch, self.m * self.k), offsets(&self.b_batch, self.k * self.n))
    }
}

/// The product beyond f32, of operands that are not transposed.
impl Compute for Problem {
    fn compute<T: Number>(&self, src: &[&[T]]) -> Vec<T> {
        let Problem { m, k, n, .. } = *self;
        let (at_a, at_b) = self.offsets();
        let mut y = vec![T::default(); self.batch.len() * m * n];
        for (i, y) in y.chunks_exact_mut((m * n).max(1)).enumerate() {
            for (row, y) in y.chunks_exact_mut(n.max(1)).enumerate() {
                for l in 0..k {
                    let a = src[0][at_a[i] + row * k + l];
                    let b = &src[1][at_b[i] + l * n..][..n];
                    y.iter_mut().zip(b).for_each(|(y, &b)| *y = y.plus(a.times(b)));
                }
            }
        }
        y
    }
}

fn reshape(shape: &Shape) -> Reshape {
    Reshape { shape: shape.dims().iter().map(|&dim| dim as i64).collect() }
}
