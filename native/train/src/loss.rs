//! What training makes small.

use crate::{Error, Label, Record};
use layers::Model;
use nn::{Graph, ValueId, ops};
use serde::{Deserialize, Serialize};
use tensor::Shape;

/// A loss; its serde form is `{"class": "CrossEntropy"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "class", deny_unknown_fields)]
pub enum Loss {
    /// Softmax cross-entropy on logits `z` with class `c`: `log Σⱼ exp(zⱼ) - z_c`.
    ///
    /// Output: one vector of logits per sample, of 2 classes or more. Label: the 0-based class index.
    CrossEntropy,
    /// Mean over the output's elements of `(prediction - target)²`.
    ///
    /// Output: any shape. Label: one target per element of the output.
    MeanSquaredError,
}

impl Loss {
    /// Reads a loss from its JSON form.
    ///
    /// # Errors
    /// [`Error::Definition`] for an unknown class or anything but such an object.
    ///
    /// ```
    /// use train::Loss;
    /// assert_eq!(Loss::from_json(r#"{"class": "CrossEntropy"}"#)?, Loss::CrossEntropy);
    /// # Ok::<(), train::Error>(())
    /// ```
    pub fn from_json(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::Definition {
            what: "loss",
            message: error.to_string(),
            example: r#"{"class": "CrossEntropy"}"#,
        })
    }

    /// The label that belongs to an output of this shape (per sample).
    ///
    /// # Errors
    /// [`Error::Output`] when this loss has no use for such an output.
    pub fn label(&self, output: &Shape) -> Result<Label, Error> {
        match (self, output.dims()) {
            (Loss::CrossEntropy, &[classes]) if classes >= 2 => Ok(Label::Class { classes }),
            (Loss::CrossEntropy, _) => Err(Error::Output {
                loss: "CrossEntropy",
                expected: "[classes], 2 or more",
                got: output.to_string(),
                remedy: "End the model with Dense(classes) without an activation",
            }),
            (Loss::MeanSquaredError, _) => Ok(Label::Values(output.len())),
        }
    }

    /// The layout of a training row of this model under this loss.
    ///
    /// # Errors
    /// [`Error::Output`] when this loss cannot train the model.
    pub fn record(&self, model: &Model) -> Result<Record, Error> {
        let features = model.input_shapes().iter().map(|shape| shape.len()).sum();
        Ok(Record { features, label: self.label(model.output_shape())? })
    }

    /// The shape of a batch of labels of outputs of this shape (per sample).
    pub fn label_shape(&self, batch: usize, output: &Shape) -> Shape {
        match self {
            Loss::CrossEntropy => Shape::new(&[batch]),
            Loss::MeanSquaredError => Shape::new(&[&[batch], output.dims()].concat()),
        }
    }

    /// Adds the loss to a graph: `scale` (one float) multiplies the gradient; the result is one loss
    /// per sample.
    ///
    /// # Errors
    /// [`Error::Nn`] when the shapes do not fit.
    pub fn add(
        &self,
        graph: &mut Graph,
        output: ValueId,
        label: ValueId,
        scale: ValueId,
    ) -> Result<ValueId, Error> {
        let inputs = [output, label, scale];
        let values = match self {
            Loss::CrossEntropy => {
                graph.add("loss", ops::SoftmaxCrossEntropy::default(), &inputs)?
            }
            Loss::MeanSquaredError => {
                graph.add("loss", ops::MeanSquaredError::default(), &inputs)?
            }
        };
        Ok(values[0])
    }

    /// Whether one sample's output is right: the largest logit is that of the class (the first of
    /// equals counts). Nothing is "right" for a mean squared error.
    pub fn correct(&self, output: &[f32], label: &[f32]) -> bool {
        match self {
            Loss::CrossEntropy => {
                let mut best = 0;
                for (class, &logit) in output.iter().enumerate() {
                    if logit > output[best] {
                        best = class;
                    }
                }
                label.first() == Some(&(best as f32))
            }
            Loss::MeanSquaredError => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_loss_is_refused_with_an_example() {
        let message = Loss::from_json(r#"{"class": "Hinge"}"#).unwrap_err().to_string();
        assert!(message.contains("Hinge") && message.contains("CrossEntropy"), "{message}");
    }

    #[test]
    fn cross_entropy_needs_a_vector_of_logits() {
        let label = Loss::CrossEntropy.label(&Shape::new(&[10])).unwrap();
        assert_eq!(label, Label::Class { classes: 10 });
        for shape in [&[6usize, 4, 4][..], &[1], &[]] {
            let message = Loss::CrossEntropy.label(&Shape::new(shape)).unwrap_err().to_string();
            assert!(message.contains("End the model with Dense(classes)"), "{message}");
        }
    }

    #[test]
    fn the_first_of_equal_logits_is_the_prediction() {
        assert!(Loss::CrossEntropy.correct(&[0.5, 2.0, 2.0], &[1.0]));
        assert!(!Loss::CrossEntropy.correct(&[0.5, 2.0, 2.0], &[2.0]));
        assert!(!Loss::CrossEntropy.correct(&[f32::NAN, f32::NAN], &[1.0]));
    }
}
