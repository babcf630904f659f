// SPDX-License-Identifier: Apache-2.0
//! Beat is replaced and never doubled: its Deployment is only made when the pods of the one before it have ended. Two
//! beats would send every periodic task twice.

use std::time::Duration;

use crate::index::Remaining;
use crate::status::Failure;

/// What a status says meanwhile.
const REASON: &str = "AwaitingPredecessor";
/// How long after its last second a pod is said to be overdue: its node may be gone, and then it stays for ever.
const OVERDUE: i64 = 60;
/// After how long a pod that nobody ends is taken for one that was left behind on purpose: with its ReplicaSet it goes
/// over to the new Deployment, which ends it before it makes another. Whoever collects garbage is faster than that.
const ORPHANED: Duration = Duration::from_mins(1);

/// After how long pods are looked at again that were made for another Celery: their end is told to that one.
const OF_ANOTHER: Duration = Duration::from_secs(5);

/// Why a Deployment is not made yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    /// As its status tells it.
    pub(super) failure: Failure,
    /// After how long to look again, where that may change something.
    pub(super) again: Option<Duration>,
}

/// Why the Deployment of this name is not made before pods were listed.
pub(super) fn unseen(name: &str) -> Awaited {
    let message = format!(
        "Deployment {name} waits until pods can be listed: one of its predecessor may run, and two beats send every \
         periodic task twice"
    );
    let failure = Failure { reason: REASON, message, stalled: false };
    // The first list is an event of its own.
    Awaited { failure, again: None }
}

/// Why the Deployment of this name is not made while these pods are there, as far as `celery` is concerned; `waited` says
/// for how long that is so, `now` is in seconds since the epoch.
pub(super) fn awaited(
    name: &str,
    celery: &str,
    pods: &[Remaining],
    waited: Duration,
    now: i64,
) -> Option<Awaited> {
    let awaited = of_pods(name, pods, waited, now)?;
    let is_told = pods.iter().all(|pod| pod.celery == celery);
    let again =
        if is_told { awaited.again } else { Some(awaited.again.unwrap_or(OF_ANOTHER).min(OF_ANOTHER)) };
    Some(Awaited { again, ..awaited })
}

fn of_pods(name: &str, pods: &[Remaining], waited: Duration, now: i64) -> Option<Awaited> {
    let of = |pod: &Remaining, end: &str, again| {
        let message = format!(
            "Deployment {name} waits until pod {} of its predecessor has ended: two beats send every periodic task \
             twice{end}",
            pod.name
        );
        let failure = Failure { reason: REASON, message, stalled: false };
        Some(Awaited { failure, again })
    };
    let ending = pods.iter().filter_map(|pod| Some((pod, pod.ends?))).max_by_key(|(_, ends)| *ends);
    if let Some((pod, ends)) = ending {
        let left = ends.saturating_add(OVERDUE).saturating_sub(now);
        return match u64::try_from(left) {
            Ok(left) if left > 0 => of(pod, "", Some(Duration::from_secs(left))),
            _ => {
                let name = &pod.name;
                let end = format!(
                    "; it is overdue: if its node is gone for good, kubectl delete pod {name} --force"
                );
                of(pod, &end, None)
            }
        };
    }
    let left = ORPHANED.checked_sub(waited).filter(|left| !left.is_zero())?;
    of(pods.first()?, "", Some(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, ends: Option<i64>) -> Remaining {
        Remaining { name: name.to_owned(), celery: "shop".to_owned(), ends }
    }

    fn told(pods: &[Remaining], waited: u64, now: i64) -> Option<(String, Option<u64>)> {
        let awaited = awaited("shop-beat", "shop", pods, Duration::from_secs(waited), now)?;
        assert_eq!((awaited.failure.reason, awaited.failure.stalled), ("AwaitingPredecessor", false));
        Some((awaited.failure.message, awaited.again.map(|again| again.as_secs())))
    }

    #[test]
    fn a_pod_that_ends_is_waited_for_as_long_as_it_takes() {
        assert_eq!(told(&[], 0, 0), None);
        let ending = [pod("shop-beat-a", Some(1000)), pod("shop-beat-b", None)];
        let (message, again) = told(&ending, 3600, 990).expect("waits");
        assert!(message.contains("pod shop-beat-a") && !message.contains("overdue"), "{message}");
        assert_eq!(again, Some(70));
        let (message, again) = told(&ending, 3600, 1060).expect("waits");
        assert!(message.contains("kubectl delete pod shop-beat-a --force"), "{message}");
        assert_eq!(again, None);
    }

    #[test]
    fn a_pod_that_nobody_ends_was_left_behind() {
        let orphan = [pod("shop-beat-a", None)];
        assert_eq!(told(&orphan, 20, 0).expect("waits").1, Some(40));
        assert_eq!(told(&orphan, 60, 0), None);
    }

    #[test]
    fn nobody_tells_when_a_pod_of_another_celery_has_ended() {
        let again = |pods: &[Remaining], now: i64| {
            let awaited = awaited("shop-beat", "renamed", pods, Duration::ZERO, now).expect("waits");
            awaited.again.map(|again| again.as_secs())
        };
        assert_eq!(again(&[pod("shop-beat-a", Some(1000))], 990), Some(5));
        assert_eq!(again(&[pod("shop-beat-a", Some(1000))], 1058), Some(2));
        assert_eq!(again(&[pod("shop-beat-a", Some(1000))], 2000), Some(5), "it is overdue");
        assert_eq!(again(&[pod("shop-beat-a", None)], 0), Some(5));
    }

    #[test]
    fn pods_that_nobody_has_seen_may_be_there() {
        let awaited = unseen("shop-beat");
        assert_eq!((awaited.failure.reason, awaited.failure.stalled), ("AwaitingPredecessor", false));
        assert!(awaited.failure.message.contains("Deployment shop-beat"), "{}", awaited.failure.message);
    }
}
