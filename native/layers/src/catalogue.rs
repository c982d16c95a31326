//! The list of all classes of layers, with their arguments and docs.

use crate::layer::{Field, Layer, LayerClass, read};
use crate::{Result, classes};
use serde_json::{Map, Value};

/// Makes a layer from its name and its arguments.
pub type Reader = fn(&str, &Map<String, Value>) -> Result<Box<dyn Layer>>;

/// One class of layers.
pub struct Entry {
    /// Name.
    pub class: &'static str,
    /// Doc comment, line by line.
    pub doc: &'static [&'static str],
    /// Arguments; those without a default come first.
    pub fields: Vec<Field>,
    /// Makes a layer of this class.
    pub read: Reader,
}

/// All classes of layers by name. A new layer is added here and in `classes/mod.rs`.
pub fn catalogue() -> Vec<Entry> {
    vec![
        entry::<classes::Activation>(),
        entry::<classes::Add>(),
        entry::<classes::AveragePooling2D>(),
        entry::<classes::BatchNormalization>(),
        entry::<classes::Concatenate>(),
        entry::<classes::Conv2D>(),
        entry::<classes::Dense>(),
        entry::<classes::Dropout>(),
        entry::<classes::Embedding>(),
        entry::<classes::Flatten>(),
        entry::<classes::GlobalAveragePooling2D>(),
        entry::<classes::LRN2D>(),
        entry::<classes::LSTM>(),
        entry::<classes::LayerNormalization>(),
        entry::<classes::MaxPooling2D>(),
        entry::<classes::MultiHeadAttention>(),
        entry::<classes::Multiply>(),
        entry::<classes::PositionEmbedding>(),
        entry::<classes::ReLU>(),
        entry::<classes::Reshape>(),
        entry::<classes::Select>(),
        entry::<classes::Softmax>(),
    ]
}

fn entry<L: LayerClass>() -> Entry {
    Entry { class: L::CLASS, doc: L::DOC, fields: L::fields(), read: read::<L> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_layer_is_in_the_catalogue() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/classes");
        let files = std::fs::read_dir(folder).unwrap().count() - 1;
        assert_eq!(catalogue().len(), files);
    }

    #[test]
    fn classes_are_sorted_and_documented() {
        let entries = catalogue();
        assert!(entries.is_sorted_by(|a, b| a.class < b.class));
        for entry in entries {
            assert!(!entry.doc.is_empty(), "{}", entry.class);
            assert!(entry.fields.iter().all(|field| !field.doc.is_empty()), "{}", entry.class);
        }
    }
}
