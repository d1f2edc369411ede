//! The chains: each with one fault, or with none.

use bulla::time::Time;
use bulla::x509::Purpose;

use super::author;
use super::author::List;
use super::author::entry;
use super::later;
use super::made::CA;
use super::made::LEAF;
use super::made::Made;
use super::made::Plan;
use super::made::TSA;
use super::made::Workshop;
use super::made::plan;

/// A chain, as bytes: not each of its certificates can be read.
pub struct Case {
    pub anchor: Vec<u8>,
    pub at: Time,
    /// The certificates between the signer's and the anchor, in the order in which they are presented, with the anchor.
    pub between: Vec<Vec<u8>>,
    pub crls: Vec<Vec<u8>>,
    pub leaf: Vec<u8>,
    pub name: &'static str,
    pub purpose: Purpose,
}

const SIGNER: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n";
const RSA_1024: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:1024";
const DAY: i64 = 86_400;

/// All cases; `None` if openssl is not there.
pub fn all() -> Option<Vec<Case>> {
    let shop = Workshop::new()?;
    let root = shop.root(plan("/O=Root", CA));
    let upper = shop.issue(&root, Plan { serial: "21", ..plan("/O=Upper", CA) });
    let middle = shop.issue(&upper, Plan { serial: "22", ..plan("/O=Middle", CA) });
    let scene = Scene { middle, root, shop, upper };
    let mut cases = scene.paths();
    cases.extend(scene.times());
    cases.extend(scene.authorities());
    cases.extend(scene.signers());
    cases.extend(scene.revocations());
    Some(cases)
}

struct Scene {
    middle: Made,
    root: Made,
    shop: Workshop,
    upper: Made,
}

impl Scene {
    /// Root, upper, `middle`, leaf: a day after the leaf begins to be valid.
    fn below(&self, name: &'static str, middle: &Made, leaf: &Made) -> Case {
        self.case(name, &self.root, &[middle, &self.upper, &self.root], leaf)
    }

    fn case(&self, name: &'static str, anchor: &Made, between: &[&Made], leaf: &Made) -> Case {
        Case {
            anchor: anchor.certificate.der().to_vec(),
            at: later(leaf.certificate.not_before(), DAY),
            between: between.iter().map(|made| made.certificate.der().to_vec()).collect(),
            crls: Vec::new(),
            leaf: leaf.certificate.der().to_vec(),
            name,
            purpose: Purpose::Signing,
        }
    }

    fn leaf(&self, issuer: &Made, extensions: &str) -> Made {
        self.shop.issue(issuer, plan("/CN=leaf", extensions))
    }

    fn authority(&self, name: &str, extensions: &str) -> Made {
        self.shop.issue(&self.upper, plan(name, extensions))
    }

    /// Which certificates are there, and in which order.
    fn paths(&self) -> Vec<Case> {
        let Self { middle, root, shop, upper } = self;
        let leaf = self.leaf(middle, SIGNER);
        let unrelated = shop.root(plan("/O=Unrelated", CA));
        let extra = shop.issue(&unrelated, plan("/O=Extra", CA));
        let crossed = shop.issue_again(&unrelated, upper, plan("/O=Upper", CA));
        let namesake = shop.root(plan("/O=Middle", CA));
        vec![
            self.below("nothing is wrong", middle, &leaf),
            self.case("the issuers are in another order", root, &[upper, middle, root], &leaf),
            self.case("there are unrelated certificates as well", root, &[&extra, middle, upper, root], &leaf),
            self.case("an issuer is missing", root, &[middle, root], &leaf),
            self.case("cross-signed, to the other root", &unrelated, &[middle, &crossed, &unrelated], &leaf),
            self.case("cross-signed, both ways", root, &[middle, upper, &crossed, root], &leaf),
            self.case("cross-signed, the other way first", root, &[middle, &crossed, upper, root], &leaf),
            self.case("the root is not trusted", &unrelated, &[middle, upper, root], &leaf),
            self.below("another key of the issuer's name", middle, &self.leaf(&namesake, SIGNER)),
            self.case("an intermediate is trusted, not the root", upper, &[middle, upper], &leaf),
        ]
    }

    fn times(&self) -> Vec<Case> {
        let Self { middle, shop, upper, .. } = self;
        let begin = self.root.certificate.not_before();
        let brief = |issuer, name, extensions, from, until| {
            shop.issue_for(issuer, plan(name, extensions), later(begin, from * DAY), later(begin, until * DAY))
        };
        let at = |case: Case| Case { at: later(begin, 5 * DAY), ..case };
        let old = brief(upper, "/O=Old", CA, 0, 4);
        vec![
            at(self.below("the signer's certificate has expired", middle, &brief(middle, "/CN=leaf", SIGNER, 0, 4))),
            at(self.below(
                "the signer's certificate is from tomorrow",
                middle,
                &brief(middle, "/CN=leaf", SIGNER, 6, 9),
            )),
            at(self.below("an intermediate has expired", &old, &self.leaf(&old, SIGNER))),
        ]
    }

    /// Faults of certificates that issue others.
    fn authorities(&self) -> Vec<Case> {
        let Self { shop, upper, .. } = self;
        let short = self.authority("/O=Short", &format!("{CA}basicConstraints=critical,CA:TRUE,pathlen:0\n"));
        let too_deep = shop.issue(&short, plan("/O=Too deep", CA));
        let mut cases = vec![
            self.case(
                "a path length is exceeded",
                &self.root,
                &[&too_deep, &short, upper, &self.root],
                &self.leaf(&too_deep, SIGNER),
            ),
            self.below("a path length of 0 is kept", &short, &self.leaf(&short, SIGNER)),
        ];
        for (name, extensions) in [
            (
                "an issuer says that it is no authority",
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,keyCertSign\n",
            ),
            ("an issuer has no basic constraints", "keyUsage=critical,keyCertSign\n"),
            (
                "the basic constraints of an issuer are not critical",
                "basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign\n",
            ),
            ("an issuer has no key usage", "basicConstraints=critical,CA:TRUE\n"),
            (
                "the key usage of an issuer lacks keyCertSign",
                "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n",
            ),
            ("an issuer has an unknown critical extension", &format!("{CA}1.2.3.4=critical,DER:0500\n")),
            ("an issuer is for servers only", &format!("{CA}extendedKeyUsage=serverAuth\n")),
        ] {
            let issuer = self.authority("/O=Odd", extensions);
            cases.push(self.below(name, &issuer, &self.leaf(&issuer, SIGNER)));
        }
        let constrained =
            self.authority("/O=Constrained", &format!("{CA}nameConstraints=critical,permitted;DNS:example.com\n"));
        for (name, host) in [
            ("a name is inside the constraints", "www.example.com"),
            ("a name is outside the constraints", "example.org"),
        ] {
            let leaf = self.leaf(&constrained, &format!("{SIGNER}subjectAltName=DNS:{host}\n"));
            cases.push(self.below(name, &constrained, &leaf));
        }
        let weak = shop.issue(upper, Plan { algorithm: RSA_1024, ..plan("/O=Weak", CA) });
        cases.push(self.below("an issuer has an RSA key of 1024 bits", &weak, &self.leaf(&weak, SIGNER)));
        cases
    }

    /// Faults of the signer's certificate.
    fn signers(&self) -> Vec<Case> {
        let Self { middle, shop, .. } = self;
        let leaf = |extensions: &str| self.leaf(middle, extensions);
        let stamping = |case: Case| Case { purpose: Purpose::TimeStamping, ..case };
        let weak = shop.issue(middle, Plan { algorithm: RSA_1024, ..plan("/CN=leaf", SIGNER) });
        let sha1 = shop.issue(middle, Plan { hash: "sha1", ..plan("/CN=leaf", SIGNER) });
        let two = leaf(&format!("{SIGNER}1.2.3.4=DER:0500\n1.2.3.5=DER:0500\n"));
        let twice = edited(&two, middle, &[6, 3, 0x2a, 3, 5], &[6, 3, 0x2a, 3, 4]);
        vec![
            self.below("no extended key usage", middle, &leaf(LEAF)),
            self.below(
                "an extended key usage for servers",
                middle,
                &leaf(&format!("{LEAF}extendedKeyUsage=serverAuth\n")),
            ),
            self.below("no key usage", middle, &leaf("extendedKeyUsage=codeSigning\n")),
            self.below(
                "a key usage without digitalSignature",
                middle,
                &leaf("keyUsage=critical,keyAgreement\nextendedKeyUsage=codeSigning\n"),
            ),
            self.below("a signer that is an authority", middle, &leaf(&format!("{CA}extendedKeyUsage=codeSigning\n"))),
            self.below("an unknown critical extension", middle, &leaf(&format!("{SIGNER}1.2.3.4=critical,DER:0500\n"))),
            Case { leaf: twice, ..self.below("an extension stands twice", middle, &two) },
            self.below("the signer has an RSA key of 1024 bits", middle, &weak),
            self.below("a signature with SHA-1", middle, &sha1),
            stamping(self.below("a timestamp authority", middle, &leaf(TSA))),
            stamping(self.below("a timestamp authority without extended key usage", middle, &leaf(LEAF))),
            stamping(self.below(
                "a timestamp authority for code, too",
                middle,
                &leaf(&format!("{LEAF}extendedKeyUsage=critical,timeStamping,codeSigning\n")),
            )),
        ]
    }

    fn revocations(&self) -> Vec<Case> {
        let Self { middle, root, shop, upper } = self;
        let leaf = shop.issue(middle, Plan { serial: "23", ..plan("/CN=leaf", SIGNER) });
        let at = later(leaf.certificate.not_before(), DAY);
        let case = |name, revoked: [Option<u64>; 3]| {
            let list = |(issuer, serial): (&Made, Option<u64>)| {
                let empty = List::of(issuer, at);
                let list =
                    serial.into_iter().fold(empty, |list, serial| list.entry(entry(serial, later(at, -60), Some(1))));
                // openssl wants an authority key identifier (RFC 5280 section 5.2.1).
                let id = author::der(0x80, &[issuer.certificate.extensions().subject_key_id().unwrap()]);
                list.extension(author::extension(35, false, &author::der(0x30, &[&id]))).signed_by(issuer)
            };
            let crls = [root, upper, middle].into_iter().zip(revoked).map(list).collect();
            Case { crls, ..self.below(name, middle, &leaf) }
        };
        vec![
            case("nothing is revoked", [None, None, None]),
            case("the signer's certificate is revoked", [None, None, Some(23)]),
            case("an intermediate is revoked", [None, Some(22), None]),
        ]
    }
}

/// The certificate `like` with other bytes of the same length inside what is signed, signed by `issuer`.
fn edited(like: &Made, issuer: &Made, from: &[u8], to: &[u8]) -> Vec<u8> {
    let der = like.certificate.der();
    let header = |at: usize| match der[at + 1] {
        long @ 0x81..=0x84 => {
            let count = usize::from(long - 0x80);
            let length = der[at + 2..at + 2 + count].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + count, length)
        }
        short => (2, usize::from(short)),
    };
    let begin = header(0).0;
    let (head, length) = header(begin);
    let mut signed = der[begin..begin + head + length].to_vec();
    let at = signed.windows(from.len()).position(|window| window == from).unwrap();
    signed[at..at + to.len()].copy_from_slice(to);
    author::signed(&signed, author::ECDSA_SHA256, issuer, &[])
}
