use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Adds a vector of weights to each step of a sequence: `dst[t, i] = src[t, i] + weight[t, i]`.
    ///
    /// Shapes: src and dst `[steps, inputs]`, weight the same.
    PositionEmbedding() {
        /// Initial values of the weights.
        initializer: Initializer = Initializer::GlorotUniform,
    }
}

impl Layer for PositionEmbedding {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        if shape.rank() != 2 {
            return Err(Misfit::new(
                format!("expected a sequence [steps, inputs], got {shape}"),
                "Put an Embedding before it.",
            ));
        }
        Ok(shape.clone())
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let fan = Fan { fan_in: src[0].dims()[0], fan_out: src[0].dims()[1] };
        vec![Weight {
            name: "weight",
            shape: src[0].clone(),
            kind: ParameterKind::Trainable,
            initializer: self.initializer.with(fan),
        }]
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let weight = scope.parameter("weight")?;
        scope.add(ops::Add::default(), &[src[0], weight])
    }
}
