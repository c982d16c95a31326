//! How the bytes of a value are arranged.

use crate::TensorType;
use onednn::{DataType, MemoryDesc};
use tensor::DType;

/// Row-major, or whatever oneDNN chose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layout {
    /// Row-major elements of this type and shape.
    Plain(TensorType),
    /// A blocked or opaque layout of oneDNN.
    Native(MemoryDesc),
}

impl Layout {
    /// The layout of a descriptor; plain ones are recognised, so that views of the same bytes
    /// under other dimensions need no reorder.
    pub fn of(md: &MemoryDesc) -> Layout {
        let known = matches!(md.data_type(), Some(DataType::F32 | DataType::Bf16));
        if known && md.is_plain() {
            Layout::Plain(TensorType::new(elements(md), md.dims()))
        } else {
            Layout::Native(md.clone())
        }
    }

    /// True if the same bytes serve both.
    pub fn same(&self, other: &Layout) -> bool {
        match (self, other) {
            (Layout::Plain(a), Layout::Plain(b)) => a.dtype == b.dtype && a.bytes() == b.bytes(),
            (Layout::Native(a), Layout::Native(b)) => a == b,
            _ => false,
        }
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Layout::Plain(ty) => ty.bytes(),
            Layout::Native(md) => md.bytes(),
        }
    }

    /// Type of the elements; f32 for what only oneDNN understands.
    pub fn dtype(&self) -> DType {
        match self {
            Layout::Plain(ty) => ty.dtype,
            Layout::Native(md) => elements(md),
        }
    }

    /// Descriptor of this layout; a plain one takes the dimensions of `like` if that is native, else
    /// one for all elements.
    pub fn descriptor(&self, like: &Layout) -> Result<MemoryDesc, onednn::Error> {
        match (self, like) {
            (Layout::Native(md), _) => Ok(md.clone()),
            (Layout::Plain(ty), Layout::Native(md)) => {
                MemoryDesc::plain(&md.dims(), data_type(ty.dtype))
            }
            (Layout::Plain(ty), Layout::Plain(_)) => {
                MemoryDesc::plain(&[ty.shape.len()], data_type(ty.dtype))
            }
        }
    }
}

/// Row-major descriptor; a scalar is one element.
pub(crate) fn plain(ty: &TensorType) -> Result<MemoryDesc, onednn::Error> {
    let scalar = [1];
    let dims = if ty.shape.rank() == 0 { &scalar } else { ty.dims() };
    MemoryDesc::plain(dims, data_type(ty.dtype))
}

/// Type of a descriptor's elements; f32 for what only oneDNN understands.
pub(crate) fn elements(md: &MemoryDesc) -> DType {
    if md.data_type() == Some(DataType::Bf16) { DType::BF16 } else { DType::F32 }
}

fn data_type(dtype: DType) -> DataType {
    if dtype == DType::BF16 { DataType::Bf16 } else { DataType::F32 }
}
