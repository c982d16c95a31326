//! What an update does with some neighbouring weights.

use super::layout::{Act, Run, Totals};
use crate::optim::{Chunk, Group, Old};
use crate::tree::Reduction;
use std::borrow::Cow;

/// What all chunks of an update share.
pub(super) struct Prepared<'a> {
    pub reduction: Reduction,
    pub groups: Vec<Group<'a>>,
    /// The learning rate of each group.
    pub rates: Vec<f64>,
    pub totals: Totals,
    pub ema_decay: Option<f64>,
    /// Relative to the slice's begin.
    pub runs: Vec<Run>,
}

impl Prepared<'_> {
    pub fn update(
        &self,
        act: Act,
        mut old: Old<'_>,
        weights: &mut [f32],
        mut state: Vec<&mut [f32]>,
    ) {
        let average = self.ema_decay.and_then(|decay| {
            let before = old.state.pop()?;
            let before = if old.iteration == 0 { old.weights } else { before };
            Some((state.pop()?, before, decay))
        });
        match act {
            Act::Optimize { group: number, total, rank } => {
                let (group, clip_norm) = (&self.groups[number], self.totals.clip);
                let slots = group.rule.slots();
                // Other groups have more slots than this one.
                keep(&mut state.split_off(slots), &old.state[slots..]);
                let gradient = clip(old.gradient, group.clip_value(), clip_norm);
                let old = Old { gradient: &gradient, rank, ..old.with_slots(slots) };
                let totals = &self.totals.each[total];
                let weights = &mut *weights;
                let mut chunk = Chunk { old, weights, state, totals, clip_norm };
                group.rule.step(self.rates[number], &mut chunk);
            }
            Act::Replace => {
                weights.copy_from_slice(old.gradient);
                keep(&mut state, &old.state);
            }
            Act::Keep => {
                weights.copy_from_slice(old.weights);
                keep(&mut state, &old.state);
            }
        }
        if let Some((average, before, decay)) = average {
            match act {
                Act::Optimize { .. } => follow(average, before, weights, decay),
                Act::Replace | Act::Keep => average.copy_from_slice(weights),
            }
        }
    }
}

/// `average ← before - (1 - decay)·(before - weights)`.
fn follow(average: &mut [f32], before: &[f32], weights: &[f32], decay: f64) {
    let rest = (1.0 - decay) as f32;
    for ((average, before), weight) in average.iter_mut().zip(before).zip(weights) {
        *average = before - rest * (before - weight);
    }
}

/// Copies slots.
fn keep(new: &mut [&mut [f32]], old: &[&[f32]]) {
    for (new, old) in new.iter_mut().zip(old) {
        new.copy_from_slice(old);
    }
}

/// The gradient with its elements within `[-bound, bound]`, times `factor`.
pub(super) fn clip(gradient: &[f32], bound: Option<f32>, factor: f64) -> Cow<'_, [f32]> {
    let factor = factor as f32;
    match bound {
        None if factor == 1.0 => gradient.into(),
        None => gradient.iter().map(|g| g * factor).collect(),
        Some(bound) => gradient.iter().map(|g| g.clamp(-bound, bound) * factor).collect(),
    }
}
