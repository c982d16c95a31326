use super::{Common, Group, Optimizer};
use crate::Error;
use crate::error::{check, check_positive};
use crate::schedule::Schedule;
use nn::ParameterTable;
use serde::{Deserialize, Serialize};

/// Optimizers of their own for some layers: other rules or settings, slower rates, or none at all.
///
/// A parameter belongs to the first of `layers` whose `prefix` names it, else to `default`. Each
/// optimizer has its own schedule and `clip_value`; `clip_norm` and `ema_decay` belong to this one, as
/// the norm and the average are those of all parameters. The learning rate that is reported is that of
/// `default`.
///
/// State: as many slots as the optimizer with the most of them has.
///
/// Source: BigDL's `setOptimMethods`, and the `learningRates` of its `SGD`; PyTorch's parameter groups.
///
/// ```
/// let json = r#"{"class": "PerLayer", "config": {
///     "default": {"class": "SGD", "config": {"learning_rate": 0.1}},
///     "layers": [{"prefix": "conv*", "frozen": true}, {"prefix": "fc", "rate_factor": 0.5}]}}"#;
/// assert_eq!(train::Optimizer::from_json(json)?.learning_rate(0), 0.1);
/// # Ok::<(), train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerLayer {
    /// The optimizer of all parameters that `layers` does not name.
    pub default: Box<Optimizer>,
    /// The layers that are treated otherwise; the first that names a parameter holds.
    pub layers: Vec<LayerOptimizer>,
}

/// How some layers of [`PerLayer`] learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerOptimizer {
    /// Name of a layer, `conv1`, or of one of its parameters, `conv1.bias`; with a `*` at its end all
    /// names that begin so: `conv*`.
    pub prefix: String,
    /// Their optimizer; if absent the default one.
    #[serde(default)]
    pub optimizer: Option<Box<Optimizer>>,
    /// Factor of the learning rate, 0 or more; default 1.
    #[serde(default = "one")]
    pub rate_factor: f64,
    /// Whether their trainable weights stay as they are, and out of `clip_norm`; default false.
    #[serde(default)]
    pub frozen: bool,
}

fn one() -> f64 {
    1.0
}

impl LayerOptimizer {
    fn names(&self, parameter: &str) -> bool {
        match self.prefix.strip_suffix('*') {
            Some(begin) => parameter.starts_with(begin),
            None => parameter
                .strip_prefix(&self.prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/'])),
        }
    }
}

impl PerLayer {
    /// The default group, then those of the layers.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        let layers = self.layers.iter().flat_map(|layer| {
            let optimizer = layer.optimizer.as_ref().unwrap_or(&self.default);
            let groups = optimizer.groups().into_iter();
            groups.map(|group| Group { factor: layer.rate_factor, frozen: layer.frozen, ..group })
        });
        self.default.groups().into_iter().chain(layers).collect()
    }

    /// The number of a parameter's group.
    pub(super) fn group_of(&self, parameter: &str) -> usize {
        let layer = self.layers.iter().position(|layer| layer.names(parameter));
        layer.map_or(0, |layer| layer + 1)
    }

    pub(super) fn check(&self, common: &Common) -> Result<(), Error> {
        let who = "PerLayer";
        let set = [
            ("decay", common.decay != 0.0),
            ("clip_value", common.clip_value.is_some()),
            ("schedule", common.schedule.is_some()),
        ];
        for (setting, set) in set {
            let expected = "absent: it belongs to the optimizers of the layers";
            check(!set, who, setting, expected, "given")?;
        }
        common.check(who)?;
        let own = self.layers.iter().filter_map(|layer| layer.optimizer.as_ref());
        for optimizer in own.chain([&self.default]) {
            let rule = optimizer.method.rule();
            check(rule.is_some(), who, "optimizer", "one with a rule of its own", who)?;
            optimizer.check()?;
            let expected = "absent in the optimizers of layers: it belongs to PerLayer";
            let inner = &optimizer.common;
            check(inner.clip_norm.is_none(), who, "clip_norm", expected, "given")?;
            check(inner.ema_decay.is_none(), who, "ema_decay", expected, "given")?;
            let plateau = inner.schedule.as_ref().is_some_and(Schedule::measures);
            let own = !std::ptr::eq(optimizer, &self.default);
            let expected = "one without Plateau: what is measured slows all layers, so that is for \
                            the default optimizer";
            check(!(plateau && own), who, "schedule", expected, "one with Plateau")?;
            if let (Some(rule), Some(bound)) = (rule, common.clip_norm) {
                rule.check_clip_norm(bound)?;
            }
        }
        self.layers.iter().try_for_each(|layer| {
            check(!layer.prefix.is_empty(), who, "prefix", "the name of a layer", "empty")?;
            check_positive(who, "rate_factor", layer.rate_factor)
        })
    }

    /// Refuses prefixes that name no parameter.
    pub(super) fn check_names(&self, parameters: &ParameterTable) -> Result<(), Error> {
        for layer in &self.layers {
            if !parameters.iter().any(|parameter| layer.names(&parameter.name)) {
                let all: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
                let got =
                    format!("\"{}\", and the parameters are {}", layer.prefix, all.join(", "));
                let expected = "a layer of the model, or with a * the begin of such names";
                check(false, "PerLayer", "prefix", expected, got)?;
            }
        }
        Ok(())
    }
}
