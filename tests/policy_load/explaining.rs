//! `policy explain NAME`: the block and its requirements in plain sentences.

use crate::scene::load;
use crate::scene::name;
use crate::scene::now;
use crate::scene::policy;

#[test]
fn a_name_is_explained_by_its_block() {
    let loaded = load(&policy(
        "builders: { gha: { signed-by: ci, id: 'https://example.com/builder', level: 3 } }\nbaseline: [{ signature: { by: [release] } }]\nimages:\n  - match: ['registry.example/prod/**']\n    signed-name: 'ghcr.io/acme/**'\n    require:\n      - signature: { by: [release, security], at-least: 2, about: index }\n      - provenance: { builders: [gha], slsa-level: 3, source: github.com/acme/app }\n      - any: [{ sbom: { by: [ci] } }, { statement: { by: [security, ci, importer], at-least: 2, type: 'https://example.com/a', max-age: 30d, fields: [{ at: /decision, equals: approved }] } }]\n      - scan: { by: [ci], highest-allowed: medium, count: fixable, max-age: 14d, database-max-age: 7d }\n    exceptions: [{ repository: registry.example/prod/a, waives: [sbom, scan], reason: r, owner: o, until: 2026-11-01 }]\n",
    ));
    let explained = loaded.explain(&name("registry.example/prod/a"), now());
    let block = explained.block.unwrap();
    assert_eq!((block.line, block.pattern.as_str()), (10, "registry.example/prod/**"));
    assert_eq!(block.signed_name.unwrap().to_string(), "ghcr.io/acme/a");
    assert_eq!(block.exceptions.iter().map(|(_, ended)| *ended).collect::<Vec<_>>(), [true]);
    let sentences: Vec<_> =
        block.requirements.iter().map(|one| (one.id.as_str(), one.line, one.sentence.as_str())).collect();
    assert_eq!(
        sentences,
        [
            ("baseline[0].signature", 8, "an image signature by release"),
            (
                "images[0].require[0].signature",
                13,
                "an image signature by release and security, all of them, about the index"
            ),
            (
                "images[0].require[1].provenance",
                14,
                "SLSA provenance by gha (signed by ci, level 3), at SLSA build level 3 or higher, built from github.com/acme/app"
            ),
            (
                "images[0].require[2].any",
                15,
                "one of: (an SBOM (cyclonedx or spdx) by ci) or (a statement of type https://example.com/a in which /decision is \"approved\" by security, ci, importer, at least 2 of them, at most 30d old, the newest of each)"
            ),
            (
                "images[0].require[3].scan",
                16,
                "a vulnerability scan with no fixable finding above medium by ci, at most 14d old, the newest of each, with a database that was at most 7d old"
            ),
        ]
    );
    let owners: Vec<_> = block.requirements.iter().map(|one| one.owners.join(" ")).collect();
    assert_eq!(owners, ["release", "release security", "ci", "ci importer security", "ci"]);
    assert!(loaded.explain(&name("elsewhere.example/a"), now()).block.is_none());
}
