//! Bytes of a file as elements of a tensor.

use bytemuck::allocation::pod_collect_to_vec;
use tensor::{DType, Data};

/// Little-endian bytes, however they are aligned, as elements; a last, incomplete one is filled up
/// with zeros. Any byte but 0 is true.
pub(crate) fn elements(dtype: DType, bytes: &[u8]) -> Data {
    match dtype {
        DType::F32 => Data::F32(pod_collect_to_vec(bytes)),
        DType::F64 => Data::F64(pod_collect_to_vec(bytes)),
        DType::F16 => Data::F16(pod_collect_to_vec(bytes)),
        DType::BF16 => Data::BF16(pod_collect_to_vec(bytes)),
        DType::I8 => Data::I8(pod_collect_to_vec(bytes)),
        DType::I16 => Data::I16(pod_collect_to_vec(bytes)),
        DType::I32 => Data::I32(pod_collect_to_vec(bytes)),
        DType::I64 => Data::I64(pod_collect_to_vec(bytes)),
        DType::U8 => Data::U8(bytes.to_vec()),
        DType::U16 => Data::U16(pod_collect_to_vec(bytes)),
        DType::U32 => Data::U32(pod_collect_to_vec(bytes)),
        DType::U64 => Data::U64(pod_collect_to_vec(bytes)),
        DType::Bool => Data::Bool(bytes.iter().map(|&byte| byte != 0).collect()),
    }
}
