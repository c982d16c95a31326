//! The sums over the parameter vector that some rules need, cell by cell of a fixed grid.

use super::layout::Layout;
use super::step::clip;
use super::{GRID, Update};
use crate::Error;
use crate::error::check;
use crate::optim::{Old, dot};
use crate::tree::Reduction;
use rayon::ThreadPool;
use rayon::prelude::*;

impl Update<'_> {
    /// What this slice contributes to the sums that the rule needs, in the order of the vector: the
    /// contributions of all slices, one after the other, are the same however many slices there
    /// are. Empty if [`Optimizer::needs_sums`] is false. `rate_factor` and `sums` are not read.
    ///
    /// # Errors
    /// As [`Update::run`], and [`Error::Setting`] for a slice that cuts a cell of the [`GRID`].
    pub fn partial_sums(&self) -> Result<Vec<f64>, Error> {
        let Some((reduction, layout)) = self.prepare_sums()? else { return Ok(Vec::new()) };
        let mut scratch = self.scratch(&reduction);
        let cells = (0..self.slice.len()).step_by(GRID);
        Ok(cells.flat_map(|at| self.sums_of_cell(&reduction, &layout, at, &mut scratch)).collect())
    }

    /// [`Update::partial_sums`] on the threads of `pool`.
    ///
    /// # Errors
    /// As [`Update::partial_sums`].
    pub fn partial_sums_on(&self, pool: &ThreadPool) -> Result<Vec<f64>, Error> {
        let Some((reduction, layout)) = self.prepare_sums()? else { return Ok(Vec::new()) };
        let cells = (0..self.slice.len()).into_par_iter().step_by(GRID);
        let sums: Vec<Vec<f64>> = pool.install(|| {
            cells
                .map_init(
                    || self.scratch(&reduction),
                    |scratch, at| self.sums_of_cell(&reduction, &layout, at, scratch),
                )
                .collect()
        });
        Ok(sums.concat())
    }

    /// What sums need; nothing if there are none.
    fn prepare_sums(&self) -> Result<Option<(Reduction, Layout<'_>)>, Error> {
        if !self.optimizer.needs_sums() {
            return Ok(None);
        }
        let reduction = self.check_inputs()?;
        let end = self.slice.end.is_multiple_of(GRID) || self.slice.end == self.parameters.len();
        let whole = self.slice.start.is_multiple_of(GRID) && end;
        let got = format!("{:?}", self.slice);
        check(whole, "update", "slice", "one that Optimizer::slice gave", got)?;
        Ok(Some((reduction, Layout::new(self.optimizer, self.parameters))))
    }

    /// The sums of the cell that begins at `begin` of the slice.
    fn sums_of_cell(
        &self,
        reduction: &Reduction,
        layout: &Layout<'_>,
        begin: usize,
        scratch: &mut [f32],
    ) -> Vec<f64> {
        let end = (begin + GRID).min(self.slice.len());
        let old = self.old(reduction, begin..end, scratch);
        let first = self.slice.start + begin;
        let mut sums = Vec::new();
        for piece in layout.pieces(&(first..self.slice.start + end)) {
            let at = piece.at.start - first..piece.at.end - first;
            let group = &layout.groups[piece.group];
            let clipped = clip(&old.gradient[at.clone()], group.clip_value(), 1.0);
            let old = old.part(at).with_slots(group.rule.slots());
            let old = Old { gradient: &clipped, rank: piece.rank, ..old };
            if layout.clips() {
                sums.push(dot(old.gradient, old.gradient));
            }
            let begin = sums.len();
            sums.resize(begin + group.rule.sums().count(), 0.0);
            group.rule.partial_sums(&old, &mut sums[begin..]);
        }
        sums
    }
}
