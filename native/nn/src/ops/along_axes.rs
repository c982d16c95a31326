//! Normalization along any axes.

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y = x / (Σ |x|^p)^(1/p) along one axis, or 0 where all x are. ONNX `LpNormalization`. Shapes: x
/// any, y the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LpNormalization {
    /// The axis; negative counts from the end.
    pub axis: i64,
    /// 1 or 2.
    pub p: u32,
}

/// y = (x − mean) / (deviation + 10⁻⁹) over some axes. ONNX `MeanVarianceNormalization`. Shapes: x
/// any, y the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanVarianceNormalization {
    /// The axes; negative ones count from the end.
    pub axes: Vec<i64>,
}

impl Default for LpNormalization {
    fn default() -> Self {
        Self { axis: -1, p: 2 }
    }
}

impl Default for MeanVarianceNormalization {
    fn default() -> Self {
        Self { axes: vec![0, 2, 3] }
    }
}

/// What is done to the numbers of a row.
#[derive(Clone, Copy, Debug)]
enum Rule {
    Norm1,
    Norm2,
    MeanVariance,
}

/// Added to a deviation.
const EPSILON: f64 = 1e-9;

impl Rule {
    /// What is taken away from each number, and what the rest is divided by.
    fn shift_and_divisor(self, row: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
        match self {
            Rule::Norm1 => (0.0, row.map(f64::abs).sum()),
            Rule::Norm2 => (0.0, row.map(|x| x * x).sum::<f64>().sqrt()),
            Rule::MeanVariance => {
                let n = row.clone().count() as f64;
                let mean = row.clone().sum::<f64>() / n;
                let variance = row.map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                (mean, variance.sqrt() + EPSILON)
            }
        }
    }
}

/// The places of the numbers that are normalized together: `first` of each row, and `steps` from
/// there.
#[derive(Clone, Debug)]
struct Rows {
    first: Vec<usize>,
    steps: Vec<usize>,
}

impl Rows {
    fn new(shape: &Shape, axes: &[usize]) -> Rows {
        let strides = shape.strides();
        let places = |along: bool| {
            let dims = (0..shape.rank()).filter(|axis| axes.contains(axis) == along);
            dims.fold(vec![0], |places: Vec<usize>, axis| {
                let step = |at: &usize| {
                    let at = *at;
                    let stride = strides[axis];
                    (0..shape.dims()[axis]).map(move |i| at + i * stride)
                };
                places.iter().flat_map(step).collect()
            })
        };
        Rows { first: places(false), steps: places(true) }
    }

    /// The places of each row.
    fn each(&self) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone> {
        self.first.iter().map(|first| self.steps.iter().map(move |step| first + step))
    }

    fn forward(&self, rule: Rule, x: &[f32], y: &mut [f32]) {
        for row in self.each() {
            let (shift, divisor) = rule.shift_and_divisor(row.clone().map(|at| x[at].into()));
            for at in row {
                let value = (f64::from(x[at]) - shift) / divisor;
                y[at] = if divisor == 0.0 { 0.0 } else { value as f32 };
            }
        }
    }

    fn backward(&self, rule: Rule, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let wide = |numbers: &[f32], at: usize| f64::from(numbers[at]);
        for row in self.each() {
            let (shift, divisor) = rule.shift_and_divisor(row.clone().map(|at| wide(x, at)));
            let along: f64 =
                row.clone().map(|at| wide(dy, at) * (wide(x, at) - shift) / divisor).sum();
            let n = self.steps.len() as f64;
            let mean: f64 = row.clone().map(|at| wide(dy, at)).sum::<f64>() / n;
            for at in row {
                let (x, dy) = (wide(x, at), wide(dy, at));
                let diff = match rule {
                    _ if divisor == 0.0 => 0.0,
                    Rule::Norm1 => (dy - along * x.signum()) / divisor,
                    Rule::Norm2 => (dy - along * x / divisor) / divisor,
                    // The deviation itself is smaller than the divisor.
                    Rule::MeanVariance => {
                        let deviation = (divisor - EPSILON).max(f64::MIN_POSITIVE);
                        (dy - mean - (x - shift) * along / (n * deviation)) / divisor
                    }
                };
                dx[at] = diff as f32;
            }
        }
    }
}

impl LpNormalization {
    fn rule(&self) -> Rule {
        if self.p == 1 { Rule::Norm1 } else { Rule::Norm2 }
    }

    fn rows(&self, x: &Shape) -> Result<Rows, OpError> {
        if !(1..=2).contains(&self.p) {
            let remedy = "Choose the sum of amounts or of squares.";
            return Err(OpError::mismatch("p 1 or 2", self.p.to_string(), remedy));
        }
        Ok(Rows::new(x, &[resolve_axis(self.axis, x.rank())?]))
    }
}

impl MeanVarianceNormalization {
    fn rule(&self) -> Rule {
        Rule::MeanVariance
    }

    fn rows(&self, x: &Shape) -> Result<Rows, OpError> {
        let axes = self.axes.iter().map(|&axis| resolve_axis(axis, x.rank()));
        Ok(Rows::new(x, &axes.collect::<Result<Vec<_>, _>>()?))
    }
}

macro_rules! along_axes {
    ($($op:ident)*) => {$(
        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                float_types(src, |src| {
                    expect_operands(src, 1..=1)?;
                    self.rows(src[0])?;
                    Ok(vec![src[0].clone()])
                })
            }

            fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
                if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
                    let x = g.src(0);
                    let rows = self.rows(&g.shape(x)).expect("checked by infer");
                    let diff = g.emit(Backward { rule: self.rule(), rows }, &[x, diff])?[0];
                    g.set(0, diff);
                }
                Ok(())
            }

            fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
                let rows = self.rows(compiler.src_shape(0)).expect("checked by infer");
                let rule = self.rule();
                compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
                    rows.forward(rule, src[0], dst[0]);
                })
            }

            fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
                elementwise_cost(src, dst, 5.0)
            }
        }
    )*};
}

along_axes!(LpNormalization MeanVarianceNormalization);

/// dx. Sources: x, dy.
#[derive(Clone, Debug)]
struct Backward {
    rule: Rule,
    rows: Rows,
}

impl Op for Backward {
    fn name(&self) -> &'static str {
        "NormalizationBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let Backward { rule, rows } = self.clone();
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            rows.backward(rule, src[0], src[1], dst[0]);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 8.0)
    }
}
