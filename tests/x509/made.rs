//! Certificates that openssl makes.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use bulla::time::Time;
use bulla::x509::Certificate;
use tempfile::TempDir;

use super::certificate;
use super::missing::not_run;
use super::pem;

/// A folder with keys and certificates.
pub struct Workshop {
    folder: TempDir,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Made {
    pub certificate: Certificate,
    pub file: PathBuf,
    pub key: PathBuf,
}

/// What a certificate is to say.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// What its key is made with: arguments of `openssl genpkey`.
    pub algorithm: &'a str,
    /// How many days it is valid.
    pub days: &'a str,
    /// Lines of its section of extensions.
    pub extensions: &'a str,
    pub hash: &'a str,
    pub name: &'a str,
    pub serial: &'a str,
}

pub const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
pub const LEAF: &str = "keyUsage=critical,digitalSignature\n";
pub const TSA: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n";
pub const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

/// A plan with a P-256 key.
pub const fn plan<'a>(name: &'a str, extensions: &'a str) -> Plan<'a> {
    Plan { algorithm: P256, days: "30", extensions, hash: "sha256", name, serial: "4711" }
}

impl Workshop {
    /// `None` where there is no openssl, which is then said.
    pub fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            not_run("openssl is not there: no chains are made");
            return None;
        }
        Some(Self { folder: tempfile::tempdir().unwrap() })
    }

    /// A root that signs itself.
    pub fn root(&self, plan: Plan<'_>) -> Made {
        self.make(plan, None, None)
    }

    /// A certificate that `issuer` signs.
    pub fn issue(&self, issuer: &Made, plan: Plan<'_>) -> Made {
        self.make(plan, Some(issuer), None)
    }

    /// A certificate that `issuer` signs, for the key of another one.
    pub fn issue_again(&self, issuer: &Made, of: &Made, plan: Plan<'_>) -> Made {
        self.make(plan, Some(issuer), Some(of))
    }

    /// A certificate that `issuer` signs, with this validity.
    pub fn issue_for(&self, issuer: &Made, plan: Plan<'_>, from: Time, until: Time) -> Made {
        // `openssl req` and `openssl x509` take no such times before OpenSSL 3.4; `openssl ca` always did.
        let like = self.issue(issuer, plan);
        let path = |end: &str| like.file.with_extension(end);
        let (database, csr) = (path("database"), path("csr"));
        fs::write(&database, "").unwrap();
        let mut config = fs::read_to_string(path("cnf")).unwrap();
        let folder = self.folder.path().display();
        config.push_str(&format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase={}\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md={}\npolicy=p\n[p]\n",
            database.display(),
            plan.hash,
        ));
        let fields = ["countryName", "stateOrProvinceName", "organizationName", "commonName"];
        fields.iter().for_each(|field| config.push_str(&format!("{field}=optional\n")));
        fs::write(path("cnf"), config).unwrap();
        let openssl = |command: &str| {
            let mut openssl = Command::new("openssl");
            openssl.arg(command).arg("-config").arg(path("cnf"));
            openssl
        };
        run(openssl("req").args(["-new", "-subj", plan.name, "-key"]).arg(&like.key).arg("-out").arg(&csr));
        let mut sign = openssl("ca");
        sign.args(["-batch", "-notext", "-preserveDN", "-extensions", "ext", "-startdate"]).arg(generalized(from));
        sign.arg("-enddate").arg(generalized(until)).arg("-in").arg(&csr).arg("-out").arg(&like.file);
        run(sign.arg("-cert").arg(&issuer.file).arg("-keyfile").arg(&issuer.key));
        let certificate = certificate(&pem(&fs::read_to_string(&like.file).unwrap())[0]);
        Made { certificate, ..like }
    }

    fn make(&self, plan: Plan<'_>, issuer: Option<&Made>, of: Option<&Made>) -> Made {
        // Tests that share a workshop make certificates at the same time.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = |end: &str| self.folder.path().join(format!("{number}.{end}"));
        let key = of.map_or_else(|| path("key"), |of| of.key.clone());
        if of.is_none() {
            run(Command::new("openssl").arg("genpkey").args(plan.algorithm.split(' ')).arg("-out").arg(&key));
        }
        let ids = if plan.extensions.contains("subjectKeyIdentifier") {
            ""
        } else if issuer.is_some() {
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        } else {
            "subjectKeyIdentifier=hash\n"
        };
        let config = path("cnf");
        let extensions = plan.extensions;
        fs::write(&config, format!("[req]\nprompt=no\ndistinguished_name=dn\n[dn]\n[ext]\n{ids}{extensions}")).unwrap();
        let file = path("pem");
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-new", "-days", plan.days, "-extensions", "ext", "-set_serial", plan.serial]);
        command.args(["-subj", plan.name, &format!("-{}", plan.hash), "-config"]).arg(&config);
        command.arg("-key").arg(&key).arg("-out").arg(&file);
        if let Some(issuer) = issuer {
            command.arg("-CA").arg(&issuer.file).arg("-CAkey").arg(&issuer.key);
        }
        run(&mut command);
        let certificate = certificate(&pem(&fs::read_to_string(&file).unwrap())[0]);
        Made { certificate, file, key }
    }

    /// Whether openssl accepts the path from `leaf` to `anchor` at `at`, by its strict rules.
    pub fn openssl_accepts(&self, leaf: &Made, between: &[Made], anchor: &Made, at: i64, purpose: &str) -> bool {
        let mut command = Command::new("openssl");
        command.args(["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-attime", &at.to_string()]);
        if !purpose.is_empty() {
            command.args(["-purpose", purpose]);
        }
        command.arg("-CAfile").arg(&anchor.file);
        for one in between {
            command.arg("-untrusted").arg(&one.file);
        }
        command.arg(&leaf.file).output().unwrap().status.success()
    }
}

/// `YYYYMMDDHHMMSSZ`.
fn generalized(time: Time) -> String {
    time.to_string().chars().filter(|c| c.is_ascii_digit() || *c == 'Z').collect()
}

fn run(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The certificates of what was made.
pub fn certificates(made: &[&Made]) -> Vec<Certificate> {
    made.iter().map(|one| one.certificate.clone()).collect()
}

/// A folder that may not be there.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    files
}
