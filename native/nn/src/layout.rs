//! How the bytes of a value are arranged.

use crate::TensorType;
use onednn::{DataType, MemoryDesc};
use tensor::{DType, Shape};

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
        if md.data_type() == Some(DataType::F32) && md.is_plain() {
            Layout::Plain(Shape::new(&md.dims()).into())
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

    /// Type of the elements; oneDNN's layouts are of f32.
    pub fn dtype(&self) -> DType {
        match self {
            Layout::Plain(ty) => ty.dtype,
            Layout::Native(_) => DType::F32,
        }
    }

    /// Descriptor of this layout; a plain one takes the dimensions of `like` if that is native.
    pub fn descriptor(&self, like: &Layout) -> Result<MemoryDesc, onednn::Error> {
        match (self, like) {
            (Layout::Native(md), _) => Ok(md.clone()),
            (Layout::Plain(_), Layout::Native(md)) => MemoryDesc::plain(&md.dims(), DataType::F32),
            (Layout::Plain(ty), _) => plain(&ty.shape),
        }
    }
}

/// Row-major f32 descriptor; a scalar is one element.
pub(crate) fn plain(shape: &Shape) -> Result<MemoryDesc, onednn::Error> {
    let scalar = [1];
    let dims = if shape.rank() == 0 { &scalar } else { shape.dims() };
    MemoryDesc::plain(dims, DataType::F32)
}
