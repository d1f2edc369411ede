//! Signs an image with a key made for this run and prints the public key: `sign oci:DIRECTORY:TAG`.
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

use bulla::envelope::FormName;
use bulla::envelope::Forms;
use bulla::envelope::SigningIdentity;
use bulla::key::KeyKind;
use bulla::key::PrivateKey;
use bulla::key::Signer as _;
use bulla::limits::Limits;
use bulla::oci::Reference;
use bulla::ops::sign::SignOptions;
use bulla::ops::sign::SignWhen;
use bulla::ops::sign::SignedPlatforms;
use bulla::ops::sign::sign;
use bulla::ops::sign::subjects;
use bulla::store::Images;
use bulla::time::Time;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(image) = std::env::args().nth(1) else { return Err("sign oci:DIRECTORY:TAG".into()) };
    let key = PrivateKey::generate(KeyKind::P256)?;
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let created = Time::from_unix(seconds.try_into()?).ok_or("the clock is wrong")?;
    let options = SignOptions::new(Forms::of(FormName::SigstoreBundle), created);

    let limits = Limits::DEFAULT;
    let images = Images::local(limits.clone());
    let (store, which) = images.open_to_write(&image.parse::<Reference>()?)?;
    for subject in ready(subjects(store.as_ref(), &which, SignedPlatforms::Root, &limits))? {
        for signed in ready(sign(
            store.as_ref(),
            &subject,
            &[SigningIdentity::new(&key)],
            &options,
            SignWhen::IfMissing,
            &limits,
        ))? {
            eprintln!("signed {}", signed.subject);
        }
    }
    // Names and lists are written last, so no reader ever sees an incomplete signature.
    ready(store.finish())?;
    print!("{}", key.public_key().to_pem());
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
