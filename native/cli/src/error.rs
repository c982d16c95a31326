use std::path::PathBuf;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is not one of ours.
    #[error("{0}. See firesteel --help.")]
    Usage(String),
    /// A file could not be read.
    #[error("{}: {source}. Check the path.", .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A golden file is not what this tool expects.
    #[error("{}: {problem}. Use a file that peers/golden.py or tests/golden wrote for a case of this tool.", .path.display())]
    Golden {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be written.
    #[error("{}: {source}. Check the path.", .path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of arrays could not be read or written.
    #[error("{}: {source}. Check the path, or write it with numpy.savez.", .path.display())]
    Arrays {
        /// Path of the file.
        path: PathBuf,
        /// Why.
        source: import::npz::Error,
    },
    /// A model file was refused, or did not run.
    #[error("{0}.")]
    Onnx(#[from] import::onnx::Error),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] nn::Error),
    /// The model was refused.
    #[error(transparent)]
    Layers(#[from] layers::Error),
    /// Training or prediction failed.
    #[error(transparent)]
    Train(#[from] train::Error),
    /// There is no memory.
    #[error(transparent)]
    Tensor(#[from] tensor::Error),
    /// The threads could not be started.
    #[error("threads: {0}. Use fewer.")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Error {
    /// Exit code of the process: 2 for a wrong command line, 1 for all else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}
