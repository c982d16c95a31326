//! The models that are timed and replayed, with PyTorch's names of their parameters.

use crate::{bert_mini, inception_v1, resnet50};
use layers::ActivationFunction::{Relu, Tanh};
use layers::{
    Activation, Concatenate, Conv2D, Definition, Dense, Embedding, Flatten, LSTM, MaxPooling2D,
    Model, Multiply,
};

/// A model with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// LeNet-5 as BigDL has it, for 28×28 grey images and 10 classes.
    Lenet5,
    /// ResNet-50 (He et al., 2016) as torchvision has it, for 224×224 images and 1000 classes.
    Resnet50,
    /// GoogLeNet (Szegedy et al., 2015) as Caffe and BigDL have it, without the side branches.
    InceptionV1,
    /// Text of 200 words to 20 classes by one LSTM.
    Lstm,
    /// Neural collaborative filtering (He et al., 2017) as Analytics Zoo has it.
    Ncf,
    /// A BERT (Devlin et al., 2019) of 4 layers of 256 for 128 words and 2 classes.
    BertMini,
}

impl Case {
    /// All cases.
    pub const ALL: [Self; 6] =
        [Self::Lenet5, Self::Resnet50, Self::InceptionV1, Self::Lstm, Self::Ncf, Self::BertMini];

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
            Self::InceptionV1 => "inception_v1",
            Self::Lstm => "lstm",
            Self::Ncf => "ncf",
            Self::BertMini => "bert_mini",
        }
    }

    /// Samples of a timed training step.
    pub fn training_batch(self) -> usize {
        match self {
            Self::Lenet5 | Self::Lstm => 128,
            Self::Resnet50 | Self::BertMini => 16,
            Self::InceptionV1 => 32,
            Self::Ncf => 2048,
        }
    }

    /// For each input the number of different values, if it takes whole numbers.
    pub fn vocabularies(self) -> &'static [Option<u64>] {
        match self {
            Self::Lenet5 | Self::Resnet50 | Self::InceptionV1 => &[None],
            Self::Lstm => &[Some(20_000)],
            Self::Ncf => &[Some(6040), Some(3706)],
            Self::BertMini => &[Some(30_522)],
        }
    }

    /// The model; it ends in logits.
    ///
    /// # Errors
    /// [`layers::Error`] if the definition is wrong, which a test excludes.
    pub fn model(self) -> Result<Model, layers::Error> {
        Model::new(self.definition())
    }

    /// The model without dropout, as the golden runs have it.
    ///
    /// # Errors
    /// As [`Case::model`].
    pub fn deterministic(self) -> Result<Model, layers::Error> {
        let mut definition = self.definition();
        for layer in definition.layers.iter_mut().filter(|layer| layer.class == "Dropout") {
            layer.config.insert("rate".into(), 0.0.into());
        }
        Model::new(definition)
    }

    fn definition(self) -> Definition {
        match self {
            Self::Lenet5 => lenet5(),
            Self::Resnet50 => resnet50::definition(),
            Self::InceptionV1 => inception_v1::definition(),
            Self::Lstm => lstm(),
            Self::Ncf => ncf(),
            Self::BertMini => bert_mini::definition(),
        }
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

/// Embedding 100, LSTM 128, dense 20 on its last result.
fn lstm() -> Definition {
    Definition::new("lstm")
        .input("ids", &[200])
        .layer("emb", Embedding::new(20_000, 100), &["ids"])
        .layer("lstm", LSTM::new(128), &["emb"])
        .layer("fc", Dense::new(20), &["lstm"])
        .output("fc")
}

/// Dense 40, 20 and 10 on the vectors of user and item, beside the product of two other vectors.
fn ncf() -> Definition {
    let dense = |units| Dense { activation: Relu, ..Dense::new(units) };
    Definition::new("ncf")
        .input("user", &[])
        .input("item", &[])
        .layer("mlp_user", Embedding::new(6040, 20), &["user"])
        .layer("mlp_item", Embedding::new(3706, 20), &["item"])
        .layer("mf_user", Embedding::new(6040, 20), &["user"])
        .layer("mf_item", Embedding::new(3706, 20), &["item"])
        .layer("mlp", Concatenate::new(), &["mlp_user", "mlp_item"])
        .layer("l1", dense(40), &["mlp"])
        .layer("l2", dense(20), &["l1"])
        .layer("l3", dense(10), &["l2"])
        .layer("mf", Multiply::new(), &["mf_user", "mf_item"])
        .layer("both", Concatenate::new(), &["mf", "l3"])
        .layer("out", Dense::new(5), &["both"])
        .output("out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nn::ParameterKind::Trainable;

    #[test]
    fn models_have_the_weights_of_their_papers() {
        for (case, trainable) in [
            (Case::Lenet5, 22_278),
            (Case::Resnet50, 25_557_032),
            (Case::InceptionV1, 6_998_552),
            (Case::Lstm, 2_120_340),
            (Case::Ncf, 392_665),
            (Case::BertMini, 11_072_258),
        ] {
            let model = case.model().unwrap();
            let parameters = model.parameters().iter().filter(|p| p.kind == Trainable);
            assert_eq!(parameters.map(|p| p.shape.len()).sum::<usize>(), trainable);
        }
    }
}
