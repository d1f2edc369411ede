//! The reader of Notary Project envelopes that the command line chooses.

use bulla::envelope::Strictness;
use bulla::trust::Identity;

use super::args::CertificateArgs;
use super::args::EnvelopeReader;
use super::args::NotationArgs;
use super::exit::Failure;

/// The reader of `--envelope-reader`. The lenient one must have something to read: signatures with certificates.
pub(super) fn strictness(args: &CertificateArgs, notation: &NotationArgs) -> Result<Strictness, Failure> {
    chosen(args.envelope_reader, args.has_authority_identity() || notation.trust_policy.is_some())
}

/// The same for policy files with these identities, which say themselves whose certificates count.
pub(super) fn by_policies<'a>(
    reader: EnvelopeReader,
    mut identities: impl Iterator<Item = &'a Identity>,
) -> Result<Strictness, Failure> {
    chosen(reader, identities.any(|identity| identity.certificates().is_some()))
}

fn chosen(reader: EnvelopeReader, has_certificates: bool) -> Result<Strictness, Failure> {
    match reader {
        EnvelopeReader::Strict => Ok(Strictness::Strict),
        EnvelopeReader::AsNotation if has_certificates => Ok(Strictness::AsNotation),
        EnvelopeReader::AsNotation => {
            let failure = Failure::unknown("--envelope-reader is about certificates, and no certificate is trusted");
            Err(failure.hint("--certificate-identity NAMES --ca-roots FILE, or --trust-policy FILE --trust-store DIR"))
        }
    }
}
