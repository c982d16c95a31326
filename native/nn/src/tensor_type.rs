use crate::{Op, OpError};
use std::fmt;
use tensor::{DType, Shape, Tensor};

/// Type and shape of a value.
///
/// ```
/// use nn::TensorType;
/// use tensor::{DType, Shape};
/// assert_eq!(TensorType::from(Shape::new(&[8, 3])), TensorType::new(DType::F32, [8, 3]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorType {
    /// Type of the elements.
    pub dtype: DType,
    /// The shape, batch included.
    pub shape: Shape,
}

impl TensorType {
    /// Elements of this type in this shape.
    pub fn new(dtype: DType, shape: impl Into<Shape>) -> TensorType {
        TensorType { dtype, shape: shape.into() }
    }

    /// The type of a tensor.
    pub fn of(tensor: &Tensor) -> TensorType {
        TensorType { dtype: tensor.dtype(), shape: tensor.shape().clone() }
    }

    /// The same element type in another shape.
    pub fn with_shape(&self, shape: impl Into<Shape>) -> TensorType {
        TensorType { dtype: self.dtype, shape: shape.into() }
    }

    /// The dimensions, slowest first.
    pub fn dims(&self) -> &[usize] {
        self.shape.dims()
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.shape.len().saturating_mul(self.dtype.size())
    }
}

impl From<Shape> for TensorType {
    /// f32 of this shape.
    fn from(shape: Shape) -> TensorType {
        TensorType { dtype: DType::F32, shape }
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dtype, self.shape)
    }
}

/// Types of the outputs of an op on floats: all operands and outputs have one float type, and
/// `shapes` gives the shapes.
///
/// # Errors
/// [`OpError`] if the operands have other types, and those of `shapes`.
pub(crate) fn float_types(
    src: &[&TensorType],
    shapes: impl FnOnce(&[&Shape]) -> Result<Vec<Shape>, OpError>,
) -> Result<Vec<TensorType>, OpError> {
    if src.iter().any(|s| !s.dtype.is_float() || s.dtype != src[0].dtype) {
        let mut got: Vec<&str> = src.iter().map(|s| s.dtype.name()).collect();
        got.dedup();
        return Err(OpError::mismatch(
            "operands of one float type",
            got.join(" and "),
            "Cast the inputs to one float type first.",
        ));
    }
    same_types(src, shapes)
}

/// Types of the outputs of an op on any elements: all operands and outputs have one type, and
/// `shapes` gives the shapes.
///
/// # Errors
/// [`OpError`] if the operands have different types, and those of `shapes`.
pub(crate) fn same_types(
    src: &[&TensorType],
    shapes: impl FnOnce(&[&Shape]) -> Result<Vec<Shape>, OpError>,
) -> Result<Vec<TensorType>, OpError> {
    let dtype = src.first().map_or(DType::F32, |first| first.dtype);
    if let Some(other) = src.iter().find(|s| s.dtype != dtype) {
        return Err(OpError::mismatch(
            "operands of one type",
            format!("{dtype} and {}", other.dtype),
            "Cast the inputs to one type first.",
        ));
    }
    let src: Vec<&Shape> = src.iter().map(|s| &s.shape).collect();
    Ok(shapes(&src)?.into_iter().map(|shape| TensorType { dtype, shape }).collect())
}

/// [`Op::infer`] for the types of these tensors.
///
/// # Errors
/// [`OpError`] if they do not fit.
pub(crate) fn infer_tensors(op: &dyn Op, src: &[&Tensor]) -> Result<Vec<TensorType>, OpError> {
    let types: Vec<TensorType> = src.iter().map(|tensor| TensorType::of(tensor)).collect();
    op.infer(&types.iter().collect::<Vec<_>>())
}
