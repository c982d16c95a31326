//! BERT, layer by layer.

use layers::ActivationFunction::{Gelu, Tanh};
use layers::{
    Add, Definition, Dense, Dropout, Embedding, LayerNormalization, MultiHeadAttention,
    PositionEmbedding, Select,
};

/// A BERT of 4 layers of 256 with 4 heads for 128 words and 2 classes: normalized behind each sum,
/// no mask, the class by the first word.
pub fn definition() -> Definition {
    let mut net = Net(Definition::new("bert_mini").input("ids", &[128]));
    net.layer("tok", Embedding::new(30_522, 256), &["ids"]);
    net.layer("pos", PositionEmbedding::new(), &["tok"]);
    net.norm("ln", "pos");
    net.layer("drop", Dropout::new(0.1), &["ln"]);
    let mut src = "drop".to_owned();
    for block in 0..4 {
        src = net.block(&format!("blocks.{block}"), &src);
    }
    net.layer("first", Select::new(1, 0), &[&src]);
    net.layer("pool", Dense { activation: Tanh, ..Dense::new(256) }, &["first"]);
    net.layer("pool.drop", Dropout::new(0.1), &["pool"]);
    net.layer("fc", Dense::new(2), &["pool.drop"]);
    net.0.output("fc")
}

struct Net(Definition);

impl Net {
    fn layer(&mut self, name: &str, layer: impl layers::Layer, inputs: &[&str]) {
        let definition = std::mem::replace(&mut self.0, Definition::new(""));
        self.0 = definition.layer(name, layer, inputs);
    }

    fn norm(&mut self, name: &str, src: &str) {
        self.layer(
            name,
            LayerNormalization { epsilon: 1e-12, ..LayerNormalization::new() },
            &[src],
        );
    }

    /// Attention, then two dense layers, each added to what it reads; returns the name of the result.
    fn block(&mut self, name: &str, src: &str) -> String {
        let part = |part: &str| format!("{name}.{part}");
        self.layer(name, MultiHeadAttention::new(4), &[src]);
        self.sum(&part("ln1"), src, name);
        self.layer(&part("ff1"), Dense { activation: Gelu, ..Dense::new(1024) }, &[&part("ln1")]);
        self.layer(&part("ff2"), Dense::new(256), &[&part("ff1")]);
        self.sum(&part("ln2"), &part("ln1"), &part("ff2"));
        part("ln2")
    }

    /// norm(src + dropout(branch)).
    fn sum(&mut self, name: &str, src: &str, branch: &str) {
        let (drop, sum) = (format!("{name}.drop"), format!("{name}.sum"));
        self.layer(&drop, Dropout::new(0.1), &[branch]);
        self.layer(&sum, Add::new(), &[src, &drop]);
        self.norm(name, &sum);
    }
}
