//! Signatures in the formats of Sigstore, with certificates of an own authority: revocation is checked by the same rules.

use super::*;

const LEAF_OF_SIGSTORE: &str =
    "extendedKeyUsage=codeSigning\nsubjectAltName=email:leaf@example.com\ncrlDistributionPoints=URI:{web}/root.crl\n";

impl World {
    /// The world, with a layout `bundled` whose image has a signature in this format, and a policy that trusts the signer.
    pub fn bundled(format: &str, revocation: &str) -> Option<Self> {
        let world = Self::new(LEAF_OF_SIGSTORE)?;
        image::layout(&world.path("bundled"), &[(Some("v1"), &image::image(2))]);
        world.must(&format!("sign oci:bundled:v1 --key leaf.key --cert-chain chain.pem --format {format}"));
        world.policy(revocation);
        Some(world)
    }

    fn policy(&self, revocation: &str) {
        let certificate = "roots: [{ file: root.pem }], email: leaf@example.com, profile: sigstore";
        let text = format!(
            "bulla-policy: 1\nidentities:\n  release: {{ certificate: {{ {certificate}{revocation} }} }}\nimages:\n  - match: \
             [registry.example/app]\n    require: [{{ signature: {{ by: [release] }} }}]\n"
        );
        self.write("policy.yaml", text);
    }

    /// The exit code by the policy, and everything that was printed.
    fn judged(&self, more: &str) -> (i32, String) {
        self.says(&format!("verify oci:bundled:v1 --policy policy.yaml --as registry.example/app {more}"))
    }

    pub fn fetch_bundled(&self, name: &str) -> (i32, String) {
        self.says(&format!("revocation fetch oci:bundled:v1 --ca-roots root.pem -o {name} --allow-host 127.0.0.1"))
    }
}

pub const REQUIRED: &str = ", revocation: required";
pub const COMPROMISED: Option<u8> = Some(1);

/// In a bundle, and at the tag of cosign.
#[test]
fn a_certificate_of_an_own_authority_is_checked_in_each_format() {
    for format in ["bundle", "tag"] {
        let Some(world) = World::bundled(format, REQUIRED) else { return };
        let (code, text) = world.judged("");
        assert_eq!(code, 2, "{format}: {text}");
        assert!(text.contains("undetermined"), "{text}");
        // Fetched for this signature, and good.
        world.serve_list(&world.list());
        assert_eq!(world.fetch_bundled("good.json").0, 0);
        assert_eq!((world.kept("good.json"), world.web.take_requests()), (Some(1), vec!["GET /root.crl".to_owned()]));
        let (code, text) = world.judged("--revocation good.json");
        assert_eq!(code, 0, "{text}");
        // Revoked: a revocation wins over the older list.
        world.serve_list(&world.list().entry(author::entry(7, later(now(), -60), COMPROMISED)));
        assert_eq!(world.fetch_bundled("revoked.json").0, 0);
        let (code, text) = world.judged("--revocation good.json --revocation revoked.json");
        assert_eq!(code, 1, "{text}");
        // Nothing else is wrong with it.
        assert_eq!(world.judged("--revocation good.json").0, 0);
    }
}

#[test]
fn evidence_counts_where_status_is_not_required() {
    let Some(world) = World::bundled("bundle", "") else { return };
    assert_eq!(world.judged("").0, 0, "revocation is not checked");
    let list = |list: List| {
        world.serve_list(&list);
        world.fetch_bundled("e.json");
        let judged = world.judged("--revocation e.json");
        fs::remove_file(world.path("e.json")).unwrap();
        judged.0
    };
    assert_eq!(list(world.list()), 0);
    assert_eq!(list(world.list().entry(author::entry(8, later(now(), -60), COMPROMISED))), 0);
    assert_eq!(list(world.list().entry(author::entry(7, later(now(), -60), COMPROMISED))), 1);
    // Evidence was given, and none of it is about this certificate.
    let untrusted = world.shop.root(plan("/O=Other/CN=root", CA));
    world.write("other.crl", List::of(&untrusted, now()).signed_by(&untrusted));
    let (code, text) = world.judged("--revocation other.crl");
    assert_eq!(code, 2, "{text}");
}

#[test]
fn an_online_check_asks_for_the_certificates_of_bundles() {
    let Some(world) = World::bundled("bundle", REQUIRED) else { return };
    let online = "--revocation-online --allow-host 127.0.0.1";
    assert_eq!(world.judged(online).0, 2, "there is no answer");
    world.serve_list(&world.list());
    let (code, text) = world.judged(online);
    assert_eq!(code, 0, "{text}");
    world.serve_list(&world.list().entry(author::entry(7, later(now(), -60), COMPROMISED)));
    assert_eq!(world.judged(online).0, 1);
}
