//! Dropout.

use crate::error::expect_operands;
use crate::op::{Kernel, Op, RunContext};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::random::{Philox, Purpose, unit};

/// y = x · m / (1 − ratio) with m = 0 in a share `ratio` of the places, else 1; y = x when not
/// training (Srivastava et al.: "Dropout: a simple way to prevent neural networks from
/// overfitting", JMLR 2014). ONNX `Dropout`. Shapes: x any, y the same.
///
/// The mask depends on (seed, salt, step, shard, place) alone; the backward pass draws it again
/// instead of keeping it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dropout {
    /// Share of places that become 0, in [0, 1).
    pub ratio: f32,
    /// False passes the input through.
    pub training: bool,
    /// Number that tells this layer's masks from those of others.
    pub salt: u64,
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "Dropout"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            if !(0.0..1.0).contains(&self.ratio) {
                return Err(OpError::mismatch(
                    "a ratio in [0, 1)",
                    self.ratio.to_string(),
                    "Give the share of values to drop.",
                ));
            }
            Ok(vec![src[0].clone()])
        })
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            // The mask is linear, so its gradient is the same mask.
            let diff = if self.training { g.emit(self.clone(), &[diff])?[0] } else { diff };
            g.set(0, diff);
        }
        Ok(())
    }

    fn is_deterministic(&self) -> bool {
        !self.training || self.ratio == 0.0
    }

    fn passes_through(&self) -> bool {
        self.is_deterministic()
    }

    fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
        if !self.is_deterministic() { compiler.kernel(self.clone()) } else { compiler.alias() }
    }
}

impl Kernel for Dropout {
    fn run(&self, src: &[&[f32]], dst: &mut [&mut [f32]], run: &RunContext) {
        let seed = run.seed ^ self.salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let stream = Philox::new(seed, Purpose::Dropout, run.step, run.replica);
        let scale = 1.0 / (1.0 - self.ratio);
        for (block, (y, x)) in dst[0].chunks_mut(4).zip(src[0].chunks(4)).enumerate() {
            let words = stream.block(block as u64);
            for ((y, &x), word) in y.iter_mut().zip(x).zip(words) {
                *y = if unit(word) < self.ratio { 0.0 } else { x * scale };
            }
        }
    }

    fn depends_on_run(&self) -> bool {
        true
    }
}
