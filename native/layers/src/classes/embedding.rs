use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::{DType, Shape};

layer! {
    /// A vector of weights for each whole number: `dst[…, o] = weight[src[…], o]`.
    ///
    /// Shapes: src any, dst `[…, output_dim]`, weight `[input_dim, output_dim]`. Numbers that are not
    /// from 0 to `input_dim − 1` are an error.
    Embedding(
        /// Number of different inputs; at least 1.
        input_dim: usize,
        /// Length of a vector; at least 1.
        output_dim: usize,
    ) {
        /// Initial values of the weights.
        embeddings_initializer: Initializer = Initializer::RandomUniform {
            minval: -0.05,
            maxval: 0.05,
        },
    }
}

impl Layer for Embedding {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        Ok(Shape::new(&[single(src)?.dims(), &[self.output_dim]].concat()))
    }

    fn weights(&self, _: &[Shape]) -> Vec<Weight> {
        let fan = Fan { fan_in: self.input_dim, fan_out: self.output_dim };
        vec![Weight {
            name: "weight",
            shape: Shape::new(&[self.input_dim, self.output_dim]),
            kind: ParameterKind::Trainable,
            initializer: self.embeddings_initializer.with(fan),
        }]
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let rows = scope.add(ops::Cast { to: DType::I64 }, src)?;
        let weight = scope.parameter("weight")?;
        scope.add(ops::Gather { axis: 0 }, &[weight, rows])
    }
}
