//! The signature formats in a signing request, by the names that a request has for them.

use crate::envelope::FormName;
use crate::envelope::Forms;
use crate::request::FieldFault;
use crate::request::RequestError;
use crate::request::wire::WireForm;

/// The names of formats in a request: `bundle` for the Sigstore bundle, `tag` for the one at a tag of cosign,
/// `notary-jws` and `notary-cose`.
pub(super) fn forms_to_wire(forms: &Forms) -> Vec<WireForm> {
    let named = [
        (forms.contains(FormName::SigstoreBundle), WireForm::Bundle),
        (forms.has_tag(), WireForm::Tag),
        (forms.contains(FormName::NotaryJws), WireForm::NotaryJws),
        (forms.contains(FormName::NotaryCose), WireForm::NotaryCose),
    ];
    named.into_iter().filter_map(|(is_asked, name)| is_asked.then_some(name)).collect()
}

/// The formats of an image signature.
pub(super) fn forms_of_signature(forms: &[WireForm]) -> Result<Forms, RequestError> {
    forms_of_wire(forms, |form| match form {
        WireForm::Bundle => Some(FormName::SigstoreBundle),
        WireForm::NotaryCose => Some(FormName::NotaryCose),
        WireForm::NotaryJws => Some(FormName::NotaryJws),
        WireForm::Tag => Some(FormName::SimpleSigning),
    })
}

/// The formats of an attestation. Those of the Notary Project carry image signatures alone.
pub(super) fn forms_of_attestation(forms: &[WireForm]) -> Result<Forms, RequestError> {
    forms_of_wire(forms, |form| match form {
        WireForm::Bundle => Some(FormName::SigstoreBundle),
        WireForm::NotaryCose | WireForm::NotaryJws => None,
        WireForm::Tag => Some(FormName::Dsse),
    })
}

/// Parses the names of formats in a request: at least one, in the order of [`WireForm`], each once.
fn forms_of_wire(forms: &[WireForm], form_of: fn(WireForm) -> Option<FormName>) -> Result<Forms, RequestError> {
    let fault = || RequestError::field("forms", FieldFault::Forms);
    if !forms.iter().is_sorted_by(|one, next| one < next) {
        return Err(fault());
    }
    let names: Vec<_> = forms.iter().map(|form| form_of(*form)).collect::<Option<_>>().ok_or_else(fault)?;
    let (first, rest) = names.split_first().ok_or_else(fault)?;
    Ok(rest.iter().copied().fold(Forms::of(*first), Forms::and))
}
