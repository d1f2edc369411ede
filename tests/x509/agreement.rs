//! Chains that openssl makes: the profile `rfc5280-strict` and `openssl verify -x509_strict` say the same.

use bulla::limits::Limits;
use bulla::x509::Certificate;
use bulla::x509::Profile;
use bulla::x509::Purpose;

use super::Verification;
use super::certificate;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::TSA;
use super::made::Workshop;
use super::made::certificates;
use super::made::plan;
use super::verdict;

const LIMITED: &str = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n";

const DAY: i64 = 86_400;

/// A case: what stands between the signer and the anchor, and what becomes of it.
struct Case<'a> {
    anchor: &'a Made,
    between: Vec<&'a Made>,
    leaf: &'a Made,
    /// Whether openssl says something else.
    openssl_differs: bool,
    purpose: Purpose,
    says: &'a str,
    seconds: i64,
}

fn signing<'a>(anchor: &'a Made, leaf: &'a Made, between: &[&'a Made], says: &'a str) -> Case<'a> {
    Case {
        anchor,
        between: between.to_vec(),
        leaf,
        openssl_differs: false,
        purpose: Purpose::Signing,
        says,
        seconds: DAY,
    }
}

fn stamping<'a>(anchor: &'a Made, leaf: &'a Made, between: &[&'a Made], says: &'a str) -> Case<'a> {
    Case { purpose: Purpose::TimeStamping, ..signing(anchor, leaf, between, says) }
}

#[test]
fn we_and_openssl_agree() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/C=US/ST=WA/O=Root", CA));
    let namesake = shop.root(plan("/C=US/ST=WA/O=Root", CA));
    let unrelated = shop.root(plan("/O=Unrelated", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let limited = shop.issue(&root, plan("/O=Limited", LIMITED));
    let below = shop.issue(&limited, plan("/O=Below", CA));
    let crossed = shop.issue_again(&unrelated, &middle, plan("/O=Middle", CA));
    let powerless =
        shop.issue(&root, plan("/O=Powerless", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n"));
    let no_ca =
        shop.issue(&root, plan("/O=No CA", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,keyCertSign\n"));
    let permitted = "nameConstraints=critical,permitted;DNS:example.com\n";
    let constrained = shop.issue(&root, plan("/O=Constrained", &format!("{CA}{permitted}")));
    let servers = shop.issue(&root, plan("/O=Servers", &format!("{CA}extendedKeyUsage=serverAuth\n")));
    let leaf = |issuer, extensions: &str| shop.issue(issuer, plan("/CN=leaf", extensions));
    let good = leaf(&middle, LEAF);
    let (by_limited, by_below) = (leaf(&limited, LEAF), leaf(&below, LEAF));
    let (by_powerless, by_no_ca, by_namesake) = (leaf(&powerless, LEAF), leaf(&no_ca, LEAF), leaf(&namesake, LEAF));
    let inside = leaf(&constrained, &format!("{LEAF}subjectAltName=DNS:www.example.com\n"));
    let outside = leaf(&constrained, &format!("{LEAF}subjectAltName=DNS:example.org\n"));
    let critical = leaf(&middle, &format!("{LEAF}1.2.3.4=critical,DER:0500\n"));
    let tsa = leaf(&middle, TSA);
    let tsa_by_servers = leaf(&servers, TSA);
    let tsa_without = leaf(&middle, LEAF);
    let tsa_not_critical = leaf(&middle, &format!("{LEAF}extendedKeyUsage=timeStamping\n"));
    let tsa_and_more = leaf(&middle, &format!("{LEAF}extendedKeyUsage=critical,timeStamping,codeSigning\n"));
    let direct = leaf(&root, LEAF);
    let soft = shop.issue(&root, plan("/O=Soft", "basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign\n"));
    let useless = shop.issue(&root, plan("/O=Useless", "basicConstraints=critical,CA:TRUE\n"));
    let useless_root = shop.root(plan("/O=Useless root", "basicConstraints=critical,CA:TRUE\n"));
    let (by_soft, by_useless, by_useless_root) = (leaf(&soft, LEAF), leaf(&useless, LEAF), leaf(&useless_root, LEAF));
    let measured = leaf(&middle, &format!("{LEAF}basicConstraints=critical,CA:FALSE,pathlen:0\n"));
    let addresses =
        shop.issue(&root, plan("/O=Addresses", &format!("{CA}nameConstraints=critical,permitted;email:example.com\n")));
    let mailbox = "subjectAltName=otherName:1.3.6.1.5.5.7.8.9;UTF8:";
    let other_mailbox = leaf(&addresses, &format!("{LEAF}{mailbox}m@evil.test\n"));
    let same_mailbox = leaf(&addresses, &format!("{LEAF}{mailbox}m@example.com\n"));
    let free_mailbox = leaf(&middle, &format!("{LEAF}{mailbox}m@evil.test\n"));
    let no_mailbox = leaf(&addresses, &format!("{LEAF}subjectAltName=DNS:example.org\n"));
    let day = DAY;
    let cases = [
        signing(&root, &direct, &[], "accepted"),
        signing(&root, &good, &[&middle], "accepted"),
        signing(&root, &good, &[&unrelated, &limited, &below, &middle], "accepted"),
        // It takes the first issuer of a name and no second one.
        Case { openssl_differs: true, ..signing(&root, &good, &[&crossed, &middle], "accepted") },
        signing(&root, &good, &[&middle, &crossed], "accepted"),
        signing(&root, &good, &[&crossed], "path"),
        Case { openssl_differs: true, ..signing(&unrelated, &good, &[&middle, &crossed], "accepted") },
        signing(&unrelated, &good, &[&crossed, &middle], "accepted"),
        signing(&unrelated, &good, &[&middle], "path"),
        signing(&namesake, &good, &[&middle], "signature"),
        signing(&root, &good, &[], "path"),
        signing(&root, &by_namesake, &[], "signature"),
        signing(&root, &by_limited, &[&limited], "accepted"),
        signing(&root, &by_below, &[&below, &limited], "path-length"),
        signing(&root, &by_below, &[&limited, &below], "path-length"),
        signing(&root, &by_powerless, &[&powerless], "key-usage"),
        signing(&root, &by_no_ca, &[&no_ca], "basic-constraints"),
        signing(&root, &inside, &[&constrained], "accepted"),
        signing(&root, &outside, &[&constrained], "name-constraints"),
        signing(&root, &critical, &[&middle], "?critical-extension"),
        // RFC 5280 sections 4.2.1.3 and 4.2.1.9: what certificate authorities must have, and must not write elsewhere.
        signing(&root, &by_soft, &[&soft], "basic-constraints-critical"),
        signing(&root, &by_useless, &[&useless], "key-usage"),
        signing(&useless_root, &by_useless_root, &[], "key-usage"),
        signing(&root, &measured, &[&middle], "path-length-place"),
        // RFC 9598 section 6: constraints on email addresses bind SmtpUTF8Mailbox too.
        signing(&root, &other_mailbox, &[&addresses], "?name-constraints"),
        Case { openssl_differs: true, ..signing(&root, &same_mailbox, &[&addresses], "?name-constraints") },
        signing(&root, &free_mailbox, &[&middle], "accepted"),
        signing(&root, &no_mailbox, &[&addresses], "accepted"),
        Case { seconds: -day, ..signing(&root, &good, &[&middle], "not-yet-valid") },
        Case { seconds: 31 * day, ..signing(&root, &good, &[&middle], "expired") },
        stamping(&root, &tsa, &[&middle], "accepted"),
        // It does not look at the purposes of issuers of timestamp authorities.
        Case { openssl_differs: true, ..stamping(&root, &tsa_by_servers, &[&servers], "extended-key-usage") },
        stamping(&root, &tsa_without, &[&middle], "extended-key-usage"),
        stamping(&root, &tsa_not_critical, &[&middle], "extended-key-usage"),
        stamping(&root, &tsa_and_more, &[&middle], "extended-key-usage"),
    ];
    for (number, case) in cases.iter().enumerate() {
        let at = later(case.leaf.certificate.not_before(), case.seconds);
        let verification = Verification {
            anchors: &certificates(&[case.anchor]),
            at,
            extra: &certificates(&case.between),
            limits: Limits::DEFAULT,
            profile: Profile::RFC5280_STRICT,
            purpose: case.purpose,
        };
        let found = verification.run(&certificates(&[case.leaf]));
        assert_eq!(verdict(&found), case.says, "case {number}: {found:?}");
        let purpose = if case.purpose == Purpose::TimeStamping { "timestampsign" } else { "" };
        let between: Vec<_> = case.between.iter().map(|one| (*one).clone()).collect();
        let openssl = shop.openssl_accepts(case.leaf, &between, case.anchor, at.unix(), purpose);
        assert_eq!(found.is_ok() != case.openssl_differs, openssl, "case {number}");
    }
}

/// Every order of the certificates between, with any of the others left out: the path is found exactly if all of it is
/// there.
#[test]
fn order_and_company_do_not_matter() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let upper = shop.issue(&root, plan("/O=Upper", CA));
    let lower = shop.issue(&upper, plan("/O=Lower", CA));
    let other = shop.root(plan("/O=Other", CA));
    let leaf = shop.issue(&lower, plan("/CN=leaf", LEAF));
    let pool = certificates(&[&upper, &lower, &other, &root, &leaf]);
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..pool.len() {
        let longer = orders.iter().flat_map(|order| {
            let next = (0..pool.len()).filter(|index| !order.contains(index));
            next.map(|index| [order.as_slice(), &[index]].concat()).collect::<Vec<_>>()
        });
        let longer: Vec<_> = longer.collect();
        orders.extend(longer);
        orders.sort();
        orders.dedup();
    }
    assert_eq!(orders.len(), 326);
    for order in orders {
        let extra: Vec<Certificate> = order.iter().map(|index| certificate(pool[*index].der())).collect();
        let verification = Verification {
            anchors: &certificates(&[&root]),
            at: later(leaf.certificate.not_before(), 60),
            extra: &extra,
            limits: Limits::DEFAULT,
            profile: Profile::RFC5280_STRICT,
            purpose: Purpose::Signing,
        };
        let found = verification.run(&certificates(&[&leaf]));
        let whole = order.contains(&0) && order.contains(&1);
        assert_eq!(verdict(&found), if whole { "accepted" } else { "path" }, "{order:?}");
        if let Ok(chain) = found {
            let path: Vec<_> = chain.path().iter().cloned().collect();
            assert_eq!(path, certificates(&[&leaf, &lower, &upper, &root]));
        }
    }
}

#[test]
fn more_certificates_than_the_limits_allow_are_could_not_tell() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Root", CA));
    let middle = shop.issue(&root, plan("/O=Middle", CA));
    let leaf = shop.issue(&middle, plan("/CN=leaf", LEAF));
    let run = |chain: &[&Made], extra: &[&Made], longest, most| {
        let verification = Verification {
            anchors: &certificates(&[&root]),
            at: later(leaf.certificate.not_before(), 60),
            extra: &certificates(extra),
            limits: Limits::DEFAULT.with(|limits| {
                limits.envelope.certificate_chain = longest;
                limits.envelope.certificates = most;
            }),
            profile: Profile::RFC5280_STRICT,
            purpose: Purpose::Signing,
        };
        verdict(&verification.run(&certificates(chain)))
    };
    assert_eq!(run(&[&leaf, &middle, &root], &[], 3, 3), "accepted");
    assert_eq!(run(&[&leaf, &middle, &root], &[], 2, 3), "?limit");
    assert_eq!(run(&[&leaf, &middle, &root], &[], 3, 2), "?limit");
    assert_eq!(run(&[&leaf], &[&middle, &root], 3, 3), "accepted");
    assert_eq!(run(&[&leaf], &[&middle, &root], 3, 2), "?limit");
    // The path has three, although the signer gave two.
    assert_eq!(run(&[&leaf, &middle], &[], 2, 9), "?limit");
    // rustls-webpki follows six certificates between the signer and the anchor.
    let mut path = vec![root.clone()];
    for number in 0..7 {
        path.push(shop.issue(&path[number], plan(&format!("/O=CA {number}"), CA)));
    }
    for (length, says) in [(7, "accepted"), (8, "?search-budget")] {
        let leaf = shop.issue(&path[length - 1], plan("/CN=deep", LEAF));
        let between: Vec<_> = path[1..length].iter().collect();
        assert_eq!(run(&[&leaf], &between, 10, 10), says, "{length}");
    }
}

/// Ten issuers of one name could have signed each other in 151,200 orders. CVE-2018-16875.
#[test]
fn a_search_among_issuers_of_one_name_is_given_up() {
    let Some(shop) = Workshop::new() else { return };
    let anchor = shop.root(plan("/O=Root", CA));
    let same: Vec<_> = (0..10).map(|_| shop.root(plan("/O=Same", CA))).collect();
    let leaf = shop.issue(&same[0], plan("/CN=leaf", LEAF));
    let verification = Verification {
        anchors: &certificates(&[&anchor]),
        at: later(leaf.certificate.not_before(), 60),
        extra: &certificates(&same.iter().collect::<Vec<_>>()),
        limits: Limits::DEFAULT,
        profile: Profile::RFC5280_STRICT,
        purpose: Purpose::Signing,
    };
    assert_eq!(verdict(&verification.run(&certificates(&[&leaf]))), "?search-budget");
}
