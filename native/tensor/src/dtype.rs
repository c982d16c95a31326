use half::{bf16, f16};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Type of a tensor's elements: ONNX's numbers and truth values.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// 32-bit float.
    #[default]
    F32,
    /// 64-bit float.
    F64,
    /// 16-bit float of IEEE 754.
    F16,
    /// The upper 16 bits of a 32-bit float.
    BF16,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// False or true, one byte.
    Bool,
}

impl DType {
    /// All types.
    pub const ALL: [DType; 13] = [
        DType::F32,
        DType::F64,
        DType::F16,
        DType::BF16,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::U8,
        DType::U16,
        DType::U32,
        DType::U64,
        DType::Bool,
    ];

    /// Size of an element in bytes.
    pub fn size(self) -> usize {
        match self {
            DType::I8 | DType::U8 | DType::Bool => 1,
            DType::F16 | DType::BF16 | DType::I16 | DType::U16 => 2,
            DType::F32 | DType::I32 | DType::U32 => 4,
            DType::F64 | DType::I64 | DType::U64 => 8,
        }
    }

    /// True for the four float types.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64 | DType::F16 | DType::BF16)
    }

    /// True for the eight integer types.
    pub fn is_integer(self) -> bool {
        !self.is_float() && self != DType::Bool
    }

    /// Name as in safetensors, in lower case: `f32`, `bool`.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::F16 => "f16",
            DType::BF16 => "bf16",
            DType::I8 => "i8",
            DType::I16 => "i16",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::U8 => "u8",
            DType::U16 => "u16",
            DType::U32 => "u32",
            DType::U64 => "u64",
            DType::Bool => "bool",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number that holds any element without loss; what conversions go through.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wide {
    /// An element of a signed type, or a truth value.
    Int(i64),
    /// An element of an unsigned type.
    Uint(u64),
    /// An element of a float type.
    Float(f64),
}

impl Wide {
    /// Zero, or false.
    pub const ZERO: Wide = Wide::Int(0);

    fn is_zero(self) -> bool {
        match self {
            Wide::Int(x) => x == 0,
            Wide::Uint(x) => x == 0,
            Wide::Float(x) => x == 0.0,
        }
    }
}

/// A Rust type that is the element of a tensor.
pub trait Element:
    Copy + Default + PartialEq + PartialOrd + fmt::Debug + Send + Sync + 'static
{
    /// Its type.
    const DTYPE: DType;

    /// The least of all elements.
    fn lowest() -> Self;

    /// The greatest of all elements.
    fn highest() -> Self;

    /// This element as a number.
    fn wide(self) -> Wide;

    /// The number as an element, by ONNX's rules for `Cast`: floats round to the nearest (ties to
    /// even) and towards zero to integers, integers wrap around, floats beyond an integer type's
    /// range become its bounds (NaN 0), and everything but 0 is true.
    fn from_wide(wide: Wide) -> Self;
}

macro_rules! element {
    (@lowest $type:ty, Float) => { <$type>::NEG_INFINITY };
    (@lowest $type:ty, $wide:ident) => { <$type>::MIN };
    (@highest $type:ty, Float) => { <$type>::INFINITY };
    (@highest $type:ty, $wide:ident) => { <$type>::MAX };
    ($($type:ty, $dtype:ident, $wide:ident, $widest:ty;)*) => {$(
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;

            fn lowest() -> $type {
                element!(@lowest $type, $wide)
            }

            fn highest() -> $type {
                element!(@highest $type, $wide)
            }

            fn wide(self) -> Wide {
                Wide::$wide(self as $widest)
            }

            fn from_wide(wide: Wide) -> $type {
                match wide {
                    Wide::Int(x) => x as $type,
                    Wide::Uint(x) => x as $type,
                    Wide::Float(x) => x as $type,
                }
            }
        }
    )*};
}

element! {
    f32, F32, Float, f64;
    f64, F64, Float, f64;
    i8, I8, Int, i64;
    i16, I16, Int, i64;
    i32, I32, Int, i64;
    i64, I64, Int, i64;
    u8, U8, Uint, u64;
    u16, U16, Uint, u64;
    u32, U32, Uint, u64;
    u64, U64, Uint, u64;
}

macro_rules! half_element {
    ($($type:ty, $dtype:ident;)*) => {$(
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;

            fn lowest() -> $type {
                <$type>::NEG_INFINITY
            }

            fn highest() -> $type {
                <$type>::INFINITY
            }

            fn wide(self) -> Wide {
                Wide::Float(self.to_f64())
            }

            fn from_wide(wide: Wide) -> $type {
                <$type>::from_f64(match wide {
                    Wide::Int(x) => x as f64,
                    Wide::Uint(x) => x as f64,
                    Wide::Float(x) => x,
                })
            }
        }
    )*};
}

half_element! {
    f16, F16;
    bf16, BF16;
}

impl Element for bool {
    const DTYPE: DType = DType::Bool;

    fn lowest() -> bool {
        false
    }

    fn highest() -> bool {
        true
    }

    fn wide(self) -> Wide {
        Wide::Int(self.into())
    }

    fn from_wide(wide: Wide) -> bool {
        !wide.is_zero()
    }
}
