//! The command lines that name a model file.

use crate::Error;
use crate::args::{number, text, usage};
use lexopt::{Arg, Parser};
use std::num::NonZero;
use std::path::PathBuf;

/// What to do with a model.
pub enum ModelCommand {
    /// Run it on the arrays of a file.
    Run {
        /// The model.
        model: PathBuf,
        /// npz with an array per input.
        input: PathBuf,
        /// npz with an array per output, written.
        output: PathBuf,
        /// Threads of each op.
        threads: usize,
    },
    /// Say what it takes, gives and is made of.
    Inspect(Sized),
    /// Print its steps and how long each takes.
    Explain {
        /// The model.
        model: Sized,
        /// Threads of each op.
        threads: usize,
    },
    /// Time it.
    Bench {
        /// The model.
        model: Sized,
        /// npz with an array per input; synthetic ones without it.
        input: Option<PathBuf>,
        /// Threads of each op.
        threads: usize,
        /// Time to measure for, in seconds.
        secs: f64,
    },
    /// Write it anew.
    Convert {
        /// The model.
        model: Sized,
        /// Where to.
        output: PathBuf,
    },
    /// Run the test cases in a folder.
    Conformance(PathBuf),
}

/// A model with sizes for the dimensions that it leaves open.
pub struct Sized {
    /// The file.
    pub model: PathBuf,
    /// Dimensions by name of the dimension; all others that are open are 1.
    pub dims: Vec<(String, usize)>,
}

/// Reads what follows the name of a command; `None` asks for help.
pub fn parse(command: &str, mut parser: Parser) -> Result<Option<ModelCommand>, Error> {
    let (mut files, mut dims, mut secs) = (Vec::new(), Vec::new(), 10.0);
    let (mut input, mut output, mut threads) = (None, None, None);
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("input") if ["run", "bench"].contains(&command) => {
                input = Some(PathBuf::from(parser.value().map_err(usage)?));
            }
            Arg::Long("output") if ["run", "convert"].contains(&command) => {
                output = Some(PathBuf::from(parser.value().map_err(usage)?));
            }
            Arg::Long("threads") if ["run", "bench", "explain"].contains(&command) => {
                threads = Some(number(&mut parser, "--threads", 1..=1024)?);
            }
            Arg::Long("secs") if command == "bench" => {
                secs = number(&mut parser, "--secs", 0.0..=86400.0)?;
            }
            Arg::Long("dim") if !["run", "conformance"].contains(&command) => {
                dims.push(dim(&text(&mut parser)?)?);
            }
            Arg::Value(path) => files.push(PathBuf::from(path)),
            other => return Err(usage(other.unexpected())),
        }
    }
    let [model] = <[PathBuf; 1]>::try_from(files).map_err(|files| {
        Error::Usage(format!("{command}: expected one path, got {}", files.len()))
    })?;
    let path = |option: &str, path: Option<PathBuf>| {
        path.ok_or_else(|| Error::Usage(format!("{command}: expected {option} FILE, got nothing")))
    };
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.unwrap_or_else(cores);
    Ok(Some(match command {
        "run" => ModelCommand::Run {
            model,
            input: path("--input", input)?,
            output: path("--output", output)?,
            threads,
        },
        "convert" => ModelCommand::Convert {
            model: Sized { model, dims },
            output: path("--output", output)?,
        },
        "inspect" => ModelCommand::Inspect(Sized { model, dims }),
        "explain" => ModelCommand::Explain { model: Sized { model, dims }, threads },
        "conformance" => ModelCommand::Conformance(model),
        _ => ModelCommand::Bench { model: Sized { model, dims }, input, threads, secs },
    }))
}

/// `NAME=SIZE`.
fn dim(text: &str) -> Result<(String, usize), Error> {
    let parts = text.rsplit_once('=');
    let size = parts.and_then(|(name, size)| Some((name.to_owned(), size.parse().ok()?)));
    size.ok_or_else(|| Error::Usage(format!("--dim: expected NAME=SIZE, got {text}")))
}
