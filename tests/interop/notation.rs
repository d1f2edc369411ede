//! notation and bulla, each judging what the other signed with a chain of certificates.

use crate::peers::PeerOutput;
use crate::suite::Algorithm;
use crate::suite::Api;
use crate::suite::Suite;
use crate::web::Web;

const ALGORITHMS: [Algorithm; 2] = [Algorithm::P256, Algorithm::Rsa2048];

const IDENTITY: [&str; 4] = ["--ca-roots", "root.crt", "--certificate-identity", "C=US,ST=WA,O=Acme"];

/// A root, below it a certificate for each algorithm, and notation with this root as its only one: `NAME.key` and the
/// chain `NAME.crt`.
pub fn start(api: Api) -> Option<Suite> {
    let suite = Suite::start_without_keys(api)?;
    let peers = &suite.peers;
    let sections = "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n\
        [ca]\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
        [leaf]\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n";
    peers.write("openssl.cnf", sections);
    let make = |name: &str, algorithm: Algorithm, more: &[&str]| {
        let (key, file) = (format!("{name}.key"), format!("{name}.crt"));
        peers.openssl(&[&["genpkey", "-out", &key], algorithm.genpkey()].concat()).must();
        let subject = format!("/C=US/ST=WA/O=Acme/CN={name}");
        let args = ["req", "-x509", "-new", "-days", "30", "-config", "openssl.cnf", "-subj", &subject];
        peers.openssl(&[&args[..], &["-key", &key, "-out", &file], more].concat()).must();
    };
    for root in ["root", "other-root"] {
        make(root, Algorithm::P384, &["-extensions", "ca"]);
    }
    let mut keys = Vec::new();
    for algorithm in ALGORITHMS {
        let name = algorithm.name();
        make(name, algorithm, &["-extensions", "leaf", "-CA", "root.crt", "-CAkey", "root.key"]);
        let file = format!("{name}.crt");
        peers.write(&file, [peers.read(&file), peers.read("root.crt")].concat());
        keys.push(format!(r#"{{"name":"{name}","keyPath":"{name}.key","certPath":"{file}"}}"#));
    }
    peers.write(".config/notation/signingkeys.json", format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    trust(&suite, "root");
    Some(suite)
}

/// The root that notation trusts, for every certificate of the organization.
fn trust(suite: &Suite, root: &str) {
    trust_subject(suite, root, "C=US, ST=WA, O=Acme");
}

/// The root that notation trusts, for certificates with this subject.
fn trust_subject(suite: &Suite, root: &str, subject: &str) {
    let policy = format!(
        r#"{{"version":"1.0","trustPolicies":[{{"name":"acme","registryScopes":["*"],
        "signatureVerification":{{"level":"strict"}},"trustStores":["ca:{root}"],
        "trustedIdentities":["x509.subject: {subject}"]}}]}}"#
    );
    suite.peers.write(".config/notation/trustpolicy.json", policy);
    let file = format!(".config/notation/truststore/x509/ca/{root}/{root}.crt");
    suite.peers.write(&file, suite.peers.read(&format!("{root}.crt")));
}

fn notation_verifies(suite: &Suite, image: &str, more: &[&str]) -> PeerOutput {
    suite.peers.notation(&[&["verify", "--insecure-registry"], more, &[image]].concat())
}

fn bulla_verifies(suite: &Suite, image: &str, more: &[&str]) -> PeerOutput {
    suite.peers.bulla(&[&["verify"], &IDENTITY[..], more, &[image]].concat())
}

pub fn bulla_signs_notation_verifies(api: Api) {
    let Some(mut suite) = start(api) else { return };
    let mut images = Vec::new();
    for (seed, algorithm) in (1..).zip(ALGORITHMS) {
        let (key, chain) = (format!("{}.key", algorithm.name()), format!("{}.crt", algorithm.name()));
        for format in ["notary-jws", "notary-cose"] {
            for manifest in ["legacy", "v1.1"] {
                let name = format!("{}-{format}-{manifest}", algorithm.name());
                let image = suite.image(&name.replace("v1.1", "newer"), seed);
                let first = ["sign", "--key", &key, "--cert-chain", &chain, "--format", format];
                let more = ["--notary-manifest", manifest, "--expiry", "1h", "-a", "build=<7> & more", &image];
                let output = suite.peers.bulla(&[&first[..], &more[..]].concat());
                suite.expect(&name, &output, 0);
                let output = bulla_verifies(&suite, &image, &["-a", "build=<7> & more"]);
                suite.expect(&name, &output, 0);
                let output = notation_verifies(&suite, &image, &["--user-metadata", "build=<7> & more"]);
                suite.expect(&name, &output, 0);
                let output = notation_verifies(&suite, &image, &["--user-metadata", "build=8"]);
                suite.expect_no(&format!("{name}, other metadata"), &output);
                images.push(image);
            }
        }
    }
    trust(&suite, "other-root");
    for image in &images {
        let output = notation_verifies(&suite, image, &[]);
        suite.expect_no(&format!("{image}, another root"), &output);
    }
    suite.done();
}

pub fn notation_signs_bulla_verifies(api: Api) {
    let Some(mut suite) = start(api) else { return };
    for (seed, algorithm) in (1..).zip(ALGORITHMS) {
        for format in ["jws", "cose"] {
            let name = format!("{}-{format}", algorithm.name());
            let image = suite.image(&name, seed);
            let first = ["sign", "--insecure-registry", "--key", algorithm.name(), "--signature-format", format];
            let output = suite.peers.notation(&[&first[..], &["--user-metadata", "build=7", &image]].concat());
            suite.expect(&name, &output, 0);
            let output = bulla_verifies(&suite, &image, &["-a", "build=7"]);
            suite.expect(&name, &output, 0);
            let output = bulla_verifies(&suite, &image, &["-a", "build=8"]);
            suite.expect(&format!("{name}, other metadata"), &output, 1);
            // What notation signed is the signature that bulla would make.
            let (key, chain) = (format!("{}.key", algorithm.name()), format!("{}.crt", algorithm.name()));
            let form = format!("notary-{format}");
            let sign = ["sign", "--key", &key, "--cert-chain", &chain, "--format", &form, "-a", "build=7"];
            let output = suite.peers.bulla(&[&sign[..], &["--if-missing", &image]].concat());
            suite.expect(&name, &output, 0);
            suite.expect_that(&name, output.stdout.contains("already signed"), &output);
        }
    }
    suite.done();
}

/// A certificate authority that `bulla cert new` made, and openssl's and notation's opinion of it.
pub fn bulla_makes_certificates_notation_verifies(api: Api) {
    let Some(mut suite) = Suite::start_without_keys(api) else { return };
    for (seed, kind) in (1..).zip(["p256", "p384"]) {
        let subject = "CN=release,O=Acme,ST=WA,C=US";
        let new = ["cert", "new", "-o", kind, "--type", kind, "--no-passphrase", "--subject", subject];
        let output = suite.peers.bulla(&new);
        suite.expect(kind, &output, 0);
        let (root, chain) = (format!("{kind}/root.pem"), format!("{kind}/chain.pem"));
        let verify = ["verify", "-x509_strict", "-CAfile", &root, "-untrusted", &chain, &chain];
        let output = suite.peers.openssl(&verify);
        suite.expect(&format!("{kind}, openssl"), &output, 0);
        suite.peers.write("root.crt", suite.peers.read(&root));
        trust(&suite, "root");
        let (image, key) = (suite.image(kind, seed), format!("{kind}/signer.key"));
        let sign = ["sign", "--key", &key, "--cert-chain", &chain, "--format", "notary-jws,notary-cose", &image];
        let output = suite.peers.bulla(&sign);
        suite.expect(&format!("{kind}, signed"), &output, 0);
        let output = notation_verifies(&suite, &image, &[]);
        suite.expect(&format!("{kind}, notation"), &output, 0);
        let output = bulla_verifies(&suite, &image, &[]);
        suite.expect(&format!("{kind}, bulla"), &output, 0);
    }
    suite.done();
}

/// Two owners sign by a request, one with RSA and one with ECDSA: notation verifies the signature of each.
pub fn a_request_is_signed_and_notation_verifies(api: Api) {
    let Some(mut suite) = start(api) else { return };
    for owner in ALGORITHMS.map(|algorithm| algorithm.name()) {
        let (key, public) = (format!("{owner}.key"), format!("{owner}.pub"));
        suite.peers.bulla(&["key", "export", &key, "-o", &public]).must();
    }
    let mut seed = 0;
    for format in ["notary-jws", "notary-cose", "bundle,notary-jws,notary-cose"] {
        for manifest in ["legacy", "v1.1"] {
            seed += 1;
            let name = format!("request-{}-{manifest}", format.replace(',', "-"));
            let image = suite.image(&name.replace("v1.1", "newer"), seed);
            let (request, responses) = (format!("{name}.request"), ALGORITHMS.map(|algorithm| algorithm.name()));
            let mut new = vec!["request", "new", &image, "-o", &request, "--format", format, "--expiry", "1h"];
            new.extend(["--notary-manifest", manifest, "--threshold", "2", "-a", "build=<7> & more"]);
            let owners = ALGORITHMS.map(|algorithm| algorithm.name()).map(|owner| {
                let (key, chain) = (format!("{owner}={owner}.pub"), format!("{owner}={owner}.crt"));
                ["--owner".to_owned(), key, "--cert-chain".to_owned(), chain]
            });
            new.extend(owners.iter().flatten().map(String::as_str));
            let output = suite.peers.bulla(&new);
            suite.expect(&format!("{name}, request new"), &output, 0);
            for owner in responses {
                let (key, response) = (format!("{owner}.key"), format!("{name}.{owner}"));
                let sign = ["request", "sign", &request, "--key", &key, "-o", &response, "--yes"];
                let output = suite.peers.bulla(&sign);
                suite.expect(&format!("{name}, request sign by {owner}"), &output, 0);
            }
            let responses = responses.map(|owner| format!("{name}.{owner}"));
            let attach = ["request", "attach", &request, &responses[0], &responses[1]];
            for again in [false, true] {
                let output = suite.peers.bulla(&attach);
                suite.expect(&format!("{name}, request attach, again {again}"), &output, 0);
            }
            for owner in ALGORITHMS.map(|algorithm| algorithm.name()) {
                trust_subject(&suite, "root", &format!("C=US, ST=WA, O=Acme, CN={owner}"));
                let output = notation_verifies(&suite, &image, &["--user-metadata", "build=<7> & more"]);
                suite.expect(&format!("{name}, {owner}"), &output, 0);
            }
            trust_subject(&suite, "root", "C=US, ST=WA, O=Acme, CN=nobody");
            let output = notation_verifies(&suite, &image, &[]);
            suite.expect_no(&format!("{name}, of another name"), &output);
            let both = ["--certificate-identity", "a=CN=p256", "--certificate-identity", "b=CN=rsa2048"];
            let verify = ["verify", "--ca-roots", "root.crt", "--threshold", "2", "-a", "build=<7> & more", &image];
            let output = suite.peers.bulla(&[&verify[..], &both].concat());
            suite.expect(&format!("{name}, both by bulla"), &output, 0);
        }
    }
    suite.done();
}

/// A signature of notation whose certificate names a CRL: the list is fetched here, decides without a network, and refuses
/// once it has the certificate.
pub fn fetched_revocation_evidence_decides(api: Api) {
    let Some(mut suite) = start(api) else { return };
    let web = Web::start();
    let config = format!(
        "[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n[leaf]\nsubjectKeyIdentifier=hash\n\
         authorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n\
         crlDistributionPoints=URI:{}/root.crl\n[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\n\
         default_md=sha256\ndefault_crl_days=20\n",
        web.address()
    );
    for (name, text) in [("crl.cnf", config.as_str()), ("index.txt", ""), ("number", "1000\n")] {
        suite.peers.write(name, text);
    }
    let openssl = |line: &str| suite.peers.openssl(&line.split(' ').collect::<Vec<_>>()).must();
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out named.key");
    openssl(
        "req -x509 -new -days 30 -config crl.cnf -extensions leaf -subj /C=US/ST=WA/O=Acme/CN=named -key named.key \
         -CA root.crt -CAkey root.key -out named.pem",
    );
    suite.peers.write("named.crt", [suite.peers.read("named.pem"), suite.peers.read("root.crt")].concat());
    let keys = r#"{"keys":[{"name":"named","keyPath":"named.key","certPath":"named.crt"}]}"#;
    suite.peers.write(".config/notation/signingkeys.json", keys);
    let publish = |suite: &Suite| {
        let ca = "ca -config crl.cnf -cert root.crt -keyfile root.key -gencrl -out list.pem";
        suite.peers.openssl(&ca.split(' ').collect::<Vec<_>>()).must();
        suite.peers.openssl(&["crl", "-in", "list.pem", "-outform", "DER", "-out", "list.crl"]).must();
        web.serve("/root.crl", suite.peers.read("list.crl"));
    };
    publish(&suite);
    let image = suite.image("revocation", 7);
    suite.peers.notation(&["sign", "--insecure-registry", "--key", "named", &image]).must();
    suite.peers.bulla(&["copy", &image, "oci-archive:app.tar:v1"]).must();
    let inside = "unshare --net bulla verify oci-archive:app.tar:v1 --ca-roots root.crt \
                  --certificate-identity C=US,ST=WA,O=Acme --revocation-required";
    for (file, code) in [("good.json", 0), ("revoked.json", 1)] {
        let fetch = ["revocation", "fetch", &image, "--ca-roots", "root.crt", "-o", file, "--allow-host", "127.0.0.1"];
        let output = suite.peers.bulla(&fetch);
        suite.expect(file, &output, 0);
        let output = suite.peers.shell(&format!("{inside} --revocation {file}"));
        suite.expect(&format!("without a network, {file}"), &output, code);
        let output = bulla_verifies(&suite, &image, &["--revocation-online", "--allow-host", "127.0.0.1"]);
        suite.expect(&format!("online, as {file}"), &output, code);
        suite.peers.openssl(&[
            "ca",
            "-config",
            "crl.cnf",
            "-cert",
            "root.crt",
            "-keyfile",
            "root.key",
            "-revoke",
            "named.pem",
            "-crl_reason",
            "keyCompromise",
        ]);
        publish(&suite);
    }
    suite.done();
}
