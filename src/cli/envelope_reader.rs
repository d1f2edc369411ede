//! The reader of Notary Project envelopes that the command line chooses.

use bulla::envelope::Strictness;

use super::args::CertificateArgs;
use super::args::EnvelopeReader;
use super::args::NotationArgs;
use super::exit::Failure;
use super::policy_set::PolicySet;

/// The reader of `--envelope-reader`. The lenient one must have something to read: signatures with certificates.
pub(super) fn strictness(args: &CertificateArgs, notation: &NotationArgs) -> Result<Strictness, Failure> {
    chosen(args, args.has_authority_identity() || notation.trust_policy.is_some())
}

/// The same for policy files, which say themselves whose certificates count.
pub(super) fn by_policies(args: &CertificateArgs, policies: &PolicySet) -> Result<Strictness, Failure> {
    chosen(args, policies.identities().any(|identity| identity.certificates().is_some()))
}

fn chosen(args: &CertificateArgs, has_certificates: bool) -> Result<Strictness, Failure> {
    match args.envelope_reader {
        EnvelopeReader::Strict => Ok(Strictness::Strict),
        EnvelopeReader::AsNotation if has_certificates => Ok(Strictness::AsNotation),
        EnvelopeReader::AsNotation => {
            let failure = Failure::unknown("--envelope-reader is about certificates, and no certificate is trusted");
            Err(failure.hint("--certificate-identity NAMES --ca-roots FILE, or --trust-policy FILE --trust-store DIR"))
        }
    }
}
