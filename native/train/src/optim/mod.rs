//! The rules by which a gradient changes the weights.
//!
//! What happens to one weight depends on its own gradient and state and, for some rules, on sums over
//! the parameter vector, which are taken cell by cell of a fixed grid. So the vector may be cut into
//! slices without changing a bit.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod chunk;
mod common;
mod definition;
mod dot;
mod ftrl;
mod group;
mod lamb;
mod lars;
mod lbfgs;
mod per_layer;
mod rmsprop;
mod rule;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub(crate) use chunk::{Chunk, Old};
pub use common::Common;
pub(crate) use dot::dot;
pub use ftrl::Ftrl;
pub(crate) use group::Group;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lbfgs::Lbfgs;
pub use per_layer::{LayerOptimizer, PerLayer};
pub use rmsprop::RMSprop;
pub(crate) use rule::Sums;
pub use sgd::Sgd;

use crate::error::check_positive;
use crate::slices::{on_grid, slice};
use crate::{Error, GRID};
use definition::Definition;
use nn::ParameterTable;
use rule::Rule;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// An optimizer: a method, and the settings that every method has.
///
/// Its serde form is `{"class": "SGD", "config": {"learning_rate": 0.01, "clip_norm": 1, …}}`, with
/// the settings of both in one `config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Definition", into = "Definition")]
pub struct Optimizer {
    /// The rule.
    pub method: Method,
    /// What surrounds it.
    pub common: Common,
}

/// A rule by which a gradient changes the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class", content = "config", deny_unknown_fields)]
pub enum Method {
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
    /// Momentum with a learning rate for each layer.
    #[serde(rename = "LARS")]
    Lars(Lars),
    /// Adaptive moments with a learning rate for each layer.
    #[serde(rename = "LAMB")]
    Lamb(Lamb),
    /// Steps along an estimate of Newton's direction.
    #[serde(rename = "LBFGS")]
    Lbfgs(Lbfgs),
    /// Optimizers of their own for some layers.
    PerLayer(PerLayer),
}

impl Method {
    /// The rule; [`PerLayer`] has those of its layers.
    fn rule(&self) -> Option<&dyn Rule> {
        Some(match self {
            Method::Sgd(rule) => rule,
            Method::Adam(rule) => rule,
            Method::AdamW(rule) => rule,
            Method::Adamax(rule) => rule,
            Method::Adagrad(rule) => rule,
            Method::Adadelta(rule) => rule,
            Method::RMSprop(rule) => rule,
            Method::Ftrl(rule) => rule,
            Method::Lars(rule) => rule,
            Method::Lamb(rule) => rule,
            Method::Lbfgs(rule) => rule,
            Method::PerLayer(_) => return None,
        })
    }
}

impl From<Method> for Optimizer {
    /// The method with the defaults of all common settings.
    fn from(method: Method) -> Self {
        Optimizer { method, common: Common::default() }
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
        optimizer.check()?;
        Ok(optimizer)
    }

    /// The JSON form, with all settings.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// How many floats of state belong to each weight.
    pub fn slots(&self) -> usize {
        self.rule_slots() + usize::from(self.common.ema_decay.is_some())
    }

    /// The slot of the state that holds the moving average of the weights, if there is one.
    pub fn average_slot(&self) -> Option<usize> {
        self.common.ema_decay.map(|_| self.rule_slots())
    }

    /// The slots of the rule with the most of them.
    fn rule_slots(&self) -> usize {
        self.groups().iter().map(|group| group.rule.slots()).max().unwrap_or(0)
    }

    /// The learning rate after `iteration` iterations: that of the [`Schedule`](crate::Schedule) if
    /// there is one, else `learning_rate / (1 + iteration · decay)`, the decay of Keras and BigDL.
    pub fn learning_rate(&self, iteration: u64) -> f64 {
        self.groups().first().map_or(0.0, |group| group.learning_rate(iteration))
    }

    /// The factor that the values measured so far, the oldest first, make of the learning rate: that of
    /// a [`Plateau`](crate::schedule::Plateau) among the schedules, else 1.
    pub fn rate_factor(&self, history: &[f64]) -> f64 {
        self.groups().first().map_or(1.0, |group| group.rate_factor(history))
    }

    /// Whether the rule needs sums over the whole parameter vector, of which the owner of each slice
    /// contributes [`Update::partial_sums`](crate::Update::partial_sums).
    pub fn needs_sums(&self) -> bool {
        let sums = |group: &Group<'_>| group.rule.sums() != Sums::None;
        self.common.clip_norm.is_some() || self.groups().iter().any(sums)
    }

    /// Slice `n` of the `of` slices of a parameter vector of `len` floats.
    ///
    /// A rule that needs sums has slices whose bounds are multiples of [`GRID`](crate::GRID) floats
    /// (but for the vector's end), so that sums over the cells of the grid do not depend on the
    /// number of slices; some may be empty.
    pub fn slice(&self, n: usize, of: usize, len: usize) -> Range<usize> {
        if self.needs_sums() { on_grid(n, of, len, GRID) } else { slice(n, of, len) }
    }

    /// Refuses a model without the layers that the optimizer names.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check_names(&self, parameters: &ParameterTable) -> Result<(), Error> {
        match &self.method {
            Method::PerLayer(layers) => layers.check_names(parameters),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if let Method::PerLayer(layers) = &self.method {
            return layers.check(&self.common);
        }
        self.method.rule().map_or(Ok(()), |rule| {
            check_positive(rule.who(), "learning_rate", rule.learning_rate())?;
            rule.check()?;
            self.common.clip_norm.map_or(Ok(()), |bound| rule.check_clip_norm(bound))?;
            self.common.check(rule.who())
        })
    }

    /// The groups of parameters that rules move; the first has all parameters without another.
    pub(crate) fn groups(&self) -> Vec<Group<'_>> {
        if let Method::PerLayer(layers) = &self.method {
            return layers.groups();
        }
        let rule = self.method.rule().into_iter();
        rule.map(|rule| Group { rule, common: &self.common, factor: 1.0, frozen: false }).collect()
    }

    /// The number of the group of a parameter.
    pub(crate) fn group_of(&self, parameter: &str) -> usize {
        match &self.method {
            Method::PerLayer(layers) => layers.group_of(parameter),
            _ => 0,
        }
    }
}

#[cfg(test)]
pub(crate) mod oracle;
#[cfg(test)]
pub(crate) mod tests;
