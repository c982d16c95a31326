use crate::Shape;

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
    /// More operands than one step may have.
    #[error("operands: {got} given, at most {limit} allowed in one step")]
    TooMany {
        /// Number given.
        got: usize,
        /// Number allowed.
        limit: usize,
    },
}
