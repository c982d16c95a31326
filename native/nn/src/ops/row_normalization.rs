//! Normalization of each sample by itself: over its last axes, its channels, groups of channels.

mod rows;

use super::softmax::resolve_axis;
use crate::error::expect_operands;
use crate::op::{Cost, Op, elementwise_cost};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use rows::Rows;
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// y = scale · (x − mean) / √(var + epsilon) + bias, with mean and variance over the axes from
/// `axis` on. ONNX `LayerNormalization`.
///
/// Sources: x any; scale and (optional) bias with the dimensions of x from the axis on. Results: y
/// like x, mean and 1 / √(var + epsilon) like x with 1 for those dimensions.
///
/// J. L. Ba, J. R. Kiros, G. E. Hinton: "Layer normalization", 2016.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerNormalization {
    /// First axis that is normalized over; negative counts from the end.
    pub axis: i64,
    /// Added to the variance.
    pub epsilon: f32,
}

/// y = scale · x / √(mean of x² + epsilon), over the axes from `axis` on. ONNX
/// `RMSNormalization`.
///
/// Sources: x any; scale with the dimensions of x from the axis on. Results: y like x; two like x
/// with 1 for those dimensions: zero, and 1 / √(mean of x² + epsilon).
///
/// B. Zhang, R. Sennrich: "Root mean square layer normalization", NeurIPS 2019.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RMSNormalization {
    /// First axis that is normalized over; negative counts from the end.
    pub axis: i64,
    /// Added to the mean of the squares.
    pub epsilon: f32,
}

/// y = scale\[c\] · (x − mean) / √(var + epsilon) + bias\[c\], with mean and variance of each channel
/// of each sample. ONNX `InstanceNormalization`.
///
/// Sources: x \[n, c, …\]; scale, bias \[c\]. Results: y like x; mean and 1 / √(var + epsilon)
/// \[n, c\].
///
/// D. Ulyanov, A. Vedaldi, V. Lempitsky: "Instance normalization", 2016.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceNormalization {
    /// Added to the variance.
    pub epsilon: f32,
}

/// y = scale\[c\] · (x − mean) / √(var + epsilon) + bias\[c\], with mean and variance of each group of
/// neighbouring channels of each sample. ONNX `GroupNormalization`.
///
/// Sources: x \[n, c, …\]; scale, bias \[c\]. Results: y like x; mean and 1 / √(var + epsilon)
/// \[n, num_groups\].
///
/// Y. Wu, K. He: "Group normalization", ECCV 2018.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupNormalization {
    /// Number of groups; divides the number of channels.
    pub num_groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Default for LayerNormalization {
    fn default() -> Self {
        Self { axis: -1, epsilon: 1e-5 }
    }
}

impl Default for RMSNormalization {
    fn default() -> Self {
        Self { axis: -1, epsilon: 1e-5 }
    }
}

impl Default for InstanceNormalization {
    fn default() -> Self {
        Self { epsilon: 1e-5 }
    }
}

impl Default for GroupNormalization {
    fn default() -> Self {
        Self { num_groups: 1, epsilon: 1e-5 }
    }
}

/// Where the rows are, and the shapes of what belongs to them.
struct Geometry {
    rows: Rows,
    parameter: Shape,
    statistic: Shape,
}

/// Rows over the last axes.
fn trailing(x: &Shape, axis: i64, epsilon: f32, centered: bool) -> Result<Geometry, OpError> {
    let axis = resolve_axis(axis, x.rank())?;
    let (outer, row) = x.dims().split_at(axis);
    let parameter = Shape::new(row);
    let rows = Rows { blocks: parameter.len(), inner: 1, period: 1, epsilon, centered };
    let statistic = Shape::from([outer, &vec![1; row.len()]].concat());
    Ok(Geometry { rows, parameter, statistic })
}

/// Rows of whole channels.
fn channels(x: &Shape, groups: Option<usize>, epsilon: f32) -> Result<Geometry, OpError> {
    let &[n, c, ref space @ ..] = x.dims() else {
        let remedy = "Give the input a batch and a channel dimension.";
        return Err(OpError::mismatch("src [n, c, …]", x.to_string(), remedy));
    };
    let groups = groups.unwrap_or(c);
    if (groups == 0 && c > 0) || (groups > 0 && c % groups != 0) {
        return Err(OpError::mismatch(
            format!("a number of groups that divides {c} channels"),
            groups.to_string(),
            "Use 1 or the number of channels.",
        ));
    }
    let inner = space.iter().product();
    let blocks = c.checked_div(groups).unwrap_or(0);
    let rows = Rows { blocks, inner, period: groups, epsilon, centered: true };
    Ok(Geometry { rows, parameter: Shape::new(&[c]), statistic: Shape::new(&[n, groups]) })
}

impl LayerNormalization {
    const OPERANDS: [usize; 2] = [2, 3];

    fn geometry(&self, x: &Shape) -> Result<Geometry, OpError> {
        trailing(x, self.axis, self.epsilon, true)
    }
}

impl RMSNormalization {
    const OPERANDS: [usize; 2] = [2, 2];

    fn geometry(&self, x: &Shape) -> Result<Geometry, OpError> {
        trailing(x, self.axis, self.epsilon, false)
    }
}

impl InstanceNormalization {
    const OPERANDS: [usize; 2] = [3, 3];

    fn geometry(&self, x: &Shape) -> Result<Geometry, OpError> {
        channels(x, None, self.epsilon)
    }
}

impl GroupNormalization {
    const OPERANDS: [usize; 2] = [3, 3];

    fn geometry(&self, x: &Shape) -> Result<Geometry, OpError> {
        channels(x, Some(self.num_groups), self.epsilon)
    }
}

macro_rules! row_normalization {
    ($($op:ident)*) => {$(
        impl Op for $op {
            fn name(&self) -> &'static str {
                stringify!($op)
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                let [least, most] = Self::OPERANDS;
                float_types(src, |src| {
                    expect_operands(src, least..=most)?;
                    let Geometry { parameter, statistic, .. } = self.geometry(src[0])?;
                    for (name, shape) in ["scale", "bias"].into_iter().zip(&src[1..]) {
                        if **shape != parameter {
                            return Err(OpError::mismatch(
                                format!("{name} {parameter} for src {}", src[0]),
                                format!("{name} {shape}"),
                                "Give one number per place that is scaled.",
                            ));
                        }
                    }
                    Ok(vec![src[0].clone(), statistic.clone(), statistic])
                })
            }

            fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
                let Some(dy) = g.diff_dst(0) else { return Ok(()) };
                let rows = self.geometry(&g.shape(g.src(0))).expect("checked by infer").rows;
                let src = [g.src(0), dy, g.src(1), g.dst(1), g.dst(2)];
                let diffs = g.emit(RowNormalizationBackward { rows }, &src)?;
                (0..g.sources()).for_each(|i| g.set(i, diffs[i]));
                Ok(())
            }

            fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
                let shape = compiler.src_shape(0);
                let rows = self.geometry(shape).expect("checked by infer").rows;
                rows.compile(shape.len() / rows.len(), compiler)
            }

            fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
                elementwise_cost(src, dst, 7.0)
            }
        }
    )*};
}

row_normalization!(LayerNormalization RMSNormalization InstanceNormalization GroupNormalization);

/// dx, dscale, dbias. Sources: x, dy, scale, mean, 1 / √(var + epsilon).
#[derive(Clone, Debug)]
struct RowNormalizationBackward {
    rows: Rows,
}

impl Op for RowNormalizationBackward {
    fn name(&self) -> &'static str {
        "RowNormalizationBackward"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| Ok(vec![src[0].clone(), src[2].clone(), src[2].clone()]))
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        let rows = self.rows;
        compiler.kernel(move |src: &[&[f32]], dst: &mut [&mut [f32]]| {
            let ([dx, dscale, dbias], &[x, dy, scale, mean, inverse]) = (dst, src) else { return };
            rows::backward(&rows, [x, dy, scale, mean, inverse], dx, dscale, dbias);
        })
    }

    fn cost(&self, src: &[Shape], dst: &[Shape]) -> Cost {
        elementwise_cost(src, dst, 11.0)
    }
}
