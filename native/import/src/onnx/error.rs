use std::fmt;
use std::path::PathBuf;

/// A node that the importer has no op for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsupported {
    /// Domain of the op; empty for ONNX's own.
    pub domain: String,
    /// Kind of the op.
    pub op: String,
    /// Version of the domain's opset that the model imports.
    pub opset: i64,
    /// Names of the nodes (of their first outputs, where they have none).
    pub nodes: Vec<String>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = if self.domain.is_empty() { "ai.onnx" } else { &self.domain };
        write!(f, "{domain} {} (opset {}): ", self.op, self.opset)?;
        let shown: Vec<&str> = self.nodes.iter().take(5).map(String::as_str).collect();
        write!(f, "{}", shown.join(", "))?;
        match self.nodes.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Why a model could not be read, built, run or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {source}. Check the path", .path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no ONNX model, or a damaged one.
    #[error("model: {0}. Write it again, and check it with onnx.checker")]
    Malformed(String),
    /// A tensor of the file cannot be read.
    #[error("tensor \"{name}\": {problem}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nodes without an op here: all of them at once.
    #[error("model: {} kinds of nodes are not supported: {}", .0.len(), list(.0))]
    Unsupported(Vec<Unsupported>),
    /// A node that does not fit its op.
    #[error("{op} \"{node}\": {problem}")]
    Node {
        /// Kind of the op.
        op: String,
        /// Name of the node.
        node: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A node whose result has a shape or a course that only the inputs' values decide.
    #[error("{op} \"{node}\": {what} depends on the values of the inputs. Give them with run")]
    NeedsValues {
        /// Kind of the op.
        op: String,
        /// Name of the node.
        node: String,
        /// What must be known.
        what: String,
    },
    /// An input that is missing, unknown or of another type than the model's.
    #[error("input \"{name}\": {problem}")]
    Input {
        /// Name of the input.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An op of a graph that ONNX has no node for.
    #[error("{op} \"{node}\": has no form in ONNX: {problem}")]
    NotExported {
        /// Kind of the op.
        op: String,
        /// Name of the node.
        node: String,
        /// Why.
        problem: String,
    },
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] nn::Error),
}

impl From<tensor::Error> for Error {
    fn from(error: tensor::Error) -> Error {
        Error::Engine(error.into())
    }
}

fn list(unsupported: &[Unsupported]) -> String {
    unsupported.iter().map(Unsupported::to_string).collect::<Vec<_>>().join("; ")
}
