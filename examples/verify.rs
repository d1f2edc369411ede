//! Verifies an image with a pinned key: `verify KEY.pub oci:DIRECTORY:TAG`. Exit 0 yes, 1 refused, 2 could not tell.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "a program that talks to people"
)]

use std::error::Error;
use std::pin::pin;
use std::process::ExitCode;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::SystemTime;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::verify::NotVerified;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify::verify;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Images;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(key), Some(image)) = (args.next(), args.next()) else {
        return Err("verify KEY.pub oci:DIRECTORY:TAG".into());
    };
    let trust = TrustRoot::pinned([PublicKey::parse(&std::fs::read(key)?)?])?;
    let quorum = Quorum::of_all(&trust, Threshold::ONE)?;
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT)?;

    let images = Images::local(Limits::DEFAULT);
    let (source, which) = images.open(&image.parse::<Reference>()?)?;
    let options = VerifyOptions::new(&verifier, now()?);
    match ready(verify(source.as_ref(), &which, &Platforms::Root, options)) {
        Ok(verified) => {
            println!("verified {}", verified.digest());
            Ok(ExitCode::SUCCESS)
        }
        Err(NotVerified::Refused(outcome)) => {
            eprintln!("refused: {}", NotVerified::Refused(outcome));
            Ok(ExitCode::from(1))
        }
        Err(undetermined) => {
            eprintln!("could not tell: {undetermined}");
            Ok(ExitCode::from(2))
        }
    }
}

/// The clock of this machine. The library never reads it: the time is an argument of every verification.
fn now() -> Result<Time, Box<dyn Error>> {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    Time::from_unix(seconds.try_into()?).ok_or_else(|| "the clock is wrong".into())
}

/// Local stores finish at the first poll, so no runtime is needed.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
