//! A service that caches verdicts by digest, policy and trust root, and verifies again once a verdict is too old:
//! `verdict_in_a_service KEY.pub oci:DIRECTORY:TAG…`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "a program that talks to people"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::SystemTime;

use bulla::digest::Digest;
use bulla::key::PublicKey;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::oci::TagOrDigest;
use bulla::ops::pinned::resolve;
use bulla::ops::verify::NotVerified;
use bulla::ops::verify::Platforms;
use bulla::ops::verify::VerifyOptions;
use bulla::ops::verify::verify;
use bulla::policy::Policy;
use bulla::policy::PolicyId;
use bulla::policy::Quorum;
use bulla::policy::Requirement;
use bulla::policy::StatementKind;
use bulla::policy::Threshold;
use bulla::store::Images;
use bulla::time::Time;
use bulla::trust::TrustRoot;
use bulla::trust::TrustVersion;
use bulla::verify::VerifiedSubject;
use bulla::verify::Verifier;

/// The cache key of a verdict: another policy or other keys need another verdict.
type CacheKey = (Digest, PolicyId, TrustVersion);

/// How long a yes is cached, in seconds. A no is never cached, since a signature may have been added.
const MAX_AGE: i64 = 300;

struct Service {
    images: Images,
    cache: BTreeMap<CacheKey, VerifiedSubject>,
    verifier: Verifier,
}

impl Service {
    fn admits(&mut self, image: &Reference, now: Time) -> Result<Result<Digest, String>, Box<dyn Error>> {
        let (source, which) = self.images.open(image)?;
        // The tag is resolved once; from here on only the digest is used.
        let digest = *ready(resolve(source.as_ref(), &which))?.digest();
        let key = (digest, self.verifier.policy().id(), self.verifier.trust().version());
        if let Some(cached) = self.cache.get(&key)
            && now.unix() - cached.verified_at().unix() < MAX_AGE
        {
            return Ok(Ok(digest));
        }
        let options = VerifyOptions::new(&self.verifier, now);
        let which = TagOrDigest::Digest(digest);
        match ready(verify(source.as_ref(), &which, &Platforms::Root, options)) {
            Ok(verified) => {
                // The verdict owns its data, so it may outlive the verifier. Its documents are dropped: they may be large.
                let subject = verified.subjects().next().cloned().map(VerifiedSubject::without_documents);
                self.cache.extend(subject.map(|subject| (key, subject)));
                Ok(Ok(digest))
            }
            Err(refused @ NotVerified::Refused(_)) => Ok(Err(refused.to_string())),
            Err(undetermined) => Err(undetermined.into()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let Some(key) = args.next() else { return Err("verdict_in_a_service KEY.pub oci:DIRECTORY:TAG...".into()) };
    let trust = TrustRoot::pinned([PublicKey::parse(&std::fs::read(key)?)?])?;
    let quorum = Quorum::of_all(&trust, Threshold::ONE)?;
    let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
    let verifier = Verifier::new(trust, policy, Limits::DEFAULT)?;
    let mut service = Service { images: Images::local(Limits::DEFAULT), cache: BTreeMap::new(), verifier };
    for image in args {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let now = Time::from_unix(seconds.try_into()?).ok_or("the clock is wrong")?;
        match service.admits(&image.parse()?, now) {
            Ok(Ok(digest)) => println!("admit {digest}"),
            Ok(Err(why)) => println!("deny {image}: {why}"),
            Err(error) => println!("ask again {image}: {error}"),
        }
    }
    println!("kept {}", service.cache.len());
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
