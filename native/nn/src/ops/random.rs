//! Tensors of random numbers.

use crate::error::expect_operands;
use crate::op::{Op, RunContext, TypedKernel};
use crate::{Compiler, Error, OpError, TensorType};
use serde::{Deserialize, Serialize};
use tensor::random::{Philox, Purpose};
use tensor::{DType, Element, View, ViewMut, Wide, for_dtype};

/// y = numbers between `low` and `high`, all equally likely. ONNX `RandomUniform`. Shapes: no source;
/// y `shape`.
///
/// The numbers depend on (seed, salt, step, shard, place) alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomUniform {
    /// Lower bound, which is reached.
    pub low: f32,
    /// Upper bound, which is not reached.
    pub high: f32,
    /// The dimensions.
    pub shape: Vec<usize>,
    /// Type of the numbers, a float.
    pub dtype: DType,
    /// Number that tells these numbers from those of other ops.
    pub salt: u64,
}

impl Default for RandomUniform {
    fn default() -> RandomUniform {
        RandomUniform { low: 0.0, high: 1.0, shape: vec![], dtype: DType::F32, salt: 0 }
    }
}

/// y = numbers of the normal distribution around `mean` with standard deviation `scale`. ONNX
/// `RandomNormal`. Shapes: no source; y `shape`.
///
/// The numbers depend on (seed, salt, step, shard, place) alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomNormal {
    /// Mean.
    pub mean: f32,
    /// Standard deviation, at least 0.
    pub scale: f32,
    /// The dimensions.
    pub shape: Vec<usize>,
    /// Type of the numbers, a float.
    pub dtype: DType,
    /// Number that tells these numbers from those of other ops.
    pub salt: u64,
}

impl Default for RandomNormal {
    fn default() -> RandomNormal {
        RandomNormal { mean: 0.0, scale: 1.0, shape: vec![], dtype: DType::F32, salt: 0 }
    }
}

impl RandomUniform {
    const NAME: &'static str = "RandomUniform";

    fn number(&self, stream: &Philox, place: u64) -> f32 {
        self.low + (self.high - self.low) * stream.uniform(place)
    }
}

impl RandomNormal {
    const NAME: &'static str = "RandomNormal";

    fn number(&self, stream: &Philox, place: u64) -> f32 {
        self.mean + self.scale * stream.normal(place)
    }
}

macro_rules! random {
    ($($op:ident)*) => {$(
        impl Op for $op {
            fn name(&self) -> &'static str {
                $op::NAME
            }

            fn infer(&self, src: &[&TensorType]) -> Result<Vec<TensorType>, OpError> {
                expect_operands(src, 0..=0)?;
                if !self.dtype.is_float() {
                    let got = self.dtype.name().to_string();
                    return Err(OpError::mismatch("a float type", got, "Cast the numbers later."));
                }
                Ok(vec![TensorType::new(self.dtype, &self.shape[..])])
            }

            fn is_deterministic(&self) -> bool {
                false
            }

            fn compile(&self, compiler: &mut Compiler<'_>) -> Result<(), Error> {
                compiler.typed_kernel(self.clone())
            }
        }

        impl TypedKernel for $op {
            fn run(
                &self,
                _: &[View<'_>],
                dst: &mut [ViewMut<'_>],
                run: &RunContext,
            ) -> Result<(), OpError> {
                let seed = run.seed ^ self.salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let stream = Philox::new(seed, Purpose::Noise, run.step, run.replica);
                for_dtype!(self.dtype, T => {
                    for (place, y) in dst[0].get::<T>()?.iter_mut().enumerate() {
                        let number = self.number(&stream, place as u64);
                        *y = T::from_wide(Wide::Float(number.into()));
                    }
                });
                Ok(())
            }

            fn depends_on_run(&self) -> bool {
                true
            }
        }
    )*};
}

random!(RandomUniform RandomNormal);
