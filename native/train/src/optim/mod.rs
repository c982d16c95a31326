//! The rules by which a gradient changes the weights.
//!
//! All rules are element-wise: what happens to one weight depends on its own gradient and state
//! alone, so a parameter vector may be cut into slices anywhere without changing a bit.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod ftrl;
mod rmsprop;
mod rule;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use ftrl::Ftrl;
pub use rmsprop::RMSprop;
pub use sgd::Sgd;

use crate::slices::{on_grid, slice};
use crate::{Error, GRID};
use rule::Rule;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// An optimizer; its serde form is `{"class": "SGD", "config": {"learning_rate": 0.01, …}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class", content = "config", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    #[serde(rename = "SGD")]
    Sgd(Sgd),
    /// Adaptive moments.
    Adam(Adam),
    /// Adaptive moments with decoupled weight decay.
    AdamW(AdamW),
    /// Adaptive moments with the infinity norm.
    Adamax(Adamax),
    /// Steps that shrink with the sum of squared gradients.
    Adagrad(Adagrad),
    /// Steps in units of the weights.
    Adadelta(Adadelta),
    /// Gradients in units of their root mean square.
    RMSprop(RMSprop),
    /// Follow the regularized leader.
    Ftrl(Ftrl),
}

/// One chunk of a slice, with all an optimizer needs to update it.
///
/// State is laid out slot after slot, each as long as the slice: `state[slot · slice + position]`.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// Number of iterations done before this one.
    pub iteration: u64,
    /// Factor of the learning rate.
    pub rate_factor: f64,
    /// Sum of all shards' gradients of this chunk.
    pub gradient: &'a [f32],
    /// Weights of this chunk before the iteration.
    pub weights_old: &'a [f32],
    /// Weights of this chunk after it.
    pub weights_new: &'a mut [f32],
    /// State of this chunk before the iteration, one slice per slot.
    pub state_old: Vec<&'a [f32]>,
    /// State of this chunk after it, one slice per slot.
    pub state_new: Vec<&'a mut [f32]>,
}

impl Chunk<'_> {
    /// The part `at` of this chunk.
    pub(crate) fn part(&mut self, at: Range<usize>) -> Chunk<'_> {
        Chunk {
            iteration: self.iteration,
            rate_factor: self.rate_factor,
            gradient: &self.gradient[at.clone()],
            weights_old: &self.weights_old[at.clone()],
            weights_new: &mut self.weights_new[at.clone()],
            state_old: self.state_old.iter().map(|slot| &slot[at.clone()]).collect(),
            state_new: self.state_new.iter_mut().map(|slot| &mut slot[at.clone()]).collect(),
        }
    }
}

impl Optimizer {
    /// Reads an optimizer from its JSON form; settings that are left out have their defaults.
    ///
    /// # Errors
    /// [`Error::Definition`] for unknown classes or settings, [`Error::Setting`] for values outside
    /// their range.
    ///
    /// ```
    /// use train::Optimizer;
    /// let adam = Optimizer::from_json(r#"{"class": "Adam", "config": {"learning_rate": 0.002}}"#)?;
    /// assert_eq!(adam.slots(), 2);
    /// assert_eq!(adam.learning_rate(0), 0.002);
    /// # Ok::<(), train::Error>(())
    /// ```
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let optimizer: Optimizer =
            serde_json::from_str(json).map_err(|error| Error::Definition {
                what: "optimizer",
                message: error.to_string(),
                example: r#"{"class": "SGD", "config": {"learning_rate": 0.01}}"#,
            })?;
        optimizer.rule().common().check()?;
        optimizer.rule().check()?;
        Ok(optimizer)
    }

    /// The JSON form, with all settings.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// How many floats of state belong to each weight.
    pub fn slots(&self) -> usize {
        self.rule().slots()
    }

    /// The learning rate after `iteration` iterations: that of the [`Schedule`](crate::Schedule) if
    /// there is one, else `learning_rate / (1 + iteration · decay)`, the decay of Keras and BigDL.
    pub fn learning_rate(&self, iteration: u64) -> f64 {
        self.rule().common().learning_rate(iteration)
    }

    /// Whether the rule needs sums over the whole parameter vector, of which the owner of each slice
    /// contributes [`Update::partial_sums`](crate::Update::partial_sums).
    pub fn needs_sums(&self) -> bool {
        false
    }

    /// Slice `n` of the `of` slices of a parameter vector of `len` floats.
    ///
    /// A rule that needs sums has slices whose bounds are multiples of [`GRID`](crate::GRID) floats
    /// (but for the vector's end), so that sums over the cells of the grid do not depend on the
    /// number of slices; some may be empty.
    pub fn slice(&self, n: usize, of: usize, len: usize) -> Range<usize> {
        if self.needs_sums() { on_grid(n, of, len, GRID) } else { slice(n, of, len) }
    }

    /// The bound `c` by which each element of the gradient is clipped to `[-c, c]`, if any.
    pub fn clip_value(&self) -> Option<f32> {
        self.rule().common().clip_value
    }

    /// Writes the new weights and state of a chunk. Slots beyond [`Optimizer::slots`] are ignored.
    pub(crate) fn step(&self, chunk: &mut Chunk<'_>) {
        self.rule().step(self.learning_rate(chunk.iteration) * chunk.rate_factor, chunk);
    }

    fn rule(&self) -> &dyn Rule {
        match self {
            Optimizer::Sgd(rule) => rule,
            Optimizer::Adam(rule) => rule,
            Optimizer::AdamW(rule) => rule,
            Optimizer::Adamax(rule) => rule,
            Optimizer::Adagrad(rule) => rule,
            Optimizer::Adadelta(rule) => rule,
            Optimizer::RMSprop(rule) => rule,
            Optimizer::Ftrl(rule) => rule,
        }
    }
}

#[cfg(test)]
pub(crate) mod oracle;
#[cfg(test)]
pub(crate) mod tests;
