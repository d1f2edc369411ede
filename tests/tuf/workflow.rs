//! The client workflow: each attack of the specification, and each rule broken by hand.

use bulla::digest::Digest;
use bulla::limits::Limits;
use bulla::tuf::ExpiryRule;
use bulla::tuf::RollbackCheck;
use bulla::tuf::TufError;
use bulla::tuf::TufRole;
use bulla::tuf::TufRoot;
use bulla::tuf::VerifiedTarget;
use serde_json::Value;
use serde_json::json;

use crate::repository::CONTENT;
use crate::repository::Key;
use crate::repository::Repository;
use crate::repository::digest;
use crate::repository::signed;

const PAST: &str = "2026-11-26T12:00:00Z";

fn code<T: std::fmt::Debug>(result: Result<T, TufError>) -> (&'static str, bool) {
    let error = result.unwrap_err();
    (error.code(), error.is_undetermined())
}

#[test]
fn a_target_follows_from_the_trusted_root() {
    let repository = Repository::new();
    let verified = repository.verify().unwrap();
    assert_eq!(verified.rollback(), RollbackCheck::First);
    let versions = TufRole::ALL.map(|role| verified.state().role(role).version.get());
    assert_eq!(versions, [1, 5, 3, 7]);
    let target = repository.target().unwrap();
    assert_eq!((target.bytes(), *target.digest()), (CONTENT, Digest::sha256(CONTENT)));
}

#[test]
fn a_swapped_or_missing_file_is_not_used() {
    for name in ["timestamp.json", "5.snapshot.json", "3.targets.json"] {
        let mut repository = Repository::new();
        repository.files.0.remove(name).unwrap();
        assert_eq!(code(repository.verify()), ("tuf-missing", true), "{name}");
    }
    let mut repository = Repository::new();
    repository.files.0.retain(|name, _| !name.ends_with("trusted_root.json"));
    assert_eq!(code(repository.target()), ("tuf-missing", true));
    // One file stands in the place of another: its type or its keys are not the wanted ones.
    for (to, from, wanted) in [
        ("timestamp.json", "5.snapshot.json", "tuf-type"),
        ("5.snapshot.json", "timestamp.json", "tuf-type"),
        ("3.targets.json", "5.snapshot.json", "tuf-threshold"),
        ("5.snapshot.json", "3.targets.json", "tuf-threshold"),
    ] {
        let mut repository = Repository::new();
        let bytes = repository.files.0[from].clone();
        repository.files.0.insert(to.to_owned(), bytes);
        assert_eq!(code(repository.verify()), (wanted, false), "{from} as {to}");
    }
}

#[test]
fn a_changed_document_has_no_signature() {
    for (name, field) in [("timestamp.json", "version"), ("5.snapshot.json", "expires"), ("3.targets.json", "targets")]
    {
        let mut repository = Repository::new();
        let mut document: Value = serde_json::from_slice(&repository.files.0[name]).unwrap();
        document["signed"][field] = json!({});
        repository.files.0.insert(name.to_owned(), document.to_string().into_bytes());
        assert_eq!(code(repository.verify()), ("tuf-threshold", false), "{name}");
    }
}

#[test]
fn a_document_with_a_duplicate_key_is_refused() {
    for name in ["timestamp.json", "5.snapshot.json", "3.targets.json"] {
        let mut repository = Repository::new();
        let text = String::from_utf8(repository.files.0[name].clone()).unwrap();
        let twice = text.replacen("\"spec_version\"", "\"version\":99,\"spec_version\"", 1);
        repository.files.0.insert(name.to_owned(), twice.into_bytes());
        assert_eq!(code(repository.verify()), ("tuf-malformed", false), "{name}");
    }
    let mut repository = Repository::new();
    repository.set("timestamp", "/extra", json!(1.5)).sign();
    assert_eq!(code(repository.verify()), ("tuf-not-canonical", false));
}

#[test]
fn expired_metadata_is_refused_unless_it_is_accepted_and_then_it_is_said() {
    for role in TufRole::ALL {
        let mut repository = Repository::new();
        repository.set(role.name(), "/expires", json!(PAST)).sign();
        assert_eq!(code(repository.verify()), ("tuf-expired", false), "{role}");
        let accepted = repository.verify_with(&repository.trusted(), None, ExpiryRule::AcceptExpired).unwrap();
        let expired: Vec<_> = accepted.state().expired(accepted.judged_at()).map(|(role, _)| role).collect();
        assert_eq!(expired, [role]);
        repository.set(role.name(), "/expires", json!("2026-11-26T12:00:01Z")).sign();
        assert_eq!(repository.verify().unwrap().state().expired(accepted.judged_at()).count(), 0);
    }
}

#[test]
fn no_role_may_become_older() {
    let mut repository = Repository::new();
    let before = repository.verify().unwrap();
    let previous = before.state();
    assert_eq!(repository.after(previous).unwrap().rollback(), RollbackCheck::Compared);
    // The timestamp alone.
    repository.set("timestamp", "/version", json!(6)).sign();
    assert_eq!(code(repository.after(previous)), ("tuf-rollback", false));
    // The snapshot, under a newer timestamp.
    repository.set("timestamp", "/version", json!(8)).set("timestamp", "/meta/snapshot.json/version", json!(4));
    repository.set("snapshot", "/version", json!(4)).sign();
    assert_eq!(code(repository.after(previous)), ("tuf-rollback", false));
    // The targets, and a delegated role, under a newer snapshot.
    for name in ["targets", "more"] {
        let mut repository = Repository::new();
        let before = repository.verify().unwrap();
        repository.set("timestamp", "/version", json!(8)).set("timestamp", "/meta/snapshot.json/version", json!(6));
        repository.set("snapshot", "/version", json!(6)).set(
            "snapshot",
            &format!("/meta/{name}.json/version"),
            json!(1),
        );
        if name == "targets" {
            repository.set("targets", "/version", json!(1));
        }
        repository.sign();
        assert!(repository.verify().is_ok());
        assert_eq!(code(repository.after(before.state())), ("tuf-rollback", false), "{name}");
    }
    // A role that is not listed any more.
    let mut repository = Repository::new();
    let before = repository.verify().unwrap();
    repository.set("timestamp", "/version", json!(8)).set("timestamp", "/meta/snapshot.json/version", json!(6));
    repository
        .set("snapshot", "/version", json!(6))
        .set("snapshot", "/meta", json!({"targets.json": {"version": 3}}))
        .sign();
    assert_eq!(code(repository.after(before.state())), ("tuf-dropped", false));
}

#[test]
fn the_root_may_not_become_older() {
    let mut repository = Repository::new();
    let first = repository.trusted();
    repository.set("root", "/version", json!(2));
    let second = signed(&repository.parts["root"], &[&repository.root]);
    repository.files.0.insert("2.root.json".to_owned(), second);
    let verify = |repository: &Repository, previous| repository.verify_with(&first, previous, ExpiryRule::Refuse);
    let before = verify(&repository, None).unwrap();
    assert_eq!(verify(&repository, Some(before.state())).unwrap().state(), before.state());
    repository.files.0.remove("2.root.json");
    assert_eq!(code(verify(&repository, Some(before.state()))), ("tuf-rollback", false));
    // Another version 2, signed by the same keys.
    repository.set("root", "/expires", json!("2027-02-01T00:00:00Z"));
    repository.files.0.insert("2.root.json".to_owned(), signed(&repository.parts["root"], &[&repository.root]));
    assert_eq!(code(verify(&repository, Some(before.state()))), ("tuf-same-version", false));
}

#[test]
fn one_version_has_one_content() {
    let before = Repository::new();
    let state = before.verify().unwrap().state().clone();
    for (part, pointer) in [("timestamp", "/expires"), ("snapshot", "/expires"), ("targets", "/expires")] {
        let mut again = before.clone();
        again.set(part, pointer, json!("2027-02-01T00:00:00Z"));
        if part == "snapshot" {
            again.set("timestamp", "/version", json!(8));
        }
        again.sign();
        assert!(again.verify().is_ok());
        assert_eq!(code(again.after(&state)), ("tuf-same-version", false), "{part}");
    }
}

#[test]
fn other_keys_of_timestamp_or_snapshot_start_their_versions_again() {
    let mut repository = Repository::new();
    let first = repository.trusted();
    repository.set("timestamp", "/version", json!(4_000_000_000_u64)).sign();
    let before = repository.verify().unwrap();
    let online = Key::new();
    repository.set("root", "/version", json!(2));
    let (id, key) = (online.id(), online.json());
    repository.set("root", &format!("/keys/{id}"), key);
    for role in ["timestamp", "snapshot"] {
        repository.set("root", &format!("/roles/{role}/keyids"), json!([id]));
    }
    repository.files.0.insert("2.root.json".to_owned(), signed(&repository.parts["root"], &[&repository.root]));
    repository.online = online;
    repository.set("timestamp", "/version", json!(8)).sign();
    let verified = repository.verify_with(&first, Some(before.state()), ExpiryRule::Refuse).unwrap();
    assert_eq!(verified.rollback(), RollbackCheck::KeysRotated);
    // Without the root that says so, they do not.
    let trusted = repository.trusted();
    assert_eq!(
        code(repository.verify_with(&trusted, Some(before.state()), ExpiryRule::Refuse)),
        ("tuf-rollback", false)
    );
}

/// Either role's key may have made the versions that are too high.
#[test]
fn other_keys_of_one_of_timestamp_and_snapshot_start_the_versions_of_both_again() {
    let mut repository = Repository::new();
    let first = repository.trusted();
    repository.set("timestamp", "/version", json!(4_000_000_000_u64)).sign();
    let before = repository.verify().unwrap();
    for (role, file) in [("timestamp", "timestamp.json"), ("snapshot", "5.snapshot.json")] {
        let (mut repository, online) = (repository.clone(), Key::new());
        repository.set("root", "/version", json!(2)).set("root", &format!("/keys/{}", online.id()), online.json());
        repository.set("root", &format!("/roles/{role}/keyids"), json!([online.id()]));
        repository.files.0.insert("2.root.json".to_owned(), signed(&repository.parts["root"], &[&repository.root]));
        repository.set("timestamp", "/version", json!(8)).sign();
        let rotated = signed(&repository.parts[role], &[&online]);
        assert!(repository.files.0.insert(file.to_owned(), rotated).is_some(), "{role}");
        let verified = repository.verify_with(&first, Some(before.state()), ExpiryRule::Refuse);
        assert_eq!(verified.unwrap().rollback(), RollbackCheck::KeysRotated, "{role}");
    }
}

/// A root that the operator gives anew may be newer than the last one: which keys were rotated is not known, and every role
/// is compared.
#[test]
fn a_newer_root_that_is_given_anew_starts_no_versions_again() {
    let mut repository = Repository::new();
    let before = repository.verify().unwrap();
    repository.set("root", "/version", json!(2));
    repository.set("timestamp", "/version", json!(8)).set("timestamp", "/meta/snapshot.json/version", json!(6));
    repository.set("snapshot", "/version", json!(6)).sign();
    assert_eq!(repository.after(before.state()).unwrap().rollback(), RollbackCheck::Compared);
    let mut other = repository.clone();
    other.set("targets", "/expires", json!("2027-02-01T00:00:00Z")).sign();
    assert!(other.verify().is_ok());
    assert_eq!(code(other.after(before.state())), ("tuf-same-version", false));
    repository.set("targets", "/version", json!(2)).set("snapshot", "/meta/targets.json/version", json!(2)).sign();
    assert!(repository.verify().is_ok());
    assert_eq!(code(repository.after(before.state())), ("tuf-rollback", false));
}

/// A root that gives timestamp and snapshot another key does not let the targets become older, or fork.
#[test]
fn other_keys_of_timestamp_and_snapshot_do_not_start_the_targets_again() {
    let mut repository = Repository::new();
    let first = repository.trusted();
    let before = repository.verify().unwrap();
    let (online, release) = (Key::new(), Key::new());
    repository.set("root", "/version", json!(2));
    repository.set("root", &format!("/keys/{}", online.id()), online.json());
    repository.set("root", &format!("/keys/{}", release.id()), release.json());
    for role in ["timestamp", "snapshot"] {
        repository.set("root", &format!("/roles/{role}/keyids"), json!([online.id()]));
    }
    repository.online = online;
    let verify = |mut repository: Repository| {
        repository.files.0.insert("2.root.json".to_owned(), signed(&repository.parts["root"], &[&repository.root]));
        repository.sign().verify_with(&first, Some(before.state()), ExpiryRule::Refuse)
    };
    assert_eq!(verify(repository.clone()).unwrap().rollback(), RollbackCheck::KeysRotated);
    let mut other = repository.clone();
    other.set("targets", "/expires", json!("2027-02-01T00:00:00Z"));
    assert_eq!(code(verify(other)), ("tuf-same-version", false));
    let mut older = repository;
    older.set("targets", "/version", json!(2)).set("snapshot", "/meta/targets.json/version", json!(2));
    assert_eq!(code(verify(older.clone())), ("tuf-rollback", false));
    // With another key of its own, it starts again.
    older.set("root", "/roles/targets/keyids", json!([release.id()]));
    older.release = release;
    assert!(verify(older).is_ok());
}

#[test]
fn a_repository_without_the_next_root_is_incomplete() {
    let mut repository = Repository::new();
    let first = repository.trusted();
    for version in [2, 3] {
        repository.set("root", "/version", json!(version));
        let root = signed(&repository.parts["root"], &[&repository.root]);
        repository.files.0.insert(format!("{version}.root.json"), root);
    }
    let verify = |repository: &Repository, previous| repository.verify_with(&first, previous, ExpiryRule::Refuse);
    let before = verify(&repository, None).unwrap();
    repository.files.0.remove("2.root.json");
    for previous in [None, Some(before.state())] {
        let error = verify(&repository, previous).unwrap_err();
        assert_eq!((error.code(), error.is_undetermined()), ("tuf-missing", true));
        assert!(error.to_string().contains("2.root.json"), "{error}");
    }
    // Without the higher one it is an older repository.
    repository.files.0.remove("3.root.json");
    assert_eq!(code(verify(&repository, Some(before.state()))), ("tuf-rollback", false));
}

#[test]
fn a_root_is_signed_by_the_one_before_and_by_itself() {
    let repository = Repository::new();
    let first = repository.trusted();
    let (own, other) = (Key::new(), Key::new());
    let mut next = repository.parts["root"].clone();
    next["version"] = json!(2);
    next["keys"][own.id()] = own.json();
    next["roles"]["root"]["keyids"] = json!([own.id()]);
    let verify = |bytes: Vec<u8>| {
        let mut changed = repository.clone();
        changed.files.0.insert("2.root.json".to_owned(), bytes);
        changed.verify_with(&first, None, ExpiryRule::Refuse)
    };
    assert!(verify(signed(&next, &[&repository.root, &own])).is_ok());
    assert_eq!(code(verify(signed(&next, &[&own]))), ("tuf-threshold", false));
    assert_eq!(code(verify(signed(&next, &[&repository.root]))), ("tuf-threshold", false));
    assert_eq!(code(verify(signed(&next, &[&other]))), ("tuf-threshold", false));
    for version in [json!(1), json!(3)] {
        next["version"] = version;
        assert_eq!(code(verify(signed(&next, &[&repository.root, &own]))), ("tuf-version", false));
    }
    next["version"] = json!(0);
    assert_eq!(code(verify(signed(&next, &[&repository.root, &own]))), ("tuf-malformed", false));
}

#[test]
fn a_key_counts_once_whatever_its_ids_are() {
    let (one, two) = (Key::new(), Key::new());
    let root = |keys: Value, ids: Value, threshold: Value| {
        let mut root = Repository::new().parts["root"].clone();
        root["keys"] = keys;
        root["roles"]["root"] = json!({"keyids": ids, "threshold": threshold});
        root
    };
    let parse = |root: &Value, signatures: Vec<Value>| {
        let bytes = json!({"signed": root, "signatures": signatures}).to_string();
        TufRoot::parse(bytes.as_bytes(), &Limits::DEFAULT)
    };
    let both = root(json!({one.id(): one.json(), two.id(): two.json()}), json!([one.id(), two.id()]), json!(2));
    assert!(parse(&both, vec![one.signature(&both), two.signature(&both)]).is_ok());
    assert_eq!(code(parse(&both, vec![one.signature(&both)])), ("tuf-threshold", false));
    assert_eq!(code(parse(&both, vec![one.signature(&both), one.signature(&both)])), ("tuf-signature-twice", false));
    // The same key under a second id.
    let again = root(json!({one.id(): one.json(), "other": one.json()}), json!([one.id(), "other"]), json!(2));
    let mut second = one.signature(&again);
    second["keyid"] = json!("other");
    assert_eq!(code(parse(&again, vec![one.signature(&again), second])), ("tuf-threshold", false));
    // The same id twice in the role.
    let listed = root(json!({one.id(): one.json()}), json!([one.id(), one.id()]), json!(2));
    assert_eq!(code(parse(&listed, vec![one.signature(&listed)])), ("tuf-threshold", false));
    // A key that the role does not have, and one without a role.
    let alone = root(json!({one.id(): one.json(), two.id(): two.json()}), json!([one.id()]), json!(1));
    assert_eq!(code(parse(&alone, vec![two.signature(&alone)])), ("tuf-threshold", false));
    for threshold in [json!(0), json!(-1), json!(1.0), json!("1"), json!(4_294_967_296_u64), Value::Null] {
        let bad = root(json!({one.id(): one.json()}), json!([one.id()]), threshold);
        assert!(parse(&bad, vec![one.signature(&bad)]).is_err(), "{bad}");
    }
}

#[test]
fn a_key_of_another_kind_signs_nothing() {
    let one = Key::new();
    for (keytype, scheme) in
        [("ed25519", "ecdsa-sha2-nistp256"), ("ecdsa", "ed25519"), ("x", "y"), ("rsa", "rsassa-pss-sha256")]
    {
        let mut root = Repository::new().parts["root"].clone();
        root["keys"] = json!({one.id(): one.json()});
        root["keys"][one.id()]["keytype"] = json!(keytype);
        root["keys"][one.id()]["scheme"] = json!(scheme);
        root["roles"]["root"] = json!({"keyids": [one.id()], "threshold": 1});
        assert_eq!(code(TufRoot::parse(&signed(&root, &[&one]), &Limits::DEFAULT)), ("tuf-threshold", false));
    }
}

#[test]
fn the_metadata_above_states_version_length_and_hash() {
    let with = |field: &str, value: Value| {
        let mut repository = Repository::new();
        repository.set("timestamp", &format!("/meta/snapshot.json/{field}"), value).sign();
        code(repository.verify())
    };
    let length = Repository::new().files.0["5.snapshot.json"].len();
    assert_eq!(with("length", json!(length - 1)), ("tuf-length", false));
    assert_eq!(with("length", json!(length + 1)), ("tuf-length", false));
    assert_eq!(with("hashes", json!({"sha256": digest(b"x")})), ("tuf-hash", false));
    assert_eq!(with("hashes", json!({"sha512": digest(b"x")})), ("tuf-hash", false));
    assert_eq!(with("hashes", json!({"md5": "00"})), ("tuf-unsupported-hash", true));
    assert_eq!(with("hashes", json!({})), ("tuf-unsupported-hash", true));
    assert_eq!(with("version", json!(4)), ("tuf-missing", true));
    // Mix and match: another version under the name that is wanted.
    let mut repository = Repository::new();
    let bytes = repository.files.0["5.snapshot.json"].clone();
    repository.files.0.insert("6.snapshot.json".to_owned(), bytes);
    repository.set("timestamp", "/meta/snapshot.json/version", json!(6));
    let timestamp = signed(&repository.parts["timestamp"], &[&repository.online]);
    repository.files.0.insert("timestamp.json".to_owned(), timestamp);
    assert_eq!(code(repository.verify()), ("tuf-version", false));
    let mut repository = Repository::new();
    let bytes = repository.files.0["3.targets.json"].clone();
    repository.set("snapshot", "/meta/targets.json/version", json!(4)).sign();
    repository.files.0.insert("4.targets.json".to_owned(), bytes);
    assert_eq!(code(repository.verify()), ("tuf-version", false));
    for (part, meta) in [("timestamp", "/meta"), ("snapshot", "/meta")] {
        let mut repository = Repository::new();
        repository.set(part, meta, json!({})).sign();
        assert_eq!(code(repository.verify()), ("tuf-not-listed", false));
    }
}

#[test]
fn another_version_of_the_specification_is_not_judged() {
    for version in ["2.0", "1", "10.0", "", "x"] {
        let mut repository = Repository::new();
        repository.set("timestamp", "/spec_version", json!(version)).sign();
        match version {
            "1" => assert!(repository.verify().is_ok()),
            _ => assert_eq!(code(repository.verify()), ("tuf-spec-version", true), "{version}"),
        }
    }
}

#[test]
fn a_target_has_the_length_and_the_hashes_that_are_stated() {
    let name = format!("{}.trusted_root.json", digest(CONTENT));
    let with = |bytes: &[u8]| {
        let mut repository = Repository::new();
        repository.files.0.insert(name.clone(), bytes.to_vec());
        code(repository.target())
    };
    assert_eq!(with(&CONTENT[1..]), ("tuf-length", false));
    assert_eq!(with(&[CONTENT, b"x"].concat()), ("tuf-length", false));
    let mut other = CONTENT.to_vec();
    other[0] ^= 1;
    assert_eq!(with(&other), ("tuf-hash", false));
    for (field, value) in [("length", Value::Null), ("hashes", Value::Null)] {
        let mut repository = Repository::new();
        repository.set("targets", &format!("/targets/trusted_root.json/{field}"), value).sign();
        assert_eq!(code(repository.target()), ("tuf-not-listed", false), "{field}");
    }
    let repository = Repository::new();
    let verified = repository.verify().unwrap();
    let read = |name: &str| VerifiedTarget::read(&verified, name, &repository.files, &Limits::DEFAULT);
    assert_eq!(code(read("other.json")), ("tuf-not-listed", false));
    for name in ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", ".hidden", "a\nb", "a\0b"] {
        assert_eq!(code(read(name)), ("tuf-target-name", true), "{name:?}");
    }
}

#[test]
fn names_have_no_version_without_consistent_snapshots() {
    let mut repository = Repository::new();
    repository.set("root", "/consistent_snapshot", json!(false));
    for (from, to) in [("5.snapshot.json", "snapshot.json"), ("3.targets.json", "targets.json")] {
        let bytes = repository.files.0.remove(from).unwrap();
        repository.files.0.insert(to.to_owned(), bytes);
    }
    repository.files.0.insert("trusted_root.json".to_owned(), CONTENT.to_vec());
    repository.files.0.remove(&format!("{}.trusted_root.json", digest(CONTENT)));
    assert_eq!(repository.target().unwrap().bytes(), CONTENT);
}
