//! Padding of images before a window slides over them.

use crate::argument::{Argument, Kind};
use serde_json::Value;

/// How many zeros surround an image before a kernel or a pool slides over it.
///
/// `same` follows Keras: `dst = ceil(src / stride)`, and where the number of rows (columns) to add
/// is odd the extra one goes to the bottom (right). With a stride above 1 that is not the
/// symmetric padding of PyTorch; give the four sides for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// No padding.
    #[default]
    Valid,
    /// As much as makes `dst = ceil(src / stride)`.
    Same,
    /// These numbers of rows and columns.
    Explicit {
        /// Rows above.
        top: usize,
        /// Columns on the left.
        left: usize,
        /// Rows below.
        bottom: usize,
        /// Columns on the right.
        right: usize,
    },
}

impl Padding {
    /// The same number of rows and columns on all four sides, PyTorch's `padding=size`.
    pub fn all(size: usize) -> Self {
        Self::Explicit { top: size, left: size, bottom: size, right: size }
    }
}

impl Argument for Padding {
    const KIND: Kind = Kind::Padding;

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(name) if name == "valid" => Some(Self::Valid),
            Value::String(name) if name == "same" => Some(Self::Same),
            Value::Array(sides) => {
                let sides: Vec<usize> = sides
                    .iter()
                    .map(|side| side.as_u64().filter(|rows| *rows <= i32::MAX as u64))
                    .map(|side| side.map(|rows| rows as usize))
                    .collect::<Option<_>>()?;
                let [top, left, bottom, right] = sides.try_into().ok()?;
                Some(Self::Explicit { top, left, bottom, right })
            }
            _ => None,
        }
    }

    fn write(&self) -> Value {
        match *self {
            Self::Valid => Value::from("valid"),
            Self::Same => Value::from("same"),
            Self::Explicit { top, left, bottom, right } => {
                Value::from(vec![top, left, bottom, right])
            }
        }
    }
}
