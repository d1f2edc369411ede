//! `Walk`: follows the manifests below one image, each digest once and within one budget.
//!
//! The invariant: no manifest that a list names is fetched before the budget has paid for it, none is returned with
//! another digest than the one that was asked for, and no digest is entered twice, so every walk ends, also over
//! manifests that refer to each other (threats: nesting-and-cycles). Nothing that a walk returns is trusted.
//!
//! The user of a walk drives it and decides what an error means, what stops the walk, and the order of requests:
//!
//! 1. Enter: [`Walk::next_child`] returns the next child of an index, or [`Walk::enter`] says whether a digest is new.
//! 2. Check the depth: [`Walk::check_depth`].
//! 3. Pay and fetch: [`Walk::fetch`] one manifest, or [`Walk::fetch_new`] those of a list, eight at a time.
//! 4. Descend: [`Walk::descend`] follows the children of an index before anything else, [`Walk::descend_later`] after.
//! 5. Where it is asked, list what refers to the manifest: [`Walk::referrers`], and [`Walk::cosign_tags`], whose
//!    manifests the user pays for when they are there ([`Walk::pay`]): the size behind a tag is not known before.
//!
//! `sign` goes depth first and `verify` breadth first, both by [`Walk::next_child`]. Three do the steps themselves,
//! since their requests have another order: the choice of a platform looks at a whole level before it fetches the
//! indexes in it, a graph fetches all children of an index before it enters the first, and a tree fetches a manifest
//! again wherever it is attached. `present` and the audit look at one subject and do not descend.

mod budget;
mod referrers;

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::vec;

use crate::digest::Digest;
use crate::limits::Limits;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::Index;
use crate::oci::ManifestError;
use crate::ops::OpsError;
use crate::ops::pinned;
use crate::ops::walk::budget::Budget;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;

pub(super) use budget::EvidenceBudget;
pub(super) use budget::HELD;
pub(super) use referrers::unreadable;

/// A walk over the manifests below one image.
pub(super) struct Walk<'a> {
    budget: Budget<'a>,
    entered: BTreeSet<Digest>,
    limits: &'a Limits,
    /// The indexes whose children are not all entered, the next one first.
    pending: VecDeque<Pending>,
    source: &'a dyn Source,
}

/// An index whose children are not all entered, and how deep they are.
enum Pending {
    /// As it was received: a parsed index takes up several times as much memory.
    Received(u64, Content),
    Parsed(u64, vec::IntoIter<Descriptor>),
}

/// A manifest that an index lists, entered and not yet fetched.
#[derive(Debug)]
pub(super) struct Step {
    /// How many indexes are around it.
    pub(super) depth: u64,
    /// The entry of the index, as [`children`] returns it.
    pub(super) entry: Descriptor,
}

/// The digest of a manifest that was asked for, and what the store answered.
type Fetched = (Digest, Result<Content, StoreError>);

impl<'a> Walk<'a> {
    /// A walk that has entered nothing, with the whole budget of one image.
    pub(super) fn new(source: &'a dyn Source, limits: &'a Limits) -> Self {
        let (budget, entered, pending) = (Budget::of(source, limits), BTreeSet::new(), VecDeque::new());
        Self { budget, entered, limits, pending, source }
    }

    /// A new budget for the evidence of one subject.
    pub(super) const fn evidence(&self) -> EvidenceBudget {
        self.budget.evidence()
    }

    /// Enters a manifest; returns whether its digest is new.
    pub(super) fn enter(&mut self, digest: Digest) -> bool {
        self.entered.insert(digest)
    }

    /// Refuses a manifest inside too many indexes.
    ///
    /// # Errors
    /// [`OpsError::TooDeep`].
    pub(super) const fn check_depth(&self, digest: Digest, depth: u64) -> Result<(), OpsError> {
        let limit = self.limits.graph.index_depth;
        if depth > limit { Err(OpsError::TooDeep { digest, limit }) } else { Ok(()) }
    }

    /// Pays for a manifest that is not fetched.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: the budget is exhausted.
    pub(super) fn count(&mut self) -> Result<(), StoreError> {
        self.budget.count()
    }

    /// Pays for a manifest and its declared size out of the budget, before it is fetched.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: the budget is exhausted.
    pub(super) fn pay(&mut self, manifest: &Descriptor) -> Result<(), StoreError> {
        self.budget.pay(manifest)
    }

    /// Pays for a manifest and fetches it by its digest. The inner result is that of the fetch.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: the budget is exhausted, and nothing was asked for.
    pub(super) async fn fetch(&mut self, entry: &Descriptor) -> Result<Result<Content, StoreError>, StoreError> {
        self.pay(entry)?;
        Ok(pinned::manifest(self.source, entry).await)
    }

    /// Fetches those of `entries` that are not entered yet, eight at a time, and returns them in their order. Enters
    /// none of them.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] where the budget does not pay for all of them: then none is fetched. Otherwise the first
    /// error of a fetch.
    pub(super) async fn fetch_new(&mut self, entries: &[Descriptor]) -> Result<Vec<Content>, StoreError> {
        self.fetch_each_new(entries).await?.into_iter().map(|(_, fetched)| fetched).collect()
    }

    /// As [`Walk::fetch_new`], with the outcome of each fetch beside the digest that was asked for.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] where the budget does not pay for all of them: then none is fetched.
    pub(super) async fn fetch_each_new(&mut self, entries: &[Descriptor]) -> Result<Vec<Fetched>, StoreError> {
        const AT_ONCE: usize = 8;
        let new: Vec<_> = entries.iter().filter(|entry| !self.entered.contains(&entry.digest)).collect();
        // All of them are paid for before the first is fetched: they are held in memory together.
        for entry in &new {
            self.budget.pay(entry)?;
        }
        let source = self.source;
        let tasks = new.into_iter().map(|entry| -> Task<'_, Fetched> {
            Box::pin(async move { (entry.digest, pinned::manifest(source, entry).await) })
        });
        let tasks = tasks.collect();
        Ok(parallel::run(tasks, AT_ONCE).await)
    }

    /// Follows the children of an index at `depth` before what is pending: depth first.
    pub(super) fn descend(&mut self, depth: u64, index: Index) {
        self.pending.push_front(Pending::Parsed(depth + 1, children(index).into_iter()));
    }

    /// Follows the children of an index at `depth` after what is pending: breadth first. It is parsed at its turn.
    pub(super) fn descend_later(&mut self, depth: u64, index: Content) {
        self.pending.push_back(Pending::Received(depth + 1, index));
    }

    /// Enters and returns the next child that was not entered before; `None` at the end of the walk.
    ///
    /// # Errors
    /// [`ManifestError`] where the next index cannot be parsed.
    pub(super) fn next_child(&mut self) -> Result<Option<Step>, ManifestError> {
        while let Some(next) = self.pending.pop_front() {
            let (depth, mut listed) = match next {
                Pending::Received(depth, index) => (depth, children(Index::parse(&index, self.limits)?).into_iter()),
                Pending::Parsed(depth, listed) => (depth, listed),
            };
            if let Some(entry) = listed.find(|entry| self.entered.insert(entry.digest)) {
                self.pending.push_front(Pending::Parsed(depth, listed));
                return Ok(Some(Step { depth, entry }));
            }
        }
        Ok(None)
    }
}

/// The entries of an index, reduced to digest, size, media type and platform: annotations and URLs in a list are not
/// trusted.
pub(super) fn children(index: Index) -> Vec<Descriptor> {
    index.manifests.into_iter().map(|child| Descriptor { platform: child.platform.clone(), ..child.bare() }).collect()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Context;
    use std::task::Poll;
    use std::task::Waker;

    use super::*;
    use crate::oci::media_type;
    use crate::store::Memory;
    use crate::store::Sink as _;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("a store in memory waited"),
        }
    }

    /// An index of `children`; `name` makes it another one.
    fn index(name: &str, children: &[&Content]) -> Content {
        let entry = |child: &&Content| {
            let Descriptor { media_type, digest, size, .. } = child.descriptor();
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
        };
        let entries = children.iter().map(entry).collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"schemaVersion":2,"annotations":{{"name":"{name}"}},"manifests":[{entries}]}}"#);
        Content::name(media_type::OCI_INDEX, text.into_bytes())
    }

    /// `top` lists `a` and `b`, `a` lists `c` and `b`, `b` lists `d`.
    #[test]
    fn children_come_before_or_after_their_siblings_and_each_once() {
        let (c, d) = (index("c", &[]), index("d", &[]));
        let b = index("b", &[&d]);
        let a = index("a", &[&c, &b]);
        let top = index("top", &[&a, &b, &a]);
        let all = [("a", &a), ("b", &b), ("c", &c), ("d", &d)];
        let memory = Memory::new(Limits::DEFAULT);
        let order = |later: bool| {
            let mut walk = Walk::new(&memory, &Limits::DEFAULT);
            walk.descend(0, Index::parse(&top, &Limits::DEFAULT).unwrap());
            let mut order = String::new();
            while let Some(Step { depth, entry }) = walk.next_child().unwrap() {
                let (name, content) = all.iter().find(|(_, content)| *content.digest() == entry.digest).unwrap();
                order += &format!("{name}{depth} ");
                match later {
                    true => walk.descend_later(depth, (*content).clone()),
                    false => walk.descend(depth, Index::parse(content, &Limits::DEFAULT).unwrap()),
                }
            }
            order
        };
        assert_eq!(order(false), "a1 c2 b2 d3 ");
        assert_eq!(order(true), "a1 b1 c2 d2 ");
    }

    /// Neither manifest is there; where the budget is exhausted, that is not found out.
    #[test]
    fn nothing_is_fetched_that_the_budget_does_not_pay_for() {
        let (one, two) = (index("one", &[]), index("two", &[]));
        let both = [one.descriptor().clone(), two.descriptor().clone()];
        let bytes = one.descriptor().size + two.descriptor().size;
        let memory = Memory::new(Limits::DEFAULT);
        let exhausted = |error: &StoreError| matches!(error, StoreError::TooMany { .. });
        for (manifests, bytes, enough) in [(2, bytes, true), (1, bytes, false), (2, bytes - 1, false)] {
            let limits = Limits::DEFAULT.with(|limits| {
                limits.graph.manifests = manifests;
                limits.graph.bytes = bytes;
            });
            let error = now(Walk::new(&memory, &limits).fetch_new(&both)).unwrap_err();
            assert_eq!((error.is_not_found(), exhausted(&error)), (enough, !enough), "{error}");

            let mut walk = Walk::new(&memory, &limits);
            assert!(now(walk.fetch(&both[0])).unwrap().unwrap_err().is_not_found());
            match now(walk.fetch(&both[1])) {
                Ok(fetched) => assert!(enough && fetched.unwrap_err().is_not_found()),
                Err(error) => assert!(!enough && exhausted(&error), "{error}"),
            }
        }
        let limits = Limits::DEFAULT.with(|limits| limits.graph.manifests = 1);
        let mut walk = Walk::new(&memory, &limits);
        walk.count().unwrap();
        assert!(exhausted(&walk.count().unwrap_err()));
    }

    #[test]
    fn what_is_entered_is_not_fetched_again_with_a_list() {
        let (one, two) = (index("one", &[]), index("two", &[]));
        let memory = Memory::new(Limits::DEFAULT);
        for content in [&one, &two] {
            let _pushed = now(memory.push_manifest(content, None)).unwrap();
        }
        let mut walk = Walk::new(&memory, &Limits::DEFAULT);
        assert!(walk.enter(*one.digest()));
        assert!(!walk.enter(*one.digest()));
        let fetched = now(walk.fetch_new(&[one.descriptor().clone(), two.descriptor().clone()])).unwrap();
        assert_eq!(fetched.iter().map(Content::digest).collect::<Vec<_>>(), [two.digest()]);
    }

    #[test]
    fn a_depth_over_the_limit_is_refused() {
        let memory = Memory::new(Limits::DEFAULT);
        let walk = Walk::new(&memory, &Limits::DEFAULT);
        let (digest, limit) = (Digest::sha256(b"deep"), Limits::DEFAULT.graph.index_depth);
        walk.check_depth(digest, limit).unwrap();
        assert!(matches!(walk.check_depth(digest, limit + 1), Err(OpsError::TooDeep { .. })));
    }
}
