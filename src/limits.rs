//! `Limits`: the bounds on untrusted input, grouped by what they bound, each with its unit and its source.
//!
//! Every limit is a `u64`, as sizes on the wire are, so a limit means the same on every target. Lengths in memory are
//! compared with a limit through [`count`], which never makes them smaller.

/// The bounds on untrusted input, which every reader gets as an argument. `SECURITY.md` prints the same table.
///
/// Every field may be lowered freely; raising one is a decision of the caller.
///
/// ```
/// use bulla::limits::Limits;
///
/// let limits = Limits::DEFAULT.with(|limits| limits.json.depth = 16);
/// assert_eq!((limits.json.depth, limits.json.values), (16, 200_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Limits of one envelope, bundle or statement, and of certificates.
    pub envelope: EnvelopeLimits,
    /// Limits of the evidence that is read and kept to decide about one image.
    pub evidence: EvidenceLimits,
    /// Limits of files that are signed and verified.
    pub file: FileLimits,
    /// Limits of the graph that is followed from one image: indexes, images, referrers.
    pub graph: GraphLimits,
    /// Limits of JSON documents.
    pub json: JsonLimits,
    /// Limits of key files and key plugins.
    pub key: KeyLimits,
    /// Limits of manifests, indexes, configs and archives.
    pub oci: OciLimits,
    /// Limits of registry responses other than content.
    pub registry: RegistryLimits,
    /// Limits of signing requests, signing responses and signing logs.
    pub request: RequestLimits,
    /// Limits of revocation evidence: CRLs and OCSP responses.
    pub revocation: RevocationLimits,
    /// Limits of transparency logs: checkpoints, proofs, certificate timestamps, trusted roots.
    pub transparency: TransparencyLimits,
    /// Limits of TUF repositories.
    pub tuf: TufLimits,
    /// Limits of YAML documents: policy files.
    pub yaml: YamlLimits,
}

/// Limits of one envelope, bundle or statement, and of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeLimits {
    /// Bytes of one file of certificates.
    pub bundle_bytes: u64,
    /// Certificates in one file.
    pub bundle_certificates: u64,
    /// Bytes of DER of one certificate.
    pub certificate_bytes: u64,
    /// Certificates in one chain, the leaf among them. policy-controller has the same limit.
    pub certificate_chain: u64,
    /// Certificates in one bundle, or given to build one chain from.
    pub certificates: u64,
    /// Parameters of the protected header of one Notary Project envelope, and of the unprotected one.
    pub header_parameters: u64,
    /// Transparency log entries in one bundle. sigstore-go has the same limit.
    pub log_entries: u64,
    /// Signatures in one envelope.
    pub signatures: u64,
    /// Digests of one subject of a statement. sigstore-go has the same limit.
    pub statement_digests: u64,
    /// Subjects of one statement. sigstore-go has the same limit.
    pub statement_subjects: u64,
    /// Bytes of one RFC 3161 timestamp token, request or response. notation has the same limit for responses.
    pub timestamp_bytes: u64,
    /// RFC 3161 timestamps in one bundle. sigstore-go has the same limit.
    pub timestamps: u64,
}

/// Limits of the evidence that is read and kept to decide about one image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvidenceLimits {
    /// Bytes of one attestation envelope. BuildKit allows 40 MiB, cosign 128 MiB.
    pub attestation_bytes: u64,
    /// Bytes of all evidence of one subject together.
    pub bytes: u64,
    /// Bytes of the findings that are kept for one image and all manifests below it.
    pub finding_bytes: u64,
    /// Keys and names of signers that are compared to pair the owners of one quorum with distinct signers.
    pub pairing_steps: u64,
    /// Bytes of one signature envelope or bundle.
    pub signature_bytes: u64,
    /// Signature checks for one subject: its signatures times the trusted keys.
    pub signature_checks: u64,
    /// Signature manifests fetched for one subject.
    pub signature_manifests: u64,
}

/// Limits of files that are signed and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLimits {
    /// Bytes of a file that is kept in memory, because a key signs the file itself and not a hash: Ed25519, plugins.
    pub message_bytes: u64,
}

/// Limits of the graph that is followed from one image: indexes, images, referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphLimits {
    /// Bytes of all manifests below one image together: indexes, images and referrers.
    pub bytes: u64,
    /// Levels of indexes inside indexes.
    pub index_depth: u64,
    /// Bytes of the layers of one image that are read to compare them with blocked digests of another algorithm.
    pub layer_bytes: u64,
    /// Manifests below one image.
    pub manifests: u64,
    /// Levels of referrers of referrers.
    pub referrer_depth: u64,
    /// Referrers listed for one subject, over all pages.
    pub referrers: u64,
}

/// Limits of JSON documents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonLimits {
    /// Nesting depth of a document.
    pub depth: u64,
    /// Nesting depth of a document with a predicate, which is read without recursion.
    pub predicate_depth: u64,
    /// Bytes of one string; the payload inside an envelope or bundle may be as long as the document.
    pub string_bytes: u64,
    /// Values in one document.
    pub values: u64,
}

/// Limits of key files and key plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyLimits {
    /// Bytes of a key file.
    pub file_bytes: u64,
    /// Bytes that a key plugin writes to one stream. The plugin contract of the Notary Project allows 64 MiB.
    pub plugin_bytes: u64,
}

/// Limits of manifests, indexes, configs and archives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OciLimits {
    /// Bytes of the keys and values of the annotations on one descriptor or manifest.
    pub annotation_bytes: u64,
    /// Annotations on one descriptor or manifest.
    pub annotations: u64,
    /// Members of one archive.
    pub archive_members: u64,
    /// Descriptors in one index.
    pub descriptors: u64,
    /// Layers of one image, blobs of one artifact.
    pub layers: u64,
    /// Bytes of a manifest, an index, an image config or a page of referrers. OCI distribution specification, "Pushing
    /// Manifests": registries should accept manifests of this size.
    pub manifest_bytes: u64,
    /// Bytes that the compressed layers of one archive together, or one compressed archive, are unpacked to.
    pub unpacked_bytes: u64,
    /// How many times its compressed size a layer or an archive is unpacked to, beyond the first 16 MiB.
    pub unpacked_ratio: u64,
}

/// Limits of registry responses other than content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryLimits {
    /// Bytes read from the body of an error response.
    pub error_body_bytes: u64,
    /// Pages followed along `Link` headers. The OCI distribution specification sets no limit.
    pub link_hops: u64,
    /// Redirects followed for one request.
    pub redirects: u64,
    /// Bytes of one token that a token service issues. Servers refuse longer headers.
    pub token_bytes: u64,
    /// Bytes of a response of a token service, which may hold its token twice.
    pub token_response_bytes: u64,
}

/// Limits of signing requests, signing responses and signing logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLimits {
    /// Bytes of a signing request.
    pub bytes: u64,
    /// Certificates in the chains of all keys of one request together.
    pub certificates: u64,
    /// Bytes of the content of one file in a request.
    pub file_bytes: u64,
    /// Files to be signed in one request.
    pub files: u64,
    /// Items to be signed in one request.
    pub items: u64,
    /// Keys of all owners of one request together.
    pub keys: u64,
    /// Bytes of one line of a signing log.
    pub log_line_bytes: u64,
    /// Bytes of a signing response.
    pub response_bytes: u64,
    /// Bytes of one text in a request: a reference, a name, a reason.
    pub text_bytes: u64,
}

/// Limits of revocation evidence: CRLs and OCSP responses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationLimits {
    /// Bytes of all CRLs and OCSP responses of one pool together.
    pub bytes: u64,
    /// Bytes of one CRL.
    pub crl_bytes: u64,
    /// CRLs and OCSP responses of one pool.
    pub documents: u64,
    /// Bytes of one OCSP response. notation has a limit of 20 KiB.
    pub ocsp_bytes: u64,
    /// HTTP requests of one command that fetches evidence, for all its references together, redirects aside.
    pub requests: u64,
    /// Signature checks to find the status of all certificates of one chain.
    pub signature_checks: u64,
}

/// Limits of transparency logs: checkpoints, proofs, certificate timestamps, trusted roots.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransparencyLimits {
    /// Signed certificate timestamps in one certificate.
    pub certificate_timestamps: u64,
    /// Bytes of one checkpoint.
    pub checkpoint_bytes: u64,
    /// Signatures of one checkpoint: the log's and those of witnesses.
    pub checkpoint_signatures: u64,
    /// Bytes of the answer of a log that was asked to add an entry.
    pub entry_bytes: u64,
    /// Hashes of one Merkle proof: one for each level of a tree with 2^64 leaves.
    pub proof_hashes: u64,
    /// Bytes of one file of Sigstore trusted roots, or of one signing config.
    pub trusted_root_bytes: u64,
    /// Logs or authorities of one kind in one Sigstore trusted root or signing config, and trusted roots in one file.
    pub trusted_root_entries: u64,
}

/// Limits of TUF repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TufLimits {
    /// Bytes of one metadata file.
    pub metadata_bytes: u64,
    /// Versions of the root metadata after the one that is trusted. tough has the same limit.
    pub root_versions: u64,
    /// Signatures of one metadata file.
    pub signatures: u64,
}

/// Limits of YAML documents: policy files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct YamlLimits {
    /// Bytes of one document.
    pub bytes: u64,
    /// Nesting depth of a document.
    pub depth: u64,
    /// Keys and values in one document.
    pub values: u64,
}

impl Limits {
    /// The default limits, which `SECURITY.md` lists.
    pub const DEFAULT: Self = Self {
        envelope: EnvelopeLimits {
            bundle_bytes: 4 << 20,
            bundle_certificates: 1_000,
            certificate_bytes: 64 << 10,
            certificate_chain: 10,
            certificates: 32,
            header_parameters: 256,
            log_entries: 32,
            signatures: 16,
            statement_digests: 32,
            statement_subjects: 1_024,
            timestamp_bytes: 1 << 20,
            timestamps: 32,
        },
        evidence: EvidenceLimits {
            attestation_bytes: 64 << 20,
            bytes: 128 << 20,
            finding_bytes: 16 << 20,
            pairing_steps: 500_000,
            signature_bytes: 1 << 20,
            signature_checks: 100_000,
            signature_manifests: 100,
        },
        file: FileLimits { message_bytes: 128 << 20 },
        graph: GraphLimits {
            bytes: 16 << 20,
            index_depth: 3,
            layer_bytes: 256 << 30,
            manifests: 1_000,
            referrer_depth: 4,
            referrers: 1_000,
        },
        json: JsonLimits { depth: 64, predicate_depth: 100_000, string_bytes: 8 << 20, values: 200_000 },
        key: KeyLimits { file_bytes: 64 << 10, plugin_bytes: 1 << 20 },
        oci: OciLimits {
            annotation_bytes: 64 << 10,
            annotations: 256,
            archive_members: 1_000_000,
            descriptors: 1_000,
            layers: 8_192,
            manifest_bytes: 4 << 20,
            unpacked_bytes: 256 << 30,
            unpacked_ratio: 400,
        },
        registry: RegistryLimits {
            error_body_bytes: 64 << 10,
            link_hops: 20,
            redirects: 5,
            token_bytes: 64 << 10,
            token_response_bytes: 256 << 10,
        },
        request: RequestLimits {
            bytes: 12 << 20,
            certificates: 640,
            file_bytes: 1 << 20,
            files: 256,
            items: 4_000,
            keys: 64,
            log_line_bytes: 16 << 10,
            response_bytes: 16 << 20,
            text_bytes: 4 << 10,
        },
        revocation: RevocationLimits {
            bytes: 32 << 20,
            crl_bytes: 16 << 20,
            documents: 1_000,
            ocsp_bytes: 64 << 10,
            requests: 100,
            signature_checks: 1_000,
        },
        transparency: TransparencyLimits {
            certificate_timestamps: 32,
            checkpoint_bytes: 64 << 10,
            checkpoint_signatures: 32,
            entry_bytes: 1 << 20,
            proof_hashes: 64,
            trusted_root_bytes: 4 << 20,
            trusted_root_entries: 256,
        },
        tuf: TufLimits { metadata_bytes: 4 << 20, root_versions: 1_024, signatures: 64 },
        yaml: YamlLimits { bytes: 1 << 20, depth: 16, values: 100_000 },
    };

    /// These limits, modified by `change`.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The limits for a document of `length` bytes that contains a predicate. Its length must be bounded before it is
    /// read, and the operator must have made it, or someone whom the operator trusts must have signed it: lists of
    /// packages have more values than any other document, and may nest deeply.
    #[must_use]
    pub fn for_predicate(&self, length: usize) -> Self {
        let json_depth = self.json.depth.max(self.json.predicate_depth);
        self.clone().with(|limits| {
            limits.json.depth = json_depth;
            limits.json.values = limits.json.values.max(count(length / 4));
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The length or number of things in memory as a `u64`, to compare it with a limit.
///
/// `usize` fits into `u64` on every target of Rust. If it ever did not, the result is the largest number, which exceeds
/// every limit.
#[must_use]
pub fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
