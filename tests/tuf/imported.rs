//! The file of an import: written and read again, and nothing in it can be left out or changed unnoticed.

use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::sigstore::ImportedTrustedRoot;
use bulla::trust::sigstore::SigstoreInstance;
use bulla::trust::sigstore::TrustedRootFile;
use bulla::trust::sigstore::TrustedRootOrigin;
use bulla::tuf::ExpiryRule;
use bulla::tuf::TufRole;
use bulla::tuf::VerifiedTarget;
use serde_json::Value;
use serde_json::json;

use crate::repository::LATER;
use crate::repository::NOW;
use crate::repository::Repository;
use crate::repository::digest;

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// The import of the public trusted root; the timestamp metadata expires at this time.
fn import(expires: &str) -> ImportedTrustedRoot {
    let mut repository = Repository::new();
    let content = SigstoreInstance::PublicGood.trusted_root_json();
    let stated = json!({"length": content.len(), "hashes": {"sha256": digest(content)}});
    repository.set("targets", "/targets/trusted_root.json", stated).set("timestamp", "/expires", json!(expires)).sign();
    repository.files.0.insert(format!("{}.trusted_root.json", digest(content)), content.to_vec());
    let verified = repository.verify_with(&repository.trusted(), None, ExpiryRule::AcceptExpired).unwrap();
    let target = VerifiedTarget::read(&verified, "trusted_root.json", &repository.files, &Limits::DEFAULT).unwrap();
    ImportedTrustedRoot::new(&verified, &target, time("2026-11-26T12:00:05Z"), &Limits::DEFAULT).unwrap()
}

fn codes(file: &TrustedRootFile, now: &str) -> Vec<&'static str> {
    file.remarks(time(now)).iter().map(|remark| remark.code()).collect()
}

#[test]
fn an_import_is_read_as_it_was_written() {
    let imported = import(LATER);
    let bytes = imported.to_bytes().unwrap();
    assert_eq!(ImportedTrustedRoot::parse(&bytes, &Limits::DEFAULT).unwrap(), imported);
    let file = TrustedRootFile::parse(&bytes, &Limits::DEFAULT).unwrap();
    assert_eq!((file.origin(), file.as_of()), (TrustedRootOrigin::Import, Some(time(NOW))));
    assert_eq!(file.roots().first().transparency_logs().len(), 2);
    assert_eq!(codes(&file, NOW), [""; 0]);
    assert_eq!(codes(&file, "2027-05-25T11:59:59Z"), [""; 0]);
    assert_eq!(codes(&file, "2027-05-26T12:00:00Z"), ["trusted-root-old"]);
    assert_eq!(imported.metadata().role(TufRole::Timestamp).version.get(), 7);
}

#[test]
fn expired_metadata_is_said_whenever_the_trusted_root_is_used() {
    let imported = import("2026-05-01T00:00:00Z");
    let file = TrustedRootFile::parse(&imported.to_bytes().unwrap(), &Limits::DEFAULT).unwrap();
    // It is as old as the metadata, not as the import.
    assert_eq!(file.as_of(), Some(time("2026-05-01T00:00:00Z")));
    assert_eq!(codes(&file, NOW), ["trusted-root-expired-metadata", "trusted-root-old"]);
    let said = "the trusted root was imported with timestamp metadata that had expired at 2026-05-01T00:00:00Z, \
                judged at 2026-11-26T12:00:05Z";
    assert_eq!(file.remarks(time(NOW))[0].to_string(), said);
}

/// Every field is needed: whether the metadata had expired follows from all of them.
#[test]
fn no_field_of_an_import_can_be_left_out_or_changed_in_form() {
    let bytes = import("2026-05-01T00:00:00Z").to_bytes().unwrap();
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    let mut pointers = vec![];
    for (name, value) in whole.as_object().unwrap() {
        pointers.push(format!("/{name}"));
        let Some(below) = value.as_object() else { continue };
        for (part, value) in below {
            pointers.push(format!("/{name}/{part}"));
            let fields = value.as_object().into_iter().flatten().map(|(field, _)| field);
            let fields = fields.filter(|_| part != "snapshotMeta");
            pointers.extend(fields.map(|field| format!("/{name}/{part}/{field}")));
        }
    }
    assert!(pointers.len() > 20, "{pointers:?}");
    for pointer in pointers {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let change = |value: Option<Value>| {
            let mut changed = whole.clone();
            let parent = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            match value {
                Some(value) => parent.insert(key.to_owned(), value),
                None => parent.remove(key),
            };
            TrustedRootFile::parse(changed.to_string().as_bytes(), &Limits::DEFAULT)
        };
        assert!(change(None).is_err(), "{pointer} is left out");
        assert!(change(Some(Value::Null)).is_err(), "{pointer} is null");
        if key != "target" {
            assert!(change(Some(json!("2026-05-01T00:00:00.5Z"))).is_err(), "{pointer} is another text");
        }
    }
    let mut more = whole.clone();
    more["more"] = json!(1);
    assert!(TrustedRootFile::parse(more.to_string().as_bytes(), &Limits::DEFAULT).is_err());
    let mut other = whole;
    other["digest"] = json!(format!("sha256:{}", digest(b"other")));
    assert!(TrustedRootFile::parse(other.to_string().as_bytes(), &Limits::DEFAULT).is_err());
}

#[test]
fn an_import_is_bounded() {
    let bytes = import(LATER).to_bytes().unwrap();
    for (most, fits) in [(bytes.len() as u64, true), (bytes.len() as u64 - 1, false)] {
        let limits = Limits::DEFAULT.with(|limits| limits.transparency.trusted_root_bytes = most);
        let file = TrustedRootFile::parse(&bytes, &limits).map_err(|error| error.is_limit());
        assert_eq!(file.map(|file| file.origin()), if fits { Ok(TrustedRootOrigin::Import) } else { Err(true) });
        assert_eq!(ImportedTrustedRoot::parse(&bytes, &limits).is_ok(), fits);
    }
}
