use crate::layer::{Layer, Scope, Weight, layer, single};
use crate::settings::Fan;
use crate::{Initializer, Misfit};
use nn::{ParameterKind, ValueId, ops};
use tensor::Shape;

layer! {
    /// Normalises each channel by mean and variance (Ioffe and Szegedy, 2015).
    ///
    /// `dst[c, …] = weight[c] · (src[c, …] − mean[c]) / √(variance[c] + epsilon) + bias[c]`
    ///
    /// While training, mean and variance are those of the shard's part of the batch, and the
    /// running statistics move: `running = momentum · running + (1 − momentum) · batch`. Otherwise
    /// they are the running statistics.
    ///
    /// Shapes: dst as src, channels first; weight, bias, running_mean, running_var `[channels]`.
    BatchNormalization() {
        /// Part of the running statistics that stays at each iteration; from 0 to 1.
        momentum: f64 = 0.99,
        /// Added to the variance; above 0.
        epsilon: f64 = 0.001,
        /// Whether the bias is trained; else it stays as it is.
        center: bool = true,
        /// Whether the weight is trained; else it stays as it is.
        scale: bool = true,
        /// Initial values of the bias.
        beta_initializer: Initializer = Initializer::Zeros,
        /// Initial values of the weight.
        gamma_initializer: Initializer = Initializer::Ones,
        /// Initial values of the running mean.
        moving_mean_initializer: Initializer = Initializer::Zeros,
        /// Initial values of the running variance.
        moving_variance_initializer: Initializer = Initializer::Ones,
    }
}

impl Layer for BatchNormalization {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        let shape = single(src)?;
        let fault = if !(0.0..=1.0).contains(&self.momentum) {
            format!("momentum {} is not in [0, 1]", self.momentum)
        } else if self.epsilon as f32 <= 0.0 {
            format!("epsilon {} is not above 0", self.epsilon)
        } else if shape.rank() == 0 {
            "expected at least one axis, got a scalar".into()
        } else {
            return Ok(shape.clone());
        };
        Err(Misfit::new(fault, "The defaults are momentum 0.99 and epsilon 0.001."))
    }

    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let channels = src[0].dims()[0];
        let learned = |trainable| {
            if trainable { ParameterKind::Trainable } else { ParameterKind::Frozen }
        };
        [
            ("weight", learned(self.scale), self.gamma_initializer),
            ("bias", learned(self.center), self.beta_initializer),
            ("running_mean", ParameterKind::Statistic, self.moving_mean_initializer),
            ("running_var", ParameterKind::Statistic, self.moving_variance_initializer),
        ]
        .into_iter()
        .map(|(name, kind, initializer)| Weight {
            name,
            shape: Shape::new(&[channels]),
            kind,
            initializer: initializer.with(Fan { fan_in: channels, fan_out: channels }),
        })
        .collect()
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let [weight, bias] = [scope.parameter("weight")?, scope.parameter("bias")?];
        let [mean, variance] = [scope.parameter("running_mean")?, scope.parameter("running_var")?];
        let normalization = ops::BatchNormalization {
            epsilon: self.epsilon as f32,
            momentum: self.momentum as f32,
            training: scope.training(),
        };
        let dst = scope.add_all(normalization, &[src[0], weight, bias, mean, variance])?;
        if scope.training() {
            scope.update(mean, dst[1]);
            scope.update(variance, dst[2]);
        }
        Ok(dst[0])
    }
}
