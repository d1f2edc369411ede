//! Imports an image into a layout, only if it verifies: `import KEY.pub oci:FROM:TAG oci:TO:TAG`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "a program that talks to people"
)]

use std::error::Error;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::SystemTime;

use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::import::check;
use bulla::ops::import::push;
use bulla::ops::naming::NameConflict;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::policy::Policy;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Images;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::verify::Verifier;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [key, from, to] = args.as_slice() else { return Err("import KEY.pub oci:FROM:TAG oci:TO:TAG".into()) };
    let trust = TrustRoot::pinned([PublicKey::parse(&std::fs::read(key)?)?])?;
    let quorum = Quorum::of_all(&trust, Threshold::ONE)?;
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT)?;
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let now = Time::from_unix(seconds.try_into()?).ok_or("the clock is wrong")?;
    let options = VerifyOptions::new(&verifier, now);

    let images = Images::local(Limits::DEFAULT);
    let (source, which) = images.open(&from.parse::<Reference>()?)?;
    // An image that does not verify is an error here, and nothing was written.
    let verified = ready(check(source.as_ref(), &which, &Platforms::Root, options));
    let verified = verified.map_err(|not_verified| not_verified.to_string())?;

    let to: Reference = to.parse()?;
    let names = match to.tag_or_digest() {
        Some(TagOrDigest::Tag(tag)) => vec![tag.clone()],
        _ => Vec::new(),
    };
    let sink = images.create(&to)?;
    let copied = ready(push(&source, &sink, &verified, &names, NameConflict::Refuse, options))?;
    // A layout or an archive shows the import only after this.
    ready(sink.finish())?;
    println!("imported {} blobs", copied.blobs);
    Ok(())
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
