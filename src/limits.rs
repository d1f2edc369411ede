//! Every bound on what somebody else can make us do, with its source.

/// The bounds that every reader of untrusted input is given. `SECURITY.md` prints the same table.
///
/// Every field may be lowered freely; raising one is a decision of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Annotations on one descriptor or manifest: entries.
    pub annotations: usize,
    /// Annotations on one descriptor or manifest: bytes of keys and values together.
    pub annotation_bytes: usize,
    /// Archive members. One million.
    pub archive_members: usize,
    /// An attestation envelope, in bytes. BuildKit allows 40 MiB, cosign 128 MiB.
    pub attestation_bytes: u64,
    /// One certificate, in bytes of DER.
    pub certificate_bytes: u64,
    /// Certificates in one chain, the leaf among them. policy-controller has the same.
    pub certificate_chain: usize,
    /// Certificates in one bundle.
    pub certificates: usize,
    /// Descriptors in one index; manifests below one image.
    pub descriptors: usize,
    /// How much of an error body is read, in bytes.
    pub error_body_bytes: u64,
    /// All evidence of one subject together, in bytes.
    pub evidence_bytes: u64,
    /// What is kept to say about all manifests below one image, in bytes.
    pub finding_bytes: usize,
    /// All manifests below one image together, in bytes: the indexes, images and referrers that are followed from it.
    pub graph_bytes: u64,
    /// Indexes inside indexes.
    pub index_depth: usize,
    /// Nesting of JSON values.
    pub json_depth: usize,
    /// One JSON string, in bytes; the payload inside an envelope or bundle may be as long as the document.
    pub json_string_bytes: usize,
    /// JSON values in one document.
    pub json_values: usize,
    /// A private key file, in bytes.
    pub key_file_bytes: u64,
    /// Layers of one image, blobs of one artifact.
    pub layers: usize,
    /// Hops along `Link` headers: the distribution specification sets none.
    pub link_hops: usize,
    /// Transparency log entries in one bundle. sigstore-go has the same.
    pub log_entries: usize,
    /// A manifest, an index, an image config or a page of referrers, in bytes. The distribution specification asks
    /// registries to take at least this much.
    pub manifest_bytes: u64,
    /// What a key plugin says on one stream, in bytes. The plugin contract allows 64 MiB.
    pub plugin_bytes: u64,
    /// Nesting of JSON values in a document with a predicate, which is read without recursion.
    pub predicate_depth: usize,
    /// Redirects followed for one request.
    pub redirects: usize,
    /// Referrers listed for one subject, over all pages.
    pub referrers: usize,
    /// Referrers of referrers.
    pub referrer_depth: usize,
    /// A signing request, in bytes.
    pub request_bytes: u64,
    /// Things to be signed in one request.
    pub request_items: usize,
    /// Keys of all owners of one request together.
    pub request_keys: usize,
    /// One text in a request, in bytes: a reference, a name, a reason.
    pub request_text_bytes: usize,
    /// A response to a signing request, in bytes.
    pub response_bytes: u64,
    /// A signature envelope or bundle, in bytes.
    pub signature_bytes: u64,
    /// Signature manifests fetched for one subject.
    pub signature_manifests: usize,
    /// Signatures in one envelope.
    pub signatures_per_envelope: usize,
    /// One line of a signing log, in bytes.
    pub signing_log_line_bytes: usize,
    /// Digests of one subject of a statement. sigstore-go has the same.
    pub statement_digests: usize,
    /// Subjects of one statement. sigstore-go has the same.
    pub statement_subjects: usize,

    /// RFC 3161 timestamps in one bundle. sigstore-go has the same.
    pub timestamps: usize,
    /// An answer of a token service, in bytes.
    pub token_bytes: u64,
}

impl Limits {
    /// The defaults, as `SECURITY.md` states them.
    pub const DEFAULT: Self = Self {
        annotations: 256,
        annotation_bytes: 64 << 10,
        archive_members: 1_000_000,
        attestation_bytes: 32 << 20,
        certificate_bytes: 64 << 10,
        certificate_chain: 10,
        certificates: 32,
        descriptors: 1_000,
        error_body_bytes: 64 << 10,
        evidence_bytes: 64 << 20,
        finding_bytes: 16 << 20,
        graph_bytes: 16 << 20,
        index_depth: 3,
        json_depth: 64,
        json_string_bytes: 8 << 20,
        json_values: 200_000,
        key_file_bytes: 64 << 10,
        layers: 8_192,
        link_hops: 20,
        log_entries: 32,
        manifest_bytes: 4 << 20,
        plugin_bytes: 1 << 20,
        predicate_depth: 100_000,
        redirects: 5,
        referrers: 1_000,
        referrer_depth: 4,
        request_bytes: 12 << 20,
        request_items: 4_000,
        request_keys: 64,
        request_text_bytes: 4 << 10,
        response_bytes: 16 << 20,
        signature_bytes: 1 << 20,
        signature_manifests: 100,
        signatures_per_envelope: 16,
        signing_log_line_bytes: 16 << 10,
        statement_digests: 32,
        statement_subjects: 1_024,
        timestamps: 32,
        token_bytes: 1 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
