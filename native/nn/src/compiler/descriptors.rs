//! Descriptors of memory and of primitives, as an op asks for them.

use super::Compiler;
use crate::layout::{Layout, plain};
use crate::precision::Product;
use crate::{Error, TensorType};
use onednn::{DataType, MemoryDesc, PrimitiveDesc};
use tensor::Shape;

impl Compiler<'_> {
    /// The layout and element type in which source `i` arrives, as a descriptor with its shape's
    /// dimensions.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the descriptor cannot be made.
    pub fn src_descriptor(&self, i: usize) -> Result<MemoryDesc, Error> {
        let value = self.current().src[i];
        match &self.values[value.0][0].layout {
            Layout::Native(md) => Ok(md.clone()),
            Layout::Plain(ty) => {
                self.check(plain(&TensorType::new(ty.dtype, self.graph.shape(value).clone())))
            }
        }
    }

    /// Row-major f32 descriptor of these dimensions.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the descriptor cannot be made.
    pub fn plain(&self, shape: &Shape) -> Result<MemoryDesc, Error> {
        self.check(plain(&shape.clone().into()))
    }

    /// Descriptor of these dimensions, with elements like those of `like`, whose layout a primitive
    /// may choose.
    ///
    /// # Errors
    /// [`Error::Onednn`] if the descriptor cannot be made.
    pub fn any_like(&self, shape: &Shape, like: &MemoryDesc) -> Result<MemoryDesc, Error> {
        self.check(MemoryDesc::any(shape.dims(), like.data_type().unwrap_or(DataType::F32)))
    }

    /// Adds the node's name to an error of oneDNN.
    ///
    /// # Errors
    /// [`Error::Onednn`] for what failed.
    pub fn check<T>(&self, result: Result<T, onednn::Error>) -> Result<T, Error> {
        result.map_err(|source| Error::Onednn { node: self.current().name.clone(), source })
    }

    /// A primitive descriptor, or none if oneDNN has no implementation for this case.
    ///
    /// # Errors
    /// [`Error::Onednn`] for any other failure.
    pub fn offered(
        &self,
        result: Result<PrimitiveDesc, onednn::Error>,
    ) -> Result<Option<PrimitiveDesc>, Error> {
        match result {
            Ok(descriptor) => Ok(Some(descriptor)),
            Err(onednn::Error::Unimplemented { .. }) => Ok(None),
            Err(error) => self.check(Err(error)),
        }
    }

    /// [`Compiler::offered`] of a product whose first output is its result: in bf16 if the plan is,
    /// else or if there is no such primitive in f32.
    ///
    /// # Errors
    /// As [`Compiler::offered`].
    pub fn product(
        &self,
        describe: impl Fn(Product) -> Result<PrimitiveDesc, onednn::Error>,
    ) -> Result<Option<PrimitiveDesc>, Error> {
        if let Some(product) = self.half.product(self.current().dst[0])
            && let Some(descriptor) = self.offered(describe(product))?
        {
            return Ok(Some(descriptor));
        }
        self.offered(describe(Product::F32))
    }
}
