//! NumPy's arrays: `.npy` holds one, `.npz` (a zip archive of them) holds several by name.
//!
//! The archive is the work of the crate `zip`; the header of an array is a line of text, so it is
//! read and written here.

use crate::elements::elements;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use tensor::{DType, Shape, Tensor};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Why an array could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The archive is damaged or none.
    #[error("{0}. Write it with numpy.savez")]
    Archive(#[from] zip::result::ZipError),
    /// An entry of the archive is no array that a tensor can hold.
    #[error("array \"{name}\": {problem}")]
    Array {
        /// Name of the array; empty in a `.npy` file.
        name: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
}

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read; NumPy's own limit.
const LONGEST_HEADER: usize = 10_000;

/// The arrays of a `.npz` file in the order of the archive.
///
/// # Errors
/// [`Error`] if the file cannot be read or an array is of a type that [`DType`] does not have.
pub fn read(path: &Path) -> Result<Vec<(String, Tensor)>, Error> {
    read_from(BufReader::new(File::open(path)?))
}

/// The arrays of a `.npz` archive.
///
/// # Errors
/// As [`read`].
pub fn read_from(archive: impl Read + Seek) -> Result<Vec<(String, Tensor)>, Error> {
    let mut archive = ZipArchive::new(archive)?;
    let mut arrays = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i)?;
        let name = entry.name()?;
        let name = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
        let tensor = read_array(entry)
            .map_err(|problem| Error::Array { name: name.clone(), problem: problem.to_string() })?;
        arrays.push((name, tensor));
    }
    Ok(arrays)
}

/// Writes arrays as a `.npz` file, uncompressed as `numpy.savez` does.
///
/// # Errors
/// [`Error`] if the file cannot be written.
pub fn write<'a>(
    path: &Path,
    arrays: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
) -> Result<(), Error> {
    let mut archive = ZipWriter::new(BufWriter::new(File::create(path)?));
    for (name, tensor) in arrays {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(tensor.len() * tensor.dtype().size() > u32::MAX as usize / 2);
        archive.start_file(format!("{name}.npy"), options)?;
        write_array(&mut archive, tensor)?;
    }
    archive.finish()?.flush()?;
    Ok(())
}

/// Reads one `.npy` array.
///
/// # Errors
/// [`std::io::Error`] of kind `InvalidData` that says what is wrong.
pub fn read_array(mut from: impl Read) -> std::io::Result<Tensor> {
    let mut start = [0; 10];
    from.read_exact(&mut start)?;
    if &start[..6] != MAGIC {
        return Err(invalid("expected an array of NumPy, got other bytes"));
    }
    let mut length = u16::from_le_bytes([start[8], start[9]]) as usize;
    if start[6] > 1 {
        let mut more = [0; 2];
        from.read_exact(&mut more)?;
        length |= (u16::from_le_bytes(more) as usize) << 16;
    }
    if length > LONGEST_HEADER {
        return Err(invalid(format!("expected a header of {LONGEST_HEADER} bytes, got {length}")));
    }
    let mut header = vec![0; length];
    from.read_exact(&mut header)?;
    let header = Header::parse(&String::from_utf8_lossy(&header))?;
    let bytes = header.bytes()?;
    let mut content = Vec::new();
    from.take(bytes as u64).read_to_end(&mut content)?;
    if content.len() != bytes {
        return Err(invalid(format!("expected {bytes} bytes, got {}", content.len())));
    }
    header.tensor(content)
}

/// Writes one `.npy` array: version 1, little-endian, row-major.
///
/// # Errors
/// [`std::io::Error`] of the writer.
pub fn write_array(mut to: impl Write, tensor: &Tensor) -> std::io::Result<()> {
    let dims: String = tensor.dims().iter().map(|dim| format!("{dim}, ")).collect();
    let dims = if tensor.dims().len() == 1 { dims.trim_end() } else { dims.trim_end_matches(", ") };
    let descr = descr(tensor.dtype());
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    // Magic, version, length, header and the line feed fill whole blocks of 64 bytes.
    let padded = (header.len() + 11).next_multiple_of(64) - 11;
    header.extend(std::iter::repeat_n(' ', padded - header.len()));
    header.push('\n');
    to.write_all(MAGIC)?;
    to.write_all(&[1, 0])?;
    to.write_all(&(header.len() as u16).to_le_bytes())?;
    to.write_all(header.as_bytes())?;
    to.write_all(tensor.view().bytes())
}

/// NumPy's name of a type. bfloat16 has none there: its bytes are written as the raw type `V2`,
/// as `ml_dtypes` does.
fn descr(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "<f4",
        DType::F64 => "<f8",
        DType::F16 => "<f2",
        DType::BF16 => "<V2",
        DType::I8 => "|i1",
        DType::I16 => "<i2",
        DType::I32 => "<i4",
        DType::I64 => "<i8",
        DType::U8 => "|u1",
        DType::U16 => "<u2",
        DType::U32 => "<u4",
        DType::U64 => "<u8",
        DType::Bool => "|b1",
    }
}

/// What the header of an array says.
struct Header {
    dtype: DType,
    big_endian: bool,
    column_major: bool,
    dims: Vec<usize>,
}

impl Header {
    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
    fn parse(text: &str) -> std::io::Result<Header> {
        let value = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let missing = |key: &str| invalid(format!("the header has no {key}"));
        let name = value("descr").ok_or_else(|| missing("descr"))?;
        let name = name.strip_prefix('\'').and_then(|n| n.split_once('\'')).map(|n| n.0);
        let name = name.ok_or_else(|| invalid("arrays of records are not read"))?;
        let plain = name.trim_start_matches(['<', '>', '|', '=']);
        let dtype = DType::ALL.into_iter().find(|&dtype| descr(dtype)[1..] == *plain);
        let dtype = dtype.ok_or_else(|| {
            invalid(format!("elements of type {name} are not read. Convert them with astype"))
        })?;
        let order = value("fortran_order").ok_or_else(|| missing("fortran_order"))?;
        let shape = value("shape").ok_or_else(|| missing("shape"))?;
        let shape = shape.strip_prefix('(').and_then(|s| s.split_once(')')).map(|s| s.0);
        let dims = shape.ok_or_else(|| missing("shape"))?;
        let dims = dims.split(',').map(str::trim).filter(|dim| !dim.is_empty());
        let dims = dims.map(|dim| dim.trim_end_matches('L').parse::<usize>().ok());
        Ok(Header {
            dtype,
            big_endian: name.starts_with('>'),
            column_major: order.starts_with("True"),
            dims: dims.collect::<Option<_>>().ok_or_else(|| missing("shape of whole numbers"))?,
        })
    }

    fn bytes(&self) -> std::io::Result<usize> {
        let size = self.dtype.size();
        let bytes = self.dims.iter().try_fold(size, |n, &dim| n.checked_mul(dim));
        bytes.filter(|&n| n < isize::MAX as usize).ok_or_else(|| invalid("the shape is too large"))
    }

    fn tensor(self, mut content: Vec<u8>) -> std::io::Result<Tensor> {
        if self.big_endian {
            content.chunks_exact_mut(self.dtype.size()).for_each(<[u8]>::reverse);
        }
        if self.column_major {
            content = self.row_major(&content);
        }
        Tensor::new(self.dims, elements(self.dtype, &content)).map_err(invalid)
    }

    /// Reorders the elements of an array whose first dimension is the fastest.
    fn row_major(&self, content: &[u8]) -> Vec<u8> {
        let size = self.dtype.size();
        let reversed: Vec<usize> = self.dims.iter().rev().copied().collect();
        let mut strides = Shape::from(reversed).strides();
        strides.reverse();
        let mut place = vec![0; self.dims.len()];
        let mut sorted = Vec::with_capacity(content.len());
        for _ in 0..content.len() / size {
            let from: usize = place.iter().zip(&strides).map(|(i, s)| i * s).sum();
            sorted.extend_from_slice(&content[from * size..][..size]);
            for (i, &dim) in place.iter_mut().zip(&self.dims).rev() {
                *i = (*i + 1) % dim;
                if *i > 0 {
                    break;
                }
            }
        }
        sorted
    }
}

fn invalid(problem: impl ToString) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, problem.to_string())
}
