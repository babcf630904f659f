// SPDX-License-Identifier: Apache-2.0
//! What to do next: a pure function of what is held, what is wanted and the time.
//!
//! Every replica asks the same question and gets the same answer, so that none has to be the leader; who acts on it
//! first is decided by the store.

use std::time::{Duration, SystemTime};

use crate::inspect::{Certificate, newest_first};
use crate::issue::back_date;
use crate::names::{self, Name, Names};
use crate::state::{Fault, Pair, State};

/// Shortest lifetime that leaves time to renew: certificates count whole seconds.
const SHORTEST: Duration = Duration::from_secs(3);
/// Longest lifetime: keeps every date inside the years a certificate can express.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// How many former CAs a bundle holds at most, should somebody spoil the Secret again and again: configurations have
/// an end.
const MOST_FORMER: usize = 16;

/// Lifetimes that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "lifetimes of {ca:?} for the CA and {leaf:?} for the leaf cannot be kept: the leaf needs 3 s or more, the CA at least as long as the leaf and at most 100 years"
)]
pub struct Error {
    ca: Duration,
    leaf: Duration,
}

/// How long certificates live. Both are renewed at two thirds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    ca: Duration,
    leaf: Duration,
}

impl Lifetimes {
    /// Lifetimes of the CA and of the leaf.
    ///
    /// # Errors
    /// [`Error`] when the leaf's is below 3 s, or the CA's below the leaf's or above 100 years.
    pub fn new(ca: Duration, leaf: Duration) -> Result<Self, Error> {
        if leaf < SHORTEST || ca < leaf || ca > LONGEST {
            return Err(Error { ca, leaf });
        }
        Ok(Self { ca, leaf })
    }

    /// How long a new CA lives.
    #[must_use]
    pub fn ca(&self) -> Duration {
        self.ca
    }

    /// How long a new leaf lives, unless its CA ends before.
    #[must_use]
    pub fn leaf(&self) -> Duration {
        self.leaf
    }
}

impl Default for Lifetimes {
    /// 10 years for the CA, 90 days for the leaf.
    fn default() -> Self {
        Self { ca: Duration::from_hours(3650 * 24), leaf: Duration::from_hours(90 * 24) }
    }
}

/// Why something is issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// There is no Secret.
    #[error("there is no Secret yet")]
    Absent,
    /// The Secret's content is of no use.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The CA is past its last moment.
    #[error("the CA has expired")]
    CaExpired,
    /// The CA is not valid yet: it was issued by a clock far ahead, or this one was set back.
    #[error("the CA is from the future: it is not valid yet by this machine's clock")]
    CaFromTheFuture,
    /// The CA has lived two thirds of its life.
    #[error("the CA has lived two thirds of its life")]
    CaDue,
    /// The leaf is past its last moment.
    #[error("the certificate has expired")]
    Expired,
    /// The leaf is not valid yet: it was issued by a clock far ahead, or this one was set back.
    #[error("the certificate is from the future: it is not valid yet by this machine's clock")]
    FromTheFuture,
    /// The leaf lacks wanted names.
    #[error("the certificate lacks names: {}", names::list(.0))]
    Names(Vec<Name>),
    /// The leaf has lived two thirds of its life.
    #[error("the certificate has lived two thirds of its life")]
    Due,
    /// No leaf of a former CA can be served any more.
    #[error("a former CA is needed no longer")]
    FormerCa,
}

impl Why {
    /// A stable word for events and metrics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Absent => "Absent",
            Self::Fault(fault) => fault.reason(),
            Self::CaExpired => "CaExpired",
            Self::CaFromTheFuture => "CaFromTheFuture",
            Self::CaDue => "CaDue",
            Self::Expired => "Expired",
            Self::FromTheFuture => "FromTheFuture",
            Self::Names(_) => "NamesChanged",
            Self::Due => "Due",
            Self::FormerCa => "FormerCa",
        }
    }
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// All is well at least until then.
    Nothing {
        /// When to ask again at the latest.
        until: SystemTime,
    },
    /// A new CA and a new leaf; the bundle keeps the former CAs, see [`needed`].
    IssueAll {
        /// What makes it necessary.
        why: Why,
    },
    /// A new leaf by the present CA.
    RenewLeaf {
        /// What makes it necessary.
        why: Why,
    },
    /// The same CA and leaf, without the former CAs that are needed no longer.
    DropFormerCas,
}

/// The next step for what is held.
#[must_use]
pub fn plan(state: &State, names: &Names, lifetimes: &Lifetimes, now: SystemTime) -> Step {
    let (ca, older, leaf) = match state {
        State::Absent => return Step::IssueAll { why: Why::Absent },
        State::Broken { fault, .. } => {
            return Step::IssueAll { why: fault.clone().into() };
        }
        State::Leafless { ca, older, fault } => (&ca.certificate, older, Err(fault)),
        State::Pair(Pair { ca, older, leaf }) => (&ca.certificate, older, Ok(&leaf.certificate)),
    };
    if let Some(why) = ca_fault(ca, lifetimes, now) {
        return Step::IssueAll { why };
    }
    let leaf = match leaf {
        Ok(leaf) => leaf,
        Err(fault) => return Step::RenewLeaf { why: fault.clone().into() },
    };
    if let Some(why) = leaf_fault(leaf, names, lifetimes, now) {
        return Step::RenewLeaf { why };
    }
    let drops = needed_until(ca, older, lifetimes);
    if drops.iter().any(|(_, until)| now >= *until) {
        return Step::DropFormerCas;
    }
    let renewals = [due(ca, lifetimes.ca), due(leaf, lifetimes.leaf)];
    let moments = drops.into_iter().map(|(_, until)| until).chain(renewals);
    Step::Nothing { until: moments.min().unwrap_or(now) }
}

/// The former CAs that the bundle of `ca` has to keep: any replica may still serve a leaf of theirs.
#[must_use]
pub fn needed(
    ca: &Certificate,
    former: &[Certificate],
    lifetimes: &Lifetimes,
    now: SystemTime,
) -> Vec<Certificate> {
    let each = needed_until(ca, former, lifetimes).into_iter();
    each.filter(|(_, until)| now < *until).map(|(former, _)| former).collect()
}

/// Former CAs, the newest first, each with the moment from which on nobody can serve a leaf of it: its last one was
/// issued before its successor was. Of one that is newer than its successor (the Secret came out of a backup) nobody
/// knows when that was.
fn needed_until(
    ca: &Certificate,
    former: &[Certificate],
    lifetimes: &Lifetimes,
) -> Vec<(Certificate, SystemTime)> {
    let last_leaf = back_date(lifetimes.ca) + lifetimes.leaf;
    let others = newest_first(former.iter().filter(|former| *former != ca).cloned().collect());
    let mut followed = ca.not_before;
    let mut each = Vec::new();
    for former in others.into_iter().take(MOST_FORMER) {
        let (begun, last) = (former.not_before, followed + last_leaf);
        let until = if begun > followed { former.not_after } else { former.not_after.min(last) };
        each.push((former, until));
        followed = begun;
    }
    each
}

/// Why the CA must be replaced, if it must.
fn ca_fault(ca: &Certificate, lifetimes: &Lifetimes, now: SystemTime) -> Option<Why> {
    if now >= ca.not_after {
        Some(Why::CaExpired)
    } else if now < ca.not_before {
        Some(Why::CaFromTheFuture)
    } else if now >= due(ca, lifetimes.ca) {
        Some(Why::CaDue)
    } else {
        None
    }
}

/// Why the leaf must be replaced, if it must.
fn leaf_fault(leaf: &Certificate, names: &Names, lifetimes: &Lifetimes, now: SystemTime) -> Option<Why> {
    if now >= leaf.not_after {
        return Some(Why::Expired);
    }
    if now < leaf.not_before {
        return Some(Why::FromTheFuture);
    }
    let missing = names.missing_in(&leaf.names);
    if !missing.is_empty() {
        return Some(Why::Names(missing));
    }
    (now >= due(leaf, lifetimes.leaf)).then_some(Why::Due)
}

/// When a certificate is due for renewal: at two thirds of its own life, or of the wanted one where that is shorter,
/// so that a shortened lifetime reaches certificates that were issued for longer.
fn due(certificate: &Certificate, lifetime: Duration) -> SystemTime {
    let own = certificate.not_after.duration_since(certificate.not_before).unwrap_or_default();
    certificate.not_before + own.min(lifetime + back_date(lifetime)) * 2 / 3
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::fixtures::{DAY, ca, leaf, names, noon, pair};
    use crate::inspect::{self, Identity};

    const SECOND: Duration = Duration::from_secs(1);

    /// The step for a good pair issued at noon, asked at `now`.
    fn step_at(now: SystemTime) -> Step {
        plan(&State::Pair(pair(noon())), &names(), &Lifetimes::default(), now)
    }

    /// The reason of a step, and whether it issues everything.
    fn reason(step: &Step) -> Option<(&'static str, bool)> {
        match step {
            Step::Nothing { .. } => None,
            Step::IssueAll { why } => Some((why.reason(), true)),
            Step::RenewLeaf { why } => Some((why.reason(), false)),
            Step::DropFormerCas => Some((Why::FormerCa.reason(), false)),
        }
    }

    #[test]
    fn time_decides_at_exact_boundaries() {
        let back = Duration::from_mins(5);
        let leaf_due = noon() - back + (90 * DAY + back) * 2 / 3;
        let ca_due = noon() - back + (3650 * DAY + back) * 2 / 3;
        assert_eq!(step_at(noon()), Step::Nothing { until: leaf_due });
        for (now, expected) in [
            (noon() - back, None),
            (noon() - back - SECOND, Some(("CaFromTheFuture", true))),
            (leaf_due - SECOND, None),
            (leaf_due, Some(("Due", false))),
            (noon() + 90 * DAY - SECOND, Some(("Due", false))),
            (noon() + 90 * DAY, Some(("Expired", false))),
            (ca_due - SECOND, Some(("Expired", false))),
            (ca_due, Some(("CaDue", true))),
            (noon() + 3650 * DAY - SECOND, Some(("CaDue", true))),
            (noon() + 3650 * DAY, Some(("CaExpired", true))),
        ] {
            assert_eq!(reason(&step_at(now)), expected, "{:?}", now.duration_since(noon()));
        }
    }

    #[test]
    fn what_is_held_decides() {
        let Identity { certificate, .. } = ca(noon(), DAY);
        let whole = pair(noon());
        let leafless =
            |fault| State::Leafless { ca: whole.ca.clone(), older: vec![certificate.clone()], fault };
        let broken = |fault| State::Broken { fault, cas: vec![] };
        let mut early = whole.clone();
        early.leaf = leaf(&whole.ca, noon() + DAY, DAY);
        let garbage = |name| Fault::Garbage(name, inspect::Error::Pem);
        for (state, expected) in [
            (State::Absent, Some(("Absent", true))),
            (broken(Fault::NotACa), Some(("NotACa", true))),
            (broken(Fault::Missing("ca.key")), Some(("Missing", true))),
            (broken(Fault::KeyMismatch("ca.key")), Some(("KeyMismatch", true))),
            (broken(garbage("ca.crt")), Some(("Garbage", true))),
            (leafless(Fault::CaInPlaceOfLeaf), Some(("CaInPlaceOfLeaf", false))),
            (leafless(Fault::ForeignLeaf), Some(("ForeignLeaf", false))),
            (leafless(Fault::KeyMismatch("tls.key")), Some(("KeyMismatch", false))),
            (leafless(Fault::NotForServers), Some(("NotForServers", false))),
            (leafless(garbage("tls.crt")), Some(("Garbage", false))),
            (State::Pair(early), Some(("FromTheFuture", false))),
            (State::Pair(whole.clone()), None),
        ] {
            let step = plan(&state, &names(), &Lifetimes::default(), noon());
            assert_eq!(reason(&step), expected, "{state:?}");
        }
        // A CA that must go takes the leaf with it, whatever is wrong with the leaf.
        let step = plan(&leafless(Fault::ForeignLeaf), &names(), &Lifetimes::default(), noon() + 3650 * DAY);
        assert_eq!(reason(&step), Some(("CaExpired", true)));
    }

    #[test]
    fn lacking_names_are_named_and_superfluous_ones_are_left() {
        let state = State::Pair(pair(noon()));
        let wanted = names().with(["x.example.org".parse().unwrap()]);
        let step = plan(&state, &wanted, &Lifetimes::default(), noon());
        let Step::RenewLeaf { why } = step else { panic!("{step:?}") };
        assert_eq!(why.to_string(), "the certificate lacks names: x.example.org");
        let fewer = Names::parse(["webhook.celery.svc"]).unwrap();
        assert_eq!(reason(&plan(&state, &fewer, &Lifetimes::default(), noon())), None);
    }

    #[test]
    fn a_former_ca_goes_when_its_last_leaf_has_ended() {
        let back = Duration::from_mins(5);
        let (oldest, old) = (ca(noon() - 30 * DAY, 3650 * DAY), ca(noon() - 20 * DAY, 3650 * DAY));
        let held = pair(noon());
        let former = [old.certificate, oldest.certificate];
        let signs = held.ca.certificate.clone();
        let with = |older: &[Certificate]| State::Pair(Pair { older: older.to_vec(), ..held.clone() });
        let at = |now| plan(&with(&former), &names(), &Lifetimes::default(), now);
        // The oldest CA was followed 20 days before noon, its last leaf lives for 90 days.
        let first = noon() + 70 * DAY;
        assert_eq!(
            at(noon()),
            Step::Nothing { until: held.leaf.certificate.not_before + (90 * DAY + back) * 2 / 3 }
        );
        let lifetimes = Lifetimes::new(3650 * DAY, 20 * DAY).unwrap();
        let keeps = |now| needed(&signs, &former, &Lifetimes::default(), now);
        assert_eq!(keeps(first - SECOND), former);
        assert_eq!(keeps(first), former[..1]);
        assert_eq!(keeps(noon() + 90 * DAY - SECOND), former[..1]);
        assert_eq!(keeps(noon() + 90 * DAY), []);
        let step = plan(&with(&former), &names(), &lifetimes, noon());
        assert_eq!(step, Step::DropFormerCas);
        // What is left waits for its own end.
        let step = plan(&with(&former[..1]), &names(), &lifetimes, noon() + DAY);
        assert_eq!(step, Step::Nothing { until: noon() - back + (20 * DAY + back) * 2 / 3 });
    }

    #[test]
    fn former_cas_are_kept_in_any_order_and_not_without_end() {
        let signs = pair(noon()).ca.certificate;
        let many: Vec<Certificate> =
            (0..20).map(|age| ca(noon() - age * Duration::from_hours(1), 3650 * DAY).certificate).collect();
        let kept =
            needed(&signs, &many.iter().rev().cloned().collect::<Vec<_>>(), &Lifetimes::default(), noon());
        assert_eq!(kept, many[..MOST_FORMER]);
        assert_eq!(needed(&signs, std::slice::from_ref(&signs), &Lifetimes::default(), noon()), []);
        // One from a time that is still to come: when it was followed is not known.
        let newer = ca(noon() + 300 * DAY, 3650 * DAY).certificate;
        let kept = needed(&signs, std::slice::from_ref(&newer), &Lifetimes::default(), noon() + 200 * DAY);
        assert_eq!(kept, [newer]);
    }

    #[test]
    fn a_shortened_lifetime_reaches_certificates_that_were_issued_for_longer() {
        let short = Lifetimes::new(100 * DAY, 3 * DAY).unwrap();
        let state = State::Pair(pair(noon()));
        assert_eq!(reason(&plan(&state, &names(), &short, noon() + DAY)), None);
        assert_eq!(reason(&plan(&state, &names(), &short, noon() + 2 * DAY)), Some(("Due", false)));
        assert_eq!(reason(&plan(&state, &names(), &short, noon() + 67 * DAY)), Some(("CaDue", true)));
    }

    #[test]
    fn a_leaf_of_seconds_is_not_old_at_birth_and_is_renewed_in_time() {
        let lifetimes = Lifetimes::new(3 * SECOND, 3 * SECOND).unwrap();
        for millis in [0, 1, 500, 700, 999] {
            let now = noon() + Duration::from_millis(millis);
            let ca = ca(now, lifetimes.ca());
            let leaf = leaf(&ca, now, lifetimes.leaf());
            let state = State::Pair(Pair { ca, older: vec![], leaf: leaf.clone() });
            let Step::Nothing { until } = plan(&state, &names(), &lifetimes, now) else { panic!("{millis}") };
            assert!(until > now && until < leaf.certificate.not_after, "{millis}");
        }
    }

    #[test]
    fn lifetimes_that_cannot_be_kept_are_refused() {
        assert!(Lifetimes::new(DAY, 2 * SECOND).is_err());
        assert!(Lifetimes::new(DAY, 2 * DAY).is_err());
        assert!(Lifetimes::new(40_000 * DAY, DAY).is_err());
        assert!(Lifetimes::new(6 * SECOND, 6 * SECOND).is_ok());
    }
}
