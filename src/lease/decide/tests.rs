// SPDX-License-Identifier: Apache-2.0
//! What one candidate does, and that several never write at the same time, whatever happens in between.

use std::collections::HashSet;

use super::*;

const TERMS: Terms = Terms {
    duration: Duration::from_secs(15),
    hold: Duration::from_secs(10),
    renew: Duration::from_secs(2),
    look: Duration::from_secs(1),
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn record(holder: &str, version: u32) -> Record {
    let holder = (!holder.is_empty()).then(|| holder.to_owned());
    Record { holder, duration: Some(TERMS.duration), version: version.to_string() }
}

fn candidate() -> Candidate {
    Candidate::new("me".to_owned(), TERMS)
}

#[test]
fn the_terms_leave_a_third_for_requests_on_their_way() {
    assert_eq!(Terms::new(at(15)), TERMS);
}

#[test]
fn what_nobody_holds_is_taken_at_once() {
    let mut candidate = candidate();
    assert_eq!(candidate.step(at(0)), None);
    candidate.look(None, at(0));
    assert_eq!(candidate.step(at(0)), Some(Step::Create));
    candidate.look(Some(record("", 7)), at(1));
    assert_eq!(candidate.step(at(1)), Some(Step::Take("7".to_owned())));
    assert_eq!(candidate.holds_until(), None);
}

#[test]
fn a_holder_renews_and_writes_no_longer_than_it_may() {
    let mut candidate = candidate();
    candidate.wrote(record("me", 1), at(100));
    assert_eq!(candidate.holds_until(), Some(at(110)));
    assert_eq!(candidate.step(at(101)), Some(Step::Wait(at(1))));
    assert_eq!(candidate.step(at(102)), Some(Step::Renew("1".to_owned())));
    candidate.wrote(record("me", 2), at(102));
    assert_eq!(candidate.holds_until(), Some(at(112)));
    // Somebody else has it.
    candidate.look(Some(record("you", 3)), at(103));
    assert_eq!(candidate.holds_until(), None);
    assert_eq!(candidate.step(at(103)), Some(Step::Wait(TERMS.look)));
}

#[test]
fn an_answer_that_got_lost_gives_nothing_until_it_is_written_again() {
    let mut candidate = candidate();
    candidate.look(Some(record("me", 1)), at(50));
    assert_eq!(candidate.holds_until(), None);
    assert_eq!(candidate.step(at(50)), Some(Step::Renew("1".to_owned())));
}

#[test]
fn a_record_is_stale_when_it_has_not_changed_for_its_duration_by_our_clock() {
    let mut candidate = candidate();
    candidate.look(Some(record("you", 1)), at(10));
    candidate.look(Some(record("you", 1)), at(20));
    assert_eq!(candidate.step(at(24)), Some(Step::Wait(at(1))));
    assert_eq!(candidate.step(at(25)), Some(Step::Take("1".to_owned())));
    candidate.look(Some(record("you", 2)), at(25));
    assert_eq!(candidate.step(at(25)), Some(Step::Wait(at(1))));
    // Its holder may have asked for more.
    let long = Record { duration: Some(at(100)), ..record("you", 3) };
    candidate.look(Some(long), at(30));
    assert_eq!(candidate.step(at(129)), Some(Step::Wait(at(1))));
    assert_eq!(candidate.step(at(130)), Some(Step::Take("3".to_owned())));
    candidate.look(Some(Record { duration: None, ..record("you", 4) }), at(200));
    assert_eq!(candidate.step(at(215)), Some(Step::Take("4".to_owned())));
}

#[test]
fn a_deleted_object_is_made_again_when_its_holder_must_have_noticed() {
    let mut candidate = candidate();
    candidate.look(Some(record("you", 1)), at(10));
    candidate.look(None, at(12));
    assert_eq!(candidate.step(at(12)), Some(Step::Wait(at(1))));
    assert_eq!(candidate.step(at(25)), Some(Step::Create));
    // Its holder need not wait.
    candidate.wrote(record("me", 2), at(30));
    candidate.look(None, at(31));
    assert_eq!((candidate.holds_until(), candidate.step(at(31))), (None, Some(Step::Create)));
}

/// A few candidates, the store they write to, and a clock. A write reaches the store any time after it was decided and
/// its answer any time after that, or never.
#[derive(Clone, Debug, PartialEq, Eq)]
struct World {
    now: u64,
    store: Option<Record>,
    next: u32,
    replicas: Vec<Replica>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Replica {
    candidate: Candidate,
    flight: Flight,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Flight {
    /// Nothing is on its way.
    None,
    /// A write that the store has not seen.
    Sent { step: Step, at: u64 },
    /// An answer that the candidate has not seen.
    Answered { record: Option<Record>, at: u64 },
}

/// Short terms: the same order, fewer states.
const SHORT: Terms = Terms {
    duration: Duration::from_secs(3),
    hold: Duration::from_secs(2),
    renew: Duration::from_secs(1),
    look: Duration::from_secs(1),
};

impl World {
    fn new(replicas: usize) -> Self {
        let replica = |index: usize| Replica {
            candidate: Candidate::new(format!("r{index}"), SHORT),
            flight: Flight::None,
        };
        Self { now: 100, store: None, next: 1, replicas: (0..replicas).map(replica).collect() }
    }

    /// Everything that may happen next.
    fn successors(&self) -> Vec<Self> {
        let mut next = vec![self.changed(|world| world.now += 1)];
        for index in 0..self.replicas.len() {
            match &self.replicas[index].flight {
                Flight::None => {
                    next.push(self.changed(|world| world.acts(index)));
                    // The process dies, and another one takes its place.
                    next.push(self.changed(|world| {
                        world.replicas[index].candidate =
                            Candidate::new(format!("r{index}-{}", world.next), SHORT);
                        world.next += 1;
                    }));
                }
                Flight::Sent { .. } => {
                    next.push(self.changed(|world| world.lands(index)));
                    next.push(self.changed(|world| world.replicas[index].flight = Flight::None));
                }
                Flight::Answered { .. } => {
                    next.push(self.changed(|world| world.hears(index)));
                    next.push(self.changed(|world| world.replicas[index].flight = Flight::None));
                }
            }
        }
        next
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        change(&mut world);
        world
    }

    /// A holder acts on what it knows, everybody else looks first.
    fn acts(&mut self, index: usize) {
        let now = at(self.now);
        let candidate = &mut self.replicas[index].candidate;
        if candidate.holds_until().is_none_or(|until| until <= now) {
            candidate.look(self.store.clone(), now);
        }
        match candidate.step(now) {
            Some(Step::Wait(_)) | None => {}
            Some(step) => self.replicas[index].flight = Flight::Sent { step, at: self.now },
        }
    }

    /// The store takes a write of the version it has, and no other.
    fn lands(&mut self, index: usize) {
        let Flight::Sent { step, at } = self.replicas[index].flight.clone() else { return };
        let fits = match (&step, &self.store) {
            (Step::Create, None) => true,
            (Step::Take(version) | Step::Renew(version), Some(stored)) => *version == stored.version,
            _ => false,
        };
        let me = self.replicas[index].candidate.me.clone();
        let record = fits.then(|| {
            let version = self.next.to_string();
            self.next += 1;
            let record = Record { holder: Some(me), duration: Some(SHORT.duration), version };
            self.store = Some(record.clone());
            record
        });
        self.replicas[index].flight = Flight::Answered { record, at };
    }

    fn hears(&mut self, index: usize) {
        let Flight::Answered { record, at: sent } = self.replicas[index].flight.clone() else { return };
        let (store, now) = (self.store.clone(), at(self.now));
        let replica = &mut self.replicas[index];
        replica.flight = Flight::None;
        match record {
            Some(record) => replica.candidate.wrote(record, at(sent)),
            None => replica.candidate.look(store, now),
        }
    }

    fn writers(&self) -> usize {
        let now = at(self.now);
        let holds = |replica: &&Replica| replica.candidate.holds_until().is_some_and(|until| now < until);
        self.replicas.iter().filter(holds).count()
    }
}

/// Every order of events of this length, worlds that were seen before left out. Returns how many worlds there are.
fn explored(replicas: usize, depth: usize) -> usize {
    let mut seen = HashSet::new();
    let mut wave = vec![World::new(replicas)];
    let mut written = 0;
    for _ in 0..depth {
        let mut next = Vec::new();
        for world in wave {
            for follower in world.successors() {
                assert!(
                    follower.writers() <= 1,
                    "two write at the same time: {world:#?} and then {follower:#?}"
                );
                written = written.max(follower.writers());
                if seen.insert(format!("{follower:?}")) {
                    next.push(follower);
                }
            }
        }
        wave = next;
    }
    assert_eq!(written, 1, "nobody ever wrote");
    seen.len()
}

#[test]
fn two_never_write_at_the_same_time_whatever_happens() {
    assert!(explored(2, 12) > 10_000);
    assert!(explored(3, 10) > 10_000);
}
