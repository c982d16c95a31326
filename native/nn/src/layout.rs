//! How the bytes of a value are arranged.

use onednn::{DataType, MemoryDesc};
use tensor::Shape;

/// Row-major f32, or whatever oneDNN chose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layout {
    /// Row-major f32 of this shape.
    Plain(Shape),
    /// A blocked or opaque layout of oneDNN.
    Native(MemoryDesc),
}

impl Layout {
    /// The layout of a descriptor; plain ones are recognised, so that views of the same bytes
    /// under other dimensions need no reorder.
    pub fn of(md: &MemoryDesc) -> Layout {
        if md.data_type() == Some(DataType::F32) && md.is_plain() {
            Layout::Plain(Shape::new(&md.dims()))
        } else {
            Layout::Native(md.clone())
        }
    }

    /// True if the same bytes serve both.
    pub fn same(&self, other: &Layout) -> bool {
        match (self, other) {
            (Layout::Plain(a), Layout::Plain(b)) => a.len() == b.len(),
            (Layout::Native(a), Layout::Native(b)) => a == b,
            _ => false,
        }
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Layout::Plain(shape) => shape.bytes(),
            Layout::Native(md) => md.bytes(),
        }
    }

    /// Descriptor of this layout; a plain one takes the dimensions of `like` if that is native.
    pub fn descriptor(&self, like: &Layout) -> Result<MemoryDesc, onednn::Error> {
        match (self, like) {
            (Layout::Native(md), _) => Ok(md.clone()),
            (Layout::Plain(_), Layout::Native(md)) => MemoryDesc::plain(&md.dims(), DataType::F32),
            (Layout::Plain(shape), _) => plain(shape),
        }
    }
}

/// Row-major f32 descriptor; a scalar is one element.
pub(crate) fn plain(shape: &Shape) -> Result<MemoryDesc, onednn::Error> {
    let scalar = [1];
    let dims = if shape.rank() == 0 { &scalar } else { shape.dims() };
    MemoryDesc::plain(dims, DataType::F32)
}
