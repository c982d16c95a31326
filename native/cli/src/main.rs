//! `firesteel`: times the engine and replays golden runs, without a JVM.

fn main() -> std::process::ExitCode {
    cli::main()
}
