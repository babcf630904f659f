// SPDX-License-Identifier: Apache-2.0
//! What keeps the pods of our Deployments from running, as last seen.
//!
//! Of a pod only a few words are kept, and pods that are not ours are never sent to us: the watch selects by label, so
//! the memory this takes is that of our own pods, whatever else runs in the cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::Event;

use crate::labels::{self, Component};
use crate::status::{Cause, Trouble};

/// How long no node may take a pod, and a container not have started, before that counts: a node may be on its way, and
/// many an application is imported for long.
const COUNTS_AFTER: Duration = Duration::from_mins(1);

/// Namespace and name of a Celery.
pub type CeleryKey = (String, String);

/// The pods of our Deployments as last seen.
#[derive(Default)]
pub struct PodIndex(RwLock<Content>);

#[derive(Default)]
struct Content {
    celeries: HashMap<CeleryKey, BTreeMap<String, Seen>>,
    /// The pods that the list has shown which runs.
    listing: Option<BTreeSet<(CeleryKey, String)>>,
    settled: bool,
    sight: Sight,
}

/// Whether anything is known of pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// Not yet: pods may be there.
    #[default]
    Unseen,
    /// They were listed.
    Listed,
    /// They may not be listed.
    Closed,
}

/// What is kept of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    deployment: String,
    /// Which pod template it is of.
    template: String,
    /// Seconds since the epoch.
    created: i64,
    trouble: Option<Trouble>,
    /// Of a pod of beat that has not ended.
    runs: Option<Runs>,
}

/// Until when a pod runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    /// Nobody ends it.
    On,
    /// It is to have ended by then, in seconds since the epoch.
    Until(i64),
}

/// A pod of beat that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Its name.
    pub name: String,
    /// Name of the Celery that it was made for.
    pub celery: String,
    /// When it is to have ended, in seconds since the epoch; `None` where nobody ends it.
    pub ends: Option<i64>,
}

/// What the pods of a Celery suffer from.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Troubles {
    /// The trouble of the newest pods, by the name of their Deployment.
    pub of: BTreeMap<String, Trouble>,
    /// After how long to look again, since something may count by then.
    pub again: Option<Duration>,
}

impl PodIndex {
    /// What the pods of a Celery suffer from; `now` in seconds since the epoch.
    #[must_use]
    pub fn troubles(&self, celery: &CeleryKey, now: i64) -> Troubles {
        let content = self.read();
        let pods = || content.celeries.get(celery).into_iter().flat_map(BTreeMap::values);
        // Since when there are pods of each template. A pod of an old one may be young: its node was drained.
        let mut templates: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for pod in pods() {
            let since =
                templates.entry((pod.deployment.as_str(), pod.template.as_str())).or_insert(pod.created);
            *since = pod.created.min(*since);
        }
        let mut newest: BTreeMap<&str, (i64, &str)> = BTreeMap::new();
        for ((deployment, template), since) in templates {
            let known = newest.entry(deployment).or_insert((since, template));
            *known = (since, template).max(*known);
        }
        let mut found = Troubles::default();
        for (deployment, (_, template)) in newest {
            // Pods of an older template are on their way out; what they suffer from has been answered.
            let current = pods().filter(|pod| pod.deployment == deployment && pod.template == template);
            for trouble in current.filter_map(|pod| pod.trouble.as_ref()) {
                match young(trouble, now) {
                    None => drop(found.of.entry(deployment.to_owned()).or_insert_with(|| trouble.clone())),
                    Some(left) => found.again = Some(found.again.map_or(left, |again| again.min(left))),
                }
            }
        }
        found
    }

    /// The pods of a Deployment of beat that have not ended, in the order of their names, whichever Celery they were made
    /// for: one of another name may have the same application.
    #[must_use]
    pub fn remaining(&self, namespace: &str, deployment: &str) -> Vec<Remaining> {
        let content = self.read();
        let here = content.celeries.iter().filter(|((place, _), _)| place == namespace);
        let pods =
            here.flat_map(|((_, celery), pods)| pods.iter().map(move |(name, pod)| (celery, name, pod)));
        let of = |(celery, name, pod): (&String, &String, &Seen)| {
            let ends = match pod.runs.filter(|_| pod.deployment == deployment)? {
                Runs::On => None,
                Runs::Until(end) => Some(end),
            };
            Some(Remaining { name: name.clone(), celery: celery.clone(), ends })
        };
        let mut remaining: Vec<Remaining> = pods.filter_map(of).collect();
        remaining.sort_by(|one, other| one.name.cmp(&other.name));
        remaining
    }

    /// Whether the pods were listed, or it turned out that they cannot be.
    pub fn is_settled(&self) -> bool {
        self.read().settled
    }

    /// Gives up waiting for the first list. Returns whether that is news.
    pub fn settle(&self) -> bool {
        !std::mem::replace(&mut self.write().settled, true)
    }

    /// Whether anything is known of pods.
    pub fn sight(&self) -> Sight {
        self.read().sight
    }

    /// Notes that pods may not be listed: what was seen of them is no longer true.
    pub fn close(&self) {
        let mut content = self.write();
        content.settled = true;
        content.sight = Sight::Closed;
    }

    /// Takes in an event of the watch. Returns the Celery objects whose pods suffer from something else now.
    pub fn observe(&self, event: Event<Pod>) -> Vec<CeleryKey> {
        let mut content = self.write();
        match event {
            Event::Init => {
                content.listing = Some(BTreeSet::new());
                Vec::new()
            }
            Event::InitApply(pod) | Event::Apply(pod) => content.apply(&pod),
            Event::Delete(pod) => {
                let found = place(&pod);
                let gone = found.filter(|(celery, name)| content.remove(celery, name));
                gone.map(|(celery, _)| celery).into_iter().collect()
            }
            Event::InitDone => {
                content.settled = true;
                content.sight = Sight::Listed;
                content.finish_list()
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn apply(&mut self, pod: &Pod) -> Vec<CeleryKey> {
        let Some((celery, name)) = place(pod) else { return Vec::new() };
        if let Some(listing) = &mut self.listing {
            listing.insert((celery.clone(), name.clone()));
        }
        let Some(seen) = seen(pod) else {
            return if self.remove(&celery, &name) { vec![celery] } else { Vec::new() };
        };
        let before = self.celeries.entry(celery.clone()).or_default().insert(name, seen.clone());
        if before.as_ref() == Some(&seen) { Vec::new() } else { vec![celery] }
    }

    fn remove(&mut self, celery: &CeleryKey, name: &str) -> bool {
        let Some(pods) = self.celeries.get_mut(celery) else { return false };
        let was_there = pods.remove(name).is_some();
        if pods.is_empty() {
            self.celeries.remove(celery);
        }
        was_there
    }

    fn finish_list(&mut self) -> Vec<CeleryKey> {
        let shown = self.listing.take().unwrap_or_default();
        let all = self.celeries.iter().flat_map(|(celery, pods)| pods.keys().map(move |name| (celery, name)));
        let is_gone =
            |(celery, name): &(&CeleryKey, &String)| !shown.contains(&((*celery).clone(), (*name).clone()));
        let gone: Vec<(CeleryKey, String)> =
            all.filter(is_gone).map(|(celery, name)| (celery.clone(), name.clone())).collect();
        for (celery, name) in &gone {
            self.remove(celery, name);
        }
        let celeries: BTreeSet<CeleryKey> = gone.into_iter().map(|(celery, _)| celery).collect();
        celeries.into_iter().collect()
    }
}

/// How much longer a trouble may pass by itself; `None` for one that counts.
fn young(trouble: &Trouble, now: i64) -> Option<Duration> {
    let (Cause::Unschedulable(_) | Cause::Unstarted) = trouble.cause else { return None };
    let age = u64::try_from(now.saturating_sub(trouble.since?)).unwrap_or_default();
    // A whole second more: times are cut to seconds.
    let left = COUNTS_AFTER.checked_sub(Duration::from_secs(age))?;
    (!left.is_zero()).then(|| left + Duration::from_secs(1))
}

/// The Celery that a pod says it belongs to, and its own name.
fn place(pod: &Pod) -> Option<(CeleryKey, String)> {
    let instance = pod.metadata.labels.as_ref()?.get(labels::INSTANCE)?;
    Some(((pod.metadata.namespace.clone()?, instance.clone()), pod.metadata.name.clone()?))
}

/// What is kept of a pod; `None` for one that no Deployment has made, whatever its labels say.
fn seen(pod: &Pod) -> Option<Seen> {
    let template = pod.metadata.labels.as_ref()?.get("pod-template-hash")?;
    let mut owners = pod.metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true) && owner.kind == "ReplicaSet")?;
    let deployment = owner.name.strip_suffix(template.as_str())?.strip_suffix('-')?;
    Some(Seen {
        deployment: deployment.to_owned(),
        template: template.clone(),
        created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second()).unwrap_or_default(),
        trouble: Trouble::of(pod),
        runs: runs(pod),
    })
}

fn runs(pod: &Pod) -> Option<Runs> {
    let component = pod.metadata.labels.as_ref()?.get(labels::COMPONENT)?;
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    let has_ended = matches!(phase, Some("Succeeded" | "Failed"));
    // Others may be there twice for a while.
    let is_waited_for = component == Component::Beat.as_str() && !has_ended;
    let end = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0.as_second());
    is_waited_for.then(|| end.map_or(Runs::On, Runs::Until))
}

/// Counts instead of names.
impl fmt::Debug for PodIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.read();
        let pods: usize = content.celeries.values().map(BTreeMap::len).sum();
        f.debug_struct("PodIndex")
            .field("pods", &pods)
            .field("settled", &content.settled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, template: &str, created: &str, reason: Option<&str>) -> Pod {
        let mut pod = json!({"metadata": {
            "name": name, "namespace": "web", "creationTimestamp": created,
            "labels": {"app.kubernetes.io/instance": "shop", "pod-template-hash": template},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true, "uid": "r",
                "name": format!("shop-worker-{template}")}],
        }});
        if let Some(reason) = reason {
            pod["status"] = json!({"containerStatuses": [{"name": "celery", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "state": {"waiting": {"reason": reason}}}]});
        }
        serde_json::from_value(pod).expect("a pod")
    }

    fn shop() -> CeleryKey {
        ("web".to_owned(), "shop".to_owned())
    }

    const EARLY: &str = "2026-01-01T00:00:00Z";
    const LATE: &str = "2026-01-01T00:01:00Z";

    fn reasons(index: &PodIndex) -> Vec<(String, &'static str)> {
        index.troubles(&shop(), 0).of.into_iter().map(|(name, trouble)| (name, trouble.reason())).collect()
    }

    #[test]
    fn the_newest_template_decides() {
        let index = PodIndex::default();
        let bad = || pod("a", "one", EARLY, Some("ImagePullBackOff"));
        assert_eq!(index.observe(Event::Apply(bad())), [shop()]);
        assert_eq!(reasons(&index), [("shop-worker".to_owned(), "ImagePullBackOff")]);
        // Nothing that is kept has changed.
        assert_eq!(index.observe(Event::Apply(bad())), []);
        index.observe(Event::Apply(pod("b", "two", LATE, None)));
        assert_eq!(reasons(&index), []);
        index.observe(Event::Apply(pod("b", "two", LATE, Some("ErrImagePull"))));
        assert_eq!(reasons(&index), [("shop-worker".to_owned(), "ErrImagePull")]);
        assert_eq!(index.observe(Event::Delete(pod("b", "two", LATE, None))), [shop()]);
        assert_eq!(reasons(&index), [("shop-worker".to_owned(), "ImagePullBackOff")]);
    }

    /// A rollout hangs, and meanwhile a node with an old pod is drained.
    #[test]
    fn an_old_pod_that_is_replaced_makes_its_template_no_newer() {
        let index = PodIndex::default();
        index.observe(Event::Apply(pod("old", "one", EARLY, None)));
        index.observe(Event::Apply(pod("new", "two", LATE, Some("ImagePullBackOff"))));
        index.observe(Event::Apply(pod("replaced", "one", "2026-01-01T00:05:00Z", None)));
        assert_eq!(reasons(&index), [("shop-worker".to_owned(), "ImagePullBackOff")]);
    }

    #[test]
    fn a_list_forgets_what_it_does_not_show() {
        let index = PodIndex::default();
        assert!(!index.is_settled());
        for event in
            [Event::Init, Event::InitApply(pod("a", "one", EARLY, Some("ErrImagePull"))), Event::InitDone]
        {
            index.observe(event);
        }
        assert!(index.is_settled() && !index.settle());
        assert_eq!(reasons(&index).len(), 1);
        index.observe(Event::Init);
        assert_eq!(index.observe(Event::InitDone), [shop()]);
        assert_eq!(reasons(&index), []);
        assert!(format!("{index:?}").contains("pods: 0"));
    }

    #[test]
    fn a_pod_that_only_wears_our_labels_is_not_believed() {
        let index = PodIndex::default();
        let mut foreign = pod("a", "one", EARLY, Some("ErrImagePull"));
        foreign.metadata.owner_references = None;
        assert_eq!(index.observe(Event::Apply(foreign)), []);
        let mut other = pod("a", "one", EARLY, Some("ErrImagePull"));
        if let Some([owner]) = other.metadata.owner_references.as_deref_mut() {
            owner.name = "else".to_owned();
        }
        assert_eq!(index.observe(Event::Apply(other)), []);
        assert_eq!(reasons(&index), []);
    }

    #[test]
    fn a_container_may_take_a_minute_to_start() {
        let index = PodIndex::default();
        let mut starting = pod("a", "one", EARLY, None);
        let status = json!({"containerStatuses": [{"name": "celery", "image": "", "imageID": "", "ready": false,
            "restartCount": 0, "started": false, "state": {"running": {"startedAt": "1970-01-01T00:01:40Z"}}}]});
        starting.status = serde_json::from_value(status).expect("a status");
        index.observe(Event::Apply(starting));
        let found = index.troubles(&shop(), 130);
        assert!(found.of.is_empty());
        assert_eq!(found.again, Some(Duration::from_secs(31)));
        let found = index.troubles(&shop(), 161);
        assert_eq!(found.of["shop-worker"].reason(), "NotStarted");
        assert_eq!(found.again, None);
    }

    #[test]
    fn a_pod_may_wait_a_minute_for_a_node() {
        let index = PodIndex::default();
        let mut waiting = pod("a", "one", EARLY, None);
        waiting.status =
            serde_json::from_value(json!({"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "lastTransitionTime": "1970-01-01T00:00:10Z"}]}))
            .expect("a status");
        index.observe(Event::Apply(waiting));
        let at = |now: i64| index.troubles(&shop(), now);
        assert_eq!((at(30).of.len(), at(30).again), (0, Some(Duration::from_secs(41))));
        assert_eq!((at(69).of.len(), at(69).again), (0, Some(Duration::from_secs(2))));
        assert_eq!((at(70).of.len(), at(70).again), (1, None));
        assert_eq!(
            (at(5).of.len(), at(5).again),
            (0, Some(Duration::from_secs(61))),
            "a clock that is behind"
        );
    }

    #[test]
    fn pods_of_beat_are_known_until_they_have_ended() {
        let index = PodIndex::default();
        let beat = |name: &str, ends: Option<&str>, phase: &str| {
            let mut pod = pod(name, "one", EARLY, None);
            pod.metadata
                .labels
                .as_mut()
                .expect("labels")
                .insert(labels::COMPONENT.to_owned(), "beat".to_owned());
            pod.metadata.owner_references.as_mut().expect("owners")[0].name = "shop-beat-one".to_owned();
            let time = json!(ends);
            pod.metadata.deletion_timestamp = serde_json::from_value(time).expect("a time");
            pod.status = serde_json::from_value(json!({"phase": phase})).expect("a status");
            pod
        };
        let remaining = || -> Vec<(String, Option<i64>)> {
            let pods = index.remaining("web", "shop-beat");
            assert!(pods.iter().all(|pod| pod.celery == "shop"));
            pods.into_iter().map(|pod| (pod.name, pod.ends)).collect()
        };
        index.observe(Event::Apply(pod("worker", "one", EARLY, None)));
        assert_eq!(index.observe(Event::Apply(beat("a", None, "Running"))), [shop()]);
        index.observe(Event::Apply(beat("b", Some("1970-01-01T00:01:00Z"), "Running")));
        assert_eq!(remaining(), [("a".to_owned(), None), ("b".to_owned(), Some(60))]);
        assert_eq!(index.observe(Event::Apply(beat("a", None, "Failed"))), [shop()]);
        assert_eq!(index.observe(Event::Delete(beat("b", None, "Running"))), [shop()]);
        assert_eq!(remaining(), []);
        assert_eq!(index.remaining("web", "shop-worker"), []);
        // A Celery that got another name while its application kept its own.
        let mut renamed = beat("c", None, "Running");
        renamed
            .metadata
            .labels
            .as_mut()
            .expect("labels")
            .insert(labels::INSTANCE.to_owned(), "old".to_owned());
        index.observe(Event::Apply(renamed));
        let old = Remaining { name: "c".to_owned(), celery: "old".to_owned(), ends: None };
        assert_eq!(index.remaining("web", "shop-beat"), [old]);
        assert_eq!(index.remaining("elsewhere", "shop-beat"), []);
    }

    #[test]
    fn pods_are_unseen_until_they_are_listed_or_closed() {
        let index = PodIndex::default();
        assert_eq!(index.sight(), Sight::Unseen);
        index.settle();
        index.observe(Event::Init);
        assert_eq!(index.sight(), Sight::Unseen, "that nobody waits says nothing of pods");
        index.close();
        assert_eq!((index.sight(), index.is_settled()), (Sight::Closed, true));
        index.observe(Event::InitDone);
        assert_eq!(index.sight(), Sight::Listed);
    }
}
