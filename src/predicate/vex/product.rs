//! `VexProduct`: what a VEX statement is about, compared with an image.

use crate::digest::Digest;
use crate::predicate::PackageUrl;

/// A product of a VEX statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexProduct {
    /// The digests that name the product.
    pub digests: Vec<Digest>,
    /// Whether the product is below a branch of the category `architecture`. CSAF 2.0, section 3.1.2.2.
    pub is_of_architecture: bool,
    /// Whether the product is the subject of the attestation, because the statement names none. OpenVEX, "Attesting".
    pub is_subject: bool,
    /// The package URLs that name the product.
    pub package_urls: Vec<PackageUrl>,
    /// The parts of the product that the statement is limited to; `None`: the whole product.
    pub subcomponents: Option<VexParts>,
}

/// Parts of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VexParts {
    /// Whether there are parts without a package URL, so that it is not known what they are.
    pub has_others: bool,
    /// The package URLs of the parts.
    pub package_urls: Vec<PackageUrl>,
}

/// The image that VEX statements are looked up for: the digests of its manifest and of the index that it was reached
/// through, and the package URLs of the image, if the operator has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageProduct<'a> {
    /// The digests.
    pub digests: &'a [Digest],
    /// The digest of its own manifest; `None` for an index, whose digest stands for all of its platforms.
    pub manifest: Option<Digest>,
    /// The package URLs.
    pub package_urls: &'a [PackageUrl],
}

impl VexProduct {
    /// The subject of the attestation.
    pub(super) const fn subject(subcomponents: Option<VexParts>) -> Self {
        Self {
            digests: Vec::new(),
            is_of_architecture: false,
            is_subject: true,
            package_urls: Vec::new(),
            subcomponents,
        }
    }

    /// The product with the identifiers `texts`: package URLs and digests. Anything else names nothing.
    pub(super) fn named<'a>(texts: impl IntoIterator<Item = &'a str>, subcomponents: Option<VexParts>) -> Self {
        let (mut digests, mut package_urls) = (Vec::new(), Vec::new());
        for text in texts {
            if let Ok(digest) = text.parse() {
                digests.push(digest);
            } else if let Ok(package_url) = text.parse() {
                package_urls.push(package_url);
            }
        }
        Self { digests, is_of_architecture: false, is_subject: false, package_urls, subcomponents }
    }

    /// Whether the product is the image: named by its digest, by a package URL with its digest as the version
    /// (`pkg:oci/app@sha256:…`), or by one of its package URLs. Every digest that the product states must be of the image,
    /// and no package URL may name a part of it alone.
    pub fn is_image(&self, image: &ImageProduct<'_>) -> bool {
        self.names_image(image)
            && self.stated_digests().all(|digest| image.digests.contains(&digest))
            && !self.package_urls.iter().any(|url| self.may_be_part(url, image))
    }

    /// Whether `url`, a package URL of the product, may name a part of the image alone: what is below its subpath, or
    /// another platform of the index. It may be another platform if it has the digest of the index beside a qualifier
    /// such as `arch`, or in a branch for one architecture.
    fn may_be_part(&self, url: &PackageUrl, image: &ImageProduct<'_>) -> bool {
        let is_manifest = |digest: Digest| image.manifest == Some(digest);
        let is_exact = || match version_digest(url) {
            Some(digest) => is_manifest(digest),
            None => self.digests.iter().copied().any(is_manifest),
        };
        let is_own = image.package_urls.contains(url);
        let may_be_variant = url.may_be_variant() || self.is_of_architecture;
        !is_own && (url.has_subpath() || may_be_variant && !is_exact())
    }

    /// Whether the product may be the image: it names the image, or states no digest by the algorithm of one of the digests
    /// that are known of the image.
    pub fn may_be_image(&self, image: &ImageProduct<'_>) -> bool {
        let is_compared = |known: &Digest| self.stated_digests().any(|stated| stated.algorithm() == known.algorithm());
        let is_other = !image.digests.is_empty() && image.digests.iter().all(is_compared);
        self.names_image(image) || !is_other || self.stated_digests().next().is_none()
    }

    fn names_image(&self, image: &ImageProduct<'_>) -> bool {
        self.is_subject
            || self.digests.iter().any(|digest| image.digests.contains(digest))
            || self.package_urls.iter().any(|url| is_image_url(url, image))
    }

    /// Its digests, and those that its package URLs have as version.
    fn stated_digests(&self) -> impl Iterator<Item = Digest> {
        self.digests.iter().copied().chain(self.package_urls.iter().filter_map(version_digest))
    }

    /// How many things are kept of it.
    pub(super) fn size(&self) -> usize {
        let subcomponents = self.subcomponents.as_ref().map_or(0, VexParts::len);
        self.digests.len().saturating_add(self.package_urls.len()).saturating_add(subcomponents).saturating_add(1)
    }
}

impl VexParts {
    /// Adds a part with the identifiers `texts`.
    pub(super) fn add<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        let before = self.package_urls.len();
        self.package_urls.extend(texts.into_iter().filter_map(|text| text.parse().ok()));
        self.has_others |= self.package_urls.len() == before;
    }

    pub(super) fn len(&self) -> usize {
        self.package_urls.len()
    }

    /// Whether a part is this package, with its version and qualifiers.
    pub(super) fn name(&self, package: &PackageUrl) -> bool {
        self.package_urls.iter().any(|named| named.is_package(package))
    }

    /// Whether a part may be this package, or an image that contains it. True if the package of the finding is not known.
    pub(super) fn may_name(&self, package: Option<&PackageUrl>) -> bool {
        let Some(package) = package else { return true };
        let nothing = self.package_urls.is_empty();
        let may_be = |named: &PackageUrl| named.may_hold_packages() || named.may_be(package);
        self.has_others || nothing || self.package_urls.iter().any(may_be)
    }
}

fn is_image_url(url: &PackageUrl, image: &ImageProduct<'_>) -> bool {
    let by_digest =
        || matches!(url.kind(), "docker" | "oci") && version_digest(url).is_some_and(|it| image.digests.contains(&it));
    image.package_urls.contains(url) || by_digest()
}

/// The digest that a package URL has as its version.
fn version_digest(url: &PackageUrl) -> Option<Digest> {
    url.version().and_then(|version| version.parse().ok())
}
