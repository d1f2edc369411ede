//! Package URLs: parsed strictly, compared canonically.

use bulla::predicate::PackageUrl;
use bulla::predicate::PackageUrlFault;

fn url(text: &str) -> PackageUrl {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Package URL specification, "Examples" and "Known types".
#[test]
fn a_package_url_has_one_canonical_form() {
    for (text, canonical) in [
        (
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
        ),
        (
            "pkg:deb/debian/curl@7.50.3-1?distro=jessie&arch=i386&x=",
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
        ),
        ("pkg://npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1"),
        ("pkg:npm/@angular/animation", "pkg:npm/%40angular/animation"),
        ("pkg:PyPI/Django_package@1.11.1", "pkg:pypi/django-package@1.11.1"),
        ("pkg:golang/github.com/Masterminds/semver/v3@v3.2.0", "pkg:golang/github.com/Masterminds/semver/v3@v3.2.0"),
        ("pkg:oci/Alpine@sha256%3A12?arch=", "pkg:oci/alpine@sha256:12"),
        (
            "pkg:golang/google.golang.org/genproto#googleapis/api/",
            "pkg:golang/google.golang.org/genproto#googleapis/api",
        ),
        ("pkg:deb/debian/zlib1g@1:1.2.13%2Bdfsg", "pkg:deb/debian/zlib1g@1:1.2.13%2Bdfsg"),
    ] {
        assert_eq!(url(text).to_string(), canonical);
        assert_eq!(url(canonical), url(text));
    }
}

#[test]
fn what_is_no_package_url_is_refused() {
    for (text, fault) in [
        ("", PackageUrlFault::Scheme),
        ("deb/debian/curl", PackageUrlFault::Scheme),
        ("PKG:deb/debian/curl", PackageUrlFault::Scheme),
        ("pkg:", PackageUrlFault::Name),
        ("pkg:deb", PackageUrlFault::Name),
        ("pkg:deb/", PackageUrlFault::Name),
        ("pkg:deb/@1", PackageUrlFault::Name),
        ("pkg:d b/x", PackageUrlFault::Type),
        ("pkg:1deb/x", PackageUrlFault::Type),
        ("pkg:deb/a%2Fb/x", PackageUrlFault::Encoding),
        ("pkg:deb/x@%4", PackageUrlFault::Encoding),
        ("pkg:deb/x@%zz", PackageUrlFault::Encoding),
        ("pkg:deb/x@%ff", PackageUrlFault::Encoding),
        ("pkg:deb/x%00", PackageUrlFault::Encoding),
        ("pkg:deb/x?arch", PackageUrlFault::Qualifiers),
        ("pkg:deb/x?=amd64", PackageUrlFault::Qualifiers),
        ("pkg:deb/x?arch=a&ARCH=b", PackageUrlFault::Qualifiers),
    ] {
        assert_eq!(text.parse::<PackageUrl>().map_err(|error| error.fault), Err(fault), "{text}");
    }
}

#[test]
fn one_covers_another_that_says_more() {
    let found = url("pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12");
    for covers in [
        "pkg:deb/debian/zlib1g",
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1",
        "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1",
        "pkg:deb/debian/zlib1g?distro=debian-12",
    ] {
        assert!(url(covers).covers(&found), "{covers}");
    }
    for other in [
        "pkg:deb/debian/zlib1g-dev",
        "pkg:deb/ubuntu/zlib1g",
        "pkg:deb/zlib1g",
        "pkg:rpm/debian/zlib1g",
        "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-2",
        "pkg:deb/debian/zlib1g?arch=arm64",
        "pkg:deb/debian/zlib1g?arch=amd64&upstream=zlib",
        "pkg:deb/debian/zlib1g#lib",
    ] {
        assert!(!url(other).covers(&found), "{other}");
    }
}
