//! The syntax of subject alternative names (RFC 5280 section 4.2.1.6).

use crate::x509::Extensions;
use crate::x509::GeneralName;
use crate::x509::extension;

/// Whether there are names if the extension is there, and all of them are what their forms say.
pub(super) fn alternative_names(extensions: &Extensions) -> bool {
    let names = extensions.alternative_names();
    let empty = extensions.known(extension::SUBJECT_ALTERNATIVE_NAME).is_some() && names.is_empty();
    !empty && names.iter().all(is_right)
}

/// Whether a name has the syntax of its form.
pub(super) fn is_right(name: &GeneralName) -> bool {
    match name {
        GeneralName::Dns(text) => is_dns(text),
        GeneralName::Email(text) => is_email(text),
        GeneralName::Uri(text) => is_uri(text),
        GeneralName::Directory(_)
        | GeneralName::Ip(_)
        | GeneralName::Other { .. }
        | GeneralName::RegisteredId(_)
        | GeneralName::Unread => true,
    }
}

/// RFC 1034 section 3.5 as modified by RFC 1123: labels of letters, digits and hyphens, the first of which may be `*`. A
/// name that ends with a number is an IP address, which has a form of its own.
fn is_dns(text: &str) -> bool {
    let labels: Vec<_> = text.split('.').collect();
    let numeric = |label: &&str| label.bytes().all(|byte| byte.is_ascii_digit());
    let wildcard = |index: usize, label: &str| index == 0 && label == "*" && labels.len() > 1;
    text.len() <= 253
        && !labels.last().is_some_and(numeric)
        && labels.iter().enumerate().all(|(index, label)| wildcard(index, label) || is_label(label))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// RFC 2821 section 4.1.2, `Mailbox`, without names in quotes.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        let atom = |byte: u8| byte.is_ascii_graphic() && !br#"()<>[]:;@\,""#.contains(&byte);
        let domain_is_right = is_dns(domain) && !domain.contains('*');
        !local.is_empty() && local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom)) && domain_is_right
    })
}

/// RFC 3986 section 3: a scheme, and something after it; never relative.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_syntax_of_their_form() {
        for name in ["a", "example.com", "*.example.com", "1.example", "xn--bcher-kva.example"] {
            assert!(is_dns(name), "{name}");
        }
        for name in ["", " ", ".example", "example.", "a_b.c", "-a.b", "a-.b", "*", "a.*.b", "10.0.0.1", "bü.example"]
        {
            assert!(!is_dns(name), "{name}");
        }
        assert!(is_email("a.b+c@example.com") && is_email("a@b"));
        for name in ["", "a", "@b", "a@", "a@b@c", "a b@c", ".a@b", "a@.b", "a@*.b"] {
            assert!(!is_email(name), "{name}");
        }
        assert!(is_uri("https://example.com/a") && is_uri("spiffe://a/b") && is_uri("urn:a:b"));
        for name in ["", "a", "/a", "//a/b", ":a", "1:a", "a:", "a: b"] {
            assert!(!is_uri(name), "{name}");
        }
    }
}
