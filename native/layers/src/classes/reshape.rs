use crate::Misfit;
use crate::layer::{Layer, Scope, layer, single};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// The same values in another shape.
    ///
    /// Shapes: src any, dst `target_shape`, with as many elements as src.
    Reshape(
        /// Shape of a sample of the result; one dimension may be −1: what is left.
        target_shape: Vec<i64>,
    ) {}
}

impl Layer for Reshape {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let elements = single(src)?.len();
        let known = self.target_shape.iter().filter(|dim| **dim != -1);
        let known = known.fold(1usize, |product, dim| product.saturating_mul(*dim as usize));
        let free = self.target_shape.contains(&-1);
        if if free { elements % known != 0 } else { elements != known } {
            return Err(Misfit::new(
                format!("target_shape {:?} does not hold {elements} elements", self.target_shape),
                "Choose dimensions whose product is that number.",
            ));
        }
        let dim = |dim: &i64| if *dim == -1 { elements / known } else { *dim as usize };
        Ok(Shape::from(self.target_shape.iter().map(dim).collect::<Vec<_>>()))
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dims = scope.shape(src[0]).dims().to_vec();
        let elements: usize = dims[1..].iter().product();
        let known: i64 = self.target_shape.iter().filter(|dim| **dim != -1).product();
        let dim = |dim: &i64| if *dim == -1 { elements as i64 / known } else { *dim };
        let shape = [dims[0] as i64].into_iter().chain(self.target_shape.iter().map(dim)).collect();
        scope.add(ops::Reshape { shape }, src)
    }
}
