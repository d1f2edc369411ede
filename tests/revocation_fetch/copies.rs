//! `copy --policy`: revocation is checked by the options that `verify` and `import` have.

use super::author::entry;
use super::sigstore::COMPROMISED;
use super::sigstore::REQUIRED;
use super::*;

impl World {
    /// Copies the image of `bundled` to the layout `there` by the policy.
    fn copied(&self, more: &str) -> (i32, String) {
        let _none = fs::remove_dir_all(self.path("there"));
        self.says(&format!("copy oci:bundled:v1 oci:there:v1 --policy policy.yaml --as registry.example/app {more}"))
    }
}

#[test]
fn a_copy_by_policy_checks_revocation() {
    let Some(world) = World::bundled("bundle", REQUIRED) else { return };
    let copied = |options: &str, want: i32| {
        let (code, text) = world.copied(options);
        assert_eq!((code, world.path("there/index.json").exists()), (want, want == 0), "{options}: {text}");
        text
    };
    copied("", 2);
    world.serve_list(&world.list());
    assert_eq!(world.fetch_bundled("good.json").0, 0);
    world.serve_list(&world.list().entry(entry(7, later(now(), -60), COMPROMISED)));
    assert_eq!(world.fetch_bundled("revoked.json").0, 0);
    world.web.take_requests();
    copied("--revocation good.json --revocation-required --revocation-max-age 1h", 0);
    copied("--revocation good.json --revocation-max-age 1s", 2);
    copied("--revocation good.json --revocation revoked.json", 1);
    assert_eq!(world.web.take_requests(), Vec::<String>::new());
    // Online, and attached: what is attached travels with the copy.
    copied(lookup::ONLINE, 1);
    world.serve_list(&world.list());
    copied(lookup::ONLINE, 0);
    assert!(copied("--revocation-online", 2).contains("--allow-host HOST"));
    copied("--revocation-attached", 2);
    world.must("revocation attach oci:bundled:v1 good.json");
    copied("--revocation-attached", 0);
    assert!(world.must("tree oci:there:v1").contains(RevocationBundle::MEDIA_TYPE));
    world.must("revocation attach oci:bundled:v1 revoked.json");
    copied("--revocation-attached", 1);
}

/// Without a policy nothing is judged, so nothing can be checked.
#[test]
fn a_copy_without_a_policy_takes_no_options_of_revocation() {
    let Some(world) = World::with_crl() else { return };
    world.write("list.crl", world.list().signed_by(&world.root));
    for options in
        ["--revocation list.crl", "--revocation-attached", "--revocation-online", "--envelope-reader as-notation"]
    {
        let (code, text) = world.says(&format!("copy oci:app:v1 oci:there:v1 {options}"));
        assert!(code == 2 && text.contains("--policy") && !world.path("there").exists(), "{options}: {text}");
    }
    world.must("copy oci:app:v1 oci:there:v1");
}
