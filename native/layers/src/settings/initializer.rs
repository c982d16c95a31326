//! How the initial values of a parameter are drawn.

use crate::argument::{Argument, Kind};
use serde_json::{Value, json};

/// Distribution of the initial values of a parameter, by the names of Keras.
///
/// The normal ones are not cut at two standard deviations, as Keras cuts some of them.
///
/// `fan_in` and `fan_out` are the numbers of values that meet in one output and that one input
/// takes part in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform in ±√(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).
    GlorotUniform,
    /// Normal of variance 2 / (fan_in + fan_out).
    GlorotNormal,
    /// Uniform in ±√(6 / fan_in) (He et al., 2015).
    HeUniform,
    /// Normal of variance 2 / fan_in.
    HeNormal,
    /// Uniform in ±√(3 / fan_in) (LeCun et al., 1998).
    LecunUniform,
    /// Normal of variance 1 / fan_in.
    LecunNormal,
    /// All the same value.
    Constant {
        /// The value.
        value: f64,
    },
    /// Uniform in [minval, maxval).
    RandomUniform {
        /// Smallest value.
        minval: f64,
        /// Bound above the largest value.
        maxval: f64,
    },
    /// Normal.
    RandomNormal {
        /// Mean.
        mean: f64,
        /// Standard deviation, at least 0.
        stddev: f64,
    },
}

/// The fans of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fan {
    /// Values that meet in one output.
    pub fan_in: usize,
    /// Values that one input takes part in.
    pub fan_out: usize,
}

impl Initializer {
    /// Initializers without settings, by their name in a definition.
    pub const NAMED: [(&'static str, Self); 8] = [
        ("zeros", Self::Zeros),
        ("ones", Self::Ones),
        ("glorot_uniform", Self::GlorotUniform),
        ("glorot_normal", Self::GlorotNormal),
        ("he_uniform", Self::HeUniform),
        ("he_normal", Self::HeNormal),
        ("lecun_uniform", Self::LecunUniform),
        ("lecun_normal", Self::LecunNormal),
    ];

    /// The initializer of a parameter with these fans.
    pub(crate) fn with(self, fan: Fan) -> nn::Initializer {
        let (fan_in, fan_out) = (fan.fan_in, fan.fan_out);
        let uniform =
            |bound: f64| nn::Initializer::Uniform { min: -bound as f32, max: bound as f32 };
        let normal =
            |variance: f64| nn::Initializer::Normal { mean: 0.0, stddev: variance.sqrt() as f32 };
        match self {
            Self::Zeros => nn::Initializer::Zeros,
            Self::Ones => nn::Initializer::Ones,
            Self::GlorotUniform => nn::Initializer::GlorotUniform { fan_in, fan_out },
            Self::GlorotNormal => normal(2.0 / (fan_in + fan_out) as f64),
            Self::HeUniform => nn::Initializer::HeUniform { fan_in },
            Self::HeNormal => nn::Initializer::HeNormal { fan_in },
            Self::LecunUniform => uniform((3.0 / fan_in as f64).sqrt()),
            Self::LecunNormal => normal(1.0 / fan_in as f64),
            Self::Constant { value } => nn::Initializer::Constant { value: value as f32 },
            Self::RandomUniform { minval, maxval } => {
                nn::Initializer::Uniform { min: minval as f32, max: maxval as f32 }
            }
            Self::RandomNormal { mean, stddev } => {
                nn::Initializer::Normal { mean: mean as f32, stddev: stddev as f32 }
            }
        }
    }
}

impl Argument for Initializer {
    const KIND: Kind = Kind::Initializer;

    fn read(value: &Value) -> Option<Self> {
        if let Some(name) = value.as_str() {
            return Self::NAMED.into_iter().find(|named| named.0 == name).map(|named| named.1);
        }
        let object = value.as_object().filter(|object| object.len() == 2)?;
        let config = object.get("config")?.as_object()?;
        let setting = |name: &str| config.get(name).and_then(f64::read);
        let (settings, initializer) = match object.get("class")?.as_str()? {
            "Constant" => (1, Self::Constant { value: setting("value")? }),
            "RandomUniform" => {
                let (minval, maxval) = (setting("minval")?, setting("maxval")?);
                (2, (minval <= maxval).then_some(Self::RandomUniform { minval, maxval })?)
            }
            "RandomNormal" => {
                let (mean, stddev) = (setting("mean")?, setting("stddev")?);
                (2, (stddev >= 0.0).then_some(Self::RandomNormal { mean, stddev })?)
            }
            _ => return None,
        };
        (config.len() == settings).then_some(initializer)
    }

    fn write(&self) -> Value {
        let (class, config) = match *self {
            Self::Constant { value } => ("Constant", json!({ "value": value })),
            Self::RandomUniform { minval, maxval } => {
                ("RandomUniform", json!({ "minval": minval, "maxval": maxval }))
            }
            Self::RandomNormal { mean, stddev } => {
                ("RandomNormal", json!({ "mean": mean, "stddev": stddev }))
            }
            named => {
                let name = Self::NAMED.into_iter().find(|(_, initializer)| *initializer == named);
                return name.map_or(Value::Null, |(name, _)| Value::from(name));
            }
        };
        json!({ "class": class, "config": config })
    }
}
