//! Arguments of layers: their types, and how they are read from and written to JSON.

use crate::{Error, Result};
use serde_json::{Map, Value};

/// Type of an argument, for messages and for the generated classes of other languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A count of at least 1.
    Count,
    /// A whole number that counts an axis from the front (0 is the batch) or from the end (−1).
    Axis,
    /// A finite number.
    Real,
    /// True or false.
    Boolean,
    /// Height and width, each at least 1.
    Size,
    /// Height and width, or nothing.
    OptionalSize,
    /// A shape per sample, in which one −1 stands for "what is left".
    Shape,
    /// See [`crate::Padding`].
    Padding,
    /// See [`crate::ActivationFunction`].
    Activation,
    /// See [`crate::Initializer`].
    Initializer,
}

impl Kind {
    /// What may be given, in words.
    pub fn expected(self) -> String {
        match self {
            Self::Count => "a whole number from 1 to 2147483647".into(),
            Self::Axis => "a whole number such as 1 (the first axis after the batch) or -1".into(),
            Self::Real => "a finite number".into(),
            Self::Boolean => "true or false".into(),
            Self::Size => "two whole numbers of at least 1 such as [3, 3], or one for both".into(),
            Self::OptionalSize => "two whole numbers of at least 1, one for both, or null".into(),
            Self::Shape => "whole numbers such as [16, 4, 4], at most one of them -1".into(),
            Self::Padding => {
                "\"valid\", \"same\" or four whole numbers [top, left, bottom, right]".into()
            }
            Self::Activation => format!("one of {}", crate::settings::activation_names()),
            Self::Initializer => format!(
                "one of {}, or {{\"class\": \"Constant\", \"config\": {{\"value\": 0.1}}}}, \
                 RandomUniform {{minval, maxval}}, RandomNormal {{mean, stddev}}",
                crate::settings::initializer_names()
            ),
        }
    }
}

/// A Rust type that an argument may have.
pub trait Argument: Sized {
    /// Its kind.
    const KIND: Kind;
    /// The value of some JSON, if it is of this kind.
    fn read(value: &Value) -> Option<Self>;
    /// The value as JSON.
    fn write(&self) -> Value;
}

impl Argument for usize {
    const KIND: Kind = Kind::Count;

    fn read(value: &Value) -> Option<Self> {
        // The other languages hold counts in 32 bits; products of a few of them fit 64.
        value
            .as_u64()
            .filter(|count| (1..=i32::MAX as u64).contains(count))
            .map(|count| count as usize)
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Argument for i64 {
    const KIND: Kind = Kind::Axis;

    fn read(value: &Value) -> Option<Self> {
        value.as_i64().filter(|axis| i32::try_from(*axis).is_ok())
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Argument for f64 {
    const KIND: Kind = Kind::Real;

    fn read(value: &Value) -> Option<Self> {
        value.as_f64().filter(|number| number.is_finite())
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Argument for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }
}

impl Argument for [usize; 2] {
    const KIND: Kind = Kind::Size;

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Array(sizes) if sizes.len() == 2 => {
                Some([usize::read(&sizes[0])?, usize::read(&sizes[1])?])
            }
            one => usize::read(one).map(|size| [size, size]),
        }
    }

    fn write(&self) -> Value {
        Value::from(self.to_vec())
    }
}

impl Argument for Option<[usize; 2]> {
    const KIND: Kind = Kind::OptionalSize;

    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { <[usize; 2]>::read(value).map(Some) }
    }

    fn write(&self) -> Value {
        self.map_or(Value::Null, |size| size.write())
    }
}

impl Argument for Vec<i64> {
    const KIND: Kind = Kind::Shape;

    fn read(value: &Value) -> Option<Self> {
        let dims: Self = value.as_array()?.iter().map(i64::read).collect::<Option<_>>()?;
        let unknown = dims.iter().filter(|dim| **dim == -1).count();
        (unknown <= 1 && dims.iter().all(|dim| *dim >= 1 || *dim == -1)).then_some(dims)
    }

    fn write(&self) -> Value {
        Value::from(self.clone())
    }
}

/// The arguments of one layer in a definition, read one by one.
pub struct Arguments<'a> {
    class: &'static str,
    layer: &'a str,
    config: &'a Map<String, Value>,
}

impl<'a> Arguments<'a> {
    /// The arguments `config` of the layer named `layer`; fails on one that is not in `known`.
    pub fn new(
        class: &'static str,
        layer: &'a str,
        config: &'a Map<String, Value>,
        known: &[&str],
    ) -> Result<Self> {
        match config.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(Self { class, layer, config }),
            Some(argument) => Err(Error::UnknownArgument {
                class,
                layer: layer.into(),
                argument: argument.clone(),
                known: if known.is_empty() { "none".into() } else { known.join(", ") },
            }),
        }
    }

    /// An argument without a default.
    pub fn required<T: Argument>(&self, argument: &'static str) -> Result<T> {
        match self.config.get(argument) {
            Some(value) => self.read(argument, value),
            None => Err(Error::MissingArgument {
                class: self.class,
                layer: self.layer.into(),
                argument,
                expected: T::KIND.expected(),
            }),
        }
    }

    /// An argument with a default.
    pub fn optional<T: Argument>(&self, argument: &'static str, default: T) -> Result<T> {
        self.config.get(argument).map_or(Ok(default), |value| self.read(argument, value))
    }

    fn read<T: Argument>(&self, argument: &'static str, value: &Value) -> Result<T> {
        T::read(value).ok_or_else(|| Error::Argument {
            class: self.class,
            layer: self.layer.into(),
            argument,
            expected: T::KIND.expected(),
            got: value.to_string(),
        })
    }
}
