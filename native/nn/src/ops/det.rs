//! Determinants.

use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y\[…\] = the determinant of x\[…, n, n\]. ONNX `Det`. Computed in f64 with partial pivoting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Det {}

/// Number of rows of the matrices.
fn rows(x: &Shape) -> usize {
    x.dims().last().copied().unwrap_or(0)
}

/// Determinant of a row-major n×n matrix, which is used up.
fn determinant(mut a: Vec<f64>, n: usize) -> f64 {
    let mut product = 1.0;
    for k in 0..n {
        let larger = |&i: &usize, &j: &usize| a[i * n + k].abs().total_cmp(&a[j * n + k].abs());
        let pivot = (k..n).max_by(larger).unwrap_or(k);
        if a[pivot * n + k] == 0.0 {
            return 0.0;
        }
        if pivot != k {
            (0..n).for_each(|j| a.swap(pivot * n + j, k * n + j));
            product = -product;
        }
        product *= a[k * n + k];
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            (k..n).for_each(|j| a[i * n + j] -= factor * a[k * n + j]);
        }
    }
    product
}

impl Op for Det {
    fn name(&self) -> &'static str {
        "Det"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            match src[0].dims() {
                [batch @ .., n, m] if n == m => Ok(vec![Shape::new(batch)]),
                _ => Err(OpError::mismatch(
                    "square matrices [..., n, n]",
                    src[0].to_string(),
                    "Make the last two dimensions equal.",
                )),
            }
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            let diff = g.emit(DetBackward {}, &[g.src(0), diff])?[0];
            g.set(0, diff);
        }
        Ok(())
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let n = rows(compiler.src_shape(0));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            for (y, a) in dst[0].iter_mut().zip(src[0].chunks_exact(n * n)) {
                *y = determinant(a.iter().map(|&a| a.into()).collect(), n) as f32;
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let n = rows(&src[0]) as f64;
        elementwise_cost(src, dst, 2.0 / 3.0 * n * n * n)
    }
}

/// dx\[…, i, j\] = dy\[…\] times the cofactor of (i, j), which exists also where there is no inverse.
/// Sources: x, dy.
#[derive(Clone, Debug)]
struct DetBackward {}

impl Op for DetBackward {
    fn name(&self) -> &'static str {
        "DetBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let n = rows(compiler.src_shape(0));
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let matrices = src[0].chunks_exact(n * n).zip(src[1]);
            for (dx, (a, &dy)) in dst[0].chunks_exact_mut(n * n).zip(matrices) {
                for (at, dx) in dx.iter_mut().enumerate() {
                    let (i, j) = (at / n, at % n);
                    let rest = |at: &usize| at / n != i && at % n != j;
                    let minor = (0..n * n).filter(rest).map(|at| a[at].into()).collect();
                    let sign = if (i + j) % 2 == 0 { dy } else { -dy };
                    *dx = (f64::from(sign) * determinant(minor, n - 1)) as f32;
                }
            }
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        let n = rows(&src[0]) as f64;
        elementwise_cost(src, dst, 2.0 / 3.0 * n * n * n)
    }
}
