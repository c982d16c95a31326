use crate::Misfit;
use crate::layer::{Layer, Scope, layer, single};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// Normalises each value of an image by those of `n` neighbouring channels (Krizhevsky,
    /// Sutskever and Hinton, 2012).
    ///
    /// `dst[c, y, x] = src[c, y, x] · (k + alpha / n · Σ src[c', y, x]²)^−beta`
    ///
    /// Shapes: src and dst `[channels, height, width]`.
    LRN2D() {
        /// Factor of the mean square.
        alpha: f64 = 0.0001,
        /// Summand; above 0.
        k: f64 = 1.0,
        /// Exponent.
        beta: f64 = 0.75,
        /// Number of channels that are summed over.
        n: usize = 5,
    }
}

impl Layer for LRN2D {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        if shape.rank() == 3 && self.k > 0.0 {
            return Ok(shape.clone());
        }
        Err(Misfit::new(
            format!("expected an image and k above 0, got {shape} and {}", self.k),
            "Give it the result of a Conv2D or a pooling, and leave k at 1.",
        ))
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let [alpha, beta, bias] = [self.alpha, self.beta, self.k].map(|value| value as f32);
        Ok(scope.add_all(ops::LRN { size: self.n, alpha, beta, bias }, src)?[0])
    }
}
