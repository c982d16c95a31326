//! The layout of one training row in native memory.

use crate::Error;
use std::fmt;

/// What stands after the features of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// One float: the index of the class, `0, 1, …, classes - 1`.
    Class {
        /// Number of classes.
        classes: usize,
    },
    /// This many finite floats: the values to be predicted.
    Values(usize),
}

/// The layout of a row: f32 features of all inputs in input order, then the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Floats of all inputs together.
    pub features: usize,
    /// What follows them.
    pub label: Label,
}

impl Record {
    /// Floats of the label.
    pub fn label_len(&self) -> usize {
        match self.label {
            Label::Class { .. } => 1,
            Label::Values(len) => len,
        }
    }

    /// Floats of a row: features and label.
    pub fn len(&self) -> usize {
        self.features + self.label_len()
    }

    /// True if a row has no float at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of a row.
    pub fn bytes(&self) -> usize {
        self.len() * size_of::<f32>()
    }

    /// Checks one row of [`Record::len`] floats; `row` is its number, for the message.
    ///
    /// # Errors
    /// [`Error::Feature`] for NaN or infinity, [`Error::Label`] for a label outside its range.
    pub fn check(&self, row: usize, values: &[f32]) -> Result<(), Error> {
        let (features, label) = values.split_at(self.features);
        if let Some(feature) = features.iter().position(|value| !value.is_finite()) {
            return Err(Error::Feature { row, feature, value: features[feature] });
        }
        let valid = |value: f32| match self.label {
            Label::Class { classes } => {
                value >= 0.0 && value.fract() == 0.0 && (value as usize) < classes
            }
            Label::Values(_) => value.is_finite(),
        };
        match label.iter().find(|&&value| !valid(value)) {
            None => Ok(()),
            Some(&value) => Err(Error::Label { row, value, expected: self.label.to_string() }),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Class { classes } => {
                write!(f, "a class index 0..{} (an integer)", classes.saturating_sub(1))
            }
            Label::Values(_) => write!(f, "a finite number"),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} features and ", self.features)?;
        match self.label {
            Label::Class { classes } => write!(f, "a class index of {classes} classes"),
            Label::Values(len) => write!(f, "{len} values to predict"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Record = Record { features: 2, label: Label::Class { classes: 3 } };

    fn message(values: &[f32]) -> String {
        ROW.check(41, values).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_feature_is_named_by_row_and_position() {
        assert!(message(&[0.0, f32::NAN, 1.0]).starts_with("row 41: feature 1 is NaN"));
        assert!(message(&[f32::NEG_INFINITY, 0.0, 1.0]).starts_with("row 41: feature 0 is -inf"));
    }

    #[test]
    fn a_class_outside_the_range_is_refused() {
        for label in [3.0, -1.0, 0.5, f32::NAN, f32::INFINITY, 1e30] {
            let message = message(&[0.0, 0.0, label]);
            assert!(message.contains("expected a class index 0..2"), "{message}");
        }
        for label in [0.0, 1.0, 2.0] {
            ROW.check(0, &[0.0, 0.0, label]).unwrap();
        }
    }

    #[test]
    fn a_value_to_predict_must_be_finite() {
        let record = Record { features: 1, label: Label::Values(2) };
        record.check(0, &[1.0, -7.5, 1e30]).unwrap();
        assert!(record.check(0, &[1.0, 0.0, f32::NAN]).is_err());
    }
}
