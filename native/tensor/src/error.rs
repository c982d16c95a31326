use crate::{DType, Shape};

/// What can go wrong with shapes and memory.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The operating system has no more memory.
    #[error(
        "native memory: expected {bytes} bytes, got none. Use a smaller batch or give the \
         process more memory outside the Java heap"
    )]
    OutOfMemory {
        /// Size of the allocation that was refused.
        bytes: usize,
    },
    /// Two shapes that cannot be broadcast to a common one.
    #[error("broadcast: shapes {a} and {b} do not fit: dimensions must be equal or 1")]
    Broadcast {
        /// First shape.
        a: Shape,
        /// Second shape.
        b: Shape,
    },
    /// A range that leaves its buffer.
    #[error("buffer: range {offset}..{end} does not fit {bytes} bytes")]
    Range {
        /// First byte of the range.
        offset: usize,
        /// One past the last byte.
        end: usize,
        /// Size of the buffer.
        bytes: usize,
    },
    /// A destination that shares bytes with another operand of the same step.
    #[error("operands: destination {index} overlaps another operand of its step")]
    Overlap {
        /// Index of the destination.
        index: usize,
    },
    /// Elements of another type than asked for.
    #[error("elements: expected {expected}, got {got}. Cast the tensor first")]
    DType {
        /// Type asked for.
        expected: DType,
        /// Type found.
        got: DType,
    },
    /// Another number of elements than the shape has.
    #[error("elements: expected {expected}, got {got}. Give one for each place of the shape")]
    Count {
        /// Number of the shape.
        expected: usize,
        /// Number given.
        got: usize,
    },
    /// Memory that does not hold elements of a type.
    #[error("memory: {bytes} bytes do not hold elements of type {dtype}")]
    Memory {
        /// The type.
        dtype: DType,
        /// Size of the memory.
        bytes: usize,
    },
}
