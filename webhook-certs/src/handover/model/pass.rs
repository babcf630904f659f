// SPDX-License-Identifier: Apache-2.0
//! A replica's pass, step by step as the keeper goes: it looks at the configuration, reads the Secret, and publishes.

use super::*;

/// Where a replica is in its pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Between two passes.
    Rests,
    /// Has read the configuration.
    Looked,
    /// Has read a Secret that has to be written.
    Read(Option<PairId>),
    /// Has read a Secret in order, and serves what it holds or waits to.
    Offered,
    /// Could not read the Secret.
    Failed,
}

/// The configuration as a replica has read it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) bundle: Vec<CaId>,
    /// Whether it still is what was read.
    pub(super) is_current: bool,
    /// Whether the API server had heard of all bundles then.
    pub(super) is_settled: bool,
}

const NOTHING: Seen = Seen { bundle: Vec::new(), is_current: false, is_settled: false };

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Replica {
    pub(super) phase: Phase,
    pub(super) seen: Seen,
    /// Whether the Secret still is what was read.
    pub(super) read_is_current: bool,
    pub(super) serves: Option<PairId>,
    pub(super) waits: Option<(PairId, Option<u32>)>,
    pub(super) first_carried_since: Option<u32>,
    pub(super) was_long_carried: bool,
    /// Whether the API server sends it requests.
    pub(super) is_asked: bool,
}

pub(super) const FRESH: Replica = Replica {
    phase: Phase::Rests,
    seen: NOTHING,
    read_is_current: false,
    serves: None,
    waits: None,
    first_carried_since: None,
    was_long_carried: false,
    is_asked: false,
};

impl World {
    /// One step of a replica's pass, as the keeper goes.
    pub(super) fn acts(&mut self, index: usize, issued: &mut Issued) {
        let (now, secret) = (self.now, self.secret);
        match self.replicas[index].phase.clone() {
            Phase::Rests => {
                let configured = self.configured.cas.clone();
                let is_settled = self.heard.is_empty();
                let replica = &mut self.replicas[index];
                replica.seen = Seen { bundle: configured, is_current: true, is_settled };
                replica.phase = Phase::Looked;
            }
            Phase::Looked => {
                let next = issued.next(secret, now, index, &self.replicas[index]);
                self.replicas[index].read_is_current = true;
                self.replicas[index].phase = match (secret, next) {
                    (Some(pair), None) => {
                        self.with_handover(index, issued, |handover| {
                            handover.offer(issued.pairs[pair].candidate.clone(), at(now));
                        });
                        Phase::Offered
                    }
                    _ => Phase::Read(secret),
                };
            }
            Phase::Read(read) => {
                let next = issued.next(read, now, index, &self.replicas[index]);
                if self.replicas[index].read_is_current && next.is_some() {
                    self.write(next);
                }
                // Lost or won, it reads again.
                self.replicas[index].phase = Phase::Looked;
            }
            Phase::Offered | Phase::Failed => self.injects(index, issued),
        }
    }

    fn injects(&mut self, index: usize, issued: &mut Issued) {
        let (now, moment) = (self.now, instant(self.now));
        let mut wish = Wish::Nothing;
        let failed = self.replicas[index].phase == Phase::Failed;
        self.with_handover(index, issued, |handover| {
            wish = if failed { handover.kept(at(now)) } else { handover.wanted() };
        });
        let replica = &self.replicas[index];
        let seen: Vec<_> = replica.seen.bundle.iter().map(|ca| issued.cas[*ca].clone()).collect();
        let wanted = wish.bundle(&[Trusted::Only(seen)]);
        let bundle = wanted.map(|cas| cas.iter().map(|ca| issued.ca(ca)).collect::<Vec<_>>());
        let written = bundle.filter(|bundle| *bundle != replica.seen.bundle);
        let differs = written.is_some();
        let is_settled = replica.seen.is_settled;
        let is_overtaken = differs && !replica.seen.is_current;
        if let Some(cas) = written.filter(|_| !is_overtaken) {
            let excused = self.configured.excused.iter().copied().filter(|other| *other != index).collect();
            self.configure(Bundle { cas, excused });
        }
        if !is_overtaken {
            let carried = match differs {
                true => Carried::Anew,
                false if is_settled => Carried::Long,
                false => Carried::Already,
            };
            let note = if failed { Handover::note_kept } else { Handover::note_carried };
            self.with_handover(index, issued, |handover| note(handover, moment, carried));
        }
        self.with_handover(index, issued, |handover| {
            let _ = handover.take_ripe(at(now), moment, PROPAGATION);
        });
        let mut is_known = false;
        self.with_handover(index, issued, |handover| is_known = handover.is_known(moment, PROPAGATION));
        let is_lost = |pair: PairId| !self.configured.cas.contains(&issued.pairs[pair].anchor);
        let is_lost = self.replicas[index].serves.is_some_and(is_lost);
        // Who was overtaken looks again; what was emptied since it looked it cannot know.
        let could_know = differs || self.replicas[index].seen.is_current;
        self.negligent = (is_lost && !is_overtaken && could_know).then_some(index);
        let replica = &mut self.replicas[index];
        replica.is_asked |= !is_overtaken && is_known;
        replica.phase = Phase::Rests;
        (replica.seen, replica.read_is_current) = (NOTHING, false);
    }

    /// Lets the real thing decide what a replica serves.
    fn with_handover(&mut self, index: usize, issued: &Issued, act: impl FnOnce(&mut Handover)) {
        let candidate = |pair: PairId| issued.pairs[pair].candidate.clone();
        let replica = &mut self.replicas[index];
        let mut handover = Handover {
            served: replica.serves.map(&candidate),
            next: replica.waits.map(|(pair, carried)| Next {
                candidate: candidate(pair),
                carried_since: carried.map(instant),
            }),
            first_carried_since: replica.first_carried_since.map(instant),
            was_long_carried: replica.was_long_carried,
        };
        act(&mut handover);
        replica.first_carried_since = handover.first_carried_since.map(since_start);
        replica.was_long_carried = handover.was_long_carried;
        replica.serves = handover.served.as_ref().map(|served| issued.id(served));
        replica.waits = handover
            .next
            .as_ref()
            .map(|next| (issued.id(&next.candidate), next.carried_since.map(since_start)));
    }
}
