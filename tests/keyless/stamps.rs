//! How many different timestamp authorities vouch for a signature: one authority counts once, whatever its certificates are.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bulla::limits::Limits;
use bulla::time::Time;
use bulla::trust::Identity;
use bulla::trust::KeylessMeans;
use bulla::trust::LogRule;
use bulla::trust::Means;
use bulla::trust::Owner;
use bulla::trust::TrustRoot;
use bulla::trust::sigstore::TrustedRoot;
use serde_json::Value;
use serde_json::json;

use crate::case::checked;
use crate::made::CA;
use crate::made::Made;
use crate::made::TSA;
use crate::made::Workshop;
use crate::made::plan;
use crate::own;
use crate::revocation::stamped;
use crate::revocation::stamped_with;

const URI: &str = "https://acme.example/a";

/// A timestamp authority as a trusted root lists it: its chain, the anchor last, its address, and when it is trusted.
struct Listed<'a> {
    address: Option<&'a str>,
    chain: &'a [&'a Made],
    period: (Time, Time),
}

impl Listed<'_> {
    fn json(&self) -> Value {
        let raw = |made: &&Made| json!({"rawBytes": STANDARD.encode(made.certificate.der())});
        let chain: Vec<_> = self.chain.iter().map(raw).collect();
        let (start, end) = (self.period.0.to_string(), self.period.1.to_string());
        let mut listed = json!({"certChain": {"certificates": chain}, "validFor": {"start": start, "end": end}});
        if let Some(address) = self.address {
            listed["uri"] = json!(address);
        }
        listed
    }
}

fn trust(authority: &Made, listed: &[Listed<'_>], timestamps: u32) -> TrustRoot {
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [{
            "certChain": {"certificates": [{"rawBytes": STANDARD.encode(authority.certificate.der())}]},
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        }],
        "timestampAuthorities": listed.iter().map(Listed::json).collect::<Vec<_>>(),
    });
    let root = TrustedRoot::parse(root.to_string().as_bytes(), &Limits::DEFAULT).unwrap();
    let rule = LogRule::NONE.with_timestamps(timestamps);
    let means = KeylessMeans::new(Arc::new(root), own::uri(URI), rule);
    TrustRoot::new([Identity::new(Owner::Named("release".to_owned()), Means::Keyless(means))]).unwrap()
}

#[test]
fn an_authority_that_a_root_lists_several_times_counts_once() {
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Acme/CN=root", CA));
    let extensions =
        format!("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\nsubjectAltName=URI:{URI}\n");
    let signer = shop.issue(&root, plan("/O=Acme/CN=signer", &extensions));
    let [first, second, third] = ["/O=A/CN=root", "/O=B/CN=root", "/O=C/CN=root"].map(|name| shop.root(plan(name, CA)));
    let clock = |issuer: &Made| shop.issue(issuer, plan("/O=Time/CN=clock", TSA));
    let (of_first, of_second, of_third) = (clock(&first), clock(&second), clock(&third));
    // The key of the first clock, certified below the second root as well.
    let again = shop.issue_again(&second, &of_first, plan("/O=Time/CN=renewed", TSA));
    // One issuing authority, certified below two roots, with a new clock after the renewal.
    let issuing = shop.issue(&first, plan("/O=Time/CN=issuing", CA));
    let renewed = shop.issue_again(&second, &issuing, plan("/O=Time/CN=issuing", CA));
    let (old_clock, new_clock) = (clock(&issuing), clock(&renewed));
    let after = |seconds| Time::from_unix(signer.certificate.not_before().unix() + seconds).unwrap();
    let (early, late) = ((after(-86_400), after(999)), (after(1_000), after(86_400)));
    let listed = |chain, address, period| Listed { address, chain, period };
    let (one, two, three) = (&[&first][..], &[&second][..], &[&third][..]);
    let (with_old, with_new) = (&[&issuing, &first][..], &[&renewed, &second][..]);
    let (a, b) = (Some("https://a.example"), Some("https://b.example"));
    let verified_by = |listed: &[Listed<'_>], stamps: &[&Made]| {
        let times = [after(500), after(1_500), after(1_600)];
        let stamps: Vec<_> = stamps.iter().zip(times).map(|(clock, at)| (*clock, at, None)).collect();
        let evidence = stamped(&signer, &stamps);
        let verified = |count: &u32| checked(&evidence, &trust(&root, listed, *count), after(3_600), None).is_ok();
        let counts: Vec<_> = (1..=4).filter(verified).collect();
        assert!(counts.iter().copied().eq(1..=counts.len() as u32), "{counts:?}");
        counts.len()
    };
    let two_roots = |first, second| [listed(one, first, early), listed(two, second, late)];
    // Different anchors, keys and addresses: two authorities.
    assert_eq!(verified_by(&two_roots(None, None), &[&of_first, &of_second]), 2);
    assert_eq!(verified_by(&two_roots(a, b), &[&of_first, &of_second]), 2);
    // The same key below another anchor, and the same address.
    assert_eq!(verified_by(&two_roots(a, b), &[&of_first, &again]), 1);
    assert_eq!(verified_by(&two_roots(a, a), &[&of_first, &of_second]), 1);
    // The same key of an issuer that both entries list.
    let issuers = [listed(with_old, None, early), listed(with_new, None, late)];
    assert_eq!(verified_by(&issuers, &[&old_clock, &new_clock]), 1);
    // Also through a third entry: its address is that of the one, its anchor that of the other.
    for through in [
        [listed(one, a, early), listed(two, b, late), listed(one, b, late)],
        [listed(one, a, early), listed(one, b, late), listed(two, a, late)],
    ] {
        assert_eq!(verified_by(&through, &[&of_first, &of_second]), 1);
    }
    // One more timestamp never lowers the number: of three, the two that have nothing in common count.
    let all = [listed(one, None, early), listed(two, None, late), listed(three, None, late)];
    assert_eq!(verified_by(&all, &[&of_first, &again]), 1);
    assert_eq!(verified_by(&all, &[&of_first, &again, &of_third]), 2);
    assert_eq!(verified_by(&all, &[&of_first, &of_second, &of_third]), 3);
    // An authority is counted by its other key where another one signed with the key that both have, whichever is looked
    // at first.
    let other = clock(&first);
    let mut keys = [&of_first, &other];
    keys.sort_by_key(|clock| clock.certificate.spki());
    for [shared, own] in [keys, [keys[1], keys[0]]] {
        let [with_shared, with_own] =
            [shared, own].map(|of| shop.issue_again(&second, of, plan("/O=Time/CN=renewed", TSA)));
        let all = [listed(two, None, (early.0, late.1)), listed(one, None, (early.0, late.1))];
        assert_eq!(verified_by(&all, &[&with_shared, &with_own, shared]), 2);
    }
}

/// Half a second lies between two whole ones: the authority must be trusted at both.
#[test]
fn an_authority_is_trusted_over_the_whole_second_of_a_timestamp() {
    let Some(authorities) = own::AUTHORITIES.as_ref() else { return };
    let signer = authorities.signer(&authorities.first, URI, "");
    let Some(shop) = Workshop::new() else { return };
    let root = shop.root(plan("/O=Time/CN=root", CA));
    let clock = shop.issue(&root, plan("/O=Time/CN=clock", TSA));
    let after = |seconds| Time::from_unix(signer.certificate.not_before().unix() + seconds).unwrap();
    let evidence = stamped_with(&signer, &[(&clock, after(500), None)], |token| {
        token.info.gen_time = token.info.gen_time.replace('Z', ".5Z");
    });
    let is_verified = |start, end| {
        let listed = [Listed { address: None, chain: &[&root], period: (after(start), after(end)) }];
        checked(&evidence, &trust(&authorities.first, &listed, 1), after(3_600), None).is_ok()
    };
    assert!(is_verified(500, 501));
    assert!(!is_verified(501, 510) && !is_verified(490, 500));
}
