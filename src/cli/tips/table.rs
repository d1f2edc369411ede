//! The verbs and options of other programs, and the hints for them.

/// Words with the same meaning, and the hints for them. A subcommand is written with a slash: `key/create`.
pub(super) type Words = (&'static str, &'static [&'static str]);

/// Verbs.
pub(super) const VERBS: &[Words] = &[
    (
        "attach",
        &["`bulla attest` and `bulla sign` attach what they sign; `bulla request attach` attaches signing responses"],
    ),
    ("blob", &["`bulla sign-blob FILE --key KEY` and `bulla verify-blob FILE --key PUB`"]),
    (
        "backup cp pull push load restore save layers",
        &["`bulla copy SRC DST`: host/repo:tag, oci:DIR or oci-archive:FILE"],
    ),
    (
        "cert/add cert/cleanup-test cert/delete cert/list cert/show",
        &[
            "certificates are files that each command names: `bulla verify REF --ca-roots FILE --certificate-identity NAMES`",
        ],
    ),
    ("cert/generate-test ca", &["`bulla cert new -o DIR`, for tests"]),
    (
        "certificate",
        &[
            "certificates are files that each command names: `bulla verify REF --ca-roots FILE --certificate-identity NAMES`; \
             `bulla cert lint FILE` checks them",
        ],
    ),
    ("clean delete rm remove untag", &["bulla deletes nothing; use the tools of the registry"]),
    (
        "discover list triangulate",
        &["`bulla tree REF` shows the signatures of an image, `bulla ls REF` lists images and tags"],
    ),
    (
        "dockerfile manifest",
        &["name each image: `bulla verify REF --key PUB`, or `bulla inspect REF` for its manifest"],
    ),
    ("download", &["`bulla tree REF` shows what is attached, and `bulla inspect REF` decodes it by its digest"]),
    ("generate-key-pair generate-sigstore-key keygen genkey", &["`bulla key new`"]),
    ("import-key-pair", &["`bulla key import FILE`"]),
    (
        "initialize trusted-root signing-config",
        &[
            "`bulla trust import tuf:DIR --root FILE -o FILE` reads a mirrored TUF repository; `bulla trust show FILE` shows a trusted root",
        ],
    ),
    (
        "key/add key/set-default key/update",
        &["there is no list of keys: each command names its key, also one of a plugin: `bulla sign REF --key KEY`"],
    ),
    ("key/create key/gen key/generate key/generate-key-pair", &["`bulla key new`"]),
    ("key/delete key/remove key/rm", &["bulla deletes no keys: remove the file, or use the tools of the token"]),
    ("key/fingerprint key/id key/info key/print key/view", &["`bulla key show KEY`"]),
    ("key/ls", &["`bulla key list`"]),
    ("key/pub key/public key/public-key", &["`bulla key export KEY`"]),
    ("catalog images list-tags repo tags", &["`bulla ls REF`"]),
    ("login logout auth", &["docker login HOST, or podman login HOST: bulla reads the files that they write"]),
    ("manifest-digest", &["`bulla inspect FILE`"]),
    ("piv-tool pkcs11-tool", &["`bulla key list pkcs11:`"]),
    (
        "plugin",
        &["a plugin is a program in a directory: `bulla sign REF --key plugin:NAME?key-id=ID --plugin-dir DIR`"],
    ),
    ("policy/lint policy/validate policy/verify", &["`bulla policy check FILE`"]),
    ("policy/create policy/init", &["`bulla policy new`"]),
    ("public-key", &["`bulla key export KEY`"]),
    ("request/create request/init", &["`bulla request new`"]),
    ("request/verify", &["`bulla request show REQUEST --response RESPONSE`"]),
    ("resolve", &["`bulla digest REF`"]),
    ("crl ocsp", &["`bulla revocation fetch REF --ca-roots FILE --out FILE`"]),
    ("revocation/get revocation/download", &["`bulla revocation fetch REF --ca-roots FILE --out FILE`"]),
    ("revocation/inspect revocation/print", &["`bulla revocation show FILE`"]),
    ("standalone-sign", &["`bulla sign REF --key KEY`"]),
    ("standalone-verify validate", &["`bulla verify REF --key PUB`"]),
    ("sync mirror", &["`bulla copy --all SRC DST`"]),
    ("tag", &["`bulla copy SRC DST`, to another tag of the same repository"]),
    (
        "trust/inspect trust/print trust/view",
        &["`bulla trust show FILE`, or `bulla tree REF` for the signatures of an image"],
    ),
    (
        "trust/key trust/revoke trust/sign trust/signer",
        &["`bulla sign REF --key KEY` and `bulla verify REF --key PUB`"],
    ),
    ("upload", &["`bulla copy SRC DST` moves images; nothing else is uploaded"]),
    ("verify-attestation", &["`bulla verify REF --key PUB --type TYPE`"]),
    ("verify-blob-attestation", &["`bulla verify-blob FILE --key PUB --type TYPE`"]),
    ("version", &["`bulla --version`"]),
];

/// Options.
pub(super) const OPTIONS: &[Words] = &[
    ("--cert-identity --cert-email", &["--certificate-identity NAME", KEYLESS_SIGNING]),
    ("--cert-oidc-issuer --oidc-issuer", &["--certificate-oidc-issuer URL", KEYLESS_SIGNING]),
    (
        "--ca-intermediates --certificate-chain",
        &[
            "--ca-roots FILE: intermediate certificates come with the signature, or are in the file of --trusted-root",
            OWN_ROOT,
            "`bulla verify REF --ca-roots FILE --certificate-identity NAMES`",
        ],
    ),
    ("--ca-roots", &[OWN_ROOT, KEYLESS_SIGNING]),
    ("--certificate --sct", &["--trusted-root FILE: the certificate is the one beside the signature", KEYLESS_SIGNING]),
    (
        "--certificate-github-workflow-name --certificate-github-workflow-ref --certificate-github-workflow-repository \
--certificate-github-workflow-sha --certificate-github-workflow-trigger --certificate-identity-regexp \
--certificate-oidc-issuer --certificate-oidc-issuer-regexp --fulcio-url --fulcio-auth-flow --identity-token \
--issue-certificate --oidc-client-id --oidc-client-secret-file --oidc-provider --oidc-redirect-url \
--oidc-disable-ambient-providers --signing-config --use-signing-config --trusted-root",
        &[KEYLESS_SIGNING],
    ),
    (
        "--bundle --insecure-ignore-sct --insecure-ignore-tlog --offline --private-infrastructure --rekor-url \
--rekor-entry-type --rfc3161-timestamp --skip-tlog-upload --tlog-upload --use-signed-timestamps",
        &["no transparency log is asked, unless `bulla sign REF --log-url URL` names one: leave it out"],
    ),
    (
        "--timestamp-certificate-chain --timestamp-root-cert",
        &[
            "--timestamp-roots FILE",
            OWN_ROOT,
            "the certificates of timestamp authorities: `bulla verify REF --timestamp-roots FILE`",
        ],
    ),
    (
        "--timestamp-server-url --timestamp-url",
        &[
            "--timestamp-url URL --timestamp-roots FILE",
            "signatures get timestamps: `bulla sign REF --timestamp-url URL --timestamp-roots FILE`",
        ],
    ),
    (
        "--allow-insecure-registry --allow-http-registry --insecure --insecure-registry --insecure-skip-tls-verify \
--insecure-skip-verify --skip-tls-verify --tls-verify --src-tls-verify --dest-tls-verify --no-tls-verify",
        &[
            "TLS is always verified: --tls-ca FILE trusts the certificate authority of a registry, --plain-http is for a registry without TLS",
            "TLS is always verified, and this command talks to no registry",
        ],
    ),
    (
        "--ca --cacert --ca-cert --ca-file --cert-dir --dest-cert-dir --from-ca-file --registry-cacert --src-cert-dir --to-ca-file",
        &["--tls-ca FILE", "this command talks to no registry"],
    ),
    (
        "--cert-file --client-cert --client-key --key-file --registry-client-cert --registry-client-key --registry-server-name",
        &["--tls-cert FILE and --tls-key FILE", "this command talks to no registry"],
    ),
    (
        "--authfile --creds --dest-authfile --dest-creds --dest-no-creds --k8s-keychain --no-creds --password \
--password-stdin --registry-config --registry-password --registry-token --registry-username --src-authfile \
--src-creds --src-no-creds --username -u",
        &["docker login HOST, or podman login HOST: bulla reads the files that they write (docs/registries.md)"],
    ),
    (
        "--insecure-policy --policy --signature-policy --trust-policy --rego --cue",
        &["--policy FILE", "policies are for other commands: `bulla verify REF --policy FILE`"],
    ),
    ("--predicate-type", &["--type TYPE", "`bulla verify REF --key PUB --type TYPE`"]),
    (
        "--all --multi-arch --recursive -r",
        &["--all-platforms", "an index is always processed with all of its images: leave it out"],
    ),
    ("-o", &["--output FORMAT; > FILE writes it to a file", "> FILE writes the output to a file"]),
    (
        "-k",
        &[
            "--key FILE; and TLS is always verified, with --tls-ca FILE",
            "--key FILE",
            "it has no meaning here: leave it out",
        ],
    ),
    ("--raw", &["--output json", "`bulla inspect REF --output json`"]),
    (
        "--annotations --user-metadata -m",
        &["--annotation KEY=VALUE", "`bulla sign REF --key KEY --annotation KEY=VALUE`"],
    ),
    (
        "--from-oci-layout --local-image --oci-layout --oci-layout-path --to-oci-layout",
        &["a layout in a directory is named oci:DIR or oci:DIR:NAME"],
    ),
    (
        "--concurrency --max-workers --parallel",
        &["--jobs N", "bulla chooses the number of parallel jobs: leave it out"],
    ),
    ("--kms", &["a key in a service is used through a plugin: `bulla sign REF --key plugin:NAME?key-id=ID`"]),
    (
        "--sk --security-key --slot",
        &["a key on a token is named by a URI: `bulla sign REF --key pkcs11:token=NAME;object=NAME`"],
    ),
    ("--plugin", &["`bulla sign REF --key plugin:NAME?key-id=ID`"]),
    ("--id", &["--plugin-key-id ID", "`bulla sign REF --key plugin:NAME?key-id=ID`"]),
    ("--output-key-prefix", &["--out PREFIX", "`bulla key new --out PREFIX`"]),
    (
        "--passphrase --passphrase-stdin",
        &[
            "a passphrase is never an argument: --passphrase-file FILE, --passphrase-fd N, or BULLA_PASSWORD",
            "this command asks for no passphrase",
        ],
    ),
    ("--pin", &["a PIN is never an argument: --pin-file FILE, or BULLA_PIN", "this command asks for no PIN"]),
    ("--algorithm --key-type", &["--type TYPE", "the algorithm is that of the key: leave it out"]),
    ("--private-key --privkey --pub --public-key --pubkey", &["--key FILE", "`bulla key show FILE`"]),
    (
        "--sign-container-identity --sign-identity",
        &["--signed-reference NAME", "`bulla sign REF --key KEY --signed-reference NAME`"],
    ),
    (
        "--sign-by --sign-by-sigstore --sign-by-sigstore-private-key --sign-by-sq-fingerprint --sign-passphrase-file",
        &["signing is a command of its own: `bulla sign REF --key KEY --passphrase-file FILE`"],
    ),
    (
        "--remove-signatures",
        &["--without-referrers", "`bulla copy SRC DST --without-referrers` does not copy signatures"],
    ),
    ("--preserve-digests", &["digests never change: leave it out"]),
    (
        "--arch --os --override-arch --override-os --override-variant --variant",
        &["--platform OS/ARCHITECTURE", "`bulla verify REF --key PUB --platform linux/amd64`"],
    ),
    ("--digestfile --metadata-file --output-file", &["--output json reports the digest", "the digest is printed"]),
    ("--force -f", &["--overwrite", "this command replaces nothing: leave it out"]),
    ("-y", &["--yes", "this command asks no question: leave it out"]),
    ("--check-claims --verify-claims", &["the signed digest is always compared with the image: leave it out"]),
    (
        "--attachment --attachment-tag-prefix --no-upload --output-certificate --output-payload --output-signature \
--payload --signature --upload",
        &["signatures are always attached to their image; `bulla request new` starts signing without a network"],
    ),
    ("--signature-format", &["--format FORMAT", "every supported format is read: leave it out"]),
    (
        "--distribution-spec --experimental --experimental-oci11 --force-referrers-tag --image-spec --new-bundle-format \
--registry-referrers-mode",
        &["bulla detects what a registry supports: leave it out"],
    ),
    ("--max-signatures", &["the limits are fixed (SECURITY.md): leave it out"]),
    ("--retry --retry-delay --retry-times", &["transient errors are always retried: leave it out"]),
    (
        "--decryption-key --dest-compress --dest-compress-format --dest-compress-level --dest-decompress --encrypt-layer \
--encryption-key",
        &["layers are never changed: leave it out"],
    ),
    ("--command-timeout", &["--timeout DURATION"]),
    ("--debug -d", &["--verbose --verbose"]),
    ("--additional-tag", &["`bulla copy SRC DST`, again with the other tag"]),
];

/// For commands that take authorities only as a trusted root.
const OWN_ROOT: &str = "--trusted-root FILE: `bulla trust new --ca FILE --out FILE` makes one of own authorities";

const KEYLESS_SIGNING: &str = "there is no keyless signing: `bulla sign REF --key KEY`; keyless signatures are verified, \
`bulla verify REF --trusted-root FILE --certificate-identity NAME --certificate-oidc-issuer URL`";
