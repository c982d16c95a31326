use crate::Error;
use std::fmt;

/// Extent of a tensor, slowest dimension first; an empty shape is a scalar.
///
/// ```
/// let shape = tensor::Shape::new(&[8, 16, 3, 3]);
/// assert_eq!(shape.len(), 1152);
/// assert_eq!(shape.strides(), [144, 9, 3, 1]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// Shape with these dimensions.
    pub fn new(dims: &[usize]) -> Shape {
        Shape(dims.to_vec())
    }

    /// The dimensions, slowest first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Number of elements; `usize::MAX` if there are more.
    pub fn len(&self) -> usize {
        self.0.iter().fold(1, |len: usize, &dim| len.saturating_mul(dim))
    }

    /// True if there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size in bytes of an f32 tensor of this shape.
    pub fn bytes(&self) -> usize {
        self.len().saturating_mul(size_of::<f32>())
    }

    /// Row-major strides in elements.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1usize; self.rank()];
        for i in (1..self.rank()).rev() {
            strides[i - 1] = strides[i].saturating_mul(self.0[i]);
        }
        strides
    }

    /// Shape that both broadcast to by the rules of ONNX (multidirectional).
    ///
    /// # Errors
    /// [`Error::Broadcast`] if two dimensions differ and neither is 1.
    pub fn broadcast(a: &Shape, b: &Shape) -> Result<Shape, Error> {
        let rank = a.rank().max(b.rank());
        let (x, y) = (a.padded(rank), b.padded(rank));
        let mut dims = Vec::with_capacity(rank);
        for (&p, &q) in x.iter().zip(&y) {
            match (p, q) {
                _ if p == q => dims.push(p),
                (1, _) => dims.push(q),
                (_, 1) => dims.push(p),
                _ => return Err(Error::Broadcast { a: a.clone(), b: b.clone() }),
            }
        }
        Ok(Shape(dims))
    }

    /// Dimensions with leading ones up to `rank`.
    pub fn padded(&self, rank: usize) -> Vec<usize> {
        let mut dims = vec![1; rank.saturating_sub(self.rank())];
        dims.extend_from_slice(&self.0);
        dims
    }

    /// Strides in elements with which a tensor of this shape is read as `target`: 0 where it is
    /// repeated.
    pub fn broadcast_strides(&self, target: &Shape) -> Vec<usize> {
        let dims = self.padded(target.rank());
        let strides = Shape(dims.clone()).strides();
        dims.iter().zip(strides).map(|(&d, s)| if d == 1 { 0 } else { s }).collect()
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Shape {
        Shape::new(dims)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Shape {
        Shape(dims.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Shape {
        Shape(dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_takes_the_larger_of_equal_or_unit_dimensions() {
        let shape = Shape::broadcast(&[2, 1, 4].into(), &[3, 1].into()).unwrap();
        assert_eq!(shape.dims(), [2, 3, 4]);
        assert!(Shape::broadcast(&[2].into(), &[3].into()).is_err());
    }

    #[test]
    fn repeated_dimensions_have_stride_zero() {
        assert_eq!(Shape::from([3, 1]).broadcast_strides(&[2, 3, 4].into()), [0, 1, 0]);
    }
}
