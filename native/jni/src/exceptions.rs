//! What can go wrong at the boundary, and the table of Java classes it becomes.

use jni::jni_str;
use jni::strings::JNIStr;

/// An error of this crate or of one below it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument that no call of this kind can take.
    #[error("{who}: expected {expected}, got {got}. {remedy}")]
    Argument {
        /// The Java class and argument.
        who: &'static str,
        /// What the call takes.
        expected: String,
        /// What came.
        got: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A right call at the wrong time.
    #[error("{who}: expected {expected}, got {got}. {remedy}")]
    State {
        /// The Java class.
        who: &'static str,
        /// State that the call needs.
        expected: &'static str,
        /// State it is in.
        got: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Training.
    #[error(transparent)]
    Train(#[from] train::Error),
    /// Models and model files.
    #[error(transparent)]
    Layers(#[from] layers::Error),
    /// A model file that is whole, but what it defines is no model.
    #[error("model file: {0}")]
    InFile(layers::Error),
    /// Graphs and plans.
    #[error(transparent)]
    Nn(#[from] nn::Error),
    /// Memory and shapes.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// The JVM refused a call: a null argument, no heap.
    #[error("java call: {0}. Pass arguments that are not null")]
    Jni(#[from] jni::errors::Error),
}

/// A row of the table: the Java class of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A bad argument.
    Argument,
    /// Closed, or not ready for this call.
    State,
    /// Right, but not to be had here.
    Unsupported,
    /// A file.
    File,
    /// No native memory.
    Memory,
    /// Everything else.
    Native,
}

impl Class {
    /// Name of the Java class.
    pub fn name(self) -> &'static JNIStr {
        match self {
            Class::Argument => jni_str!("java/lang/IllegalArgumentException"),
            Class::State => jni_str!("java/lang/IllegalStateException"),
            Class::Unsupported => jni_str!("java/lang/UnsupportedOperationException"),
            Class::File => jni_str!("java/io/IOException"),
            Class::Memory => jni_str!("firesteel/NativeMemoryException"),
            Class::Native => jni_str!("firesteel/NativeException"),
        }
    }
}

impl Error {
    /// The Java class that this error becomes.
    pub fn class(&self) -> Class {
        match self {
            Error::Argument { .. } => Class::Argument,
            Error::State { .. } => Class::State,
            Error::Train(error) => of_train(error),
            Error::Layers(error) => of_layers(error),
            Error::InFile(_) => Class::File,
            Error::Nn(error) => of_nn(error),
            Error::Tensor(error) => of_tensor(error),
            Error::Jni(jni::errors::Error::NullPtr(_)) => Class::Argument,
            Error::Jni(_) => Class::Native,
        }
    }
}

fn of_train(error: &train::Error) -> Class {
    match error {
        train::Error::Sealed { .. } | train::Error::Worker { .. } => Class::State,
        train::Error::Threads(_) => Class::Native,
        train::Error::Tensor(error) => of_tensor(error),
        train::Error::Nn(error) => of_nn(error),
        train::Error::Layers(error) => of_layers(error),
        _ => Class::Argument,
    }
}

fn of_layers(error: &layers::Error) -> Class {
    match error {
        layers::Error::File { .. } | layers::Error::Io { .. } => Class::File,
        layers::Error::Graph { source, .. } => of_nn(source),
        _ => Class::Argument,
    }
}

fn of_nn(error: &nn::Error) -> Class {
    match error {
        nn::Error::NotDifferentiable { .. } | nn::Error::Precision { .. } => Class::Unsupported,
        nn::Error::Onednn { .. } => Class::Native,
        nn::Error::Op { source: nn::OpError::Tensor(error), .. } => of_tensor(error),
        nn::Error::Tensor(error) => of_tensor(error),
        _ => Class::Argument,
    }
}

fn of_tensor(error: &tensor::Error) -> Class {
    match error {
        tensor::Error::OutOfMemory { .. } => Class::Memory,
        _ => Class::Argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_keeps_its_class_through_every_layer() {
        let memory = || tensor::Error::OutOfMemory { bytes: 1 };
        let wrapped: [Error; 4] = [
            memory().into(),
            nn::Error::from(memory()).into(),
            train::Error::from(memory()).into(),
            train::Error::from(nn::Error::from(memory())).into(),
        ];
        assert!(wrapped.iter().all(|error| error.class() == Class::Memory));
    }

    #[test]
    fn rows_are_arguments_and_files_are_io() {
        let row = train::Error::Feature { row: 3, feature: 0, value: f32::NAN };
        assert_eq!(Error::from(row).class(), Class::Argument);
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        let file = layers::Error::Io { path: "model".into(), source };
        assert_eq!(Error::from(file).class(), Class::File);
    }
}
