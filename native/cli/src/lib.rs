//! What the tool `firesteel` is made of: it times the engine and replays golden runs, without a
//! JVM. Its models and iterations serve the benches too.

mod args;
mod bench;
mod bert_mini;
mod cases;
mod detrand;
mod engine;
mod error;
mod golden;
mod inception_v1;
mod measure;
mod report;
mod resnet50;
mod training;

pub use cases::Case;
pub use error::Error;
pub use training::Training;

use args::Command;
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
        Command::Golden(options) => {
            engine::load();
            let report = golden::run(&options)?;
            print!("{report}");
            return Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}
