//! What the tool `firesteel` is made of: it runs and times models and replays golden runs, without
//! a JVM. Its models and iterations serve the benches too.

mod args;
mod bench;
mod bert_mini;
mod cases;
mod conformance;
mod detrand;
mod engine;
mod error;
mod golden;
mod inception_v1;
mod measure;
mod model_args;
mod models;
mod report;
mod resnet50;
mod training;

pub use cases::Case;
pub use error::Error;
pub use training::Training;

use args::Command;
use model_args::ModelCommand;
use std::process::ExitCode;

/// Does what the command line of this process asks for.
pub fn main() -> ExitCode {
    let result = args::parse(lexopt::Parser::from_env()).and_then(run);
    result.unwrap_or_else(|error| {
        eprintln!("firesteel: {error}");
        ExitCode::from(error.exit_code())
    })
}

fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Help => print!("{}", args::HELP),
        Command::Version => println!("firesteel {}", env!("CARGO_PKG_VERSION")),
        Command::Bench(options) => println!("{}", bench::run(&options, &engine::load())?),
        Command::Define(case) => println!("{}", case.model()?.to_json()),
        Command::Model(command) => return model(command),
        Command::Golden(options) => {
            engine::load();
            let report = golden::run(&options)?;
            print!("{report}");
            return Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn model(command: ModelCommand) -> Result<ExitCode, Error> {
    let variant = engine::load();
    match command {
        ModelCommand::Run { model, input, output, threads } => {
            models::run(&model, &input, &output, threads)?;
        }
        ModelCommand::Inspect(model) => print!("{}", models::inspect(&model)?),
        ModelCommand::Explain { model, threads } => print!("{}", models::explain(&model, threads)?),
        ModelCommand::Bench { model, input, threads, secs } => {
            println!("{}", models::bench(&model, input.as_deref(), threads, secs, &variant)?);
        }
        ModelCommand::Convert { model, output } => models::convert(&model, &output)?,
        ModelCommand::Conformance(folder) => {
            let passed = conformance::run(&folder, |line| println!("{line}"))?;
            return Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}
