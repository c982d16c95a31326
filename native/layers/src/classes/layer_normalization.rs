use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Normalises along the last axis by mean and variance (Ba, Kiros and Hinton, 2016).
    ///
    /// `dst[…, i] = weight[i] · (src[…, i] − mean[…]) / √(variance[…] + epsilon) + bias[i]`
    ///
    /// Shapes: dst as src, weight and bias `[inputs]`, the last axis of src.
    LayerNormalization() {
        /// Added to the variance; above 0.
        epsilon: f64 = 0.001,
        /// Initial values of the bias.
        beta_initializer: Initializer = Initializer::Zeros,
        /// Initial values of the weight.
        gamma_initializer: Initializer = Initializer::Ones,
    }
}

impl Layer for LayerNormalization {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        let fault = if self.epsilon as f32 <= 0.0 {
            format!("epsilon {} is not above 0", self.epsilon)
        } else if shape.rank() == 0 {
            "expected at least one axis, got a scalar".into()
        } else {
            return Ok(shape.clone());
        };
        Err(Misfit::new(fault, "The default is epsilon 0.001."))
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let inputs = src[0].dims()[src[0].rank() - 1];
        let weight = |name, initializer: Initializer| Weight {
            name,
            shape: Shape::new(&[inputs]),
            kind: ParameterKind::Trainable,
            initializer: initializer.with(Fan { fan_in: inputs, fan_out: inputs }),
        };
        vec![weight("weight", self.gamma_initializer), weight("bias", self.beta_initializer)]
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let [weight, bias] = [scope.parameter("weight")?, scope.parameter("bias")?];
        let op = ops::LayerNormalization { axis: -1, epsilon: self.epsilon as f32 };
        Ok(scope.add_all(op, &[src[0], weight, bias])?[0])
    }
}
