//! The program: hands its arguments to `cli` and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    bulla::cli::run(std::env::args_os())
}
