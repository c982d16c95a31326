//! The error of this crate: who, what was expected, what came, what to do.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a layer objects to in its inputs or arguments; the model adds which layer it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What does not fit: one clause with what was expected and what came.
    pub problem: String,
    /// What to do about it: one sentence with its full stop.
    pub remedy: String,
}

impl Misfit {
    /// A misfit with its remedy.
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// Why a definition, a model file or a vector of weights was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not a definition: not JSON, or a field is missing or of the wrong type.
    #[error(
        "model definition: {problem}. Expected {{\"format\": 1, \"name\": …, \"inputs\": […], \
         \"layers\": […], \"outputs\": […]}}."
    )]
    Syntax {
        /// What the parser found, with line and column.
        problem: String,
    },
    /// The definition was written in a newer form.
    #[error(
        "model definition: expected format {expected}, got {got}. Use the firesteel that wrote it, \
         or a newer one."
    )]
    Format {
        /// The newest form this build reads.
        expected: u32,
        /// The form of the definition.
        got: u64,
    },
    /// The parts of the definition do not make a model.
    #[error("model \"{model}\": {problem}. {remedy}")]
    Structure {
        /// Name of the model.
        model: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// No layer class has this name.
    #[error("layer \"{layer}\": unknown class {class}. Known classes: {known}.")]
    UnknownClass {
        /// Name of the layer.
        layer: String,
        /// Its class in the definition.
        class: String,
        /// All classes, separated by commas.
        known: String,
    },
    /// The layer has no argument of this name.
    #[error("{class} \"{layer}\": unknown argument {argument}. Known arguments: {known}.")]
    UnknownArgument {
        /// Class of the layer.
        class: &'static str,
        /// Name of the layer.
        layer: String,
        /// The argument.
        argument: String,
        /// All arguments, separated by commas.
        known: String,
    },
    /// An argument without a default was not given.
    #[error("{class} \"{layer}\": argument {argument} is missing. Give {expected}.")]
    MissingArgument {
        /// Class of the layer.
        class: &'static str,
        /// Name of the layer.
        layer: String,
        /// The argument.
        argument: &'static str,
        /// Its type in words.
        expected: String,
    },
    /// An argument has the wrong type or range.
    #[error("{class} \"{layer}\": argument {argument} is {got}. Give {expected}.")]
    Argument {
        /// Class of the layer.
        class: &'static str,
        /// Name of the layer.
        layer: String,
        /// The argument.
        argument: &'static str,
        /// Its type in words.
        expected: String,
        /// Its value as JSON.
        got: String,
    },
    /// A layer's inputs or arguments do not go together.
    #[error("{class} \"{layer}\": {problem} (src {src}). {remedy}")]
    Misfit {
        /// Class of the layer.
        class: &'static str,
        /// Name of the layer.
        layer: String,
        /// What does not fit.
        problem: String,
        /// Shapes of the layer's inputs, per sample.
        src: String,
        /// What to do.
        remedy: String,
    },
    /// The op that a layer adds was refused by the graph.
    #[error("{class} \"{layer}\": {source}")]
    Graph {
        /// Class of the layer.
        class: &'static str,
        /// Name of the layer.
        layer: String,
        /// Why.
        source: Box<nn::Error>,
    },
    /// A vector of weights has the wrong length.
    #[error(
        "model \"{model}\": expected {expected} weights, got {got}. Pass the weights of this model."
    )]
    Weights {
        /// Name of the model.
        model: String,
        /// Length of the model's flat vector.
        expected: usize,
        /// Length that came.
        got: usize,
    },
    /// The bytes are not a model file, or not one of ours.
    #[error("model file{}: {problem}. {remedy}", name(.path))]
    File {
        /// Path, if the bytes came from one.
        path: Option<PathBuf>,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file could not be read or written.
    #[error("model file {}: {source}. Check the path and its permissions.", .path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn name(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!(" {}", path.display())).unwrap_or_default()
}
