//! Element types.

use onednn_sys::constants as c;
use std::fmt;

/// Type of one element of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataType {
    /// 32-bit float.
    F32,
    /// bfloat16: the upper half of an f32.
    Bf16,
    /// IEEE 16-bit float.
    F16,
    /// 32-bit signed integer.
    S32,
    /// 8-bit signed integer.
    S8,
    /// 8-bit unsigned integer.
    U8,
}

impl DataType {
    /// Size of one element in bytes.
    pub const fn size_bytes(self) -> usize {
        match self {
            DataType::F32 | DataType::S32 => 4,
            DataType::Bf16 | DataType::F16 => 2,
            DataType::S8 | DataType::U8 => 1,
        }
    }

    pub(crate) const fn raw(self) -> i32 {
        match self {
            DataType::F32 => c::F32,
            DataType::Bf16 => c::BF16,
            DataType::F16 => c::F16,
            DataType::S32 => c::S32,
            DataType::S8 => c::S8,
            DataType::U8 => c::U8,
        }
    }

    /// The type of this number; `None` for one that this crate does not use.
    pub(crate) const fn from_raw(raw: i32) -> Option<DataType> {
        Some(match raw {
            c::F32 => DataType::F32,
            c::BF16 => DataType::Bf16,
            c::F16 => DataType::F16,
            c::S32 => DataType::S32,
            c::S8 => DataType::S8,
            c::U8 => DataType::U8,
            _ => return None,
        })
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DataType::F32 => "f32",
            DataType::Bf16 => "bf16",
            DataType::F16 => "f16",
            DataType::S32 => "s32",
            DataType::S8 => "s8",
            DataType::U8 => "u8",
        })
    }
}
