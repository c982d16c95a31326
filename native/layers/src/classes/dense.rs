use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{ActivationFunction, Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Fully connected layer.
    ///
    /// `dst[…, o] = activation(bias[o] + Σᵢ src[…, i] · weight[o, i])`
    ///
    /// Shapes: src `[…, inputs]`, dst `[…, units]`, weight `[units, inputs]`, bias `[units]`.
    /// With more than one axis per sample the layer works along the last one.
    Dense(
        /// Number of outputs; at least 1.
        units: usize,
    ) {
        /// Function applied to the result.
        activation: ActivationFunction = ActivationFunction::Linear,
        /// Whether a bias is added.
        use_bias: bool = true,
        /// Initial values of the weights.
        kernel_initializer: Initializer = Initializer::GlorotUniform,
        /// Initial values of the bias.
        bias_initializer: Initializer = Initializer::Zeros,
    }
}

impl Layer for Dense {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let mut dims = single(src)?.dims().to_vec();
        match dims.last_mut() {
            Some(last) => *last = self.units,
            None => {
                return Err(Misfit::new(
                    "expected at least one axis, got a scalar",
                    "Give the input the shape [1].",
                ));
            }
        }
        Ok(Shape::from(dims))
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let inputs = src[0].dims()[src[0].rank() - 1];
        let fan = Fan { fan_in: inputs, fan_out: self.units };
        let mut weights = vec![Weight {
            name: "weight",
            shape: Shape::new(&[self.units, inputs]),
            kind: ParameterKind::Trainable,
            initializer: self.kernel_initializer.with(fan),
        }];
        if self.use_bias {
            weights.push(Weight {
                name: "bias",
                shape: Shape::new(&[self.units]),
                kind: ParameterKind::Trainable,
                initializer: self.bias_initializer.with(fan),
            });
        }
        weights
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let mut dims = scope.shape(src[0]).dims().to_vec();
        let last = dims.len() - 1;
        let rows: usize = dims[..last].iter().product();
        let flat = last != 1;
        let matrix = if flat {
            scope.add(ops::Reshape { shape: vec![rows as i64, dims[last] as i64] }, src)?
        } else {
            src[0]
        };
        let mut operands = vec![matrix, scope.parameter("weight")?];
        if self.use_bias {
            operands.push(scope.parameter("bias")?);
        }
        let product = scope.add(ops::Gemm::new(false, true), &operands)?;
        let result = self.activation.build(scope, product)?;
        if !flat {
            return Ok(result);
        }
        dims[last] = self.units;
        scope.add(ops::Reshape { shape: dims.iter().map(|dim| *dim as i64).collect() }, &[result])
    }
}
