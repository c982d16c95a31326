//! Training and inference in bf16: which steps compute in it, and which values are kept in it.
//!
//! Precision is a matter of layout. The values of a graph are f32; in a bf16 plan a product takes
//! its factors in bf16, and what lies between two products stays in it. The border to what is
//! computed in f32 is a reorder like any other: made once, and for weights together with that into
//! the kernel's layout, once per set of weights.

use crate::graph::{Graph, ValueId};
use onednn::DataType;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What products (convolutions, matrix products and their gradients) are computed in.
///
/// ```
/// use nn::Precision;
/// assert_eq!("bf16".parse(), Ok(Precision::Bf16));
/// assert_eq!(Precision::default().to_string(), "f32");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Everything in f32.
    #[default]
    F32,
    /// Factors and what lies between products in bf16 (the upper half of an f32), sums in f32.
    /// Weights, their gradients, statistics and losses stay f32 (D. Kalamkar et al.: "A study of
    /// BFLOAT16 for deep learning training", 2019).
    Bf16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Precision; 2] = [Precision::F32, Precision::Bf16];

    /// Name, as in settings.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Precision, String> {
        let known = Precision::ALL.into_iter().find(|precision| precision.name() == name);
        known.ok_or_else(|| format!("expected f32 or bf16, got {name}"))
    }
}

/// In which elements an op takes a source in a bf16 plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// In f32 only, as plain kernels do.
    F32,
    /// In either; the op gains by bf16.
    Bf16,
    /// In either, and its first output has the same.
    LikeResult,
}

/// The elements of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Of what is multiplied.
    pub factors: DataType,
    /// Of what comes out.
    pub result: DataType,
}

impl Product {
    /// Everything in f32.
    pub const F32: Product = Product { factors: DataType::F32, result: DataType::F32 };
}

/// Which values of a graph a product makes in bf16: those that nothing but ops that take bf16 reads.
/// What leaves the graph is f32. None at all in an f32 plan.
pub(crate) struct Half(Option<Vec<bool>>);

impl Half {
    pub fn new(graph: &Graph, precision: Precision) -> Half {
        if precision == Precision::F32 {
            return Half(None);
        }
        let mut half = vec![true; graph.values.len()];
        graph.roots().for_each(|root| half[root.0] = false);
        // The readers of a value come behind the node that makes it.
        for node in graph.nodes.iter().rev() {
            let result = half[node.dst[0].0];
            for (i, value) in node.src.iter().enumerate() {
                half[value.0] &= match node.op.takes(i) {
                    Takes::F32 => !node.op.reads(i),
                    Takes::Bf16 => true,
                    Takes::LikeResult => result,
                };
            }
        }
        Half(Some(half))
    }

    /// The elements of a product that makes this value; none for all in f32.
    pub fn product(&self, result: ValueId) -> Option<Product> {
        let half = self.0.as_ref()?[result.0];
        let result = if half { DataType::Bf16 } else { DataType::F32 };
        Some(Product { factors: DataType::Bf16, result })
    }
}
