//! Lint: every rule of the profile `notary` broken once, all of them reported together, and the verdict of a verification.

use std::collections::BTreeSet;

use bulla::limits::Limits;
use bulla::nonempty::NonEmpty;
use bulla::time::Time;
use bulla::x509::Certificate;
use bulla::x509::ChainRule;
use bulla::x509::Lint;
use bulla::x509::LintFinding;
use bulla::x509::LintOmission;
use bulla::x509::LintOutcome;
use bulla::x509::LintRemarkKind;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::Verification;
use super::certificate;
use super::classes::distrusted_key;
use super::crafted::ALGORITHM;
use super::crafted::KEY;
use super::crafted::VERSION;
use super::crafted::add_extension;
use super::crafted::extension;
use super::crafted::signed;
use super::crafted::value;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;
use super::verdict;

const ED25519: &str = "-algorithm ED25519";
const CODE: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n";

fn lint(profile: &Profile, purpose: Purpose, chain: &[Certificate], at: Time) -> Lint {
    let chain = NonEmpty::collect(chain.iter().cloned()).unwrap();
    Lint::run(&chain, purpose, profile, at, &Limits::DEFAULT)
}

fn notary(chain: &[Certificate]) -> Lint {
    lint(&Profile::NOTARY, Purpose::Signing, chain, later(chain[0].not_before(), 60))
}

/// What failed: the index of the certificate and the code of the rule, with `?` before it for could-not-tell.
fn failed(lint: &Lint) -> Vec<String> {
    let text = |one: &LintFinding| {
        let unknown = if one.outcome == LintOutcome::Undetermined { "?" } else { "" };
        format!("{} {unknown}{}", one.certificate, one.rule)
    };
    let mut failed: Vec<_> = lint.failed().map(text).collect();
    failed.dedup();
    failed
}

#[test]
fn a_chain_that_complies_passes_every_rule() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let leaf = shop.issue(&middle, plan("/CN=leaf", CODE));
    let found = notary(&certificates(&[&leaf, &middle, &root]));
    assert_eq!((failed(&found), found.outcome()), (Vec::new(), LintOutcome::Passed));
    assert_eq!(found.omissions(), [LintOmission::Revocation, LintOmission::Trust]);
    assert_eq!(found.remarks(), []);
    let passed: BTreeSet<_> = found.findings().map(|one| (one.certificate, one.rule.code())).collect();
    assert_eq!(passed.len(), found.findings().count(), "each rule once for each certificate");
    for code in ["key", "key-usage", "extended-key-usage", "signature", "path", "path-length", "name-constraints"] {
        assert!(passed.contains(&(0, code)), "{code}");
    }
    for code in ["basic-constraints", "key-usage", "signature", "path-length"] {
        assert!(passed.contains(&(1, code)), "{code}");
    }
    assert!(passed.contains(&(2, "chain-order")));
}

/// Each rule by which `notary` refuses a signer's certificate or could not tell, and what is said about it.
#[test]
fn each_rule_about_one_certificate_is_named() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let leaf = |extensions: &str| shop.issue(&root, plan("/CN=leaf", extensions)).certificate;
    let crafted = |edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let good = shop.issue(&root, plan("/CN=leaf", LEAF)).certificate;
        certificate(&signed(&root, good.der(), edit))
    };
    let mapping = value(0x30, &[&value(0x30, &[&value(0x06, &[&[0x55, 0x1d, 32, 0]]), &value(0x06, &[&[0x2a, 3]])])]);
    let is = |plan: Plan<'_>| shop.issue(&root, plan).certificate;
    for (leaf, code, found, openssl) in [
        (leaf(""), "key-usage", "not there", "keyUsage = critical,digitalSignature"),
        (leaf("keyUsage=digitalSignature\n"), "key-usage", "not critical", "keyUsage = critical,digitalSignature"),
        (leaf("keyUsage=critical,digitalSignature,keyAgreement\n"), "key-usage", "keyAgreement", "keyUsage"),
        (
            leaf(&format!("{CODE}1.3.6.1.5.5.7.1.99=DER:0500\n").replace("codeSigning", "serverAuth")),
            "extended-key-usage",
            "serverAuth (1.3.6.1.5.5.7.3.1)",
            "extendedKeyUsage = codeSigning",
        ),
        (is(Plan { algorithm: ED25519, ..plan("/CN=leaf", LEAF) }), "key", "Ed25519", "openssl genpkey"),
        (
            is(Plan { algorithm: "-algorithm RSA -pkeyopt rsa_keygen_bits:2560", ..plan("/CN=leaf", LEAF) }),
            "key",
            "RSA 2560",
            "openssl genpkey",
        ),
        (is(Plan { serial: "-1", ..plan("/CN=leaf", LEAF) }), "serial-number", "", "-set_serial"),
        (is(Plan { hash: "sha1", ..plan("/CN=leaf", LEAF) }), "signature-algorithm", "1.2.840", "default_md"),
        (leaf(&format!("{LEAF}basicConstraints=critical,CA:TRUE\n")), "ca-as-signer", "", "basicConstraints"),
        (leaf(&format!("{LEAF}1.2.3.4=critical,DER:0500\n")), "?critical-extension", "1.2.3.4", ""),
        (leaf(&format!("{LEAF}policyConstraints=requireExplicitPolicy:3\n")), "?policy", "2.5.29.36", ""),
        (crafted(&|fields| add_extension(fields, extension(&[0x55, 0x1d, 33], &mapping))), "policy-mapping", "", ""),
        (crafted(&|fields| fields[KEY] = distrusted_key()), "distrusted-key", "", ""),
        (crafted(&|fields| fields[VERSION] = value(0xa0, &[&value(0x02, &[&[1]])])), "?version", "2", ""),
        (crafted(&|fields| fields.insert(KEY + 1, value(0x81, &[&[0, 1]]))), "?unique-id", "", ""),
        (
            crafted(&|fields| {
                let other = value(0x06, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]]);
                fields[ALGORITHM] = value(0x30, &[&other]);
            }),
            "signature-algorithm",
            "two algorithms",
            "default_md",
        ),
    ] {
        let lint = notary(&[leaf, root.certificate.clone()]);
        assert_eq!(failed(&lint), [format!("0 {code}")], "{code}");
        let finding = lint.failed().next().unwrap();
        assert!(finding.found.as_deref().unwrap_or_default().contains(found), "{finding:?}");
        assert!(finding.openssl.unwrap_or_default().starts_with(openssl), "{finding:?}");
        assert!(!finding.clause.is_empty());
        let outcome = if code.starts_with('?') { LintOutcome::Undetermined } else { LintOutcome::Refused };
        assert_eq!(lint.outcome(), outcome, "{code}");
    }
}

#[test]
fn each_rule_about_issuers_and_about_the_path_is_named() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let middle = |extensions: &str| shop.issue(&root, plan("/O=Middle", extensions));
    let below = |middle: &Made, extensions: &str| {
        let leaf = shop.issue(middle, plan("/CN=leaf", extensions));
        certificates(&[&leaf, middle, &root])
    };
    let ca = "basicConstraints=critical,CA:TRUE\n";
    let limited = middle("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n");
    let deeper = shop.issue(&limited, plan("/O=Deeper", CA));
    let too_deep = certificates(&[&shop.issue(&deeper, plan("/CN=leaf", LEAF)), &deeper, &limited, &root]);
    let constrained = middle(&format!("{CA}nameConstraints=critical,permitted;DNS:example.com\n"));
    let good = below(&middle(CA), LEAF);
    let other = shop.root(plan("/O=Root", CA));
    let alike = shop.root(plan("/O=root", CA));
    for (chain, codes) in [
        (below(&middle("keyUsage=critical,keyCertSign\n"), LEAF), vec!["1 basic-constraints"]),
        (below(&middle(ca), LEAF), vec!["1 key-usage"]),
        (below(&middle(&format!("{ca}keyUsage=keyCertSign\n")), LEAF), vec!["1 key-usage"]),
        (below(&middle(&format!("{ca}keyUsage=critical,cRLSign\n")), LEAF), vec!["1 key-usage"]),
        (too_deep, vec!["2 path-length"]),
        (below(&constrained, &format!("{LEAF}subjectAltName=DNS:example.org\n")), vec!["1 name-constraints"]),
        (vec![good[0].clone(), good[1].clone()], vec!["1 chain-order"]),
        (
            vec![good[0].clone(), good[2].clone(), good[1].clone()],
            vec!["2 chain-order", "1 chain-order", "0 signature", "1 signature"],
        ),
        (vec![good[0].clone(), good[2].clone()], vec!["0 path", "0 signature"]),
        (vec![good[0].clone(), good[1].clone(), other.certificate], vec!["1 signature"]),
        (vec![good[0].clone(), good[1].clone(), alike.certificate], vec!["1 ?name-matching", "1 signature"]),
    ] {
        let lint = notary(&chain);
        assert_eq!(failed(&lint), codes);
    }
    // More certificates than a chain may have.
    let mut long = vec![root.clone()];
    while long.len() < 11 {
        let next = shop.issue(&long[0], plan(&format!("/O={}", long.len()), CA));
        long.insert(0, next);
    }
    let leaf = shop.issue(&long[0], plan("/CN=leaf", LEAF));
    long.insert(0, leaf);
    let lint = notary(&long.iter().map(|one| one.certificate.clone()).collect::<Vec<_>>());
    assert_eq!(failed(&lint), ["0 ?limit"]);
    assert!(lint.omissions().contains(&LintOmission::Limit));
}

/// RFC 5280 section 6.1.3 (a) (2). Other rules about the path show although nothing is valid at that time.
#[test]
fn validity_is_that_of_the_time_and_hides_nothing() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", &format!("{CA}nameConstraints=critical,permitted;DNS:example.com\n")));
    let leaf = shop.issue(&root, plan("/CN=leaf", &format!("{LEAF}subjectAltName=DNS:example.org\n")));
    let chain = certificates(&[&leaf, &root]);
    let begin = chain[0].not_before();
    for (at, rule) in [(later(begin, -100_000), "not-yet-valid"), (later(begin, 40 * 86_400), "expired")] {
        let lint = lint(&Profile::NOTARY, Purpose::Signing, &chain, at);
        assert_eq!(failed(&lint), [format!("0 {rule}"), format!("1 {rule}"), "1 name-constraints".to_owned()]);
        assert_eq!(lint.at(), at);
    }
}

#[test]
fn all_rules_that_one_certificate_breaks_are_reported_together() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let extensions = "keyUsage=keyEncipherment\nextendedKeyUsage=serverAuth,emailProtection\n\
        1.2.3.4=critical,DER:0500\npolicyConstraints=critical,requireExplicitPolicy:3\n";
    let bad = shop.issue(&root, Plan { algorithm: ED25519, extensions, serial: "-5", ..plan("/CN=bad", "") });
    let lint = notary(&certificates(&[&bad, &root]));
    let codes =
        ["0 serial-number", "0 ?policy", "0 ?critical-extension", "0 key-usage", "0 extended-key-usage", "0 key"];
    assert_eq!(failed(&lint), codes);
    let of_usage: Vec<_> = lint.failed().filter(|one| one.rule == ChainRule::KeyUsage).map(|one| &one.found).collect();
    assert_eq!(of_usage, [&Some("the extension is not critical".to_owned()), &Some("keyEncipherment".to_owned())]);
    // By another profile other rules are broken, and the notary formats have no algorithm for the key.
    let strict = super::lint::lint(
        &Profile::RFC5280_STRICT,
        Purpose::Signing,
        &certificates(&[&bad, &root]),
        later(bad.certificate.not_before(), 60),
    );
    let kinds: Vec<_> = strict.remarks().iter().map(|remark| remark.kind).collect();
    assert_eq!(kinds, [LintRemarkKind::NotaryKey]);
}

#[test]
fn the_certificate_of_a_signer_alone_is_checked_without_its_issuer() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let leaf = shop.issue(&root, plan("/CN=leaf", CODE));
    let found = notary(&certificates(&[&leaf]));
    assert_eq!((failed(&found), found.outcome()), (Vec::new(), LintOutcome::Passed));
    assert!(found.omissions().contains(&LintOmission::Issuer));
    assert!(found.findings().all(|one| one.rule != ChainRule::Signature));
    // One that signs itself is its own chain.
    let own = shop.root(plan("/CN=own", CODE));
    let found = notary(&certificates(&[&own]));
    assert_eq!((failed(&found), found.outcome()), (Vec::new(), LintOutcome::Passed));
    assert!(!found.omissions().contains(&LintOmission::Issuer));
    assert_eq!(failed(&notary(&certificates(&[&root]))), ["0 ca-as-signer", "0 key-usage"]);
}

/// The specification requires critical basic constraints; notation does not check that.
#[test]
fn basic_constraints_that_are_not_critical_get_a_remark() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", "basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign\n"));
    let leaf = shop.issue(&root, plan("/CN=leaf", CODE));
    let found = notary(&certificates(&[&leaf, &root]));
    assert_eq!(found.outcome(), LintOutcome::Passed);
    let [remark] = found.remarks().try_into().unwrap();
    assert_eq!((remark.certificate, remark.kind), (1, LintRemarkKind::BasicConstraintsNotCritical));
}

/// A lint passes a chain if and only if it is verified where its root is trusted, and refuses none that could not be told.
#[test]
fn a_lint_and_a_verification_agree() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let old_root = shop.root(Plan { hash: "sha1", ..plan("/O=Old", CA) });
    let mut chains = Vec::new();
    let ca = "basicConstraints=critical,CA:TRUE\n";
    let leaves = [
        LEAF.to_owned(),
        CODE.to_owned(),
        TSA.to_owned(),
        String::new(),
        format!("{CODE}subjectAltName=DNS:www.example.com\n"),
        format!("{LEAF}extendedKeyUsage=timeStamping\n"),
        format!("{LEAF}extendedKeyUsage=anyExtendedKeyUsage\n"),
        format!("{CA}extendedKeyUsage=codeSigning\n"),
        format!("{LEAF}1.2.3.4=critical,DER:0500\n"),
    ];
    for middle in [
        CA.to_owned(),
        ca.to_owned(),
        format!("{ca}keyUsage=keyCertSign\n"),
        "keyUsage=critical,keyCertSign\n".to_owned(),
        format!("{CA}extendedKeyUsage=serverAuth\n"),
        format!("{CA}nameConstraints=critical,permitted;DNS:example.com\n"),
        format!("{CA}nameConstraints=permitted;email:example.com\n"),
        format!("{CA}policyConstraints=requireExplicitPolicy:3\n"),
    ] {
        let middle = shop.issue(&root, plan("/O=Middle", &middle));
        for leaf in &leaves {
            let leaf = shop.issue(&middle, plan("/CN=leaf", leaf));
            chains.push(certificates(&[&leaf, &middle, &root]));
            chains.push(certificates(&[&leaf, &root]));
        }
    }
    for leaf in &leaves {
        chains.push(certificates(&[&shop.issue(&old_root, plan("/CN=leaf", leaf)), &old_root]));
        chains.push(certificates(&[&shop.root(plan("/CN=own", leaf))]));
        let weak = Plan { hash: "sha1", ..plan("/CN=leaf", leaf) };
        chains.push(certificates(&[&shop.issue(&root, weak), &root]));
    }
    let mut accepted = 0;
    for chain in &chains {
        let at = later(chain[0].not_before(), 60);
        for (profile, purpose) in
            Profile::ALL.into_iter().flat_map(|one| [(one, Purpose::Signing), (one, Purpose::TimeStamping)])
        {
            let verification = Verification {
                anchors: &chain[chain.len() - 1..],
                at,
                extra: &[],
                limits: Limits::DEFAULT,
                profile: profile.clone(),
                purpose,
            };
            let verified = verification.run(chain);
            let lint = lint(profile, purpose, chain, at);
            let about = format!("{} {purpose:?} {chain:?}: {} {:?}", profile.name(), verdict(&verified), failed(&lint));
            assert_eq!(verified.is_ok(), lint.outcome() == LintOutcome::Passed, "{about}");
            accepted += usize::from(verified.is_ok());
            if let Err(error) = verified {
                let same = |one: &LintFinding| {
                    one.rule == error.rule() && (one.outcome == LintOutcome::Undetermined) == error.is_undetermined()
                };
                assert!(lint.failed().any(same), "{about}");
            }
        }
    }
    assert!(accepted > 60 && accepted < chains.len() * 6, "{accepted} of {}", chains.len() * 6);
}
