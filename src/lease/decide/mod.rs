// SPDX-License-Identifier: Apache-2.0
//! Who writes: what one candidate does next. Pure; the time is an argument, as the span since this machine started.
//!
//! Clocks of machines differ, so no time that somebody else wrote is ever compared with ours. A record is stale when it
//! has not changed for its duration by our own clock, since we first saw it. Who holds it stops writing before that:
//! counted from the moment at which its last renewal was sent, which nobody can have seen earlier.
//!
//! Whoever deletes the object, or takes the holder's name out of it, lets others in at once: a candidate that knew the
//! holder waits all the same, one that was started since does not.

use std::time::Duration;

/// How long a lease lasts, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// After how long without a change somebody else may take it.
    pub(super) duration: Duration,
    /// How long its holder writes after it sent its last renewal.
    pub(super) hold: Duration,
    /// How often its holder renews it.
    pub(super) renew: Duration,
    /// How often everybody else looks at it.
    pub(super) look: Duration,
}

impl Terms {
    /// The terms of a lease of this duration: two thirds of it are held, which leaves a third for requests on their way.
    #[must_use]
    pub(super) fn new(duration: Duration) -> Self {
        Self { duration, hold: duration * 2 / 3, renew: duration * 2 / 15, look: duration / 15 }
    }
}

/// What the API server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Who holds it; nobody after it was given back.
    pub(super) holder: Option<String>,
    /// How long its holder asked for.
    pub(super) duration: Option<Duration>,
    /// Which version of the object this is.
    pub(super) version: String,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write it for the first time.
    Create,
    /// Write it over this version, as its new holder.
    Take(String),
    /// Write it over this version, as its holder.
    Renew(String),
    /// Wait, then look again.
    Wait(Duration),
}

/// What was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    /// Nobody has looked.
    Unseen,
    /// There is no such object.
    Absent,
    /// This.
    Present(Record),
}

/// One of those who want to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    me: String,
    terms: Terms,
    seen: Sight,
    /// Until when somebody else may write, as far as was seen.
    others_until: Option<Duration>,
    /// When the last renewal that succeeded was sent.
    renewed: Option<Duration>,
}

impl Candidate {
    /// A candidate of this name, which nobody else ever had: not even the same process before a restart.
    #[must_use]
    pub(super) fn new(me: String, terms: Terms) -> Self {
        Self { me, terms, seen: Sight::Unseen, others_until: None, renewed: None }
    }

    /// Takes in what a look has found; `None` when there is no such object.
    pub(super) fn look(&mut self, record: Option<Record>, now: Duration) {
        if !self.is_mine(record.as_ref()) {
            self.renewed = None;
        }
        let sight = record.clone().map_or(Sight::Absent, Sight::Present);
        if self.seen == sight {
            return;
        }
        // Of an object that somebody deleted, its holder does not know yet.
        if let Some(record) = &record {
            let is_held = record.holder.is_some() && !self.is_mine(Some(record));
            self.others_until = is_held.then(|| now + record.duration.unwrap_or(self.terms.duration));
        }
        self.seen = sight;
    }

    /// Takes in what a write of ours has made, which was sent at that moment.
    pub(super) fn wrote(&mut self, record: Record, sent: Duration) {
        self.renewed = self.is_mine(Some(&record)).then_some(sent);
        self.others_until = None;
        self.seen = Sight::Present(record);
    }

    /// Until when this candidate may write.
    #[must_use]
    pub(super) fn holds_until(&self) -> Option<Duration> {
        self.renewed.map(|sent| sent + self.terms.hold)
    }

    /// What to do next; `None` before the first look.
    #[must_use]
    pub(super) fn step(&self, now: Duration) -> Option<Step> {
        let record = match &self.seen {
            Sight::Unseen => return None,
            Sight::Absent => None,
            Sight::Present(record) => Some(record),
        };
        if let Some(record) = record.filter(|record| self.is_mine(Some(record))) {
            // A write of ours whose answer got lost is renewed at once.
            let left = self.renewed.and_then(|sent| left(sent + self.terms.renew, now));
            return Some(left.map_or_else(|| Step::Renew(record.version.clone()), Step::Wait));
        }
        if let Some(left) = self.others_until.and_then(|until| left(until, now)) {
            return Some(Step::Wait(self.terms.look.min(left)));
        }
        Some(record.map_or(Step::Create, |record| Step::Take(record.version.clone())))
    }

    fn is_mine(&self, record: Option<&Record>) -> bool {
        record.and_then(|record| record.holder.as_deref()) == Some(self.me.as_str())
    }
}

/// How long it still is until then, if it is not over.
fn left(until: Duration, now: Duration) -> Option<Duration> {
    until.checked_sub(now).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests;
