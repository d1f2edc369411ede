//! Random policies and evidence: the same verdict as the naive evaluator, and properties.

use std::collections::BTreeSet;

use bulla::policy::About;

use crate::naive;
use crate::scene;
use crate::scene::Doc;
use crate::scene::FOREIGN;
use crate::scene::HELD;
use crate::scene::Image;
use crate::scene::Signed;
use crate::scene::Want;
use crate::scene::Wanted;
use crate::scene::Wants;

/// Numbers that are the same in each run: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn owners(&mut self) -> BTreeSet<usize> {
        let mut owners: BTreeSet<_> = (0..3).filter(|_| self.chance(2)).collect();
        owners.insert(self.below(3));
        owners
    }

    fn image(&mut self) -> Image {
        match self.below(6) {
            0 => Image::single(),
            1 => Image::index(0),
            2 | 3 => Image::index(1),
            _ => Image::index(2),
        }
    }

    fn days(&mut self) -> Option<i64> {
        self.pick(&[None, Some(-1), Some(1), Some(1), Some(5), Some(5), Some(5), Some(40)])
    }

    fn doc(&mut self) -> Doc {
        let days = self.days();
        match self.below(8) {
            0 => Doc::Approval { approved: !self.chance(3), days },
            1 => Doc::Sbom { components: !self.chance(3), days },
            2 | 3 => Doc::Scan { findings: self.pick(&[vec![], vec!["CVE-1"], vec!["CVE-1", "CVE-2"]]), days },
            4 | 5 => Doc::Signature,
            6 => Doc::Test { passed: !self.chance(3), days },
            _ => {
                let says = [
                    vec![("CVE-1", true)],
                    vec![("CVE-1", true), ("CVE-2", true)],
                    vec![("CVE-1", false)],
                    vec![("CVE-2", true)],
                ];
                Doc::Vex { says: self.pick(&says), days }
            }
        }
    }

    fn signed(&mut self, image: &Image) -> Vec<Signed> {
        (0..self.below(9))
            .map(|_| {
                let (key, about) = (self.pick(&[0, 0, 1, 1, 2, 2, FOREIGN]), self.pick(&image.manifests()));
                Signed { key, about, doc: self.doc() }
            })
            .collect()
    }

    /// A statement of the kind of `one` that speaks against the image, by one of these keys.
    fn against(&mut self, one: &Signed, keys: &[usize]) -> Option<Signed> {
        let days = self.pick(&[Some(1), Some(5), Some(9)]);
        let doc = match &one.doc {
            Doc::Approval { .. } => Doc::Approval { approved: false, days },
            Doc::Scan { .. } => Doc::Scan { findings: vec!["CVE-1"], days },
            Doc::Test { .. } => Doc::Test { passed: false, days },
            Doc::Vex { .. } => Doc::Vex { says: vec![("CVE-1", false)], days },
            Doc::Sbom { .. } | Doc::Signature => return None,
        };
        Some(Signed { key: self.pick(keys), about: one.about, doc })
    }

    fn want(&mut self, monotone: bool) -> Want {
        let wanted = match if monotone { self.below(2) } else { self.below(7) } {
            0 => Wanted::Sbom,
            1 | 2 => Wanted::Signature,
            3 => Wanted::Approval,
            4 => Wanted::Test,
            5 => Wanted::Scan { vex: None },
            _ => Wanted::Scan { vex: Some((self.owners(), self.pick(&[None, Some(10)]))) },
        };
        let mut want = Want::new(wanted);
        want.by = self.owners();
        want.at_least = if self.chance(3) { 2 } else { 1 };
        want.about =
            self.pick(&[About::Either, About::Either, About::Index, About::Platforms, About::Both, About::Named]);
        if want.wanted != Wanted::Signature {
            want.max_age = self.pick(&[None, Some(10)]);
        }
        want
    }

    fn wants(&mut self, monotone: bool) -> Wants {
        match self.below(4) {
            0 | 1 => Wants::One(self.want(monotone)),
            2 => Wants::All((0..2).map(|_| Wants::One(self.want(monotone))).collect()),
            _ => {
                let inner = Wants::All((0..2).map(|_| Wants::One(self.want(monotone))).collect());
                Wants::Any(vec![Wants::One(self.want(monotone)), inner])
            }
        }
    }
}

#[test]
fn ten_thousand_policies_and_evidence_have_the_verdict_of_the_naive_evaluator() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut yes, mut all) = (0, 0);
    while all < 10_000 {
        let (image, wants) = (random.image(), random.wants(false));
        let signed = random.signed(&image);
        let Some(verifier) = wants.verifier() else { continue };
        let want = if naive::accepts(&wants, &image, &signed, &[]) { "yes" } else { "no" };
        assert_eq!(image.judge(&verifier, &signed), want, "{wants:#?}\n{:?}\n{signed:#?}", image.manifests());
        all += 1;
        yes += usize::from(want == "yes");
    }
    // The pairs are worth something: both verdicts are common.
    assert!((500..9_500).contains(&yes), "{yes} of {all} are accepted");
}

/// What a key that has ended signed never counts, and its refusals stand until the owner makes a newer statement.
#[test]
fn keys_that_have_ended_have_the_verdict_of_the_naive_evaluator() {
    let mut random = Random(0x5851_f42d_4c95_7f2d);
    let (mut yes, mut vetoed, mut all) = (0, 0, 0);
    while all < 8_000 {
        let (image, wants) = (random.image(), random.wants(false));
        let ended: &[usize] = random.pick(&[&[0][..], &[1], &[2], &[1, 2]]);
        let mut signed = random.signed(&image);
        signed.extend(random.signed(&image));
        // Half of the cases are accepted as long as what keys that have ended said against the image is not known.
        if all % 2 == 0 {
            signed.retain(|one| !ended.contains(&one.key));
            if !naive::accepts(&wants, &image, &signed, &[]) {
                continue;
            }
            let against: Vec<_> = signed.iter().filter_map(|one| random.against(one, ended)).collect();
            signed.extend(against);
        }
        let Some(verifier) = wants.verifier_of(scene::trust_with(HELD, ended)) else { continue };
        let accepted = naive::accepts(&wants, &image, &signed, ended);
        let (judged, want) = (image.judge(&verifier, &signed), if accepted { "yes" } else { "no" });
        assert_eq!(judged, want, "{ended:?} {wants:#?}\n{:?}\n{signed:#?}", image.manifests());
        // As if what the key signed had never been made, and as if the key had not ended.
        let without: Vec<_> = signed.iter().filter(|one| !ended.contains(&one.key)).cloned().collect();
        let with_all = wants.map(&|want| Want { newest: false, ..want.clone() });
        assert!(!accepted || naive::accepts(&wants, &image, &without, &[]), "{ended:?} {wants:#?}\n{signed:#?}");
        assert!(!accepted || naive::accepts(&with_all, &image, &without, &[]), "{ended:?} {wants:#?}\n{signed:#?}");
        all += 1;
        yes += usize::from(accepted);
        vetoed += usize::from(!accepted && naive::accepts(&wants, &image, &without, &[]));
    }
    assert!(yes > 500 && vetoed > 100, "{yes} of {all} are accepted, and {vetoed} refused for what ended keys signed");
}

#[test]
fn more_evidence_never_turns_a_yes_into_a_no_where_any_statement_counts() {
    let mut random = Random(11);
    let mut yes = 0;
    for _ in 0..1_500 {
        let (image, wants) = (random.image(), random.wants(true));
        let Some(verifier) = wants.verifier() else { continue };
        let mut signed = random.signed(&image);
        let before = image.judge(&verifier, &signed);
        signed.extend(random.signed(&image));
        let after = image.judge(&verifier, &signed);
        assert!(before != "yes" || after == "yes", "{wants:#?}\n{signed:#?}");
        yes += usize::from(before == "yes");
    }
    assert!(yes > 50, "{yes} are accepted");
}

#[test]
fn a_yes_by_the_newest_is_a_yes_by_any() {
    let mut random = Random(12);
    let mut yes = 0;
    for _ in 0..1_500 {
        let (image, wants) = (random.image(), random.wants(false));
        let any = wants.map(&|want| Want { newest: false, ..want.clone() });
        let (Some(newest), Some(any)) = (wants.verifier(), any.verifier()) else { continue };
        let signed = random.signed(&image);
        if image.judge(&newest, &signed) == "yes" {
            yes += 1;
            assert_eq!(image.judge(&any, &signed), "yes", "{wants:#?}\n{signed:#?}");
        }
    }
    assert!(yes > 50, "{yes} are accepted");
}

/// Every policy of an import decides each requirement by what was carried as it does by all.
#[test]
fn what_an_import_carries_is_decided_as_all_evidence() {
    let mut random = Random(15);
    let mut accepted = 0;
    for _ in 0..800 {
        let image = random.image();
        let mut signed = random.signed(&image);
        for _ in 0..3 {
            signed.extend(random.signed(&image));
        }
        let all: Vec<_> = signed.iter().map(|one| (scene::evidence(one), one.about)).collect();
        let wants: Vec<_> = (0..2).map(|_| random.wants(false)).collect();
        let policies: Vec<_> = wants.iter().filter_map(Wants::verifier).collect();
        let decided: Option<Vec<_>> = policies.iter().map(|policy| image.decided(policy, &all)).collect();
        let Some(decided) = decided.filter(|decided| !decided.is_empty()) else { continue };
        let carried: Vec<_> = policies.iter().flat_map(|policy| image.carried(policy, &signed).unwrap()).collect();
        for (policy, decided) in policies.iter().zip(&decided) {
            assert_eq!(image.decided(policy, &carried).as_ref(), Some(decided), "{wants:#?}\n{signed:#?}");
        }
        accepted += 1;
    }
    assert!(accepted > 50, "{accepted} are accepted");
}

/// An import leaves out what does not count. At the destination, a policy that names some of the same owners, wants more or
/// fewer of them, or knows fewer of their keys, does not say yes unless it does where the image came from.
#[test]
fn an_import_turns_no_into_yes_for_no_owner() {
    let mut random = Random(14);
    let mut counts = [0; 2];
    for number in 0..2_000 {
        // In every other round test results alone: many by one owner about one image.
        let (image, mut wants) = (random.image(), random.wants(false));
        let mut signed = random.signed(&image);
        if number % 2 == 0 {
            wants = Wants::One(Want { by: [0, 1, 2].into(), max_age: None, ..Want::new(Wanted::Test) });
            for one in &mut signed {
                one.doc = Doc::Test { passed: !random.chance(3), days: Some(random.pick(&[1, 5])) };
            }
        }
        let held: [&[usize]; 3] = [&[0], &[1], random.pick(&[&[1, 2][..], &[1], &[2]])];
        let Some(carried) = wants.verifier().and_then(|verifier| image.carried(&verifier, &signed)) else { continue };
        let (keep, least) = (random.owners(), 1 + u32::try_from(random.below(2)).unwrap());
        let some = |of: &BTreeSet<usize>| -> BTreeSet<usize> { of.intersection(&keep).copied().collect() };
        let narrower = wants.map(&|want| {
            let mut want = Want { by: some(&want.by), at_least: least, ..want.clone() };
            if let Wanted::Scan { vex: Some((by, _)) } = &mut want.wanted {
                *by = some(by);
            }
            want
        });
        let Some(verifier) = narrower.verifier_of(scene::trust_of(held)) else { continue };
        let (list, about): (Vec<_>, Vec<_>) = carried.into_iter().unzip();
        let (before, after) = (image.judge(&verifier, &signed), image.verdict(&verifier, &list, &about));
        assert!(after != "yes" || before == "yes", "{wants:#?}\n{narrower:#?}\n{signed:#?}");
        counts[usize::from(before == "yes")] += 1;
    }
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
}

/// Whatever others attach: signed by nobody who is trusted, about something else, damaged, or no statement at all.
#[test]
fn what_others_attach_changes_no_verdict() {
    let mut random = Random(13);
    let mut counts = [0; 3];
    for _ in 0..1_500 {
        let (image, wants) = (random.image(), random.wants(false));
        let Some(verifier) = wants.verifier() else { continue };
        let signed = random.signed(&image);
        let before = image.judge(&verifier, &signed);
        let mut list: Vec<_> = signed.iter().map(scene::evidence).collect();
        let mut about: Vec<_> = signed.iter().map(|one| one.about).collect();
        for _ in 0..4 {
            let place = random.pick(&image.manifests());
            let elsewhere = *scene::manifest(99).digest();
            let garbage = match random.below(4) {
                0 => scene::evidence(&Signed { key: FOREIGN, about: place, doc: random.doc() }),
                1 => scene::evidence(&Signed { key: random.below(4), about: elsewhere, doc: random.doc() }),
                2 => scene::sign(FOREIGN, br#"{"_type":"https://in-toto.io/Statement/v1"}"#),
                _ => scene::sign(FOREIGN, b"\xff"),
            };
            let position = random.below(list.len() + 1);
            list.insert(position, garbage);
            about.insert(position, place);
        }
        let after = image.verdict(&verifier, &list, &about);
        assert_eq!(before, after, "{wants:#?}\n{signed:#?}");
        counts[["yes", "no", "unknown"].iter().position(|code| *code == after).unwrap()] += 1;
    }
    assert!(counts[0] > 50 && counts[1] > 50, "{counts:?}");
}
