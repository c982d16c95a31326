use crate::Misfit;
use crate::layer::{Layer, Scope, layer, single};
use nn::{ValueId, ops};
use tensor::Shape;

layer! {
    /// Sets a random part of the values to 0 while training and scales the rest by
    /// `1 / (1 − rate)`; passes everything through otherwise (Srivastava et al., 2014).
    ///
    /// Shapes: dst as src. What is dropped depends on the seed of the training, the iteration, the
    /// shard, the name of the layer and the position, and on nothing else.
    Dropout(
        /// Part to drop; at least 0, below 1.
        rate: f64,
    ) {}
}

impl Layer for Dropout {
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit> {
        if !(0.0..1.0).contains(&self.rate) {
            return Err(Misfit::new(
                format!("rate {} is not in [0, 1)", self.rate),
                "Give the part of the values to drop, such as 0.5.",
            ));
        }
        single(src).cloned()
    }

    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        let dropout = ops::Dropout {
            ratio: self.rate as f32,
            training: scope.training(),
            salt: salt(scope.layer()),
            ..ops::Dropout::default()
        };
        scope.add(dropout, src)
    }
}

/// FNV-1a of the name, so that each layer of a model drops at places of its own.
fn salt(layer: &str) -> u64 {
    layer.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
