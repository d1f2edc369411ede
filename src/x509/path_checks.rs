//! The rules about a path as a whole that rustls-webpki does not check: lengths, and constraints on email addresses.

use crate::x509::Certificate;
use crate::x509::ChainRule;
use crate::x509::GeneralName;
use crate::x509::checks::Broken;
use crate::x509::extension::NameConstraint;
use crate::x509::extension::NameForm;

/// RFC 5280 section 6.1.4 (l) and (m), for the anchor too, whose path length rustls-webpki does not see. Certificates that
/// are self-issued do not count. The error has the index of the certificate whose path length is exceeded.
pub(super) fn path_length(path: &[Certificate]) -> Result<(), (usize, Broken)> {
    let mut between = 0_u32;
    for (index, certificate) in path.iter().enumerate().skip(1) {
        let allowed = certificate.extensions().basic_constraints().and_then(|constraints| constraints.path_length);
        if allowed.is_some_and(|allowed| between > allowed) {
            return Err((index, Broken::refused(ChainRule::PathLength).by(format_args!("{between} follow"))));
        }
        between = between.saturating_add(u32::from(!certificate.is_self_issued()));
    }
    Ok(())
}

/// RFC 5280 section 4.2.1.10: constraints on email addresses also bind the attribute `emailAddress` of subjects, which
/// rustls-webpki does not read. They also bind the otherName `SmtpUTF8Mailbox` (RFC 9598 section 6). Returns the index of
/// the certificate that has an address or an otherName.
pub(super) fn email_constraints(path: &[Certificate]) -> Result<(), (usize, Broken)> {
    let email = |constraint: &NameConstraint| constraint.form == NameForm::Email;
    let constrains =
        |issuer: &Certificate| issuer.extensions().name_constraints().is_some_and(|all| all.iter().any(email));
    let Some(last) = path.iter().rposition(constrains) else { return Ok(()) };
    let has_address = |certificate: &Certificate| {
        certificate.subject().attributes().any(|attribute| attribute.kind().as_content() == EMAIL_ADDRESS)
    };
    let has_other_name = |certificate: &Certificate| {
        certificate.extensions().alternative_names().iter().any(|name| matches!(name, GeneralName::Other { .. }))
    };
    for (index, certificate) in path.iter().take(last).enumerate() {
        let undetermined = |found| Err((index, Broken::undetermined(ChainRule::NameConstraints).by(found)));
        if has_address(certificate) {
            return undetermined("email address in the subject");
        }
        if has_other_name(certificate) {
            return undetermined("otherName below a constraint on email addresses");
        }
    }
    Ok(())
}

const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
