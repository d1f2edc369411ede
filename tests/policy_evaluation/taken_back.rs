//! What an owner has taken back stays taken back: about a platform or the index around it.

use bulla::policy::About;
use bulla::verify::Verifier;

use crate::scene::Doc;
use crate::scene::Image;
use crate::scene::Signed;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

fn one(want: Want) -> Verifier {
    Wants::One(want).verifier().unwrap()
}

fn vex(clears: bool, days: Option<i64>) -> Doc {
    Doc::Vex { says: vec![("CVE-1", clears)], days }
}

fn found(days: i64) -> Doc {
    Doc::Scan { findings: vec!["CVE-1"], days: Some(days) }
}

/// The newest document about a platform and the newest about the index around it both have to clear a vulnerability.
#[test]
fn a_vex_document_about_the_index_takes_none_about_a_platform_back() {
    let image = Image::index(1);
    let (index, platform) = (*image.root.digest(), image.platforms[0]);
    let wanted = Wanted::Scan { vex: Some(([1].into(), Some(10))) };
    let silent = |days: i64| Doc::Vex { says: vec![("CVE-2", true)], days: Some(days) };
    let clears = |days: i64| vex(true, Some(days));
    let denies = |days: i64| vex(false, Some(days));
    for (of_platform, of_index, verdict) in [
        (vec![clears(5)], vec![], "yes"),
        (vec![], vec![clears(5)], "yes"),
        (vec![clears(5)], vec![clears(1)], "yes"),
        (vec![denies(5)], vec![clears(1)], "no"),
        (vec![clears(1)], vec![denies(5)], "no"),
        (vec![clears(5)], vec![denies(1)], "no"),
        (vec![silent(5)], vec![clears(1)], "no"),
        (vec![clears(1)], vec![silent(5)], "no"),
        (vec![clears(40)], vec![clears(1)], "no"),
        // About one manifest, the newer one decides.
        (vec![denies(5), clears(4)], vec![clears(1)], "yes"),
        (vec![clears(1)], vec![denies(5), clears(4)], "yes"),
    ] {
        let mut signed = vec![Signed { key: 0, about: platform, doc: found(1) }];
        for (about, docs) in [(platform, &of_platform), (index, &of_index)] {
            signed.extend(docs.iter().map(|doc| Signed { key: 1, about, doc: doc.clone() }));
        }
        let verdict_by = |about: About| image.judge(&one(Want { about, ..Want::new(wanted.clone()) }), &signed);
        assert_eq!(verdict_by(About::Either), verdict, "{of_platform:?} {of_index:?}");
        // Where only statements about platforms are read, those about the index say nothing.
        let alone = [vec![denies(5), clears(4)], vec![clears(5)], vec![clears(1)]].contains(&of_platform);
        assert_eq!(verdict_by(About::Platforms), if alone { "yes" } else { "no" }, "{of_platform:?}");
    }
}
