//! The models that are timed and replayed, with PyTorch's names of their parameters.

use crate::resnet50;
use layers::ActivationFunction::Tanh;
use layers::{Activation, Conv2D, Definition, Dense, Flatten, MaxPooling2D, Model};

/// A model with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// LeNet-5 as BigDL has it, for 28×28 grey images and 10 classes.
    Lenet5,
    /// ResNet-50 (He et al., 2016) as torchvision has it, for 224×224 images and 1000 classes.
    Resnet50,
}

impl Case {
    /// All cases.
    pub const ALL: [Self; 2] = [Self::Lenet5, Self::Resnet50];

    /// The case of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// All names, for messages.
    pub fn names() -> String {
        Self::ALL.map(|case| case.name()).join(", ")
    }

    /// Name of the case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lenet5 => "lenet5",
            Self::Resnet50 => "resnet50",
        }
    }

    /// Samples of a timed training step.
    pub fn training_batch(self) -> usize {
        match self {
            Self::Lenet5 => 128,
            Self::Resnet50 => 16,
        }
    }

    /// The model; it ends in logits.
    ///
    /// # Errors
    /// [`layers::Error`] if the definition is wrong, which a test excludes.
    pub fn model(self) -> Result<Model, layers::Error> {
        Model::new(match self {
            Self::Lenet5 => lenet5(),
            Self::Resnet50 => resnet50::definition(),
        })
    }
}

/// conv 5×5 (6), tanh, pool, tanh, conv 5×5 (12), pool, tanh, dense 100, tanh, dense 10.
fn lenet5() -> Definition {
    Definition::new("lenet5")
        .input("input", &[1, 28, 28])
        .layer("conv1", Conv2D { activation: Tanh, ..Conv2D::new(6, [5, 5]) }, &["input"])
        .layer("pool1", MaxPooling2D::new(), &["conv1"])
        .layer("tanh1", Activation::new(Tanh), &["pool1"])
        .layer("conv2", Conv2D::new(12, [5, 5]), &["tanh1"])
        .layer("pool2", MaxPooling2D::new(), &["conv2"])
        .layer("tanh2", Activation::new(Tanh), &["pool2"])
        .layer("flatten", Flatten::new(), &["tanh2"])
        .layer("fc1", Dense { activation: Tanh, ..Dense::new(100) }, &["flatten"])
        .layer("fc2", Dense::new(10), &["fc1"])
        .output("fc2")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::ParameterKind::Trainable;

    #[test]
    fn models_have_the_weights_of_their_papers() {
        for (case, trainable) in [(Case::Lenet5, 22_278), (Case::Resnet50, 25_557_032)] {
            let model = case.model().unwrap();
            let parameters = model.parameters().iter().filter(|p| p.kind == Trainable);
            assert_eq!(parameters.map(|p| p.shape.len()).sum::<usize>(), trainable);
        }
    }
}
