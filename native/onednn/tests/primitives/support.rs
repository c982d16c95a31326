//! Loading, tensors, and running one primitive.

use onednn::{Attr, Bound, DataType, MemoryDesc, Primitive, PrimitiveDesc, arg, ops::reorder};
use std::path::PathBuf;
use std::sync::Arc;
use tensor::{Buffer, SharedSlice};

/// Path of the library under test.
pub fn library_path() -> PathBuf {
    std::env::var_os("FIRESTEEL_ONEDNN").map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../../target/native/linux-x86_64/libdnnl.so.3")
        },
        PathBuf::from,
    )
}

/// Loads the library; false (with a printed line) if it is not there.
pub fn ready() -> bool {
    let path = library_path();
    if !path.exists() {
        let required = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!required, "{} is missing. Run make native", path.display());
        println!("skipped: {} is missing. Run make native", path.display());
        return false;
    }
    onednn::load(&path).unwrap();
    true
}

/// A described tensor with its memory.
#[derive(Clone)]
pub struct Tensor {
    pub md: MemoryDesc,
    pub slice: SharedSlice,
}

pub fn plain(dims: &[usize]) -> MemoryDesc {
    MemoryDesc::plain(dims, DataType::F32).unwrap()
}

pub fn any(dims: &[usize]) -> MemoryDesc {
    MemoryDesc::any(dims, DataType::F32).unwrap()
}

impl Tensor {
    /// Memory of this layout, filled with NaN to show that nothing reads it before it is written.
    pub fn new(md: MemoryDesc) -> Tensor {
        let bytes = md.bytes();
        let buffer = Buffer::from_f32(&vec![f32::NAN; bytes.div_ceil(4)]).unwrap();
        let slice = SharedSlice::new(&Arc::new(buffer), 0, bytes).unwrap();
        Tensor { md, slice }
    }

    /// Row-major f32.
    pub fn of(dims: &[usize], values: &[f32]) -> Tensor {
        let md = plain(dims);
        assert_eq!(md.bytes(), size_of_val(values));
        let buffer = Arc::new(Buffer::from_f32(values).unwrap());
        let slice = SharedSlice::new(&buffer, 0, md.bytes()).unwrap();
        Tensor { md, slice }
    }

    /// Row-major f32 multiples of 1/4 between -2 and 2, different for each seed.
    pub fn quarters(dims: &[usize], seed: u64) -> Tensor {
        Tensor::of(dims, &quarters(dims.iter().product(), seed))
    }

    /// Copy in another layout or type.
    pub fn to(&self, md: &MemoryDesc) -> Tensor {
        let result = Tensor::new(md.clone());
        let desc = reorder::forward(&self.md, md, &Attr::new()).unwrap();
        run(&desc, &[(arg::FROM, self), (arg::TO, &result)]);
        result
    }

    /// The numbers in row-major order.
    pub fn values(&self) -> Vec<f32> {
        self.to(&plain(&self.md.dims())).slice.f32().to_vec()
    }

    /// The bits, padding included.
    pub fn bits(&self) -> Vec<u32> {
        self.slice.f32().iter().map(|v| v.to_bits()).collect()
    }
}

pub fn quarters(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) % 17
    };
    (0..n).map(|_| (next() as f32 - 8.0) / 4.0).collect()
}

/// Compiles, binds and runs; the scratchpad is added.
pub fn run(desc: &PrimitiveDesc, tensors: &[(i32, &Tensor)]) {
    bind(desc, tensors).execute().unwrap();
}

pub fn bind(desc: &PrimitiveDesc, tensors: &[(i32, &Tensor)]) -> Bound {
    let scratchpad = Tensor::new(desc.scratchpad_md());
    let all: Vec<(i32, &Tensor)> =
        tensors.iter().copied().chain([(arg::SCRATCHPAD, &scratchpad)]).collect();
    let args: Vec<(i32, &MemoryDesc)> = all.iter().map(|(arg, t)| (*arg, &t.md)).collect();
    let mut bound = Bound::new(&Primitive::new(desc).unwrap(), &args).unwrap();
    for (index, (_, tensor)) in all.iter().enumerate() {
        bound.set(index, &tensor.slice).unwrap();
    }
    bound
}

pub fn dot(a: &Tensor, b: &Tensor) -> f64 {
    a.values().iter().zip(b.values()).map(|(&x, y)| f64::from(x) * f64::from(y)).sum()
}

/// Fails if any pair differs by more than `tolerance`, absolutely or relative to the expected one.
pub fn close(got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len());
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!(
            (g - e).abs() <= tolerance * e.abs().max(1.0),
            "element {i}: got {g}, expected {e}"
        );
    }
}
