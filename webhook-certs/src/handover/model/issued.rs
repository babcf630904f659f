// SPDX-License-Identifier: Apache-2.0
//! Certificates of the model: issued once for each situation, and told apart by numbers.

use std::collections::BTreeMap;

use super::{Replica, TICK, at};
use crate::candidate::Candidate;
use crate::fixtures::{names, noon};
use crate::inspect::Certificate;
use crate::issue::{self, SystemKeys, Validity};
use crate::names::Names;
use crate::plan::{Lifetimes, Step, plan};
use crate::settle::{Wanted, outcome};
use crate::state::{Pair, State};

/// Number of a pair in [`Issued`].
pub(super) type PairId = usize;
/// Number of a CA in [`Issued`].
pub(super) type CaId = usize;

/// In which a replica issues: the state that it read, the CA that it serves, those that it saw, the moment, the replica.
type Situation = (Option<PairId>, Option<CaId>, Vec<CaId>, u32, usize);

/// Everything that was ever issued.
pub(super) struct Issued {
    names: Names,
    lifetimes: Lifetimes,
    pub(super) pairs: Vec<Known>,
    pub(super) cas: Vec<Certificate>,
    made: BTreeMap<Situation, PairId>,
}

/// A pair, and what is asked of it time and again.
pub(super) struct Known {
    pub(super) pair: Pair,
    pub(super) candidate: Candidate,
    pub(super) anchor: CaId,
    pub(super) bundle: Vec<CaId>,
}

impl Issued {
    /// A pair of which the CA is so old at the start, and its leaf.
    pub(super) fn pair(ca_age: u32, leaf_age: u32) -> (Self, PairId) {
        let lifetimes = Lifetimes::new(24 * TICK, 9 * TICK).unwrap();
        let ago = |age: u32, lifetime| Validity::starting(noon() - age * TICK, lifetime).unwrap();
        let ca = issue::ca(&SystemKeys, ago(ca_age, lifetimes.ca())).unwrap();
        let leaf = issue::leaf(&SystemKeys, &ca, &names(), ago(leaf_age, lifetimes.leaf())).unwrap();
        let mut issued =
            Self { names: names(), lifetimes, pairs: Vec::new(), cas: Vec::new(), made: BTreeMap::new() };
        let pair = issued.add(Pair { ca, older: Vec::new(), leaf });
        (issued, pair)
    }

    pub(super) fn ca(&mut self, ca: &Certificate) -> CaId {
        let known = self.cas.iter().position(|known| known == ca);
        known.unwrap_or_else(|| {
            self.cas.push(ca.clone());
            self.cas.len() - 1
        })
    }

    fn add(&mut self, pair: Pair) -> PairId {
        let candidate = Candidate::from(pair.clone());
        let bundle: Vec<CaId> = candidate.cas.iter().map(|ca| self.ca(ca)).collect();
        self.pairs.push(Known { anchor: bundle[0], pair, candidate, bundle });
        self.pairs.len() - 1
    }

    pub(super) fn id(&self, candidate: &Candidate) -> PairId {
        self.pairs.iter().position(|known| known.candidate == *candidate).unwrap()
    }

    /// What a replica writes over what it read; `None` where that is in order.
    pub(super) fn next(
        &mut self,
        read: Option<PairId>,
        now: u32,
        index: usize,
        replica: &Replica,
    ) -> Option<PairId> {
        let state = read.map_or(State::Absent, |pair| State::Pair(self.pairs[pair].pair.clone()));
        let step = plan(&state, &self.names, &self.lifetimes, at(now));
        if matches!(step, Step::Nothing { .. }) {
            return None;
        }
        let serving = replica.serves.map(|pair| self.pairs[pair].anchor);
        let situation = (read, serving, replica.seen.bundle.clone(), now, index);
        if let Some(made) = self.made.get(&situation) {
            return Some(*made);
        }
        let in_use: Vec<Certificate> =
            serving.iter().chain(&replica.seen.bundle).map(|ca| self.cas[*ca].clone()).collect();
        let wanted =
            Wanted { names: &self.names, lifetimes: &self.lifetimes, keys: &SystemKeys, in_use: &in_use };
        let (pair, _) = outcome(step, &state, wanted, at(now)).unwrap().unwrap();
        let made = self.add(pair);
        self.made.insert(situation, made);
        Some(made)
    }
}
