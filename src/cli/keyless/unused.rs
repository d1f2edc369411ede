//! Options about keyless signatures that nothing would hold: each is an error, since a condition that is dropped verifies
//! what it was to keep out.

use bulla::x509::IdentityPattern;

use crate::cli::args::CertificateArgs;
use crate::cli::args::KeylessArgs;
use crate::cli::exit::Failure;
use crate::cli::keyless::KeylessOptions;
use crate::cli::keyless::failure::IDENTITY;

/// What the options about keyless signatures can be about.
pub(in crate::cli) struct Signers<'a> {
    /// The identities whose certificates lead to `--ca-roots`.
    pub(in crate::cli) authority_identities: Vec<&'a str>,
    pub(in crate::cli) has_keyless_identity: bool,
    pub(in crate::cli) has_key: bool,
}

impl CertificateArgs {
    /// Whom the options about keyless signatures can be about.
    pub(in crate::cli) fn signers(&self, keys: &[String]) -> Signers<'_> {
        let names = || self.certificate_identity.iter().map(String::as_str);
        let is_keyless = |text: &str| self.is_for_keyless(text);
        let keyless = &self.keyless;
        Signers {
            authority_identities: names().filter(|text| !is_keyless(text)).collect(),
            has_keyless_identity: keyless.certificate_identity_any
                || !keyless.certificate_identity_regexp.is_empty()
                || names().any(is_keyless),
            has_key: !keys.is_empty(),
        }
    }
}

impl KeylessOptions<'_> {
    /// The same for files, which are not verified by certificates of `--ca-roots`.
    pub(in crate::cli) fn signers(&self, keys: &[String]) -> Signers<'_> {
        Signers {
            authority_identities: Vec::new(),
            has_keyless_identity: self.has_identity(),
            has_key: !keys.is_empty(),
        }
    }
}

impl Signers<'_> {
    /// Checks that each option holds for every signer for whom an operator could mean it.
    pub(in crate::cli) fn check(&self, args: &KeylessArgs) -> Result<(), Failure> {
        self.check_conditions(args)?;
        self.check_rule(args)?;
        self.check_issuers(args)
    }

    /// The conditions of cosign are compared with keyless identities alone.
    fn check_conditions(&self, args: &KeylessArgs) -> Result<(), Failure> {
        let given = [
            ("name", &args.certificate_github_workflow_name),
            ("ref", &args.certificate_github_workflow_ref),
            ("repository", &args.certificate_github_workflow_repository),
            ("sha", &args.certificate_github_workflow_sha),
            ("trigger", &args.certificate_github_workflow_trigger),
        ];
        match given.into_iter().find(|(_, text)| text.is_some()) {
            Some((name, _)) if !self.has_keyless_identity => {
                let option = format!("--certificate-github-workflow-{name}");
                Err(Failure::unknown(format!("{option} is a condition of keyless identities, and none is given"))
                    .hint(format!("--trusted-root FILE {IDENTITY}")))
            }
            _ => Ok(()),
        }
    }

    /// The log rule holds for keyless identities, and for keys with `--logged-keys`.
    fn check_rule(&self, args: &KeylessArgs) -> Result<(), Failure> {
        let asks = |number: Option<u32>| number.is_some_and(|number| number > 0);
        let option = match () {
            () if asks(args.timestamps) => "--timestamps",
            () if args.use_signed_timestamps => "--use-signed-timestamps",
            () if asks(args.transparency_logs) => "--transparency-logs",
            () => return Ok(()),
        };
        let failure = |message: &str| Failure::unknown(format!("{option} {message}"));
        match () {
            () if args.trusted_root.is_none() => {
                Err(failure("needs the authorities and logs that count").hint("--trusted-root FILE"))
            }
            () if self.has_key && !args.logged_keys => Err(failure("does not hold for signatures by --key")
                .hint("--logged-keys, so that it does; or verify twice: by --key, and by the keyless identity")),
            () if !self.authority_identities.is_empty() => Err(failure("does not hold for certificates of --ca-roots")
                .hint("verify twice: with --ca-roots, and with --trusted-root")),
            () => Ok(()),
        }
    }

    /// An OIDC issuer is compared with keyless identities alone.
    fn check_issuers(&self, args: &KeylessArgs) -> Result<(), Failure> {
        let issuers = || args.certificate_oidc_issuer.iter().chain(&args.certificate_oidc_issuer_regexp);
        let general =
            args.certificate_oidc_issuer_any || issuers().any(|text| super::issuers::owner_of(text).is_none());
        let is_of = |owner: &str| issuers().any(|text| super::issuers::owner_of(text) == Some(owner));
        if general && !self.has_keyless_identity {
            return Err(Failure::unknown("--certificate-oidc-issuer is for keyless identities, and none is given")
                .hint(format!("--trusted-root FILE {IDENTITY}")));
        }
        let has_issuer = |text: &&&str| {
            let Ok((owner, names)) = IdentityPattern::split_owner(text) else { return false };
            let could_be_keyless = names.split_once(':').is_some_and(|(kind, _)| KEYLESS_KINDS.contains(&kind));
            could_be_keyless && (general || owner.is_some_and(is_of))
        };
        match self.authority_identities.iter().find(has_issuer) {
            Some(text) => {
                let message = format!(
                    "--certificate-identity {text} is for --ca-roots, where no --certificate-oidc-issuer is compared"
                );
                Err(Failure::unknown(message).hint(
                    "the name alone, without a prefix, for a keyless identity; --certificate-oidc-issuer OWNER=URL for another owner",
                ))
            }
            None => Ok(()),
        }
    }
}

/// The prefixes of names that certificates of Fulcio have as well.
const KEYLESS_KINDS: [&str; 4] = ["email", "extension", "othername", "uri"];
