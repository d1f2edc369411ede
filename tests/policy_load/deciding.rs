//! What a policy file wants of an image: the block, exemptions, exceptions, blocked digests.

use bulla::oci::RepositoryName;
use bulla::policy_file::ImageAsked;
use bulla::policy_file::LoadedPolicy;
use bulla::policy_file::PolicyFor;
use bulla::time::Time;

use crate::scene::digest;
use crate::scene::load;
use crate::scene::name;
use crate::scene::now;
use crate::scene::policy;
use crate::scene::time;

/// What is wanted, in words: the kinds of requirements by their lines, or why there are none.
fn wanted(policy: &LoadedPolicy, asked: &str, image: &str, at: Time) -> String {
    wanted_of(policy, &name(asked), image, None, at)
}

fn wanted_of(policy: &LoadedPolicy, asked: &RepositoryName, image: &str, tag: Option<&str>, at: Time) -> String {
    let digest = digest(image);
    match policy.decide_for(ImageAsked::new(asked, &digest).with_tag(tag), at) {
        PolicyFor::Exempted(exemption) => format!("exempted by {} exceptions", exemption.exceptions.len()),
        PolicyFor::Expired(date) => format!("expired {date}"),
        PolicyFor::Refused(refusal) => format!("refused {} {:?}", refusal.code(), refusal.line()),
        PolicyFor::Required(required) => {
            let all = required.baseline.iter().chain(required.requirements.iter().map(|one| &**one));
            let all: Vec<_> = all
                .map(|one| format!("{}:{}", one.position.line, one.rule.word().map_or("several", |word| word.word())))
                .collect();
            let name = required
                .signed_name
                .map(|(name, tag)| format!(" as {name}{}", tag.map_or(String::new(), |tag| format!(":{tag}"))));
            let (used, ended) = (required.used.len(), required.ended.len());
            format!("{}{} used {used} ended {ended}", all.join(" "), name.unwrap_or_default())
        }
        _ => panic!("another answer"),
    }
}

#[test]
fn the_narrowest_block_decides_whatever_the_order() {
    let blocks = [
        "  - { match: ['registry.example/**'], require: [{ signature: { by: [release] } }] }\n",
        "  - { match: ['registry.example/prod/**'], require: [{ sbom: { by: [ci] } }] }\n",
        "  - { match: ['registry.example/*/app'], refuse: { reason: old } }\n",
        "  - { match: ['registry.example/prod/app'], require: [{ signature: { by: [ci] } }] }\n",
        "  - { match: ['*.example/**'], require: [{ signature: { by: [security] } }] }\n",
    ];
    for turn in 0..blocks.len() {
        let mut turned = blocks;
        turned.rotate_left(turn);
        let loaded = load(&policy(&format!("images:\n{}", turned.concat())));
        let line_of = |block: usize| 8 + turned.iter().position(|one| *one == blocks[block]).unwrap();
        for (asked, want) in [
            ("registry.example/prod/app", format!("{}:signature used 0 ended 0", line_of(3))),
            ("registry.example/prod/other", format!("{}:sbom used 0 ended 0", line_of(1))),
            ("registry.example/dev/app", format!("refused refused-by-block Some({})", line_of(2))),
            ("registry.example/dev/other", format!("{}:signature used 0 ended 0", line_of(0))),
            ("a.example/x", format!("{}:signature used 0 ended 0", line_of(4))),
            ("elsewhere.example.com/x", "refused no-block None".to_owned()),
        ] {
            assert_eq!(wanted(&loaded, asked, "image", now()), want, "{asked}");
        }
    }
}

#[test]
fn a_blocked_digest_comes_before_everything() {
    let rest = format!(
        "blocked: [{{ digest: \"{}\", reason: backdoor }}]\nimages:\n  - {{ match: ['registry.example/**'], accept-unsigned: {{ reason: r, owner: o, until: 2027-02-28 }} }}\n",
        digest("bad")
    );
    let loaded = load(&policy(&rest));
    assert_eq!(wanted(&loaded, "registry.example/a", "bad", now()), "refused blocked Some(7)");
    assert_eq!(wanted(&loaded, "registry.example/a", "good", now()), "exempted by 0 exceptions");
    assert!(loaded.blocked(&digest("bad")).is_some() && loaded.blocked(&digest("good")).is_none());
}

#[test]
fn accept_unsigned_ends_with_its_day() {
    let loaded = load(&policy(
        "baseline: [{ signature: { by: [release] } }]\nimages:\n  - { match: ['a.example/**'], accept-unsigned: { reason: r, owner: o, until: 2027-02-28 } }\n  - { match: ['b.example/**'], accept-unsigned: { reason: r, owner: o, until: 2027-02-28 }, require: [{ sbom: { by: [ci] } }] }\n",
    ));
    let last = Time::from_unix(time("2027-03-01").unix() - 1).unwrap();
    for asked in ["a.example/x", "b.example/x"] {
        assert_eq!(
            wanted(&loaded, asked, "image", last),
            "exempted by 0 exceptions",
            "the baseline is lifted by this word"
        );
    }
    assert_eq!(wanted(&loaded, "a.example/x", "image", time("2027-03-01")), "refused accept-unsigned-ended Some(9)");
    assert_eq!(wanted(&loaded, "b.example/x", "image", time("2027-03-01")), "7:signature 10:sbom used 0 ended 0");
}

#[test]
fn exceptions_waive_what_they_name_for_their_repository_until_their_day() {
    let rest = format!(
        "baseline: [{{ test: {{ by: [ci], max-age: 30d }} }}]\nimages:\n  - match: ['registry.example/prod/**']\n    require:\n      - signature: {{ by: [release] }}\n      - sbom: {{ by: [ci] }}\n      - test: {{ by: [ci], max-age: 1d }}\n    exceptions:\n      - {{ repository: 'Registry.example:443/prod/a', waives: [sbom, test], reason: r, owner: o, until: 2027-03-31 }}\n      - {{ repository: registry.example/prod/a, waives: [signature], digests: [\"{}\"], reason: r, owner: o, until: 2027-03-31 }}\n",
        digest("special")
    );
    let loaded = load(&policy(&rest));
    let prod = |repository: &str| format!("registry.example/prod/{repository}");
    let (all, last) = ("7:test 11:signature 12:sbom 13:test", Time::from_unix(time("2027-04-01").unix() - 1).unwrap());
    assert_eq!(wanted(&loaded, &prod("b"), "special", now()), format!("{all} used 0 ended 0"), "another repository");
    assert_eq!(wanted(&loaded, &prod("a/b"), "special", now()), format!("{all} used 0 ended 0"), "one below it");
    // The baseline stays, although it requires a test.
    assert_eq!(wanted(&loaded, &prod("a"), "other", last), "7:test 11:signature used 1 ended 0");
    assert_eq!(wanted(&loaded, &prod("a"), "special", last), "7:test used 2 ended 0");
    let later = time("2027-04-01");
    assert_eq!(wanted(&loaded, &prod("a"), "special", later), format!("{all} used 0 ended 2"));
}

#[test]
fn an_image_of_which_everything_is_waived_is_exempted_and_never_verified() {
    let rest = format!(
        "images:\n  - match: [registry.example/a]\n    require: [{{ signature: {{ by: [release] }} }}]\n    exceptions: [{{ repository: registry.example/a, waives: [signature], digests: [\"{}\"], reason: r, owner: o, until: 2027-03-31 }}]\n",
        digest("special")
    );
    let loaded = load(&policy(&rest));
    assert_eq!(wanted(&loaded, "registry.example/a", "special", now()), "exempted by 1 exceptions");
    assert_eq!(wanted(&loaded, "registry.example/a", "other", now()), "9:signature used 0 ended 0");
    assert_eq!(wanted(&loaded, "registry.example/a", "special", time("2027-04-01")), "9:signature used 0 ended 1");
}

#[test]
fn an_alternative_is_waived_only_as_a_whole() {
    let loaded = |waives: &str| {
        load(&policy(&format!(
            "images:\n  - match: [registry.example/a]\n    require:\n      - signature: {{ by: [release] }}\n      - any: [{{ sbom: {{ by: [ci] }} }}, {{ all: [{{ test: {{ by: [ci], max-age: 1d }} }}, {{ annotation: {{ by: [ci], annotations: {{ a: b }} }} }}] }}]\n      - all: [{{ sbom: {{ by: [ci] }} }}, {{ test: {{ by: [ci], max-age: 1d }} }}]\n    exceptions: [{{ repository: registry.example/a, waives: [{waives}], reason: r, owner: o, until: 2027-03-31 }}]\n"
        )))
    };
    let found = |waives: &str| wanted(&loaded(waives), "registry.example/a", "image", now());
    assert_eq!(found("sbom"), "10:signature 11:several 12:several used 1 ended 0");
    assert_eq!(found("sbom, test"), "10:signature 11:several used 1 ended 0");
}

#[test]
fn the_signed_name_follows_the_name_that_was_asked() {
    let loaded = load(&policy(
        "images:\n  - match: ['mirror.example/prod/**']\n    signed-name: 'ghcr.io/acme/**'\n    signed-tag: same\n    require: [{ signature: { by: [release] } }]\n  - match: ['docker.io/**']\n    signed-name: 'quay.io/hub/**'\n    require: [{ signature: { by: [release] } }]\n",
    ));
    let asked = name("mirror.example/prod/a/b");
    let tagged = wanted_of(&loaded, &asked, "image", Some("v1"), now());
    assert_eq!(tagged, "11:signature as ghcr.io/acme/a/b:v1 used 0 ended 0");
    // The tag cannot be compared with one that was not asked for.
    assert_eq!(wanted_of(&loaded, &asked, "image", None, now()), "refused no-tag-asked Some(8)");
    let hub = wanted(&loaded, "docker.io/alpine", "image", now());
    assert_eq!(hub, "14:signature as quay.io/hub/library/alpine used 0 ended 0");
}

#[test]
fn a_policy_that_has_expired_since_it_was_loaded_tells_nothing() {
    let loaded = load(&policy(
        "expires: 2026-12-31\nimages:\n  - { match: ['registry.example/**'], accept-unsigned: { reason: r, owner: o, until: 2028-01-01 } }\n",
    ));
    assert_eq!(wanted(&loaded, "registry.example/a", "image", time("2026-12-31")), "exempted by 0 exceptions");
    assert_eq!(wanted(&loaded, "registry.example/a", "image", time("2027-01-01")), "expired 2026-12-31");
}
