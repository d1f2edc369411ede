//! The traversal of all that is attached to an image: children of indexes, referrers, and manifests at cosign's tags.
//!
//! The order is depth first: below each manifest its children, then its referrers, then the manifests at its cosign
//! tags, and below each of these the same before the next one. The user is handed one [`WalkStep`] after the other, says
//! with [`Walk::follow`] below which manifests the walk goes on, and decides what an error means.
//!
//! The walk ends: each manifest and each unsupported entry is paid for out of the budget, and the user follows a digest once
//! ([`Walk::enter`]) and to a limited depth. What an exhausted budget does not pay for is reported, never left out.

use std::vec;

use crate::digest::Digest;
use crate::oci::Content;
use crate::oci::Descriptor;
use crate::oci::media_type;
use crate::ops::walk::Walk;
use crate::ops::walk::pending::Attached;
use crate::ops::walk::pending::FetchAnswer;
use crate::ops::walk::pending::Part;
use crate::ops::walk::pending::Pending;
use crate::ops::walk::pending::WalkPosition;
use crate::ordered;
use crate::store::StoreError;

/// How the manifests of a list are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Fetching {
    /// Those of a list that are not entered yet, several at a time, before the first of them is returned.
    Ahead,
    /// Each when it is its turn, again wherever it is attached.
    InTurn,
}

/// Which manifests below one are followed.
#[derive(Clone, Debug)]
pub(in crate::ops) enum Follow {
    /// The children, if it is an index.
    Children(Vec<Descriptor>),
    /// The children, the referrers, and the manifests at cosign's tags.
    Everything(Vec<Descriptor>),
}

/// A manifest of the walk, as it was fetched.
#[derive(Clone, Debug)]
pub(in crate::ops) struct Visit {
    /// The manifest above it.
    pub(in crate::ops) above: WalkPosition,
    pub(in crate::ops) attached: Attached,
    pub(in crate::ops) content: Content,
    pub(in crate::ops) position: WalkPosition,
}

/// What comes next in a walk.
#[derive(Debug)]
pub(in crate::ops) enum WalkStep {
    /// All children of an index, and all that is below them, were returned.
    ChildrenEnd,
    /// A manifest, a list of referrers or a tag below `above` could not be fetched.
    Failed {
        above: WalkPosition,
        /// The manifest; `None` for a list or tag.
        digest: Option<Digest>,
        error: StoreError,
    },
    /// The budget does not pay for the next manifest below `above`. Nothing else below it is returned.
    Exhausted { above: WalkPosition, error: StoreError },
    /// A manifest.
    Manifest(Visit),
    /// A referrer of `above` whose media type is not supported: it is counted, and not fetched.
    Unsupported { above: WalkPosition, entry: Descriptor },
}

impl Walk<'_> {
    /// Goes on below the manifest at `above`, before anything else that is pending.
    pub(in crate::ops) fn follow(&mut self, above: WalkPosition, follow: Follow) {
        let mut push = |part| self.attached.push(Pending { above, part });
        let children = match follow {
            Follow::Children(children) => children,
            Follow::Everything(children) => {
                push(Part::Tags);
                push(Part::Referrers);
                children
            }
        };
        push(Part::ChildrenEnd);
        push(Part::Children(children.into_iter()));
    }

    /// The next step of the depth-first traversal; `None` only when nothing is pending. Failures and an exhausted
    /// budget are steps too: nothing is left out without one.
    pub(in crate::ops) async fn next_attached(&mut self, fetching: Fetching) -> Option<WalkStep> {
        loop {
            let Pending { above, part } = self.attached.pop()?;
            let step = match part {
                Part::Children(list) => self.next_child_of(above, list, fetching).await,
                Part::ChildrenEnd => Some(WalkStep::ChildrenEnd),
                Part::Fetched(attached, mut list) => list.next().map(|(digest, fetched)| {
                    self.put_back(above, Part::Fetched(attached.clone(), list));
                    match fetched {
                        Ok(content) => self.visit(above, attached, content),
                        Err(error) => WalkStep::Failed { above, digest: Some(digest), error },
                    }
                }),
                Part::Listed(list) => self.next_listed(above, list, fetching).await,
                Part::Referrers => match self.referrers(&above.digest).await {
                    Ok(mut listed) => {
                        if fetching == Fetching::Ahead {
                            // What is not fetched comes first: the others are fetched together.
                            listed.sort_by_key(|entry| media_type::is_read(&entry.media_type));
                        }
                        self.put_back(above, Part::Listed(listed.into_iter()));
                        None
                    }
                    Err(error) => Some(WalkStep::Failed { above, digest: None, error }),
                },
                Part::Tagged(mut list) => list.next().map(|(tag, content)| match self.pay(content.descriptor()) {
                    Ok(()) => {
                        self.put_back(above, Part::Tagged(list));
                        self.visit(above, Attached::Tag(tag), content)
                    }
                    Err(error) => self.exhausted(above, error),
                }),
                Part::Tags => match self.cosign_tags(&above.digest).await {
                    Ok(tagged) => {
                        self.put_back(above, Part::Tagged(tagged.into_iter()));
                        None
                    }
                    Err(error) => Some(WalkStep::Failed { above, digest: None, error }),
                },
            };
            if step.is_some() {
                return step;
            }
        }
    }

    async fn next_child_of(
        &mut self,
        above: WalkPosition,
        mut list: vec::IntoIter<Descriptor>,
        fetching: Fetching,
    ) -> Option<WalkStep> {
        if fetching == Fetching::Ahead {
            return self.fetch_ahead(above, Attached::Child(None), list.as_slice()).await;
        }
        let mut child = list.next()?;
        self.put_back(above, Part::Children(list));
        let attached = Attached::Child(child.platform.take());
        Some(self.fetch_one(above, attached, &child).await)
    }

    async fn next_listed(
        &mut self,
        above: WalkPosition,
        mut list: vec::IntoIter<Descriptor>,
        fetching: Fetching,
    ) -> Option<WalkStep> {
        let is_read = media_type::is_read(&list.as_slice().first()?.media_type);
        if is_read && fetching == Fetching::Ahead {
            return self.fetch_ahead(above, Attached::Referrer, list.as_slice()).await;
        }
        let entry = list.next()?;
        self.put_back(above, Part::Listed(list));
        if is_read {
            return Some(self.fetch_one(above, Attached::Referrer, &entry).await);
        }
        Some(match self.count() {
            Ok(()) => {
                self.number = self.number.saturating_add(1);
                WalkStep::Unsupported { above, entry }
            }
            Err(error) => self.exhausted(above, error),
        })
    }

    /// Fetches the new entries of a list together; later steps return them one by one. If a child fails, only its
    /// error is returned. A failed entry for a referrer is dropped if another entry for the same manifest succeeded.
    async fn fetch_ahead(&mut self, above: WalkPosition, attached: Attached, list: &[Descriptor]) -> Option<WalkStep> {
        let new = self.new_of(list);
        let mut fetched = match self.fetch_all(&new).await {
            Ok(fetched) => fetched,
            Err(error) => return Some(self.exhausted(above, error)),
        };
        if attached == Attached::Referrer {
            // An entry with a wrong size is no manifest that is missing where another entry gives the manifest. The media
            // type decides how it is read, so it has to be the same.
            let identity = |entry: &&Descriptor| (entry.digest, entry.media_type.clone());
            let entries: Vec<_> = new.iter().map(identity).collect();
            let there = entries.iter().zip(&fetched).filter(|(_, (_, one))| one.is_ok()).map(|(entry, _)| entry);
            let there = ordered::set(there.cloned());
            let kept =
                |(entry, answer): (_, FetchAnswer)| (answer.1.is_ok() || !there.contains(&entry)).then_some(answer);
            fetched = entries.into_iter().zip(fetched).filter_map(kept).collect();
        } else if let Some(missing) = fetched.iter().position(|(_, one)| one.is_err()) {
            // Nothing below the other children is asked for where one is missing.
            fetched.swap(0, missing);
            fetched.truncate(1);
        }
        self.put_back(above, Part::Fetched(attached, fetched.into_iter()));
        None
    }

    async fn fetch_one(&mut self, above: WalkPosition, attached: Attached, entry: &Descriptor) -> WalkStep {
        match self.fetch(entry).await {
            Ok(Ok(content)) => self.visit(above, attached, content),
            Ok(Err(error)) => WalkStep::Failed { above, digest: Some(entry.digest), error },
            Err(error) => self.exhausted(above, error),
        }
    }

    fn visit(&mut self, above: WalkPosition, attached: Attached, content: Content) -> WalkStep {
        self.number = self.number.saturating_add(1);
        let (index_depth, referrer_depth) = match &attached {
            Attached::Child(_) => (above.index_depth + 1, above.referrer_depth),
            Attached::Referrer | Attached::Tag(_) => (0, above.referrer_depth + 1),
        };
        let (depth, digest, number) = (above.depth + 1, *content.digest(), self.number);
        let position = WalkPosition { depth, digest, index_depth, number, referrer_depth };
        WalkStep::Manifest(Visit { above, attached, content, position })
    }

    /// The step for an exhausted budget. Drops what is pending directly below `above`.
    fn exhausted(&mut self, above: WalkPosition, error: StoreError) -> WalkStep {
        self.attached.retain(|pending| pending.above.number != above.number);
        WalkStep::Exhausted { above, error }
    }

    fn put_back(&mut self, above: WalkPosition, part: Part) {
        self.attached.push(Pending { above, part });
    }
}
