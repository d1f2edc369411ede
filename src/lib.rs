//! Offline-first signing of container images and attestation of their supply chain.
//!
//! A verified image is a [`VerifiedImage`](ops::verify::VerifiedImage), which only a verification makes; everything else
//! is a [`NotVerified`](ops::verify::NotVerified), which says whether it is a no or could-not-tell, and why.
//!
//! # Verify
//! ```
//! use bulla::{key::PublicKey, limits::Limits, oci::TagOrDigest, store::Source, time::Time};
//! use bulla::{ops::verify::{NotVerified, Platforms, VerifiedImage, VerifyOptions, verify}, verify::Verifier};
//! use bulla::{policy::{Policy, Quorum, Requirement, StatementKind, Threshold}, trust::TrustRoot};
//!
//! async fn check(source: &dyn Source, key: PublicKey, now: Time) -> Result<VerifiedImage, Box<dyn std::error::Error>> {
//!     let trust = TrustRoot::pinned([key])?;
//!     let quorum = Quorum::of_all(&trust, Threshold::ONE)?;
//!     let policy = Policy::one(Requirement::new("signed", StatementKind::ImageSignature, quorum));
//!     let verifier = Verifier::new(trust, policy, Limits::DEFAULT)?;
//!     let image = TagOrDigest::Tag("v1".to_owned());
//!     Ok(verify(source, &image, &Platforms::Root, VerifyOptions::new(&verifier, now)).await?)
//! }
//! # use bulla::key::{KeyKind, PrivateKey, Signer}; use bulla::{oci::{Content, Subject, media_type}, store::{Memory, Sink}};
//! # use bulla::{ops::sign::{SignWhen, SignOptions, sign}, envelope::{FormName, Forms, SigningIdentity}}; use std::{pin::pin, task::{Context, Poll, Waker}};
//! # fn now<T>(future: impl Future<Output = T>) -> T {
//! #     let mut future = pin!(future);
//! #     match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(t) => t, _ => unreachable!() }
//! # }
//! # let store = Memory::new(Limits::DEFAULT);
//! # let config = Content::from_bytes(media_type::OCI_CONFIG, b"{}".to_vec());
//! # let manifest = format!(r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","digest":"{}","size":2}},"layers":[]}}"#,
//! #     media_type::OCI_MANIFEST, media_type::OCI_CONFIG, config.digest());
//! # let image = Content::from_bytes(media_type::OCI_MANIFEST, manifest.into_bytes());
//! # now(store.push_content(&config)).unwrap();
//! # now(store.push_manifest(&image, Some("v1"))).unwrap();
//! # let key = PrivateKey::generate(KeyKind::P256).unwrap();
//! # let public = key.public_key().clone();
//! # assert!(now(check(&store, public.clone(), Time::EPOCH)).is_err());
//! # let (forms, annotations) = (Forms::of(FormName::SigstoreBundle), Default::default());
//! # let options = SignOptions { annotations, ..SignOptions::new(forms, Time::EPOCH) };
//! # now(sign(&store, &Subject::of(&image), &[SigningIdentity::new(&key)], &options, SignWhen::Always, &Limits::DEFAULT)).unwrap();
//! # assert_eq!(now(check(&store, public, Time::EPOCH)).unwrap().digest(), *image.digest());
//! ```
//!
//! # Sign
//! ```
//! use bulla::{envelope::{FormName, Forms, SigningIdentity}, limits::Limits, oci::TagOrDigest, store::Sink, time::Time};
//! use bulla::ops::{OpsError, sign::{SignedPlatforms, SignWhen, SignOptions, sign, subjects}};
//!
//! async fn release(store: &dyn Sink, tag: &str, who: SigningIdentity<'_>, now: Time) -> Result<(), OpsError> {
//!     let (limits, tag) = (Limits::DEFAULT, TagOrDigest::Tag(tag.to_owned()));
//!     let forms = Forms::of(FormName::SigstoreBundle);
//!     let options = SignOptions::new(forms, now);
//!     for subject in subjects(store, &tag, SignedPlatforms::Root, &limits).await? {
//!         sign(store, &subject, &[who], &options, SignWhen::IfMissing, &limits).await?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Import
//! Nothing is written before [`check`](ops::import::check) has verified it, and [`push`](ops::import::push) takes nothing
//! that it has not verified.
//! ```
//! use std::sync::Arc;
//! use bulla::ops::{import::{check, push}, naming::NameConflict, verify::{Platforms, VerifyOptions}};
//! use bulla::{oci::TagOrDigest, store::{Sink, Source}};
//!
//! async fn import(
//!     from: Arc<dyn Source>, to: Arc<dyn Sink>, options: VerifyOptions<'_>,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let image = TagOrDigest::Tag("v1".to_owned());
//!     let verified = check(from.as_ref(), &image, &Platforms::Root, options).await?;
//!     push(&from, &to, &verified, &["v1".to_owned()], NameConflict::Refuse, options).await?;
//!     Ok(to.finish().await?)
//! }
//! ```
//!
//! [`Images`](store::Images) opens what a [`Reference`](oci::Reference) names: a registry, a layout, an archive. Local
//! stores finish at the first poll, so no runtime is needed for them; a registry needs tokio.
//!
//! Stores and operations emit spans and events of the crate `tracing`. None holds a secret; text of somebody else is
//! bounded and escaped. The library installs no subscriber.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod digest;
pub mod json;
pub mod limits;
pub mod nonempty;
mod ordered;
pub mod redact;
pub mod text;
pub mod time;
pub mod yaml;

pub mod files;

pub mod oci;

pub mod key;

pub mod x509;

pub mod envelope;

pub mod transparency;

pub mod tuf;

pub mod predicate;

pub mod trust;

pub mod policy;

pub mod request;

pub mod verify;

pub mod policy_file;

pub mod store;

pub mod ops;

pub mod report;

/// The library example of the README, compiled as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
