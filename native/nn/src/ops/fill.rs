//! Tensors made of settings: ConstantOfShape, Range, EyeLike.

use crate::error::expect_operands;
use crate::op::Op;
use crate::{OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Data, Element, Tensor, Wide, for_dtype};

/// One value everywhere. ONNX `ConstantOfShape`. Shapes: no source; y `shape`.
///
/// In a graph it is a constant from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConstantOfShape {
    /// The dimensions.
    pub shape: Vec<usize>,
    /// The value.
    pub value: Wide,
    /// Type of the elements.
    pub dtype: DType,
}

impl Default for ConstantOfShape {
    fn default() -> ConstantOfShape {
        ConstantOfShape { shape: Vec::new(), value: Wide::ZERO, dtype: DType::F32 }
    }
}

impl Op for ConstantOfShape {
    fn name(&self) -> &'static str {
        "ConstantOfShape"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 0..=0)?;
        Ok(vec![TensorType::new(self.dtype, &self.shape[..])])
    }

    fn evaluate(&self, _: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let len = self.shape.iter().product();
        let data = for_dtype!(self.dtype, T => Data::from(vec![T::from_wide(self.value); len]));
        Ok(vec![Tensor::new(&self.shape[..], data)?])
    }
}

/// start, start + delta, … up to but without the limit. ONNX `Range`.
///
/// Shapes: no source; y \[max(⌈(limit − start) / delta⌉, 0)\]. In a graph it is a constant from the
/// start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Range {
    /// The first number.
    pub start: Wide,
    /// The bound that is not reached.
    pub limit: Wide,
    /// The step, not 0.
    pub delta: Wide,
    /// Type of the numbers.
    pub dtype: DType,
}

impl Default for Range {
    fn default() -> Range {
        let [start, limit] = [Wide::ZERO; 2];
        Range { start, limit, delta: Wide::Int(1), dtype: DType::I64 }
    }
}

impl Range {
    /// How many numbers there are.
    fn count(&self) -> Result<usize, OpError> {
        let numbers = [self.start, self.limit, self.delta];
        let count = if self.dtype.is_float() {
            let [start, limit, delta] = numbers.map(f64::from_wide);
            ((limit - start) / delta).ceil()
        } else {
            let [start, limit, delta] = numbers.map(|n| i128::from(i64::from_wide(n)));
            match delta {
                0 => f64::NAN,
                _ => {
                    let (span, step) = (limit - start, delta);
                    (span / step + i128::from(span % step != 0 && (span < 0) == (step < 0))) as f64
                }
            }
        };
        if count.is_finite() && count < 1e15 {
            return Ok(count.max(0.0) as usize);
        }
        Err(OpError::mismatch(
            "a step that reaches the limit",
            format!("start {:?}, limit {:?}, delta {:?}", self.start, self.limit, self.delta),
            "Use a finite step other than 0.",
        ))
    }
}

impl Op for Range {
    fn name(&self) -> &'static str {
        "Range"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 0..=0)?;
        Ok(vec![TensorType::new(self.dtype, [self.count()?])])
    }

    fn evaluate(&self, _: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        let [start, delta] = [self.start, self.delta];
        let number = |i: usize| match self.dtype.is_float() {
            true => Wide::Float(f64::from_wide(start) + i as f64 * f64::from_wide(delta)),
            false => {
                let step = i64::from_wide(delta).wrapping_mul(i as i64);
                Wide::Int(i64::from_wide(start).wrapping_add(step))
            }
        };
        let count = self.count()?;
        let data = for_dtype!(self.dtype, T => {
            Data::from((0..count).map(|i| T::from_wide(number(i))).collect::<Vec<T>>())
        });
        Ok(vec![Tensor::new([count], data)?])
    }
}

/// Ones on a diagonal of a matrix like x, zeros elsewhere. ONNX `EyeLike`.
///
/// Shapes: x \[rows, columns\], y the same. In a graph it is a constant from the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EyeLike {
    /// The diagonal: positive ones lie above the main diagonal.
    pub k: i64,
    /// Type of the result; none takes that of x.
    pub dtype: Option<DType>,
}

impl Op for EyeLike {
    fn name(&self) -> &'static str {
        "EyeLike"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 1..=1)?;
        if src[0].shape.rank() != 2 {
            let got = src[0].shape.to_string();
            return Err(OpError::mismatch("a matrix", got, "Reshape the input first."));
        }
        Ok(vec![TensorType::new(self.dtype.unwrap_or(src[0].dtype), src[0].shape.clone())])
    }

    fn known(&self, src: &[&TensorType]) -> Result<Option<Vec<Tensor>>, OpError> {
        let ty = self.infer(src)?.swap_remove(0);
        let columns = ty.dims()[1];
        let on = |at: usize| at as i128 / columns as i128 + i128::from(self.k);
        let eye = |at: usize| on(at) == (at % columns) as i128;
        let data = for_dtype!(ty.dtype, T => Data::from(
            (0..ty.shape.len())
                .map(|at| T::from_wide(Wide::Int(eye(at).into())))
                .collect::<Vec<T>>()
        ));
        Ok(Some(vec![Tensor::new(ty.shape, data)?]))
    }
}
