//! The rules by which a gradient changes the weights.
//!
//! All rules are element-wise: what happens to one weight depends on its own gradient and state
//! alone, so a parameter vector may be cut into slices anywhere without changing a bit.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use crate::Error;
use crate::error::check;
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
}

/// One chunk of a slice, with all an optimizer needs to update it.
///
/// State is laid out slot after slot, each as long as the slice: `state[slot · slice + position]`.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// Number of iterations done before this one.
    pub iteration: u64,
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
        match &optimizer {
            Optimizer::Sgd(sgd) => sgd.check()?,
            Optimizer::Adam(adam) => adam.check()?,
        }
        Ok(optimizer)
    }

    /// The JSON form, with all settings.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// How many floats of state belong to each weight.
    pub fn slots(&self) -> usize {
        match self {
            Optimizer::Sgd(sgd) => sgd.slots(),
            Optimizer::Adam(_) => Adam::SLOTS,
        }
    }

    /// The learning rate after `iteration` iterations: `learning_rate / (1 + iteration · decay)`,
    /// the decay of Keras and BigDL.
    pub fn learning_rate(&self, iteration: u64) -> f64 {
        let (rate, decay) = match self {
            Optimizer::Sgd(sgd) => (sgd.learning_rate, sgd.decay),
            Optimizer::Adam(adam) => (adam.learning_rate, adam.decay),
        };
        rate / (1.0 + iteration as f64 * decay)
    }

    /// The bound `c` by which each element of the gradient is clipped to `[-c, c]`, if any.
    pub fn clip_value(&self) -> Option<f32> {
        match self {
            Optimizer::Sgd(sgd) => sgd.clip_value,
            Optimizer::Adam(adam) => adam.clip_value,
        }
    }

    /// Writes the new weights and state of a chunk. Slots beyond [`Optimizer::slots`] are ignored.
    pub(crate) fn step(&self, chunk: &mut Chunk<'_>) {
        let rate = self.learning_rate(chunk.iteration);
        match self {
            Optimizer::Sgd(sgd) => sgd.step(rate, chunk),
            Optimizer::Adam(adam) => adam.step(rate, chunk),
        }
    }
}

/// Checks the settings that all optimizers have.
fn check_common(
    who: &'static str,
    learning_rate: f64,
    weight_decay: f64,
    decay: f64,
    clip_value: Option<f32>,
) -> Result<(), Error> {
    let positive = |value: f64| value.is_finite() && value >= 0.0;
    let expected = "a finite number, 0 or more";
    check(positive(learning_rate), who, "learning_rate", expected, learning_rate)?;
    check(positive(weight_decay), who, "weight_decay", expected, weight_decay)?;
    check(positive(decay), who, "decay", expected, decay)?;
    let clip = clip_value.unwrap_or(1.0);
    check(clip > 0.0, who, "clip_value", "a number above 0, or null for no clipping", clip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_survives_a_round_trip() {
        for optimizer in [
            Optimizer::Sgd(Sgd { momentum: 0.9, clip_value: Some(0.5), ..Sgd::default() }),
            Optimizer::Adam(Adam { decay: 1e-4, ..Adam::default() }),
        ] {
            assert_eq!(Optimizer::from_json(&optimizer.to_json()).unwrap(), optimizer);
        }
    }

    #[test]
    fn the_learning_rate_decays_with_the_iterations() {
        let sgd = Optimizer::Sgd(Sgd { learning_rate: 0.1, decay: 0.5, ..Sgd::default() });
        assert_eq!(sgd.learning_rate(0), 0.1);
        assert_eq!(sgd.learning_rate(2), 0.05);
    }

    #[test]
    fn a_bad_definition_is_refused_with_its_remedy() {
        for (json, expected) in [
            (r#"{"class": "Magic", "config": {}}"#, "Magic"),
            (r#"{"class": "SGD", "config": {"speed": 1}}"#, "speed"),
            (r#"{"class": "SGD", "config": {"learning_rate": -1}}"#, "SGD: learning_rate is -1"),
            (r#"{"class": "SGD", "config": {"nesterov": true}}"#, "SGD: momentum is 0"),
            (r#"{"class": "Adam", "config": {"beta_2": 1.0}}"#, "Adam: beta_2 is 1"),
            (r#"{"class": "Adam", "config": {"clip_value": 0}}"#, "Adam: clip_value is 0"),
            ("", "Expected JSON such as"),
        ] {
            let message = Optimizer::from_json(json).unwrap_err().to_string();
            assert!(message.contains(expected), "{json}: {message}");
        }
    }
}
