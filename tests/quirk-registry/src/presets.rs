//! Registries by name: a few switches each, as far as their behaviour is known.

use super::quirks::Quirks;

impl Quirks {
    /// The registry of that name, as `--preset` takes it.
    pub fn preset(name: &str) -> Option<Self> {
        Some(match name {
            "acr" => Self::acr(),
            "artifactory" => Self::artifactory(),
            "distribution" => Self::distribution(),
            "docker-hub" => Self::docker_hub(),
            "ecr" => Self::ecr(),
            "ghcr" => Self::ghcr(),
            "gitlab" => Self::gitlab(),
            "harbor" => Self::harbor(),
            "polite" => Self::polite(),
            _ => return None,
        })
    }

    /// registry:2, docker-registry 2.8.2 with deletion switched on: calibrated against the real one.
    pub fn distribution() -> Self {
        Self::polite().all(&[
            "accept=strict",
            "delete=digests",
            "dialect=2.8.2",
            "distribution-header",
            "gc=drop-referrers",
            "location=absolute",
            "manifest-cap=4194304:400",
            "referrers=off",
            "single-post=off",
            "stale-location=404",
            "tags-paging=off",
            "wrong-offset=accept",
        ])
    }

    /// Harbor: tokens, a full referrers API, mounts from a missing project are 401.
    pub fn harbor() -> Self {
        Self::polite().all(&[
            "auth=token",
            "distribution-header",
            "location=absolute",
            "mount=401",
            "single-post=off",
            "user=robot$ci:secret",
        ])
    }

    /// GHCR: tokens, no referrers API, 4 MiB per request, one PATCH.
    pub fn ghcr() -> Self {
        Self::polite().all(&[
            "anonymous=pull",
            "auth=token",
            "chunk-cap=4194304:416",
            "patch=overwrite",
            "referrers=off",
            "single-post=off",
            "user=octocat:secret",
        ])
    }

    /// Amazon ECR: Basic, chunks answered with 201 and a stale range, immutable tags, repositories made beforehand.
    pub fn ecr() -> Self {
        Self::polite().all(&[
            "auth=basic",
            "chunk-cap=20971520:413",
            "create=off",
            "immutable",
            "location=absolute",
            "mount=202",
            "patch-status=201",
            "range=stale",
            "tags-max=1000",
            "user=AWS:secret",
        ])
    }

    /// Azure: tokens by refresh token, no POST with a password, blobs on a storage host, types missing in lists.
    pub fn acr() -> Self {
        Self::polite().all(&[
            "auth=token",
            "blob-redirect",
            "referrers=type-missing",
            "token-post=400-password",
            "user=00000000-0000-0000-0000-000000000000:secret",
            "user=<token>:identity",
        ])
    }

    /// GitLab: one scope per token, the fallback tag is taken for a digest.
    pub fn gitlab() -> Self {
        Self::polite().all(&[
            "auth=token",
            "distribution-header",
            "gitlab-alias",
            "location=absolute",
            "referrers=off",
            "scope=last-only",
            "single-post=off",
            "user=ci:secret",
        ])
    }

    /// Docker Hub: tokens, anonymous pulls, rate limits, no referrers API, names with a slash.
    pub fn docker_hub() -> Self {
        Self::polite().all(&[
            "anonymous=pull",
            "auth=token",
            "distribution-header",
            "location=absolute",
            "names=library",
            "ratelimit-headers",
            "referrers=off",
            "single-post=off",
            "user=moby:secret",
        ])
    }

    /// Artifactory: 403 for what is not there, no POST for tokens.
    pub fn artifactory() -> Self {
        Self::polite().all(&["auth=token", "notfound=403", "token-post=401", "user=jf:secret"])
    }

    fn all(self, switches: &[&str]) -> Self {
        switches.iter().fold(self, |quirks, switch| quirks.with(switch))
    }
}
