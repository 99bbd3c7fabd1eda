//! Compares models and layers with reference implementations.
//!
//! One line a file: model, case, the largest relative error of outputs and gradients in f64 and
//! f32, and PASS or FAIL with the reason; a summary last. Exit code 1 if any failed.

#![allow(
    clippy::print_stdout,
    reason = "the lines are what this program is for"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use forge_testkit::oracle;

/// Compare models and layers with the reference implementations' recorded results.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Cases (.safetensors), or folders of them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A panic in a model is a failed case, and its line has the message.
    std::panic::set_hook(Box::new(|_| {}));
    let summary = oracle::run_paths(&arguments.files, |report| println!("{report}"));
    let oracle::Summary { passed, failed } = summary;
    println!(
        "{} cases: {passed} passed, {failed} failed",
        passed + failed
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
