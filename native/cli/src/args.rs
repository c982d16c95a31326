//! The command line.

use crate::Error;
use crate::cases::Case;
use crate::model_args::{self, ModelCommand};
use lexopt::{Arg, Parser, ValueExt};
use nn::Precision;
use std::path::PathBuf;
use std::str::FromStr;

/// Text of `--help`.
pub const HELP: &str = "\
firesteel: runs and times models and replays golden runs, without a JVM

usage:
  firesteel bench CASE train|infer [--threads N] [--batch N] [--dtype T] [--secs S]
      Times training steps (SGD with momentum) or predictions on synthetic data and prints
      one line of JSON. CASE is lenet5, resnet50, inception_v1, lstm, ncf or bert_mini.
        --threads N   single-threaded replicas that share each batch; default 2
        --batch N     samples of a step; default 16 to infer, and to train 128 for lenet5 and
                      lstm, 16 for resnet50 and bert_mini, 32 for inception_v1, 2048 for ncf
        --dtype T     precision: f32, or bf16 for products in bf16; default f32
        --secs S      time to measure for; default 10
  firesteel golden FILE [--reference FILE] [--tolerance T] [--steps N]
      Replays a training run that PyTorch recorded (FILE is golden/CASE.json), in one replica,
      and prints the losses side by side.
        --reference FILE
                      the run in f64 (tests/golden/CASE_f64.json), to compare with instead of
                      PyTorch's in f32; says how far that one is from it too
        --tolerance T largest relative difference of a loss; default 1e-5
        --steps N     steps to replay; default all of the file
  firesteel run MODEL --input FILE --output FILE [--threads N]
      Runs a model on the arrays of a .npz file, by input name, and writes its outputs as another,
      by output name. MODEL is an ONNX model (.onnx) or a model file of firesteel, whose samples
      come in a first dimension named batch.
  firesteel inspect MODEL [--dim NAME=SIZE]...
      Prints what a model takes and gives, its parameters, flops and ops.
  firesteel explain MODEL [--dim NAME=SIZE]... [--threads N]
      Prints the steps of a model's plan in their order: time, flops, bytes, op and node.
  firesteel bench MODEL [--dim NAME=SIZE]... [--input FILE] [--threads N] [--secs S]
      Times predictions of a model (a path with a dot) on the arrays of a .npz file, else on
      synthetic ones, and prints one line of JSON.
        --threads N   threads inside each op; default all cores
  firesteel convert MODEL --output FILE [--dim NAME=SIZE]...
      Writes a model as ONNX, opset 22, for the given sizes of its open dimensions; without sizes a
      model file of firesteel is written for batches of any size.
        --dim NAME=SIZE
                      size of an open dimension; default 1
  firesteel conformance FOLDER
      Runs the test cases of ONNX (a folder each) and prints a line of JSON for each.
  firesteel define CASE
      Prints the definition of a case as JSON, from which the Spark layer builds the same model.
  firesteel --help | --version

oneDNN is taken from the path in FIRESTEEL_ONEDNN, else from libdnnl.so.3 beside this program or
under native/linux-x86_64 beside or above it; without it plain kernels run.

exit codes: 0 done, 1 failed or beyond the tolerance, 2 wrong command line
";

/// What to do.
pub enum Command {
    /// Print [`HELP`].
    Help,
    /// Print the version.
    Version,
    /// Time a case.
    Bench(Bench),
    /// Replay a golden run.
    Golden(Golden),
    /// Print the definition of a case.
    Define(Case),
    /// Do something with a model file.
    Model(ModelCommand),
}

/// What is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Forward, backward, update.
    Train,
    /// Forward.
    Infer,
}

/// Options of `bench`.
pub struct Bench {
    /// The model.
    pub case: Case,
    /// What is timed.
    pub mode: Mode,
    /// Number of replicas.
    pub threads: usize,
    /// Samples of a step.
    pub batch: usize,
    /// What products are computed in.
    pub precision: Precision,
    /// Time to measure for, in seconds.
    pub secs: f64,
}

/// Options of `golden`.
pub struct Golden {
    /// The recorded run.
    pub file: PathBuf,
    /// The same run in f64.
    pub reference: Option<PathBuf>,
    /// Largest relative difference of a loss.
    pub tolerance: f64,
    /// Steps to replay; `None` for all.
    pub steps: Option<usize>,
}

/// Reads a command line.
pub fn parse(mut parser: Parser) -> Result<Command, Error> {
    match parser.next().map_err(usage)? {
        Some(Arg::Short('h') | Arg::Long("help")) => Ok(Command::Help),
        Some(Arg::Short('V') | Arg::Long("version")) => Ok(Command::Version),
        Some(Arg::Value(command)) if command == "help" => Ok(Command::Help),
        Some(Arg::Value(command)) if command == "bench" => {
            let rest = parser.raw_args().map_err(usage)?;
            match rest.peek().is_some_and(|word| word.to_string_lossy().contains('.')) {
                true => model("bench", Parser::from_args(rest)),
                false => bench(Parser::from_args(rest)),
            }
        }
        Some(Arg::Value(command)) if command == "golden" => golden(parser),
        Some(Arg::Value(command)) if command == "define" => define(parser),
        Some(Arg::Value(command)) if MODEL_COMMANDS.iter().any(|known| command == *known) => {
            model(&command.to_string_lossy(), parser)
        }
        Some(other) => Err(usage(other.unexpected())),
        None => Err(Error::Usage("expected a command, such as run or bench, got none".into())),
    }
}

/// Commands whose first argument is a file.
const MODEL_COMMANDS: [&str; 5] = ["run", "inspect", "explain", "convert", "conformance"];

fn model(command: &str, parser: Parser) -> Result<Command, Error> {
    Ok(model_args::parse(command, parser)?.map_or(Command::Help, Command::Model))
}

fn bench(mut parser: Parser) -> Result<Command, Error> {
    let (mut threads, mut batch, mut precision, mut secs) = (2, None, Precision::F32, 10.0);
    let mut words = Vec::new();
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("threads") => threads = number(&mut parser, "--threads", 1..=1024)?,
            Arg::Long("batch") => batch = Some(number(&mut parser, "--batch", 1..=1 << 20)?),
            Arg::Long("secs") => secs = number(&mut parser, "--secs", 0.0..=86400.0)?,
            Arg::Long("dtype") => {
                let read = text(&mut parser)?.parse::<Precision>();
                precision = read.map_err(|error| Error::Usage(format!("--dtype: {error}")))?;
            }
            Arg::Value(word) => words.push(word.string().map_err(usage)?),
            other => return Err(usage(other.unexpected())),
        }
    }
    let [case, mode] = words.as_slice() else {
        let got = words.join(" ");
        return Err(Error::Usage(format!(
            "bench: expected CASE and train or infer, got \"{got}\""
        )));
    };
    let case = known_case("bench", case)?;
    let mode = match mode.as_str() {
        "train" => Mode::Train,
        "infer" => Mode::Infer,
        other => {
            return Err(Error::Usage(format!("bench: expected train or infer, got {other}")));
        }
    };
    let default = if mode == Mode::Train { case.training_batch() } else { 16 };
    let batch = batch.unwrap_or(default);
    Ok(Command::Bench(Bench { case, mode, threads, batch, precision, secs }))
}

fn define(mut parser: Parser) -> Result<Command, Error> {
    let case = known_case("define", &text(&mut parser)?)?;
    match parser.next().map_err(usage)? {
        Some(other) => Err(usage(other.unexpected())),
        None => Ok(Command::Define(case)),
    }
}

fn known_case(command: &str, name: &str) -> Result<Case, Error> {
    Case::find(name).ok_or_else(|| {
        let known = Case::names();
        Error::Usage(format!("{command}: unknown case {name}. Known cases: {known}"))
    })
}

fn golden(mut parser: Parser) -> Result<Command, Error> {
    let (mut file, mut reference, mut tolerance, mut steps) = (None, None, 1e-5, None);
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("reference") => reference = Some(parser.value().map_err(usage)?.into()),
            Arg::Long("tolerance") => tolerance = number(&mut parser, "--tolerance", 0.0..=1.0)?,
            Arg::Long("steps") => steps = Some(number(&mut parser, "--steps", 1..=100_000)?),
            Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            other => return Err(usage(other.unexpected())),
        }
    }
    let file = file.ok_or_else(|| Error::Usage("golden: expected FILE, got nothing".into()))?;
    Ok(Command::Golden(Golden { file, reference, tolerance, steps }))
}

pub(crate) fn usage(error: lexopt::Error) -> Error {
    Error::Usage(error.to_string())
}

pub(crate) fn text(parser: &mut Parser) -> Result<String, Error> {
    parser.value().and_then(|value| value.string()).map_err(usage)
}

pub(crate) fn number<T>(
    parser: &mut Parser,
    option: &str,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, Error>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let text = text(parser)?;
    text.parse().ok().filter(|value| range.contains(value)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        Error::Usage(format!("{option}: expected a number from {least} to {most}, got {text}"))
    })
}
