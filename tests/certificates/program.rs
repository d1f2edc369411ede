//! The options of the program, each in its place and in a wrong one, over layouts with envelopes that we signed.

use std::fs;
use std::path::Path;
use std::process::Command;

use bulla::digest::Digest;
use bulla::envelope::NotaryAttributes;
use bulla::envelope::NotaryFormat;
use bulla::envelope::NotaryPayload;
use bulla::envelope::SigningScheme;
use bulla::limits::Limits;
use bulla::oci::media_type::OCI_MANIFEST;
use bulla::time::Time;
use bulla::trust::RevocationBundle;
use bulla::trust::RevocationDocument;
use bulla::x509::CertificateRevocationList;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use super::author::List;
use super::author::entry;
use super::scene::*;

/// A folder with the certificates as PEM files, and layouts with one signature each.
pub struct TestDirectory {
    folder: TempDir,
    pub scene: &'static Scene,
}

impl TestDirectory {
    pub fn new() -> Option<Self> {
        let scene = SCENE.as_ref()?;
        let folder = tempfile::tempdir().unwrap();
        for (name, made) in [("root", &scene.root), ("other", &scene.other_root), ("tsa", &scene.tsa_root)] {
            fs::copy(&made.file, folder.path().join(name)).unwrap();
        }
        Some(Self { folder, scene })
    }

    /// Writes a layout whose image is signed by `signing`, with the signature as the legacy form, the newer one or the
    /// artifact manifest.
    pub fn layout(&self, name: &str, signing: &Signing<'_>, form: &str) {
        self.edited(name, signing, form, |envelope| envelope);
    }

    /// The same, with an envelope that is changed after it was signed.
    pub fn edited(&self, name: &str, signing: &Signing<'_>, form: &str, edit: impl Fn(Vec<u8>) -> Vec<u8>) {
        let dir = self.folder.path().join(name);
        let blobs = dir.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let put = |media_type: &str, bytes: &[u8]| {
            let digest = Digest::sha256(bytes);
            fs::write(blobs.join(digest.hex()), bytes).unwrap();
            json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
        };
        let config = put("application/vnd.oci.image.config.v1+json", b"{\"architecture\":\"amd64\",\"os\":\"linux\"}");
        let layer = put("application/vnd.oci.image.layer.v1.tar", b"a layer");
        let image = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
        let image = serde_json::to_vec(&image).unwrap();
        let subject = put(OCI_MANIFEST, &image);
        let size = u64::try_from(image.len()).unwrap();
        let payload = NotaryPayload::new(OCI_MANIFEST, &Digest::sha256(&image), size, &Default::default()).unwrap();
        let envelope = edit(Signing { payload, ..signing.clone() }.bytes());
        let layer = put(signing.format.media_type(), &envelope);
        let notary = "application/vnd.cncf.notary.signature";
        let signature = match form {
            "artifact" => json!({
                "mediaType": "application/vnd.oci.artifact.manifest.v1+json",
                "artifactType": notary, "blobs": [layer], "subject": subject,
            }),
            "legacy" => json!({
                "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": put(notary, b"{}"), "layers": [layer],
                "subject": subject,
            }),
            _ => json!({
                "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": notary,
                "config": put("application/vnd.oci.empty.v1+json", b"{}"), "layers": [layer], "subject": subject,
            }),
        };
        let media_type = signature["mediaType"].as_str().unwrap().to_owned();
        let signature = put(&media_type, &serde_json::to_vec(&signature).unwrap());
        let mut named = subject;
        named["annotations"] = json!({ "org.opencontainers.image.ref.name": "v1" });
        let index = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [named, signature],
        });
        fs::write(dir.join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
        fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
    }

    /// The exit code and the code of the first finding.
    pub fn run(&self, command: &str) -> (i32, String) {
        let mut words = command.split(' ');
        let out = Command::new(env!("CARGO_BIN_EXE_bulla"))
            .args([words.next().unwrap(), "--output", "json", "--certificate-identity", "bob=CN=release"])
            .args(words)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        let code = report["results"][0]["findings"][0]["code"].as_str().unwrap_or_default();
        assert!(out.status.code() != Some(2) || !code.is_empty() || !out.stderr.is_empty(), "{out:?}");
        (out.status.code().unwrap(), code.to_owned())
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

fn text(exit: i32, code: &str) -> (i32, String) {
    (exit, code.to_owned())
}

#[test]
fn a_root_counts_for_the_purpose_of_its_option_alone() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    place.layout("plain", &scene.signing(), "legacy");
    assert_eq!(place.run("verify oci:plain:v1 --ca-roots root"), text(0, ""));
    for (options, code) in [
        ("--ca-roots other", "trust"),
        ("--signing-authority-roots root", "trust"),
        ("--ca-roots other --timestamp-roots root", "trust"),
        ("--ca-roots other --signing-authority-roots root", "trust"),
    ] {
        assert_eq!(place.run(&format!("verify oci:plain:v1 {options}")), text(1, code), "{options}");
    }
    assert_eq!(place.run("verify oci:plain:v1 --timestamp-roots root").0, 2, "no root for signers is an error");

    let authentic = NotaryAttributes::new(SigningScheme::X509SigningAuthority, scene.after(0));
    place.layout("authority", &Signing { attributes: authentic, ..scene.signing() }, "legacy");
    assert_eq!(place.run("verify oci:authority:v1 --signing-authority-roots root"), text(0, ""));
    assert_eq!(place.run("verify oci:authority:v1 --ca-roots root"), text(1, "trust"));

    // The certificate of the authority may have been made a second after that of the signer.
    let begin = scene.tsa.certificate.not_before().unix();
    let stamped = Signing { timestamp: Some((&scene.tsa, begin)), ..scene.signing() };
    let stamped = Signing { attributes: NotaryAttributes::new(SigningScheme::X509, scene.after(0)), ..stamped };
    place.layout("stamped", &stamped, "legacy");
    let late = format!("verify oci:stamped:v1 --at {} --ca-roots root", scene.after(400 * DAY));
    assert_eq!(place.run(&format!("{late} --timestamp-roots tsa")), text(0, ""));
    assert_eq!(place.run(&late), text(1, "expired"));
    assert_eq!(place.run(&format!("{late} --timestamp-roots other")), text(1, "expired"));
    assert_eq!(place.run(&format!("{late} --ca-roots tsa")), text(1, "expired"));
}

#[test]
fn every_form_of_signature_manifest_is_imported_and_verifies_there() {
    let Some(place) = TestDirectory::new() else { return };
    for format in [NotaryFormat::Jws, NotaryFormat::Cose] {
        for form in ["legacy", "v1.1", "artifact"] {
            let name = format!("{format:?}-{form}").to_lowercase();
            place.layout(&name, &Signing { format, ..place.scene.signing() }, form);
            assert_eq!(place.run(&format!("import oci:{name}:v1 oci:in-{name}:v1 --ca-roots root")).0, 0, "{name}");
            assert_eq!(place.run(&format!("verify oci:in-{name}:v1 --ca-roots root")), text(0, ""), "{name}");
            // An import that is refused leaves nothing.
            assert_eq!(place.run(&format!("import oci:{name}:v1 oci:no-{name}:v1 --ca-roots other")).0, 1, "{name}");
            assert!(!place.path(&format!("no-{name}")).exists());
        }
    }
}

#[test]
fn revocation_files_are_read_from_files_and_directories_whole_or_not_at_all() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    place.layout("app", &scene.signing(), "legacy");
    let now = Time::from_unix(scene.after(0).unix()).unwrap();
    let folder = place.path("crls");
    fs::create_dir(&folder).unwrap();
    let write = |path: &Path, list: List| fs::write(path, list.signed_by(&scene.root)).unwrap();
    write(&folder.join("good.crl"), List::of(&scene.root, now));
    let verify = |options: &str| place.run(&format!("verify oci:app:v1 --ca-roots root {options}"));
    assert_eq!(verify("--revocation crls --revocation-required"), text(0, ""));
    write(&folder.join("revoked.crl"), List::of(&scene.root, now).entry(entry(1, now, Some(1))));
    assert_eq!(verify("--revocation crls"), text(1, "revoked"));
    assert_eq!(verify("--revocation crls/good.crl"), text(0, ""));
    fs::write(folder.join("zz"), "not a list").unwrap();
    assert_eq!(verify("--revocation crls").0, 2, "a file that cannot be read is an error");
    assert_eq!(verify("--revocation nowhere").0, 2);
    fs::create_dir(place.path("empty")).unwrap();
    assert_eq!(verify("--revocation empty").0, 2, "an empty directory is an error");
}

/// The trust in the one signature of a layout, by `tree`.
fn marked(place: &TestDirectory, layout: &str, options: &str) -> Option<bool> {
    let mut words = vec!["tree", layout, "--output", "json"];
    words.extend(options.split_whitespace());
    let out = Command::new(env!("CARGO_BIN_EXE_bulla")).args(words).current_dir(place.folder.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    report["results"][0]["attached"][0]["signed"][0]["trusted"].as_bool()
}

#[test]
fn a_tree_marks_what_a_verification_accepts_and_nothing_else() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    let expired = NotaryAttributes::new(SigningScheme::X509, scene.after(0)).with_expiry(scene.after(1));
    let outdated = Signing { attributes: expired, ..scene.signing() };
    place.layout("app", &scene.signing(), "legacy");
    place.layout("expired", &outdated, "legacy");
    let now = Time::from_unix(scene.after(0).unix()).unwrap();
    let crl = List::of(&scene.root, now).entry(entry(1, now, Some(1))).signed_by(&scene.root);
    fs::write(place.path("revoked.crl"), crl).unwrap();
    for (layout, options) in [
        ("oci:app:v1", "--ca-roots root"),
        ("oci:app:v1", "--ca-roots other"),
        ("oci:app:v1", "--signing-authority-roots root"),
        ("oci:app:v1", "--ca-roots root --revocation revoked.crl"),
        ("oci:expired:v1", "--ca-roots root"),
    ] {
        let verified = place.run(&format!("verify {layout} {options}")).0 == 0;
        let options = format!("{options} --certificate-identity bob=CN=release");
        assert_eq!(marked(&place, layout, &options), Some(verified), "{layout} {options}");
    }
    assert_eq!(marked(&place, "oci:app:v1", "--ca-roots root --certificate-identity CN=other"), Some(false));
    assert_eq!(marked(&place, "oci:app:v1", ""), None);
}

#[test]
fn a_portable_file_counts_as_the_evidence_in_it() {
    let Some(place) = TestDirectory::new() else { return };
    let scene = place.scene;
    place.layout("app", &scene.signing(), "legacy");
    let now = Time::from_unix(scene.after(0).unix()).unwrap();
    let write = |name: &str, lists: &[List]| {
        let mut bundle = RevocationBundle::new();
        for list in lists {
            let crl = CertificateRevocationList::parse(list.signed_by(&scene.root), &Limits::DEFAULT).unwrap();
            let source = ("http://crl.example/root.crl", now);
            bundle.add(RevocationDocument::Crl(crl), source, &Limits::DEFAULT).unwrap();
        }
        fs::write(place.path(name), bundle.to_bytes().unwrap()).unwrap();
    };
    let good = List::of(&scene.root, now);
    let revoking = good.clone().entry(entry(1, now, Some(1)));
    write("good.json", std::slice::from_ref(&good));
    write("both.json", &[good.clone(), revoking.clone()]);
    write("none.json", &[]);
    let verify = |files: &str| place.run(&format!("verify oci:app:v1 --ca-roots root --revocation-required {files}"));
    assert_eq!(verify("--revocation good.json"), text(0, ""));
    assert_eq!(verify("--revocation both.json"), text(1, "revoked"));
    assert_eq!(verify("--revocation none.json"), text(2, "status-unknown"));
    // Portable and raw files are one pool, in which a revocation wins.
    fs::write(place.path("raw.crl"), revoking.signed_by(&scene.root)).unwrap();
    assert_eq!(verify("--revocation good.json --revocation raw.crl"), text(1, "revoked"));
    let whole = fs::read(place.path("good.json")).unwrap();
    fs::write(place.path("cut.json"), &whole[..whole.len() - 1]).unwrap();
    assert_eq!(verify("--revocation good.json --revocation cut.json").0, 2);
}
