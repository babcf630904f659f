// SPDX-License-Identifier: Apache-2.0
//! Several replicas, one Secret, one configuration and an API server that is late: every order in which things may
//! happen, up to a number of them. What a replica serves is trusted by the API server at every moment, unless somebody
//! emptied the bundle; then it is again after the replica's next pass, whether or not the Secret can be read.
//!
//! What is decided is decided by [`plan`](crate::plan::plan), [`outcome`](crate::settle::outcome), [`Wish`] and
//! [`Handover`]; the model brings the order of a keeper's pass, compare-and-swap, time and mishaps. Certificates are
//! issued once for each situation, so that equal worlds are equal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod explored;
mod issued;
mod pass;

use self::explored::explored;
use self::issued::{CaId, Issued, PairId};
use self::pass::{FRESH, Phase, Replica};
use super::*;
use crate::fixtures::noon;
use crate::trust::Trusted;

/// Both clocks go in these steps.
const TICK: Duration = Duration::from_secs(1);
/// Waited before a leaf of a new CA is served.
const PROPAGATION: Duration = Duration::from_secs(2);
/// How long the API server may work with a configuration that was replaced.
const LAG: u32 = 1;

fn at(now: u32) -> SystemTime {
    noon() + now * TICK
}

/// A bundle in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bundle {
    cas: Vec<CaId>,
    /// Replicas that have not looked since the bundle was emptied and cannot help it that their CA is lacking.
    excused: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    now: u32,
    secret: Option<PairId>,
    /// The bundle in the configuration.
    configured: Bundle,
    /// Bundles of the API server: the one it works with and those it is going to hear of, each with the moment at
    /// which it was replaced.
    heard: Vec<(Bundle, u32)>,
    replicas: Vec<Replica>,
    /// Who has ended its pass and left its own CA out.
    negligent: Option<usize>,
    /// How often the Secret may still be deleted or not be read, the bundle be emptied, and a replica be started anew.
    mishaps: u32,
}

impl World {
    /// A Secret that everybody serves and the API server trusts.
    fn in_order(issued: &Issued, pair: PairId, replicas: usize) -> Self {
        let bundle = issued.pairs[pair].bundle.clone();
        let replica = Replica { serves: Some(pair), first_carried_since: Some(0), is_asked: true, ..FRESH };
        Self {
            now: 0,
            secret: Some(pair),
            configured: Bundle { cas: bundle, excused: Vec::new() },
            heard: Vec::new(),
            replicas: vec![replica; replicas],
            negligent: None,
            mishaps: 0,
        }
    }

    /// The bundle that the API server works with.
    fn trusted(&self) -> &Bundle {
        self.heard.first().map_or(&self.configured, |(bundle, _)| bundle)
    }

    /// Who is asked and serves what the API server does not trust, although it could have been helped.
    fn distrusted(&self, issued: &Issued) -> Option<usize> {
        let Bundle { cas, excused } = self.trusted();
        let is_distrusted = |index: &usize| {
            let replica = &self.replicas[*index];
            let serves = replica.serves.filter(|_| replica.is_asked);
            serves.is_some_and(|pair| !cas.contains(&issued.pairs[pair].anchor)) && !excused.contains(index)
        };
        self.negligent.or_else(|| (0..self.replicas.len()).find(is_distrusted))
    }

    /// Whether somebody serves what has expired: nobody did anything for a third of a leaf's life.
    fn has_expired(&self, issued: &Issued) -> bool {
        let mut serves = self.replicas.iter().filter_map(|replica| replica.serves);
        serves.any(|pair| at(self.now) >= issued.pairs[pair].pair.leaf.certificate.not_after)
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        change(&mut world);
        world
    }

    fn tick(&mut self) {
        self.now += 1;
        let now = self.now;
        self.heard.retain(|(_, replaced)| now - replaced <= LAG);
    }

    fn write(&mut self, pair: Option<PairId>) {
        self.secret = pair;
        for replica in &mut self.replicas {
            replica.read_is_current = false;
        }
    }

    fn configure(&mut self, bundle: Bundle) {
        let replaced = std::mem::replace(&mut self.configured, bundle);
        self.heard.push((replaced, self.now));
        for replica in &mut self.replicas {
            replica.seen.is_current = false;
        }
    }
}

impl explored::World for World {
    type Beside = Issued;

    fn successors(&self, issued: &mut Issued) -> Vec<(String, Self)> {
        let mut next = Vec::new();
        let later = self.changed(Self::tick);
        if !later.has_expired(issued) {
            next.push(("time".to_owned(), later));
        }
        if !self.heard.is_empty() {
            next.push(("the API server hears".to_owned(), self.changed(|world| drop(world.heard.remove(0)))));
        }
        for index in 0..self.replicas.len() {
            let mut world = self.clone();
            world.acts(index, issued);
            next.push((format!("{index}: {:?}", self.replicas[index].phase), world));
        }
        if self.mishaps > 0 {
            for index in 0..self.replicas.len() {
                let started = self.changed(|world| {
                    world.mishaps -= 1;
                    world.replicas[index] = FRESH;
                });
                next.push((format!("{index}: starts anew"), started));
            }
            for index in 0..self.replicas.len() {
                if self.replicas[index].phase == Phase::Looked {
                    let failed = self.changed(|world| {
                        world.mishaps -= 1;
                        world.replicas[index].phase = Phase::Failed;
                    });
                    next.push((format!("{index}: cannot read the Secret"), failed));
                }
            }
            let emptied = self.changed(|world| {
                world.mishaps -= 1;
                let excused = (0..world.replicas.len()).collect();
                world.configure(Bundle { cas: Vec::new(), excused });
            });
            next.push(("the bundle is emptied".to_owned(), emptied));
            let deleted = self.changed(|world| {
                world.mishaps -= 1;
                world.write(None);
            });
            next.push(("the Secret is deleted".to_owned(), deleted));
        }
        next
    }

    fn fault(&self, issued: &Issued) -> Option<String> {
        self.distrusted(issued).map(|replica| format!("replica {replica} is distrusted"))
    }
}

thread_local! {
    /// The start of the monotonic clock.
    static START: Instant = Instant::now();
}

fn instant(now: u32) -> Instant {
    START.with(|start| *start) + now * TICK
}

fn since_start(moment: Instant) -> u32 {
    let seconds = START.with(|start| moment.duration_since(*start)).as_secs();
    u32::try_from(seconds).unwrap()
}

#[test]
fn whoever_is_asked_serves_what_is_trusted_whatever_happens() {
    // The age of the CA, which is due at 16, and of the leaf, which is due at 6; how many steps, how many mishaps.
    for (ca_age, leaf_age, depth, mishaps) in [(16, 2, 16, 1), (16, 2, 11, 2), (1, 6, 13, 2), (1, 1, 13, 2)] {
        let (mut issued, pair) = Issued::pair(ca_age, leaf_age);
        let start = World { mishaps, ..World::in_order(&issued, pair, 2) };
        match explored(start, &mut issued, depth) {
            Ok(worlds) => assert!(worlds > 10_000, "only {worlds} worlds"),
            Err(path) => panic!("a CA of {ca_age}, a leaf of {leaf_age}:\n{}", path.join("\n")),
        }
    }
}
