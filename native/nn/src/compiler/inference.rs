//! What ops ask and emit beyond single-threaded training: threads within a step, weights that stay.

use super::Compiler;
use crate::graph::Source;
use crate::step::Action;
use crate::{Error, PieceKernel};
use std::sync::Arc;

impl Compiler<'_> {
    /// Threads of a step.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// True if source `i` stays the same from run to run: a weight of a graph for inference, or a
    /// constant.
    pub fn is_kept(&self, i: usize) -> bool {
        match self.graph.values[self.current().src[i].0].source {
            Source::Constant(_) => true,
            Source::Parameter(_) => self.graph.results.is_empty(),
            Source::Input | Source::Node(_) => false,
        }
    }

    /// Emits a plain kernel that threads share, over all sources and the outputs `dst`, each
    /// row-major, of its own type and of so many pieces.
    ///
    /// # Errors
    /// [`Error::Onednn`] if a source cannot be reordered.
    pub fn piece_kernel(
        &mut self,
        pieces: usize,
        kernel: impl PieceKernel,
        dst: &[usize],
    ) -> Result<(), Error> {
        let (src, _) = self.operands();
        self.action_on(Action::Pieces(Arc::new(kernel), pieces), &src, dst)
    }
}
