//! The inverse of max pooling.

use super::place::{Place, Sizes};
use super::window::{Attributes, Window};
use crate::error::expect_operands;
use crate::op::Op;
use crate::{Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::{DType, Shape, Tensor};

/// y\[indices\[i\]\] = x\[i\] and zero elsewhere, with the indices that `MaxPool` gives. ONNX
/// `MaxUnpool`.
///
/// Shapes: x and indices (i64) \[n, c, h, w\]; y \[n, c, oh, ow\] with oh = (h − 1)·s + kh − pads, or
/// larger. Indices count through the smaller of the two. One to three spatial dimensions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxUnpool {
    /// Size of the window.
    pub kernel_shape: Vec<usize>,
    /// Steps of the window; empty means 1.
    pub strides: Vec<usize>,
    /// Padding before each dimension, then behind each; empty means 0.
    pub pads: Vec<usize>,
    /// The whole shape of y; empty computes it.
    pub output_shape: Vec<usize>,
}

impl MaxUnpool {
    fn sizes(&self, src: &Shape) -> Result<Sizes, OpError> {
        let attributes = Attributes {
            kernel: &self.kernel_shape,
            strides: &self.strides,
            pads: &self.pads,
            ..Attributes::default()
        };
        let &[n, c, ref spatial @ ..] = src.dims() else {
            return Err(OpError::mismatch(
                "src [n, c, …]",
                src.to_string(),
                "Reshape the input to batch, channels, height, width.",
            ));
        };
        let mut window = Window::padded(&attributes, spatial)?;
        for d in 0..window.src.len() {
            let whole = (window.src[d].max(1) - 1) * window.strides[d] + window.kernel[d];
            window.src[d] = whole.saturating_sub(window.pads[0][d] + window.pads[1][d]);
        }
        let counted = window.src_shape(n, c);
        let shape = match self.output_shape.is_empty() {
            true => counted.clone(),
            false => Shape::new(&self.output_shape),
        };
        let holds = shape.rank() == counted.rank()
            && shape.dims().iter().zip(counted.dims()).all(|(whole, part)| whole >= part);
        if !holds {
            return Err(OpError::mismatch(
                format!("an output that holds {counted}"),
                shape.to_string(),
                "Choose a larger output_shape.",
            ));
        }
        Ok(Sizes { counted, shape, column_major: false })
    }
}

impl Op for MaxUnpool {
    fn name(&self) -> &'static str {
        "MaxUnpool"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        expect_operands(src, 2..=2)?;
        if src[0].shape != src[1].shape || src[1].dtype != DType::I64 {
            return Err(OpError::mismatch(
                format!("an index (i64) for each element of {}", src[0].shape),
                src[1].to_string(),
                "Give the indices of a pooling.",
            ));
        }
        Ok(vec![src[0].with_shape(self.sizes(&src[0].shape)?.shape)])
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        match self.sizes(&g.shape(g.src(0))) {
            Ok(sizes) => Place { sizes }.differentiate(g),
            Err(_) => Err(g.refuse()),
        }
    }

    fn compiles(&self, _src: &[DType]) -> bool {
        false
    }

    fn evaluate(&self, src: &[&Tensor]) -> Result<Vec<Tensor>, OpError> {
        expect_operands(src, 2..=2)?;
        Place { sizes: self.sizes(src[0].shape())? }.evaluate(src)
    }
}
