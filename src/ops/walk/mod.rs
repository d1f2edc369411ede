//! `Walk`: follows the manifests below one image, each digest once and within one budget.
//!
//! The invariant: no manifest that a list names is fetched before the budget has paid for it, none is returned with
//! another digest than the one that was asked for, and no digest is entered twice, so every walk ends, also over
//! manifests that refer to each other (threats: nesting-and-cycles). Nothing that a walk returns is trusted.
//!
//! The user of a walk drives it and decides what an error means and what stops the walk. There are two ways:
//!
//! - Over the children of indexes alone: [`Walk::next_child`] enters and returns the next child that was not entered
//!   before, the user checks its depth ([`Walk::check_depth`]), pays for it and fetches it ([`Walk::fetch`]), and goes on
//!   below it, depth first ([`Walk::descend`], as `sign` does) or breadth first ([`Walk::descend_later`], as `verify`).
//! - Over all that is attached, referrers and cosign tags included: [`Walk::next_attached`], for graphs and trees.
//!
//! What looks at one manifest, or at one level, uses the steps of a walk alone: `present` and the audit list what refers to
//! one subject ([`Walk::referrers`], [`Walk::cosign_tags`]) and pay for each manifest. The choice of a platform compares
//! every entry of a level, repeated ones included, before it fetches the indexes in it. `request new` describes an index
//! after the manifests in it, which it fetches together ([`Walk::fetch_all`]).

mod attached;
mod budget;
mod pending;
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
use crate::ops::walk::pending::FetchAnswer;
use crate::ops::walk::pending::Pending;
use crate::store::Source;
use crate::store::StoreError;
use crate::store::Task;
use crate::store::parallel;

pub(super) use attached::Fetching;
pub(super) use attached::Follow;
pub(super) use attached::Visit;
pub(super) use attached::WalkStep;
pub(super) use budget::EvidenceBudget;
pub(super) use budget::MAX_BATCH_BYTES;
pub(super) use pending::Attached;
pub(super) use pending::WalkPosition;
pub(super) use referrers::unreadable;

/// A walk over the manifests below one image.
pub(super) struct Walk<'a> {
    /// What is attached to manifests and was not returned yet, the next part last.
    attached: Vec<Pending>,
    budget: Budget<'a>,
    entered: BTreeSet<Digest>,
    /// The indexes whose children are not all entered, the next one first.
    indexes: VecDeque<PendingIndex>,
    limits: &'a Limits,
    /// The number of the position that was returned last.
    number: usize,
    source: &'a dyn Source,
}

/// An index whose children are not all entered, and how deep they are.
enum PendingIndex {
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

impl<'a> Walk<'a> {
    /// A walk that has entered nothing, with the whole budget of one image.
    pub(super) fn new(source: &'a dyn Source, limits: &'a Limits) -> Self {
        Self {
            attached: Vec::new(),
            budget: Budget::of(source, limits),
            entered: BTreeSet::new(),
            indexes: VecDeque::new(),
            limits,
            number: 0,
            source,
        }
    }

    /// A new budget for the evidence of one subject.
    pub(super) const fn evidence(&self) -> EvidenceBudget {
        self.budget.evidence()
    }

    /// Enters a manifest; returns whether its digest is new.
    pub(super) fn enter(&mut self, digest: Digest) -> bool {
        self.entered.insert(digest)
    }

    /// Begins with another image, with what is left of the budget: nothing is entered and nothing pending.
    pub(super) fn next_image(&mut self) {
        self.entered.clear();
        self.attached.clear();
        self.indexes.clear();
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

    /// Pays for a blob and its declared size out of the budget, before it is fetched.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: the budget is exhausted.
    pub(super) fn pay_blob(&mut self, blob: &Descriptor) -> Result<(), StoreError> {
        self.budget.pay_blob(blob)
    }

    /// Pays for a manifest and fetches it by its digest. The inner result is that of the fetch.
    ///
    /// # Errors
    /// [`StoreError::TooMany`]: the budget is exhausted, and nothing was asked for.
    pub(super) async fn fetch(&mut self, entry: &Descriptor) -> Result<Result<Content, StoreError>, StoreError> {
        self.pay(entry)?;
        Ok(pinned::manifest(self.source, entry).await)
    }

    /// Those of `entries` that are not entered yet.
    pub(super) fn new_of<'e>(&self, entries: &'e [Descriptor]) -> Vec<&'e Descriptor> {
        entries.iter().filter(|entry| !self.entered.contains(&entry.digest)).collect()
    }

    /// Fetches `entries`, eight at a time, and returns the outcome of each fetch beside the digest that was asked for, in
    /// their order. Enters none of them.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] where the budget does not pay for all of them: then none is fetched.
    pub(super) async fn fetch_all(&mut self, entries: &[&Descriptor]) -> Result<Vec<FetchAnswer>, StoreError> {
        const AT_ONCE: usize = 8;
        // All of them are paid for before the first is fetched: they are held in memory together.
        for entry in entries {
            self.budget.pay(entry)?;
        }
        let source = self.source;
        let tasks = entries.iter().map(|&entry| -> Task<'_, FetchAnswer> {
            Box::pin(async move { (entry.digest, pinned::manifest(source, entry).await) })
        });
        let tasks = tasks.collect();
        Ok(parallel::run(tasks, AT_ONCE).await)
    }

    /// Follows the children of an index at `depth` before what is pending: depth first.
    pub(super) fn descend(&mut self, depth: u64, index: Index) {
        self.indexes.push_front(PendingIndex::Parsed(depth + 1, children(index).into_iter()));
    }

    /// Follows the children of an index at `depth` after what is pending: breadth first. It is parsed at its turn.
    pub(super) fn descend_later(&mut self, depth: u64, index: Content) {
        self.indexes.push_back(PendingIndex::Received(depth + 1, index));
    }

    /// Enters and returns the next child that was not entered before; `None` at the end of the walk.
    ///
    /// # Errors
    /// [`ManifestError`] where the next index cannot be parsed.
    pub(super) fn next_child(&mut self) -> Result<Option<Step>, ManifestError> {
        while let Some(next) = self.indexes.pop_front() {
            let (depth, mut listed) = match next {
                PendingIndex::Received(depth, index) => {
                    (depth, children(Index::parse(&index, self.limits)?).into_iter())
                }
                PendingIndex::Parsed(depth, listed) => (depth, listed),
            };
            if let Some(entry) = listed.find(|entry| self.entered.insert(entry.digest)) {
                self.indexes.push_front(PendingIndex::Parsed(depth, listed));
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
        Content::from_bytes(media_type::OCI_INDEX, text.into_bytes())
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
            match now(Walk::new(&memory, &limits).fetch_all(&both.iter().collect::<Vec<_>>())) {
                Ok(fetched) => {
                    assert!(enough && fetched.iter().all(|(_, one)| one.as_ref().unwrap_err().is_not_found()));
                }
                Err(error) => assert!(!enough && exhausted(&error), "{error}"),
            }

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
        let listed = [one.descriptor().clone(), two.descriptor().clone()];
        let new = walk.new_of(&listed);
        let fetched = now(walk.fetch_all(&new)).unwrap();
        let fetched: Vec<_> = fetched.into_iter().map(|(_, fetched)| *fetched.unwrap().digest()).collect();
        assert_eq!(fetched, [*two.digest()]);
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
