//! `bulla revocation`: fetching CRLs and OCSP responses from a server on loopback, what is kept of them, and that it decides
//! where there is no network.
#![cfg(all(feature = "cli", feature = "registry"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests stop where they fail; helpers are shared with other tests"
)]

mod support;

#[path = "revocation/author.rs"]
mod author;
#[path = "revocation_fetch/copies.rs"]
mod copies;
#[path = "revocation_fetch/faults.rs"]
mod faults;
#[path = "revocation_fetch/journey.rs"]
mod journey;
#[path = "revocation_fetch/logged_keys.rs"]
mod logged_keys;
#[path = "revocation_fetch/lookup.rs"]
mod lookup;
#[path = "x509/made.rs"]
mod made;
#[path = "revocation_fetch/ocsp.rs"]
mod ocsp;
#[path = "revocation_fetch/online.rs"]
mod online;
#[path = "revocation_fetch/sigstore.rs"]
mod sigstore;
#[path = "revocation_fetch/web.rs"]
mod web;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::RevocationBundle;
use bulla::x509::Certificate;

use author::List;
use made::CA;
use made::LEAF;
use made::Made;
use made::Plan;
use made::Workshop;
use made::plan;
use support::image;
use support::missing;
use web::Web;

/// A server on loopback, a root, a signer whose certificate has the serial number 7 and names addresses at the server, and
/// a layout `app` that it has signed.
struct World {
    folder: tempfile::TempDir,
    leaf: Made,
    root: Made,
    shop: Workshop,
    web: Web,
}

const TRUST: &str = "--ca-roots root.pem --certificate-identity CN=leaf";

impl World {
    /// The signer's certificate has these extensions; `{web}` is the address of the server.
    fn new(extensions: &str) -> Option<Self> {
        let shop = Workshop::new()?;
        let (folder, web) = (support::temp_dir(), Web::start());
        let root = shop.root(plan("/C=US/ST=WA/O=Acme/CN=root", CA));
        let extensions = format!("{LEAF}{}", extensions.replace("{web}", &web.address()));
        let leaf = shop.issue(&root, Plan { serial: "7", ..plan("/C=US/ST=WA/O=Acme/CN=leaf", &extensions) });
        let world = Self { folder, leaf, root, shop, web };
        let text = |path: &Path| fs::read_to_string(path).unwrap();
        world.write("leaf.key", text(&world.leaf.key));
        world.write("root.pem", text(&world.root.file));
        world.write("chain.pem", text(&world.leaf.file) + &text(&world.root.file));
        image::layout(&world.path("app"), &[(Some("v1"), &image::image(1))]);
        world.must("sign oci:app:v1 --key leaf.key --cert-chain chain.pem --format notary-jws");
        Some(world)
    }

    fn with_crl() -> Option<Self> {
        Self::new("crlDistributionPoints=URI:{web}/root.crl\n")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).output().unwrap()
    }

    fn must(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "bulla {line}: {}", said(&output));
        said(&output)
    }

    /// The exit code, and everything that was printed.
    fn says(&self, line: &str) -> (i32, String) {
        let output = self.run(line);
        (output.status.code().unwrap(), said(&output))
    }

    /// Fetches for the image into `name`, with the server allowed.
    fn fetch(&self, name: &str, more: &str) -> (i32, String) {
        self.says(&format!("revocation fetch oci:app:v1 --ca-roots root.pem -o {name} --allow-host 127.0.0.1 {more}"))
    }

    fn verify(&self, more: &str) -> i32 {
        self.says(&format!("verify oci:app:v1 {TRUST} {more}")).0
    }

    fn bundle(&self, name: &str) -> RevocationBundle {
        RevocationBundle::parse(&fs::read(self.path(name)).unwrap(), &Limits::DEFAULT).unwrap()
    }

    /// How many pieces of evidence are in a file; none if there is no file.
    fn kept(&self, name: &str) -> Option<usize> {
        self.path(name).exists().then(|| self.bundle(name).entries().count())
    }

    /// A list of the root, fresh now.
    fn list(&self) -> List {
        List::of(&self.root, now())
    }

    fn serve_list(&self, list: &List) {
        self.web.serve("/root.crl", list.signed_by(&self.root));
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The program's clock is that of the machine.
fn now() -> Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time::from_unix(now.as_secs() as i64).unwrap()
}

/// The DER of each PEM block.
fn pem(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let body = |block: &str| block.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    blocks.map(|block| STANDARD.decode(body(block)).unwrap()).collect()
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::parse(der, &Limits::DEFAULT).unwrap()
}

/// So many seconds later.
fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix(time.unix() + seconds).unwrap()
}
