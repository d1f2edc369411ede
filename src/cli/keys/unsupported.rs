//! Key locations that other programs support and bulla does not: key services (KMS), web servers, Kubernetes secrets.

use crate::cli::exit::Failure;

/// The failure for `key` if it is a URL: bulla reads keys from files, tokens and plugins only.
pub(super) fn refuse(key: &str) -> Option<Failure> {
    let (scheme, rest) = key.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ['+', '-', '.'].contains(&c));
    if !is_scheme {
        return None;
    }
    if let Some((_, service)) = SERVICES.iter().find(|(known, _)| *known == scheme) {
        let mut failure = Failure::unknown(format!("{key}: bulla does not talk to {service} itself"));
        failure.details = vec![
            format!(
                "to sign    a plugin of the Notary Project does: --key 'plugin:NAME?key-id=ID' (docs/keys-plugins.md)"
            ),
            format!("to verify  the public key is enough: {}", export(scheme, key, rest)),
        ];
        return Some(
            failure.hint("bulla key show 'plugin:NAME?key-id=ID' shows the key of a plugin that is installed"),
        );
    }
    Some(match scheme {
        "file" => Failure::unknown(format!("{key}: a file is given as a path")).hint(rest.to_owned()),
        "ftp" | "gs" | "http" | "https" | "s3" | "tuf" => Failure::unknown(format!(
            "{key}: bulla fetches no keys: the server would decide whom you trust"
        ))
        .hint("get the file once, compare its id (bulla key show FILE) with what the signer says, and give the file"),
        _ => Failure::unknown(format!("{key}: there are no keys of the kind `{scheme}://`"))
            .hint("a key is a file, env:NAME, - (standard input), a pkcs11: URI, or plugin:NAME"),
    })
}

/// The command that writes the public key of a key service to a file.
fn export(scheme: &str, key: &str, rest: &str) -> String {
    match scheme {
        "gitlab" => "--key env:COSIGN_PUBLIC_KEY in a pipeline of that project".to_owned(),
        "k8s" => {
            let (namespace, name) = rest.split_once('/').unwrap_or(("NAMESPACE", rest));
            format!(
                "kubectl get secret -n {namespace} {name} -o jsonpath='{{.data.cosign\\.pub}}' | base64 -d > cosign.pub"
            )
        }
        _ => format!("cosign public-key --key {key} > service.pub"),
    }
}

/// The URL schemes of key services in cosign, and the names of the services.
const SERVICES: [(&str, &str); 7] = [
    ("awskms", "the AWS Key Management Service"),
    ("azurekms", "Azure Key Vault"),
    ("gcpkms", "the Google Cloud Key Management Service"),
    ("gitlab", "GitLab"),
    ("hashivault", "HashiCorp Vault"),
    ("k8s", "Kubernetes"),
    ("openbao", "OpenBao"),
];
