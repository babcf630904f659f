// SPDX-License-Identifier: Apache-2.0
//! Who wrote although somebody else held the Lease, or nobody did. Pure: read from what the API server has logged.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use testbed::audit::Event;

use crate::Error;

/// One write of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    /// Which replica: what it writes into the Lease as its name.
    pub(crate) by: String,
    /// When the API server had it.
    pub(crate) received: Timestamp,
    /// When it was answered.
    pub(crate) answered: Timestamp,
    pub(crate) deed: Deed,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The Lease, with this holder; nobody when it was given back.
    Lease(Option<String>),
    /// Anything else, and whether it was done.
    Other(String, bool),
}

impl Write {
    /// What an event says; nothing of one that changes nothing.
    ///
    /// # Errors
    /// When a time in it is none.
    pub(crate) fn of(event: &Event) -> Result<Option<Self>, Error> {
        let deed = if event.has_written_a_lease() {
            let holder = event.request_object.pointer("/spec/holderIdentity");
            Deed::Lease(holder.and_then(|holder| Some(holder.as_str()?.to_owned())))
        } else if event.is_mutating() {
            Deed::Other(format!("{} {}", event.verb, event.uri), event.was_done())
        } else {
            return Ok(None);
        };
        // `celery-operator/0.1.0 NAME`
        let by = event.user_agent.split_once(' ').map_or("", |(_, name)| name).to_owned();
        let (received, answered) = (event.received.parse()?, event.answered.parse()?);
        Ok(Some(Self { by, received, answered, deed }))
    }

    /// Whether it is anything but the Lease.
    pub(crate) fn is_work(&self) -> bool {
        matches!(self.deed, Deed::Other(..))
    }
}

/// What there is to say of the writes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// Those by a process whose Lease had lapsed, in words.
    pub(crate) lapsed: Vec<String>,
    /// The same of those that were begun and came to nothing: a process that is stopped between looking at its Lease and
    /// the last byte of a request sends that byte when it wakes up, and gives the request up.
    pub(crate) given_up: Vec<String>,
    /// All but those of the Lease.
    pub(crate) judged: usize,
    /// Longest span between a renewal and a write that relied on it.
    pub(crate) longest: Duration,
}

/// Judges every write that came while the Lease was to last for `duration`.
///
/// A renewal counts from when the API server had it, somebody else's from when it was answered: whatever lies between
/// is in favour of the writer.
pub(crate) fn judge(writes: &[Write], duration: Duration) -> Judgement {
    let mut judgement = Judgement::default();
    for write in writes {
        let Deed::Other(what, was_done) = &write.deed else { continue };
        judgement.judged += 1;
        let guilty = if *was_done { &mut judgement.lapsed } else { &mut judgement.given_up };
        let (at, by) = (write.received, &write.by);
        let is_own = |lease: &&Write| lease.deed == Deed::Lease(Some(by.clone()));
        let renewals = writes.iter().filter(|lease| is_own(lease) && lease.received <= at);
        let Some(renewed) = renewals.map(|lease| lease.received).max() else {
            guilty.push(format!("{at}: {what}, by {by}, which never held the Lease"));
            continue;
        };
        let age = Duration::try_from(at.duration_since(renewed)).unwrap_or_default();
        if *was_done {
            judgement.longest = judgement.longest.max(age);
        }
        let taken = writes.iter().find(|lease| {
            !lease.is_work() && !is_own(lease) && lease.received > renewed && lease.answered <= at
        });
        if let Some(taken) = taken {
            let by_whom = &taken.by;
            guilty.push(format!("{at}: {what}, by {by}, after {by_whom} had written the Lease"));
        } else if age > duration {
            guilty.push(format!("{at}: {what}, by {by}, {age:?} after its last renewal"));
        }
    }
    judgement
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lease(by: &str, holder: Option<&str>, second: i64) -> Write {
        let deed = Deed::Lease(holder.map(str::to_owned));
        Write { by: by.to_owned(), received: at(second), answered: at(second + 1), deed }
    }

    fn work(by: &str, second: i64) -> Write {
        let deed = Deed::Other("patch deployments".to_owned(), true);
        Write { by: by.to_owned(), received: at(second), answered: at(second + 1), deed }
    }

    fn lapsed(writes: &[Write]) -> usize {
        judge(writes, Duration::from_secs(15)).lapsed.len()
    }

    #[test]
    fn a_holder_writes_until_somebody_else_has_taken_the_lease() {
        let history = [lease("a", Some("a"), 0), lease("b", Some("b"), 10)];
        let with = |write: Write| lapsed(&[&history[..], &[write]].concat());
        assert_eq!(with(work("a", 9)), 0);
        assert_eq!(with(work("a", 10)), 0, "not answered yet");
        assert_eq!(with(work("a", 11)), 1);
        assert_eq!(with(work("b", 9)), 1, "never held it until then");
        assert_eq!(with(work("b", 10)), 0);
        assert_eq!(with(work("b", 25)), 0);
    }

    #[test]
    fn what_came_to_nothing_is_counted_apart() {
        let mut late = work("a", 30);
        late.deed = Deed::Other("patch deployments".to_owned(), false);
        let judgement = judge(&[lease("a", Some("a"), 0), late], Duration::from_secs(15));
        assert_eq!((judgement.lapsed.len(), judgement.given_up.len()), (0, 1));
        assert_eq!(judgement.longest, Duration::ZERO);
    }

    #[test]
    fn a_lease_lapses_and_can_be_given_back() {
        let history = [lease("a", Some("a"), 0)];
        assert_eq!(lapsed(&[&history[..], &[work("a", 15)]].concat()), 0);
        assert_eq!(lapsed(&[&history[..], &[work("a", 16)]].concat()), 1);
        let given_back = [lease("a", Some("a"), 0), lease("a", None, 5), work("a", 7)];
        assert_eq!(lapsed(&given_back), 1);
        let again = [&given_back[..2], &[lease("a", Some("a"), 7), work("a", 8)]].concat();
        assert_eq!(judge(&again, Duration::from_secs(15)).lapsed, Vec::<String>::new());
    }
}
