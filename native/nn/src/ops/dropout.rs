//! Dropout.

use crate::error::expect_operands;
use crate::op::{Kernel, Op, RunContext, TypedKernel};
use crate::tensor_type::float_types;
use crate::{Compiler, Error, Gradient, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::random::{BLOCKS, Philox, Purpose, unit};
use tensor::vectorized;
use tensor::{DType, View, ViewMut};

/// y = x · m / (1 − ratio) with m = 0 in a share `ratio` of the places, else 1; y = x when not
/// training (Srivastava et al.: "Dropout: a simple way to prevent neural networks from
/// overfitting", JMLR 2014). ONNX `Dropout`. Shapes: x any, y the same.
///
/// With `mask` there is a second result of Bool: true where x was kept.
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
    /// Give as second output which places were kept.
    pub mask: bool,
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "Dropout"
    }

    fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
        let mut types = float_types(src, |src| {
            expect_operands(src, 1..=1)?;
            if !(0.0..1.0).contains(&self.ratio) {
                return Err(OpError::mismatch(
                    "a ratio in [0, 1)",
                    self.ratio.to_string(),
                    "Give the share of values to drop.",
                ));
            }
            Ok(vec![src[0].clone()])
        })?;
        if self.mask {
            types.push(TensorType { dtype: DType::Bool, ..types[0].clone() });
        }
        Ok(types)
    }

    fn differentiate(&self, g: &mut Gradient<'_>) -> Result<(), Error> {
        if let (Some(diff), true) = (g.diff_dst(0), g.needs(0)) {
            // The mask is linear, so its gradient is the same mask.
            let same = Dropout { mask: false, ..self.clone() };
            let diff = if self.training { g.emit(same, &[diff])?[0] } else { diff };
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
        match (self.mask, self.is_deterministic()) {
            (true, _) => compiler.typed_kernel(Masked(self.clone())),
            (false, true) => compiler.alias(),
            (false, false) => compiler.kernel(self.clone()),
        }
    }
}

impl Dropout {
    /// The numbers that places are dropped by.
    fn stream(&self, run: &RunContext) -> Philox {
        let seed = run.seed ^ self.salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Philox::new(seed, Purpose::Dropout, run.step, run.replica)
    }
}

impl Kernel for Dropout {
    fn run(&self, src: &[&[f32]], dst: &mut [&mut [f32]], run: &RunContext) {
        let stream = self.stream(run);
        drop(&stream, self.ratio, src[0], dst[0]);
    }

    fn depends_on_run(&self) -> bool {
        true
    }
}

/// A dropout that gives its mask too.
struct Masked(Dropout);

impl TypedKernel for Masked {
    fn run(
        &self,
        src: &[View<'_>],
        dst: &mut [ViewMut<'_>],
        run: &RunContext,
    ) -> Result<(), OpError> {
        let [y, mask] = dst else { return Ok(()) };
        let (x, y, mask) = (src[0].get::<f32>()?, y.get::<f32>()?, mask.get::<bool>()?);
        let ratio = if self.0.is_deterministic() { 0.0 } else { self.0.ratio };
        let stream = self.0.stream(run);
        for (block, mask) in mask.chunks_mut(4).enumerate() {
            let words = stream.block(block as u64);
            mask.iter_mut().zip(words).for_each(|(kept, word)| *kept = unit(word) >= ratio);
        }
        let scale = 1.0 / (1.0 - ratio);
        for ((y, &x), &kept) in y.iter_mut().zip(x).zip(&*mask) {
            *y = if kept { x * scale } else { 0.0 };
        }
        Ok(())
    }

    fn depends_on_run(&self) -> bool {
        !self.0.is_deterministic()
    }
}

vectorized! {
    /// Word w of block b of the stream decides about place 4·b + w.
    fn drop(stream: &Philox, ratio: f32, x: &[f32], y: &mut [f32]) {
        let scale = 1.0 / (1.0 - ratio);
        let chunks = y.chunks_mut(4 * BLOCKS).zip(x.chunks(4 * BLOCKS));
        for (chunk, (y, x)) in chunks.enumerate() {
            let words = stream.blocks((chunk * BLOCKS) as u64);
            let mut factors = [0.0; 4 * BLOCKS];
            for (block, factors) in factors.chunks_exact_mut(4).enumerate() {
                for (factor, words) in factors.iter_mut().zip(&words) {
                    *factor = if unit(words[block]) < ratio { 0.0 } else { scale };
                }
            }
            for ((y, x), factor) in y.iter_mut().zip(x).zip(factors) {
                // A NaN that is dropped is dropped too.
                *y = if factor == 0.0 { 0.0 } else { x * factor };
            }
        }
    }
}
