//! How the shards of a training compute, and bring together what they learn.

use crate::error::check;
use crate::optim::{Common, Method, Sgd};
use crate::{Compression, Error, LocalSteps, Optimizer};
use nn::Precision;
use serde::{Deserialize, Serialize};

/// What the shards compute in and what is exchanged between them; by default f32, and the whole
/// gradients of each step.
///
/// With `local_steps` every shard takes so many steps by itself, with weights and optimizer of its own,
/// before the weights of all are averaged, weighted by the rows that each has seen: local SGD (Stich,
/// "Local SGD Converges Fast and Communicates Little", ICLR 2019; Moritz et al., "SparkNet",
/// arXiv 1511.06051; McMahan et al., "Communication-Efficient Learning of Deep Networks from
/// Decentralized Data", AISTATS 2017, algorithm 1 with all clients). State of the optimizer begins
/// anew after each average.
///
/// ```
/// use train::{Compression, Strategy};
/// let strategy = Strategy::from_json(r#"{"gradient_compression": "bf16"}"#)?;
/// assert_eq!(strategy.gradient_compression, Some(Compression::Bf16));
/// assert_eq!(Strategy::from_json("{}")?, Strategy::default());
/// # Ok::<(), train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strategy {
    /// What products are computed in.
    pub precision: Precision,
    /// How gradients become smaller on their way.
    pub gradient_compression: Option<Compression>,
    /// Steps that a shard takes by itself from one exchange to the next.
    pub local_steps: Option<usize>,
}

impl Strategy {
    /// Reads a strategy from its JSON form; settings that are left out have their defaults.
    ///
    /// # Errors
    /// [`Error::Definition`] for unknown settings or values, [`Error::Setting`] for 0 steps.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let strategy: Strategy = serde_json::from_str(json).map_err(|error| Error::Definition {
            what: "strategy",
            message: error.to_string(),
            example: r#"{"gradient_compression": "bf16"}"#,
        })?;
        let steps = strategy.local_steps.unwrap_or(1);
        check(steps > 0, "strategy", "local_steps", "1 or more, or null for none", steps)?;
        Ok(strategy)
    }

    /// The steps that each shard takes by itself in a training with this optimizer, if it does.
    ///
    /// An average of the weights is that of what the exchange makes of them, so steps have none.
    pub fn local(&self, optimizer: &Optimizer) -> Option<LocalSteps> {
        let common = Common { ema_decay: None, ..optimizer.common.clone() };
        let optimizer = Optimizer { common, ..optimizer.clone() };
        self.local_steps.map(|steps| LocalSteps { steps, optimizer })
    }

    /// The rule by which what was exchanged changes the weights in a training with this optimizer: it
    /// averages them if shards take steps by themselves.
    pub fn exchanged(&self, optimizer: &Optimizer) -> Optimizer {
        if self.local_steps.is_none() {
            return optimizer.clone();
        }
        let method = Method::Sgd(Sgd { learning_rate: 1.0, ..Sgd::default() });
        let ema_decay = optimizer.common.ema_decay;
        Optimizer { method, common: Common { ema_decay, ..Common::default() } }
    }
}
