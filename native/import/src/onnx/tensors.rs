//! `TensorProto` and tensors, both ways; external data.

use super::Error;
use super::proto::{TensorProto, tensor_proto};
use crate::elements::elements;
use bytes::Bytes;
use prost::Message;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use tensor::{DType, Data, Element, Tensor, bf16, f16, for_dtype};

/// ONNX's number of a type.
pub(super) fn code(dtype: DType) -> i32 {
    use tensor_proto::DataType;
    (match dtype {
        DType::F32 => DataType::Float,
        DType::F64 => DataType::Double,
        DType::F16 => DataType::Float16,
        DType::BF16 => DataType::Bfloat16,
        DType::I8 => DataType::Int8,
        DType::I16 => DataType::Int16,
        DType::I32 => DataType::Int32,
        DType::I64 => DataType::Int64,
        DType::U8 => DataType::Uint8,
        DType::U16 => DataType::Uint16,
        DType::U32 => DataType::Uint32,
        DType::U64 => DataType::Uint64,
        DType::Bool => DataType::Bool,
    }) as i32
}

/// The type of ONNX's number; none for strings, complex numbers and types below a byte.
pub(super) fn dtype(code: i32) -> Option<DType> {
    DType::ALL.into_iter().find(|&dtype| self::code(dtype) == code)
}

/// ONNX's name of a type, for messages.
pub(super) fn type_name(code: i32) -> String {
    let known = tensor_proto::DataType::try_from(code).ok();
    known.map_or_else(|| format!("type {code}"), |known| known.as_str_name().to_lowercase())
}

/// Reads the tensor of a message; external data is looked for in `folder`.
///
/// # Errors
/// [`Error::Tensor`] if the elements do not fit the dimensions or are of a type that [`DType`]
/// does not have, [`Error::File`] if external data cannot be read.
pub(super) fn read(proto: &TensorProto, folder: Option<&Path>) -> Result<Tensor, Error> {
    let name = || proto.name().to_owned();
    let fail = |problem: String| Error::Tensor { name: name(), problem };
    let dtype = dtype(proto.data_type()).ok_or_else(|| {
        fail(format!("elements of type {} are not supported", type_name(proto.data_type())))
    })?;
    let dims = dims(proto).map_err(fail)?;
    let len: usize = dims.iter().product();
    let data = if proto.data_location() == tensor_proto::DataLocation::External {
        let bytes = external(proto, folder, len * dtype.size())?;
        elements(dtype, &bytes)
    } else if let Some(raw) = &proto.raw_data {
        if raw.len() != len * dtype.size() {
            return Err(fail(format!("expected {} bytes, got {}", len * dtype.size(), raw.len())));
        }
        elements(dtype, raw)
    } else {
        typed(proto, dtype)
    };
    Tensor::new(dims, data).map_err(|error| fail(error.to_string()))
}

/// Reads the bytes of a message that holds one tensor, as ONNX's test data does.
///
/// # Errors
/// As [`read`], and [`Error::Malformed`] if the bytes are no such message.
pub fn read_bytes(bytes: impl Into<Bytes>) -> Result<Tensor, Error> {
    let proto = TensorProto::decode(bytes.into());
    read(&proto.map_err(|error| Error::Malformed(error.to_string()))?, None)
}

/// Dimensions whose product is far from overflow.
fn dims(proto: &TensorProto) -> Result<Vec<usize>, String> {
    let dims: Option<Vec<usize>> = proto.dims.iter().map(|&dim| dim.try_into().ok()).collect();
    let dims = dims.filter(|dims| {
        // Zeros are left out: what multiplies to nothing may still overflow on the way.
        let bytes = dims.iter().filter(|&&dim| dim > 0).try_fold(8usize, |n, &d| n.checked_mul(d));
        bytes.is_some_and(|bytes| bytes < isize::MAX as usize)
    });
    dims.ok_or_else(|| format!("dimensions {:?} are none", proto.dims))
}

/// The elements of the field that ONNX has for a type.
fn typed(proto: &TensorProto, dtype: DType) -> Data {
    fn of<T: Copy + Into<i64>>(field: &[T], dtype: DType) -> Data {
        for_dtype!(dtype, T => Data::from(
            field.iter().map(|&x| T::from_wide(tensor::Wide::Int(x.into()))).collect::<Vec<T>>()
        ))
    }
    match dtype {
        DType::F32 => Data::F32(proto.float_data.clone()),
        DType::F64 => Data::F64(proto.double_data.clone()),
        DType::F16 => {
            Data::F16(proto.int32_data.iter().map(|&x| f16::from_bits(x as u16)).collect())
        }
        DType::BF16 => {
            Data::BF16(proto.int32_data.iter().map(|&x| bf16::from_bits(x as u16)).collect())
        }
        DType::I64 => Data::I64(proto.int64_data.clone()),
        DType::U32 => Data::U32(proto.uint64_data.iter().map(|&x| x as u32).collect()),
        DType::U64 => Data::U64(proto.uint64_data.clone()),
        _ => of(&proto.int32_data, dtype),
    }
}

/// Bytes of another file, which lies beside the model's or below its folder.
fn external(proto: &TensorProto, folder: Option<&Path>, len: usize) -> Result<Vec<u8>, Error> {
    let fail = |problem: String| Error::Tensor { name: proto.name().to_owned(), problem };
    let field = |key: &str| {
        proto.external_data.iter().find(|entry| entry.key() == key).map(|entry| entry.value())
    };
    let number = |key: &str| match field(key) {
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            fail(format!("external data: expected a number of bytes as {key}, got {text}"))
        }),
        None => Ok(None),
    };
    let folder = folder.ok_or_else(|| fail("external data of a model without a file".into()))?;
    let location = Path::new(field("location").unwrap_or_default());
    let inside = location.components().all(|part| matches!(part, Component::Normal(_)));
    if !inside || location.as_os_str().is_empty() {
        return Err(fail(format!(
            "external data: expected a path below the model's folder, got \"{}\"",
            location.display()
        )));
    }
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    if length.is_some_and(|length| length != len as u64) {
        return Err(fail(format!("external data: expected {len} bytes, got {length:?}")));
    }
    let path = folder.join(location);
    let read = || -> std::io::Result<Vec<u8>> {
        // A link could lead out of the folder.
        let (real, root) = (path.canonicalize()?, root(folder).canonicalize()?);
        if !real.starts_with(root) {
            return Err(std::io::Error::other("the file lies outside the model's folder"));
        }
        let mut file = File::open(&real)?;
        let size = file.metadata()?.len();
        if offset.checked_add(len as u64).is_none_or(|end| end > size) {
            let expected = format!("expected {len} bytes at {offset}, the file has {size}");
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, expected));
        }
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| Error::File { path: path.clone(), source })
}

/// The folder itself; an empty path means the current one.
fn root(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.into() }
}

/// The message of a tensor, its elements as raw bytes.
pub(super) fn write(name: &str, tensor: &Tensor) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: tensor.dims().iter().map(|&dim| dim as i64).collect(),
        data_type: Some(code(tensor.dtype())),
        raw_data: Some(Bytes::copy_from_slice(tensor.view().bytes())),
        ..TensorProto::default()
    }
}
