use super::GRID;
use crate::Error;
use crate::error::check_length;
use crate::optim::{Group, Optimizer, Sums};
use nn::{ParameterKind, ParameterTable};
use std::ops::Range;

/// What an update does with each range of the parameter vector, and where its sums come from.
pub(super) struct Layout<'a> {
    pub groups: Vec<Group<'a>>,
    /// In the order of the vector.
    ranges: Vec<Run>,
    /// Whether each piece has the sum of its squared gradient.
    clip_norm: Option<f64>,
    /// Floats of the vector.
    len: usize,
    /// Numbers of each total, in the order of [`Act::Optimize`]'s `total`.
    totals: Vec<usize>,
}

/// Neighbouring floats with which the same is done.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub at: Range<usize>,
    pub act: Act,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Act {
    /// The rule of a group takes a step, knowing a total and, with it, the parameter's rank.
    Optimize { group: usize, total: usize, rank: usize },
    /// The gradient is the new value: running statistics.
    Replace,
    /// The weights stay.
    Keep,
}

/// The sums over the vector.
pub(super) struct Totals {
    /// Factor that bounds the norm of the gradient.
    pub clip: f64,
    /// One list per total.
    pub each: Vec<Vec<f64>>,
}

/// A range of a parameter within one cell of the grid.
pub(super) struct Piece {
    pub at: Range<usize>,
    pub group: usize,
    pub rank: usize,
    total: usize,
}

impl<'a> Layout<'a> {
    pub fn new(optimizer: &'a Optimizer, parameters: &ParameterTable) -> Layout<'a> {
        let groups = optimizer.groups();
        // One total for each group, which may be empty; those of parameters follow.
        let of_group = |group: &Group<'_>| match group.rule.sums() {
            Sums::None | Sums::PerParameter(_) => 0,
            Sums::PerGroup(count) => count,
        };
        let mut totals: Vec<usize> = groups.iter().map(of_group).collect();
        let mut ranges = Vec::new();
        for parameter in parameters.iter() {
            let act = match parameter.kind {
                ParameterKind::Trainable => {
                    let group = optimizer.group_of(&parameter.name);
                    if groups[group].frozen {
                        Act::Keep
                    } else {
                        let (mut total, mut rank) = (group, 0);
                        if let Sums::PerParameter(count) = groups[group].rule.sums() {
                            (total, rank) = (totals.len(), parameter.shape.rank());
                            totals.push(count);
                        }
                        Act::Optimize { group, total, rank }
                    }
                }
                ParameterKind::Statistic => Act::Replace,
                ParameterKind::Frozen => Act::Keep,
            };
            ranges.push(Run { at: parameter.range(), act });
        }
        let clip_norm = optimizer.common.clip_norm;
        Layout { groups, ranges, clip_norm, len: parameters.len(), totals }
    }

    /// The floats of `slice`, relative to its begin; neighbours with which the same is done are one.
    pub fn runs(&self, slice: &Range<usize>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (at, act) in self.within(slice) {
            let at = at.start - slice.start..at.end - slice.start;
            match runs.last_mut() {
                Some(last) if last.act == act => last.at.end = at.end,
                _ => runs.push(Run { at, act }),
            }
        }
        runs
    }

    /// The pieces of `slice` that the rules move, in order.
    pub fn pieces(&self, slice: &Range<usize>) -> impl Iterator<Item = Piece> {
        self.within(slice).flat_map(|(at, act)| {
            let cells = match act {
                Act::Optimize { .. } => at.start / GRID..at.end.div_ceil(GRID),
                Act::Replace | Act::Keep => 0..0,
            };
            cells.filter_map(move |cell| match act {
                Act::Optimize { group, total, rank } => {
                    let at = at.start.max(cell * GRID)..at.end.min((cell + 1) * GRID);
                    Some(Piece { at, group, total, rank })
                }
                Act::Replace | Act::Keep => None,
            })
        })
    }

    /// Whether each piece begins with the sum of the squares of its gradient.
    pub fn clips(&self) -> bool {
        self.clip_norm.is_some()
    }

    /// How many sums a piece of a group has.
    pub fn sums_of(&self, group: usize) -> usize {
        usize::from(self.clips()) + self.groups[group].rule.sums().count()
    }

    /// Adds the sums of all pieces up, in their order.
    pub fn totals(&self, sums: &[f64]) -> Result<Totals, Error> {
        let expected = self.pieces(&(0..self.len)).map(|piece| self.sums_of(piece.group)).sum();
        let remedy = "Pass the partial sums of all slices, or none if the optimizer needs none";
        check_length("sums", expected, sums.len(), remedy)?;
        let mut each: Vec<Vec<f64>> = self.totals.iter().map(|&count| vec![0.0; count]).collect();
        let mut squares = 0.0;
        let mut left = sums;
        for piece in self.pieces(&(0..self.len)) {
            let (mut own, rest) = left.split_at(self.sums_of(piece.group));
            left = rest;
            if let (true, Some((square, others))) = (self.clips(), own.split_first()) {
                squares += square;
                own = others;
            }
            for (total, sum) in each[piece.total].iter_mut().zip(own) {
                *total += sum;
            }
        }
        let clip = self.clip_norm.map_or(1.0, |bound| (bound / squares.sqrt()).min(1.0));
        Ok(Totals { clip, each })
    }

    fn within(&self, slice: &Range<usize>) -> impl Iterator<Item = (Range<usize>, Act)> {
        let (begin, end) = (slice.start, slice.end);
        let first = self.ranges.partition_point(|run| run.at.end <= begin);
        let inside = self.ranges[first..].iter().take_while(move |run| run.at.start < end);
        inside.map(move |run| (run.at.start.max(begin)..run.at.end.min(end), run.act))
    }
}
