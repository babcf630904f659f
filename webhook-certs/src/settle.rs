// SPDX-License-Identifier: Apache-2.0
//! From what is stored to what is right.
//!
//! Reads, asks [`crate::plan`], issues, writes by compare-and-swap, and begins anew when somebody else was faster:
//! the loser adopts what the winner wrote. However many replicas do this at once, they end with one CA.

use std::time::SystemTime;

use crate::inspect::{Certificate, Identity};
use crate::issue::{self, KeySource, Validity};
use crate::names::Names;
use crate::plan::{Lifetimes, Step, Why, needed, plan};
use crate::state::{Pair, State};
use crate::store::{Store, Written};

/// How often a lost race is run again before the loop takes a breath.
const ATTEMPTS: usize = 10;

/// Why nothing was settled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E: std::error::Error + 'static> {
    /// The store failed; worth trying again.
    #[error(transparent)]
    Store(E),
    /// Nothing can be issued; trying again would not help.
    #[error(transparent)]
    Issue(#[from] issue::Error),
    /// Others wrote all the time; worth trying again.
    #[error("others changed the Secret {ATTEMPTS} times in a row: see that nothing else writes it")]
    Contended,
}

/// What the store holds now.
#[derive(Debug)]
pub struct Settled {
    /// The pair to serve and to publish.
    pub pair: Pair,
    /// Until when nothing needs to be done.
    pub until: SystemTime,
    /// Why something was written, if it was by this call.
    pub wrote: Option<Why>,
}

/// What everybody who settles must agree on.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Names of the leaf.
    pub names: &'a Names,
    /// Lifetimes of what is issued.
    pub lifetimes: &'a Lifetimes,
    /// Where keys come from.
    pub keys: &'a dyn KeySource,
    /// CAs whose leaves somebody may serve at present: they stay in the bundle of a new CA, even when the Secret no
    /// longer knows them.
    pub in_use: &'a [Certificate],
}

/// Reads the store and puts it right if it is not.
///
/// # Errors
/// See [`Error`].
pub async fn settle<S: Store>(
    store: &S,
    wanted: Wanted<'_>,
    now: SystemTime,
) -> Result<Settled, Error<S::Error>> {
    let mut wrote = None;
    for _ in 0..ATTEMPTS {
        let stored = store.read().await.map_err(Error::Store)?;
        let state = State::of(stored.as_ref().map(|found| &found.entries));
        let made = match (plan(&state, wanted.names, wanted.lifetimes, now), state) {
            (Step::Nothing { until }, State::Pair(pair)) => return Ok(Settled { pair, until, wrote }),
            (step, state) => outcome(step, &state, wanted, now)?,
        };
        // Without a pair there is always something to do.
        let Some((next, why)) = made else { continue };
        // What was written is read back by the next turn: it must satisfy the same plan as anybody else's.
        match store.write(&next.entries(), stored.as_ref()).await.map_err(Error::Store)? {
            Written::Won => wrote = Some(why),
            Written::Lost => wrote = None,
        }
    }
    Err(Error::Contended)
}

/// What a step makes of a state, and why; `None` where there is nothing to do.
pub(crate) fn outcome(
    step: Step,
    state: &State,
    wanted: Wanted<'_>,
    now: SystemTime,
) -> Result<Option<(Pair, Why)>, issue::Error> {
    Ok(match step {
        Step::Nothing { .. } => None,
        Step::IssueAll { why } => Some((all(state, wanted, now)?, why)),
        Step::RenewLeaf { why } => Some((renewed(state, wanted, now, &why)?, why)),
        Step::DropFormerCas => Some((without_former(state, wanted, now)?, Why::FormerCa)),
    })
}

/// A new CA with a new leaf. The bundle keeps the CAs whose leaves may be served at this moment: those that are known
/// to be in use, and those that the Secret knows.
fn all(state: &State, wanted: Wanted<'_>, now: SystemTime) -> Result<Pair, issue::Error> {
    let ca = issue::ca(wanted.keys, Validity::starting(now, wanted.lifetimes.ca())?)?;
    let leaf = fresh_leaf(&ca, wanted.names, wanted, now)?;
    let known: Vec<&Certificate> = match state {
        State::Broken { cas, .. } => cas.iter().collect(),
        State::Leafless { ca, older, .. } | State::Pair(Pair { ca, older, .. }) => {
            std::iter::once(&ca.certificate).chain(older).collect()
        }
        State::Absent => Vec::new(),
    };
    let former: Vec<Certificate> = wanted.in_use.iter().chain(known).cloned().collect();
    let older = needed(&ca.certificate, &former, wanted.lifetimes, now);
    Ok(Pair { ca, older, leaf })
}

/// The same CA and leaf, without the former CAs that are needed no longer.
fn without_former(state: &State, wanted: Wanted<'_>, now: SystemTime) -> Result<Pair, issue::Error> {
    let State::Pair(Pair { ca, older, leaf }) = state else {
        return all(state, wanted, now);
    };
    let older = needed(&ca.certificate, older, wanted.lifetimes, now);
    Ok(Pair { ca: ca.clone(), older, leaf: leaf.clone() })
}

/// The same CAs, without those that are needed no longer, and a new leaf.
fn renewed(state: &State, wanted: Wanted<'_>, now: SystemTime, why: &Why) -> Result<Pair, issue::Error> {
    let (ca, older, names) = match state {
        // Somebody else's present wishes are met too: two releases side by side must not replace each other's
        // certificate in turns. The next ordinary renewal forgets names that nobody asks for.
        State::Pair(pair) if matches!(why, Why::Names(_)) => {
            let held = pair.leaf.certificate.names.iter().cloned();
            (&pair.ca, &pair.older, wanted.names.clone().with(held))
        }
        State::Pair(Pair { ca, older, .. }) | State::Leafless { ca, older, .. } => {
            (ca, older, wanted.names.clone())
        }
        State::Absent | State::Broken { .. } => return all(state, wanted, now),
    };
    // A CA that somebody else put there may be one this crate cannot sign with, or not so that others can verify it.
    let leaf = match fresh_leaf(ca, &names, wanted, now) {
        Ok(leaf) if leaf.certificate.is_signed_by(&ca.certificate) => leaf,
        Ok(_) | Err(issue::Error::Certificate(_)) => return all(state, wanted, now),
        Err(error) => return Err(error),
    };
    let older = needed(&ca.certificate, older, wanted.lifetimes, now);
    Ok(Pair { ca: ca.clone(), older, leaf })
}

/// A leaf that begins now.
fn fresh_leaf(
    ca: &Identity,
    names: &Names,
    wanted: Wanted<'_>,
    now: SystemTime,
) -> Result<Identity, issue::Error> {
    issue::leaf(wanted.keys, ca, names, Validity::starting(now, wanted.lifetimes.leaf())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::fixtures::{DAY, names, noon, pair};
    use crate::issue::SystemKeys;
    use crate::state::Entries;
    use crate::store::Stored;

    /// A store in memory that counts writes and hands over to others before each access, so that racers interleave.
    #[derive(Default)]
    struct Memory {
        held: Mutex<Option<(Entries, usize)>>,
        won: AtomicUsize,
        lost: AtomicUsize,
        versions: AtomicUsize,
    }

    impl Memory {
        fn holding(pair: &Pair) -> Self {
            Self { held: Mutex::new(Some((pair.entries(), usize::MAX))), ..Self::default() }
        }

        /// Overwrites one value; whether it was that already.
        fn spoil(&self, name: &str, value: &[u8]) -> bool {
            let mut held = self.held.lock().unwrap();
            held.as_mut().unwrap().0.insert(name.to_owned(), value.to_vec()).as_deref() == Some(value)
        }
    }

    impl Store for Memory {
        type Version = usize;
        type Error = Infallible;

        async fn read(&self) -> Result<Option<Stored<usize>>, Infallible> {
            tokio::task::yield_now().await;
            let held = self.held.lock().unwrap().clone();
            Ok(held.map(|(entries, version)| Stored { entries, version }))
        }

        async fn write(
            &self,
            entries: &Entries,
            over: Option<&Stored<usize>>,
        ) -> Result<Written, Infallible> {
            tokio::task::yield_now().await;
            let mut held = self.held.lock().unwrap();
            if held.as_ref().map(|(_, version)| *version) != over.map(|stored| stored.version) {
                self.lost.fetch_add(1, Ordering::Relaxed);
                return Ok(Written::Lost);
            }
            let version = self.versions.fetch_add(1, Ordering::Relaxed);
            *held = Some((entries.clone(), version));
            self.won.fetch_add(1, Ordering::Relaxed);
            Ok(Written::Won)
        }
    }

    fn wanted<'a>(names: &'a Names, lifetimes: &'a Lifetimes) -> Wanted<'a> {
        Wanted { names, lifetimes, keys: &SystemKeys, in_use: &[] }
    }

    #[tokio::test]
    async fn five_racers_end_with_one_pair_and_one_write() {
        let (names, lifetimes) = (names(), Lifetimes::default());
        for start in [None, Some(pair(noon()))] {
            let store = start.as_ref().map(Memory::holding).unwrap_or_default();
            // An old pair is due for a new leaf, an absent one for everything.
            let now = noon() + 89 * DAY;
            let racers = (0..5).map(|_| settle(&store, wanted(&names, &lifetimes), now));
            let ends = futures::future::join_all(racers).await;
            let ends: Vec<Settled> = ends.into_iter().map(Result::unwrap).collect();
            assert!(ends.iter().all(|end| end.pair == ends[0].pair));
            assert_eq!(ends.iter().filter(|end| end.wrote.is_some()).count(), 1);
            assert_eq!(store.won.load(Ordering::Relaxed), 1);
            assert_eq!(store.lost.load(Ordering::Relaxed), 4);
            if let Some(start) = start {
                assert_eq!(ends[0].pair.ca, start.ca);
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_written_at_rest() {
        let (names, lifetimes) = (names(), Lifetimes::default());
        let start = pair(noon());
        let store = Memory::holding(&start);
        let settled = settle(&store, wanted(&names, &lifetimes), noon()).await.unwrap();
        assert_eq!((settled.pair, settled.wrote), (start, None));
        assert_eq!(store.won.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_new_ca_keeps_the_former_one_in_the_bundle_while_it_is_valid() {
        let (names, lifetimes) = (names(), Lifetimes::default());
        let start = pair(noon());
        let store = Memory::holding(&start);
        let due = settle(&store, wanted(&names, &lifetimes), noon() + 2500 * DAY).await.unwrap();
        assert_eq!(due.wrote, Some(Why::CaDue));
        assert_eq!(due.pair.older, vec![start.ca.certificate.clone()]);
        // A leaf renewal much later drops what has expired since.
        let later = settle(&store, wanted(&names, &lifetimes), noon() + 3651 * DAY).await.unwrap();
        assert_eq!((later.wrote, later.pair.older), (Some(Why::Expired), vec![]));
        // With a second new CA soon after, leaves of all three may be served.
        let store = Memory::holding(&due.pair);
        assert!(!store.spoil(crate::state::CA_KEY, b"x"));
        let again = settle(&store, wanted(&names, &lifetimes), noon() + 2501 * DAY).await.unwrap();
        assert_eq!(again.pair.older, vec![due.pair.ca.certificate.clone(), start.ca.certificate.clone()]);
        let short = Lifetimes::new(2000 * DAY, 90 * DAY).unwrap();
        let store = Memory::holding(&due.pair);
        let again = settle(&store, wanted(&names, &short), noon() + 2500 * DAY + 80 * DAY).await.unwrap();
        assert_eq!(again.pair.older, vec![start.ca.certificate.clone()]);
        // An expired CA is not kept.
        let store = Memory::holding(&start);
        let expired = settle(&store, wanted(&names, &lifetimes), noon() + 3650 * DAY).await.unwrap();
        assert_eq!((expired.wrote, expired.pair.older), (Some(Why::CaExpired), vec![]));
    }

    #[tokio::test]
    async fn what_is_in_use_stays_trusted_when_the_secret_is_gone() {
        let (names, lifetimes) = (names(), Lifetimes::default());
        let served = [pair(noon()).ca.certificate];
        let wanted = Wanted { in_use: &served, ..wanted(&names, &lifetimes) };
        let settled = settle(&Memory::default(), wanted, noon()).await.unwrap();
        assert_eq!((settled.wrote, settled.pair.older), (Some(Why::Absent), served.to_vec()));
    }

    #[tokio::test]
    async fn two_releases_with_different_names_come_to_rest() {
        let lifetimes = Lifetimes::default();
        let store = Memory::default();
        let (a, b) = (Names::parse(["a", "x"]).unwrap(), Names::parse(["a", "y"]).unwrap());
        for names in [&a, &b, &a, &b, &a] {
            settle(&store, wanted(names, &lifetimes), noon()).await.unwrap();
        }
        assert_eq!(store.won.load(Ordering::Relaxed), 2);
        // The next ordinary renewal forgets what nobody asks for.
        let renewed = settle(&store, wanted(&a, &lifetimes), noon() + 80 * DAY).await.unwrap();
        assert_eq!(renewed.pair.leaf.certificate.names, a.iter().cloned().collect());
    }

    #[tokio::test]
    async fn every_spoiled_secret_is_put_right_by_one_write() {
        let (names, lifetimes) = (names(), Lifetimes::default());
        let start = pair(noon());
        let swap: Vec<(&str, Vec<u8>)> = start
            .entries()
            .into_keys()
            .flat_map(|name| {
                let name: &'static str =
                    [crate::state::LEAF, crate::state::LEAF_KEY, crate::state::CA, crate::state::CA_KEY]
                        .into_iter()
                        .find(|known| *known == name)
                        .unwrap();
                start.entries().into_values().chain([vec![], b"x".to_vec()]).map(move |value| (name, value))
            })
            .collect();
        for (name, value) in swap {
            let store = Memory::holding(&start);
            let unchanged = store.spoil(name, &value);
            let settled = settle(&store, wanted(&names, &lifetimes), noon()).await.unwrap();
            assert_eq!(settled.wrote.is_none(), unchanged, "{name}");
            assert_eq!(store.won.load(Ordering::Relaxed), usize::from(!unchanged), "{name}");
        }
    }
}
