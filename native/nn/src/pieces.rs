//! Kernels whose work the threads of a plan share.

use crate::OpError;
use std::ops::Range;
use tensor::{View, ViewMut};

/// Below this many bytes of results a kernel is done sooner than other threads are told.
const WORTH_SHARING: usize = 16 << 10;

/// A plain kernel that makes its destinations piece by piece, on row-major operands of any types.
///
/// Each destination is made of the same number of pieces of equal size, one behind the other. No
/// piece depends on which others are made in the same call, so that results are the same for any
/// number of threads.
pub trait PieceKernel: Send + Sync + 'static {
    /// Computes these pieces of the destinations, all that `dst` holds, from the whole sources.
    ///
    /// # Errors
    /// [`OpError`] if what the sources hold does not fit, such as an index out of range.
    fn run(
        &self,
        pieces: Range<usize>,
        src: &[View<'_>],
        dst: &mut [ViewMut<'_>],
    ) -> Result<(), OpError>;
}

impl<F> PieceKernel for F
where
    F: Fn(Range<usize>, &[View<'_>], &mut [ViewMut<'_>]) -> Result<(), OpError>
        + Send
        + Sync
        + 'static,
{
    fn run(
        &self,
        pieces: Range<usize>,
        src: &[View<'_>],
        dst: &mut [ViewMut<'_>],
    ) -> Result<(), OpError> {
        self(pieces, src, dst)
    }
}

/// In how many parts to make results of so many pieces and bytes.
pub(crate) fn parts(threads: usize, pieces: usize, bytes: usize) -> usize {
    if bytes < WORTH_SHARING { 1 } else { threads.min(pieces).max(1) }
}
