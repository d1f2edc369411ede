//! The quirk registry as a process, for real peers and for benchmarks.
//!
//! `cargo run --release -p quirk-registry -- --port 5000 --quirk referrers=off`
#![allow(
    clippy::allow_attributes,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for tests: it says where it listens"
)]

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use quirk_registry::Options;
use quirk_registry::Quirks;
use quirk_registry::Registry;
use quirk_registry::switches::switches;

fn main() -> ExitCode {
    let mut options = Options { keep: 0, ..Options::default() };
    let mut quirks = Quirks::polite();
    let mut repositories = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--list" {
            for it in switches() {
                println!(
                    "{}={}
    {} [{}]",
                    it.name,
                    it.values.join("|"),
                    it.what,
                    it.seen
                );
            }
            return ExitCode::SUCCESS;
        }
        let value = arguments.next().unwrap_or_default();
        let read = match argument.as_str() {
            "--dir" => {
                options.dir = Some(value.into());
                Ok(())
            }
            "--port" => value.parse().map(|port| options.port = port).map_err(|_| format!("`{value}` is not a port")),
            "--preset" => match Quirks::preset(&value) {
                Some(preset) => {
                    quirks = preset;
                    Ok(())
                }
                None => Err(format!("there is no preset `{value}`")),
            },
            "--quirk" => quirks.set(&value),
            "--repository" => {
                repositories.push(value);
                Ok(())
            }
            _ => Err(format!("`{argument}` is not one of --port --dir --preset --quirk --repository --list")),
        };
        if let Err(problem) = read {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    }
    match Registry::start_with(quirks, options) {
        Ok(registry) => {
            repositories.iter().for_each(|name| registry.core().store.create(name));
            println!("listening on {}", registry.address());
            println!("second host {}", registry.second_host());
            loop {
                thread::sleep(Duration::from_secs(3600));
            }
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}
