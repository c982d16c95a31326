//! Safe access to oneDNN v3, opened at run time.
//!
//! [`load`] opens the library once per process. Then a step of a plan is made in four moves:
//! describe the tensors ([`MemoryDesc`]), describe the operation (a function of [`ops`], giving a
//! [`PrimitiveDesc`] that knows which layouts its implementation wants), compile it
//! ([`Primitive`]), and bind its arguments to memory ([`Bound`]). [`Bound::execute`] allocates
//! nothing.
//!
//! A primitive is single-threaded unless it is described within [`with_threads`]: the number of
//! OpenMP threads is set on the calling thread before a primitive is described and before it runs,
//! so results do not depend on the number of cores. Scratch memory always comes from the caller ([`PrimitiveDesc::scratchpad_md`]).
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use onednn::{Attr, Bound, DataType, MemoryDesc, Primitive, arg, ops::matmul};
//! use std::sync::Arc;
//! use tensor::{Buffer, SharedSlice};
//!
//! onednn::load(std::path::Path::new("/opt/firesteel/libdnnl.so.3"))?;
//! let square = MemoryDesc::plain(&[2, 2], DataType::F32)?;
//! let desc = matmul::forward(&square, &square, None, &square, &Attr::new())?;
//! let scratch = desc.scratchpad_md();
//! let args = [
//!     (arg::SRC, &square),
//!     (arg::WEIGHTS, &square),
//!     (arg::DST, &square),
//!     (arg::SCRATCHPAD, &scratch),
//! ];
//! let mut step = Bound::new(&Primitive::new(&desc)?, &args)?;
//! for (index, (_, md)) in args.iter().enumerate() {
//!     let memory = Arc::new(Buffer::new(md.bytes())?);
//!     step.set(index, &SharedSlice::new(&memory, 0, md.bytes())?)?;
//! }
//! step.execute()?;
//! # Ok(())
//! # }
//! ```

pub mod arg;
mod attr;
mod bound;
mod data_type;
mod error;
mod library;
mod memory_desc;
mod memory_desc_text;
pub mod ops;
mod primitive;
mod primitive_desc;
mod prop_kind;
mod team;

pub use attr::Attr;
pub use bound::Bound;
pub use data_type::DataType;
pub use error::{Error, Status};
pub use library::{Version, effective_isa, enter, has_bf16, load, loaded, set_cache_capacity};
pub use memory_desc::MemoryDesc;
pub use primitive::Primitive;
pub use primitive_desc::PrimitiveDesc;
pub use prop_kind::PropKind;
pub use team::{parallel, with_threads};
