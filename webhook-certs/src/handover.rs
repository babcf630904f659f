// SPDX-License-Identifier: Apache-2.0
//! Which pair is served, and when the next one takes over.
//!
//! A leaf of the same CA is served at once: everybody who trusts the bundle trusts it. A leaf of a new CA would fail
//! every admission until the API servers have seen the new bundle, so the old leaf is served on until every
//! configuration carries the bundle and API servers, which read configurations through a watch, had time to notice.
//! Pure: both clocks are arguments.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::candidate::Candidate;
use crate::inspect::Certificate;
use crate::wish::Wish;

/// What is served and what waits to be.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    served: Option<Candidate>,
    next: Option<Next>,
    /// Since when every configuration carries a bundle of ours: what is served first waits for nobody, but those who
    /// send requests here have to wait.
    first_carried_since: Option<Instant>,
    /// Whether API servers knew the bundle already when what is served first was.
    was_long_carried: bool,
}

/// For how long configurations carry the bundle that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// It was written just now.
    Anew,
    /// It was there; perhaps another replica wrote it a moment ago.
    Already,
    /// It was there for longer than any API server takes to notice.
    Long,
}

/// A candidate of a new CA that waits for the API servers.
#[derive(Debug)]
struct Next {
    candidate: Candidate,
    /// Since when every configuration carries its bundle.
    carried_since: Option<Instant>,
}

impl Handover {
    /// Takes note of what the source holds. Returns the candidate if it is to be served now: also when its CA is
    /// published by others, since nothing here could tell when that has happened.
    pub(crate) fn offer(&mut self, candidate: Candidate, now: SystemTime) -> Option<&Candidate> {
        let replaces = match &self.served {
            None => true,
            Some(served) => {
                now >= served.leaf.certificate.not_after
                    || candidate.anchor.is_none()
                    || served.anchor == candidate.anchor
            }
        };
        if replaces {
            self.next = None;
            if self.served.as_ref() == Some(&candidate) {
                return None;
            }
            return Some(self.served.insert(candidate));
        }
        let same = self.next.as_ref().filter(|next| next.candidate.bundle() == candidate.bundle());
        let carried_since = same.and_then(|next| next.carried_since);
        self.next = Some(Next { candidate, carried_since });
        None
    }

    /// Takes note that every configuration was seen to carry the bundle, and for how long.
    pub(crate) fn note_carried(&mut self, at: Instant, carried: Carried) {
        self.note_kept(at, carried);
        if let Some(next) = &mut self.next
            && (carried == Carried::Anew || next.carried_since.is_none())
        {
            next.carried_since = Some(at);
        }
    }

    /// Takes note that every configuration was seen to carry what [`Handover::kept`] needs, and for how long. That says
    /// something of what is served, and nothing of what waits: its CA is needed only if it was carried before, and then
    /// it has waited since.
    pub(crate) fn note_kept(&mut self, at: Instant, carried: Carried) {
        if self.served.is_some() && self.first_carried_since.is_none() {
            self.first_carried_since = Some(at);
            self.was_long_carried = carried == Carried::Long;
        }
    }

    /// The waiting candidate if it is to be served now: API servers had `propagation` to notice, or what is served is of
    /// no use any more, because it expired or because the new bundle no longer trusts it.
    pub(crate) fn take_ripe(
        &mut self,
        now: SystemTime,
        at: Instant,
        propagation: Duration,
    ) -> Option<&Candidate> {
        let next = self.next.as_ref()?;
        let served = self.served.as_ref()?;
        let expired = now >= served.leaf.certificate.not_after;
        let noticed = next
            .carried_since
            .is_some_and(|since| !next.candidate.trusts(served) || at.duration_since(since) >= propagation);
        if !expired && !noticed {
            return None;
        }
        let next = self.next.take()?;
        Some(self.served.insert(next.candidate))
    }

    /// Whether API servers can know the CA of what is served: they had `propagation` to notice, or long before this
    /// process began, or nobody serves a leaf of another CA, so that waiting would help nobody.
    pub(crate) fn is_known(&self, at: Instant, propagation: Duration) -> bool {
        let is_alone = self.served.as_ref().is_none_or(|served| served.cas.len() <= 1);
        let needs_no_wait = is_alone || self.was_long_carried;
        self.first_carried_since.is_some_and(|since| needs_no_wait || at.duration_since(since) >= propagation)
    }

    /// How long until [`Handover::take_ripe`] or [`Handover::is_known`] is worth asking, if something waits.
    pub(crate) fn remaining(&self, at: Instant, propagation: Duration) -> Option<Duration> {
        let next = self.next.as_ref().and_then(|next| next.carried_since);
        let first = self.first_carried_since.filter(|_| !self.is_known(at, propagation));
        let since = [next, first].into_iter().flatten().min()?;
        Some((since + propagation).saturating_duration_since(at))
    }

    /// What configurations are to carry, as the source has it.
    pub(crate) fn wanted(&self) -> Wish {
        let waiting = self.next.as_ref().map(|next| &next.candidate);
        match waiting.or(self.served.as_ref()) {
            Some(Candidate { anchor: Some(_), cas, .. }) => Wish::Exactly(cas.clone()),
            _ => Wish::Nothing,
        }
    }

    /// What configurations must not lose while nobody knows what the source has now: the CAs of what is served here, or
    /// is about to be. Of what has ended nothing is needed.
    pub(crate) fn kept(&self, now: SystemTime) -> Wish {
        let next = self.next.as_ref().filter(|next| next.carried_since.is_some());
        let both = self.served.iter().chain(next.map(|next| &next.candidate));
        let valid: Vec<&Candidate> = both.filter(|it| now < it.leaf.certificate.not_after).collect();
        Wish::AtLeast {
            needed: valid.iter().filter_map(|it| it.anchor.clone()).collect(),
            cas: valid.iter().flat_map(|it| it.cas.clone()).collect(),
        }
    }

    /// What is served, and who has a bundle that verifies it: the newest that configurations carry.
    pub(crate) fn served(&self) -> Option<(&Candidate, &Candidate)> {
        let served = self.served.as_ref()?;
        let next = self.next.as_ref().filter(|next| next.carried_since.is_some());
        let trusting = next.map(|next| &next.candidate).filter(|candidate| candidate.trusts(served));
        Some((served, trusting.unwrap_or(served)))
    }

    /// The CA of the served leaf.
    pub(crate) fn serving_ca(&self) -> Option<&Certificate> {
        self.served.as_ref()?.anchor.as_ref()
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, leaf, noon};
    use crate::state::Pair;

    const PROPAGATION: Duration = Duration::from_secs(5);

    fn candidate() -> Candidate {
        crate::fixtures::pair(noon()).into()
    }

    /// A candidate of a new CA that still trusts `former`.
    fn successor(former: &Candidate) -> Candidate {
        Pair { older: former.cas.clone(), ..crate::fixtures::pair(noon()) }.into()
    }

    #[test]
    fn the_first_pair_and_leaves_of_the_same_ca_are_served_at_once() {
        let mut handover = Handover::default();
        let pair = crate::fixtures::pair(noon());
        let first = Candidate::from(pair.clone());
        assert_eq!(handover.offer(first.clone(), noon()), Some(&first));
        assert_eq!(handover.offer(first.clone(), noon()), None);
        let renewed = Candidate { leaf: leaf(&pair.ca, noon(), DAY), ..first };
        assert_eq!(handover.offer(renewed.clone(), noon()), Some(&renewed));
        assert_eq!(handover.take_ripe(noon(), Instant::now(), PROPAGATION), None);
    }

    #[test]
    fn a_new_ca_waits_for_configurations_and_propagation() {
        let at = Instant::now();
        let mut handover = Handover::default();
        let first = candidate();
        handover.offer(first.clone(), noon());
        let second = successor(&first);
        assert_eq!(handover.offer(second.clone(), noon()), None);
        assert_eq!(handover.wanted(), Wish::Exactly(second.cas.clone()));
        let kept = |needed: &[&Candidate], cas: &[&Candidate]| Wish::AtLeast {
            needed: needed.iter().filter_map(|it| it.anchor.clone()).collect(),
            cas: cas.iter().flat_map(|it| it.cas.clone()).collect(),
        };
        assert_eq!(handover.kept(noon()), kept(&[&first], &[&first]));
        assert_eq!(handover.served().unwrap().1, &first, "not carried yet");
        assert_eq!(
            handover.take_ripe(noon(), at + 10 * PROPAGATION, PROPAGATION),
            None,
            "never before it is carried"
        );
        handover.note_carried(at, Carried::Anew);
        assert_eq!(handover.served().unwrap().1, &second);
        assert_eq!(handover.kept(noon()), kept(&[&first, &second], &[&first, &second]));
        let end = first.leaf.certificate.not_after;
        assert_eq!(handover.kept(end), kept(&[], &[]), "both have ended");
        assert_eq!(handover.remaining(at, PROPAGATION), Some(PROPAGATION));
        // Seen again unchanged the wait goes on; written again it begins anew.
        handover.offer(second.clone(), noon());
        handover.note_carried(at + PROPAGATION / 2, Carried::Already);
        assert_eq!(handover.remaining(at + PROPAGATION / 2, PROPAGATION), Some(PROPAGATION / 2));
        handover.note_carried(at + PROPAGATION / 2, Carried::Anew);
        assert_eq!(handover.take_ripe(noon(), at + PROPAGATION, PROPAGATION), None);
        assert_eq!(handover.take_ripe(noon(), at + 2 * PROPAGATION, PROPAGATION), Some(&second));
        assert_eq!(handover.remaining(at + 2 * PROPAGATION, PROPAGATION), None);
    }

    #[test]
    fn a_served_leaf_that_is_of_no_use_is_not_waited_for() {
        let at = Instant::now();
        let first = candidate();
        let end = first.leaf.certificate.not_after;
        let mut handover = Handover::default();
        handover.offer(first.clone(), noon());
        let second = successor(&first);
        handover.offer(second.clone(), noon());
        assert_eq!(handover.take_ripe(end, at, PROPAGATION), Some(&second), "expired while waiting");
        let mut handover = Handover::default();
        handover.offer(first.clone(), noon());
        assert_eq!(handover.offer(second.clone(), end), Some(&second), "expired before");
        // A bundle that no longer trusts what is served: as soon as it is carried, waiting only fails admissions.
        let mut handover = Handover::default();
        handover.offer(first, noon());
        let stranger = candidate();
        handover.offer(stranger.clone(), noon());
        assert_eq!(handover.take_ripe(noon(), at, PROPAGATION), None);
        handover.note_carried(at, Carried::Anew);
        assert_eq!(handover.take_ripe(noon(), at, PROPAGATION), Some(&stranger));
    }

    #[test]
    fn who_starts_between_two_cas_waits_only_for_a_bundle_that_may_be_news() {
        let at = Instant::now();
        let second = successor(&candidate());
        for (carried, waits) in [(Carried::Anew, true), (Carried::Already, true), (Carried::Long, false)] {
            let mut handover = Handover::default();
            handover.offer(second.clone(), noon());
            assert!(!handover.is_known(at, PROPAGATION), "not carried yet");
            handover.note_carried(at, carried);
            assert_eq!(handover.is_known(at, PROPAGATION), !waits, "{carried:?}");
            assert_eq!(handover.remaining(at, PROPAGATION), waits.then_some(PROPAGATION), "{carried:?}");
            assert!(handover.is_known(at + PROPAGATION, PROPAGATION));
        }
        // What is found later says nothing about the beginning.
        let mut handover = Handover::default();
        handover.offer(second, noon());
        handover.note_carried(at, Carried::Anew);
        handover.note_carried(at, Carried::Long);
        assert!(!handover.is_known(at, PROPAGATION));
    }

    #[test]
    fn whose_ca_others_publish_is_served_at_once() {
        let mut handover = Handover::default();
        for _ in 0..2 {
            let found = Candidate { anchor: None, cas: vec![], ..candidate() };
            assert_eq!(handover.offer(found.clone(), noon()), Some(&found));
            assert_eq!(handover.wanted(), Wish::Nothing);
        }
        // A CA that is put there later is published, then it may serve.
        let known = candidate();
        assert_eq!(handover.offer(known.clone(), noon()), None);
        assert_eq!(handover.wanted(), Wish::Exactly(known.cas));
    }
}
