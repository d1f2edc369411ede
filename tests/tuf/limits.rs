//! What is read of a repository is bounded.

use bulla::limits::Limits;
use bulla::limits::TufLimits;
use bulla::time::Time;
use bulla::tuf::ExpiryRule;
use bulla::tuf::TufError;
use bulla::tuf::TufRole;
use bulla::tuf::VerifiedRepository;
use serde_json::json;

use crate::repository::Key;
use crate::repository::NOW;
use crate::repository::Repository;
use crate::repository::signed;

fn verify(repository: &Repository, change: impl FnOnce(&mut TufLimits)) -> Result<VerifiedRepository, TufError> {
    let limits = Limits::DEFAULT.with(|limits| change(&mut limits.tuf));
    let now = Time::parse(NOW).unwrap();
    VerifiedRepository::verify(&repository.trusted(), None, &repository.files, ExpiryRule::Refuse, now, &limits)
}

#[test]
fn what_is_read_is_bounded() {
    let mut repository = Repository::new();
    let longest = repository.files.0.values().map(Vec::len).max().unwrap() as u64;
    assert!(verify(&repository, |limits| limits.metadata_bytes = longest).is_ok());
    let error = verify(&repository, |limits| limits.metadata_bytes = 100).unwrap_err();
    assert_eq!((error.code(), error.is_undetermined()), ("tuf-unreadable", true));
    repository.set("timestamp", "/meta/snapshot.json/length", json!(longest + 1)).sign();
    let error = verify(&repository, |limits| limits.metadata_bytes = longest).unwrap_err();
    assert_eq!((error.code(), error.is_undetermined()), ("tuf-limit", true));

    let mut repository = Repository::new();
    let first = repository.trusted();
    for version in 2..=4 {
        repository.set("root", "/version", json!(version));
        let bytes = signed(&repository.parts["root"], &[&repository.root]);
        repository.files.0.insert(format!("{version}.root.json"), bytes);
    }
    for (most, fits) in [(3, true), (2, false)] {
        let limits = Limits::DEFAULT.with(|limits| limits.tuf.root_versions = most);
        let now = Time::parse(NOW).unwrap();
        let verified = VerifiedRepository::verify(&first, None, &repository.files, ExpiryRule::Refuse, now, &limits);
        let version = verified.map(|verified| verified.state().role(TufRole::Root).version.get());
        assert_eq!(version.map_err(|error| error.code()), if fits { Ok(4) } else { Err("tuf-limit") }, "{most}");
    }

    let mut many = Repository::new();
    let others = [Key::new(), Key::new()];
    let keys = [&many.online, &others[0], &others[1]];
    let bytes = signed(&many.parts["timestamp"], &keys);
    many.files.0.insert("timestamp.json".to_owned(), bytes);
    assert!(verify(&many, |limits| limits.signatures = 3).is_ok());
    let error = verify(&many, |limits| limits.signatures = 2).unwrap_err();
    assert!(
        matches!(error, TufError::Limit { what: "signatures of one metadata file", limit: 2 })
            && error.is_undetermined()
    );
}
