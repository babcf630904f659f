// SPDX-License-Identifier: Apache-2.0
//! What the cluster says is written onto a rendered Deployment: when its pods have to be replaced although the spec is
//! the same.
//!
//! Nothing of a Secret's content is ever written, not even a hash, which would let whoever reads Deployments try out
//! passwords. What is written are versions, as the API server counts them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use kube::core::DynamicObject;
use serde_json::Value;

use super::manifest::{ChildKind, Manifest, hash};
use super::references::{ConfigRef, Reading};
use crate::annotations::{CONFIG_HASH, CONFIG_SEEN, RESTART};

/// Stands for a Secret or ConfigMap that was not there: pods started without it, or wait for it.
const ABSENT: &str = "-";

/// What is known of a Secret or ConfigMap at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// It could not be read.
    Unknown,
    /// It is not there, or lacks a field that is read.
    Missing,
    /// It is there.
    Present {
        /// Its version.
        version: String,
        /// Older versions of which it is known that the fields that are read were the same.
        same_as: BTreeSet<String>,
        /// Whether nobody has changed it since it was created.
        is_as_created: bool,
    },
}

/// What an earlier stamp has left on a Deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    seen: BTreeMap<String, String>,
    hash: Option<String>,
    restart: Option<String>,
}

impl Stamp {
    /// The stamp of a live Deployment.
    #[must_use]
    pub fn of(live: &DynamicObject) -> Self {
        let annotations = live.metadata.annotations.as_ref();
        let seen = annotations.and_then(|annotations| annotations.get(CONFIG_SEEN));
        let template = &live.data["spec"]["template"]["metadata"]["annotations"];
        let text = |name: &str| template[name].as_str().map(str::to_owned);
        Self {
            // A text that somebody broke is as good as none.
            seen: seen.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            hash: text(CONFIG_HASH),
            restart: text(RESTART),
        }
    }
}

/// A manifest with what makes its pods be replaced.
#[derive(Debug)]
pub struct Stamped<'m> {
    /// The manifest; borrowed where nothing was written onto it.
    pub manifest: Cow<'m, Manifest>,
    /// The Secrets and ConfigMaps whose change replaces the pods, `Secret/broker`.
    pub changed: Vec<String>,
}

/// Stamps a Deployment; other kinds stay as they are.
///
/// `before` is what the live one carries; `None` for one that is not there yet. `looks` is empty where nothing shall be
/// followed: what the pod template carries then stays, so that opting out replaces nothing.
#[must_use]
pub fn stamped<'m>(
    manifest: &'m Manifest,
    before: Option<Stamp>,
    references: &BTreeMap<ConfigRef, Reading>,
    looks: &BTreeMap<ConfigRef, Look>,
    restart: Option<&str>,
) -> Stamped<'m> {
    if manifest.kind != ChildKind::Deployment {
        return Stamped { manifest: Cow::Borrowed(manifest), changed: Vec::new() };
    }
    let is_new = before.is_none();
    let before = before.unwrap_or_default();
    let (mut seen, mut changed) = (BTreeMap::new(), Vec::new());
    for (reference, look) in looks {
        let Some(reading) = references.get(reference) else { continue };
        let name = format!("{}/{}", reference.0.as_str(), reference.1);
        let (now, replaces) = next(before.seen.get(&name).map(String::as_str), look, reading.optional);
        if replaces {
            changed.push(name.clone());
        }
        seen.extend(now.map(|version| (name, version)));
    }
    let text = serde_json::to_string(&seen).unwrap_or_default();
    let replaces = !changed.is_empty() || is_new && !seen.is_empty();
    let config = if replaces { Some(hash(&text)) } else { before.hash };
    let restart = restart.map(str::to_owned).or(before.restart);
    let on_template = [(CONFIG_HASH, config), (RESTART, restart)];
    if seen.is_empty() && on_template.iter().all(|(_, text)| text.is_none()) {
        return Stamped { manifest: Cow::Borrowed(manifest), changed };
    }
    let manifest = manifest.clone().edited(|body| {
        if !seen.is_empty() {
            body["metadata"]["annotations"][CONFIG_SEEN] = Value::String(text);
        }
        for (name, text) in on_template {
            if let Some(text) = text {
                body["spec"]["template"]["metadata"]["annotations"][name] = Value::String(text);
            }
        }
    });
    Stamped { manifest: Cow::Owned(manifest), changed }
}

/// The version to remember of one Secret or ConfigMap, and whether pods have to be replaced for it.
fn next(seen: Option<&str>, look: &Look, optional: bool) -> (Option<String>, bool) {
    let kept = || seen.map(str::to_owned);
    match (look, seen) {
        (Look::Missing, None) => (Some(ABSENT.to_owned()), false),
        // Away for a moment: what was seen last still holds.
        (Look::Unknown | Look::Missing, _) => (kept(), false),
        // Nobody looked before: pods that run have read it.
        (Look::Present { version, .. }, None) => (Some(version.clone()), false),
        // Pods that waited for it have started with what was there first. Where that is another version, or nobody knows
        // which, they are replaced once.
        (Look::Present { version, is_as_created, .. }, Some(ABSENT)) => {
            (Some(version.clone()), optional || !is_as_created)
        }
        (Look::Present { version, same_as, .. }, Some(seen)) => {
            (Some(version.clone()), seen != version && !same_as.contains(seen))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::references::{ConfigKind, Keys};
    use super::*;

    const BROKER: &str = "Secret/broker";

    fn manifest() -> Manifest {
        Manifest::new(
            ChildKind::Deployment,
            "shop-worker",
            &json!({"metadata": {}, "spec": {"template": {"metadata": {}, "spec": {}}}}),
        )
    }

    fn broker() -> ConfigRef {
        (ConfigKind::Secret, "broker".to_owned())
    }

    fn present(version: &str, same_as: &[&str]) -> Look {
        let same_as = same_as.iter().map(|&version| version.to_owned()).collect();
        Look::Present { version: version.to_owned(), same_as, is_as_created: true }
    }

    /// One that was changed since it was created.
    fn changed(version: &str) -> Look {
        Look::Present { version: version.to_owned(), same_as: BTreeSet::new(), is_as_created: false }
    }

    struct Story {
        live: Option<DynamicObject>,
        optional: bool,
        restart: Option<&'static str>,
    }

    impl Story {
        /// Goes on by one look; returns what replaced the pods, and whether anything was written.
        fn look(&mut self, look: Option<Look>) -> (Vec<String>, bool) {
            let references =
                BTreeMap::from([(broker(), Reading { keys: Keys::All, optional: self.optional })]);
            let looks = look.map(|look| (broker(), look)).into_iter().collect();
            let before = self.live.as_ref().map(Stamp::of);
            let manifest = manifest();
            let stamped = stamped(&manifest, before, &references, &looks, self.restart);
            let old = self.live.as_ref().map(|live| serde_json::to_value(live).expect("serialises"));
            let template = |body: &Value| body["spec"]["template"].clone();
            let is_replaced =
                old.as_ref().is_some_and(|old| template(old) != template(&stamped.manifest.body));
            if old.is_some() {
                let wanted = !stamped.changed.is_empty();
                assert!(!wanted || is_replaced, "a change that replaces nothing");
            }
            let is_written = old.is_none_or(|old| old != stamped.manifest.body);
            self.live = Some(serde_json::from_value(stamped.manifest.body.clone()).expect("an object"));
            let told = if is_replaced && stamped.changed.is_empty() {
                vec!["?".to_owned()]
            } else {
                stamped.changed
            };
            (told, is_written)
        }
    }

    fn begin(optional: bool, first: Option<Look>) -> Story {
        let mut story = Story { live: None, optional, restart: None };
        story.look(first);
        story
    }

    fn replaced() -> (Vec<String>, bool) {
        (vec![BROKER.to_owned()], true)
    }

    fn left() -> (Vec<String>, bool) {
        (Vec::new(), false)
    }

    fn noted() -> (Vec<String>, bool) {
        (Vec::new(), true)
    }

    #[test]
    fn a_changed_secret_replaces_the_pods_once() {
        let mut story = begin(false, Some(present("5", &[])));
        assert_eq!(story.look(Some(present("5", &[]))), left());
        assert_eq!(story.look(Some(present("6", &[]))), replaced());
        assert_eq!(story.look(Some(present("6", &[]))), left());
        // Another label on the Secret is another version with the same fields.
        assert_eq!(story.look(Some(present("7", &["6"]))), noted());
        assert_eq!(story.look(Some(present("7", &[]))), left());
    }

    #[test]
    fn a_secret_that_is_away_for_a_moment_replaces_nothing() {
        let mut story = begin(false, Some(present("5", &[])));
        assert_eq!(story.look(Some(Look::Missing)), left());
        assert_eq!(story.look(Some(Look::Unknown)), left());
        assert_eq!(story.look(Some(present("9", &["5"]))), noted());
        assert_eq!(story.look(Some(Look::Missing)), left());
        assert_eq!(story.look(Some(present("12", &[]))), replaced());
    }

    #[test]
    fn pods_that_waited_for_their_secret_are_not_replaced_when_it_comes() {
        let mut story = begin(false, Some(Look::Missing));
        assert_eq!(story.look(Some(present("5", &[]))), noted());
        assert_eq!(story.look(Some(present("6", &[]))), replaced());
    }

    /// They may have started with what it was at first.
    #[test]
    fn pods_that_waited_for_a_secret_that_has_changed_since_are_replaced_once() {
        let mut story = begin(false, Some(Look::Missing));
        assert_eq!(story.look(Some(Look::Missing)), left());
        assert_eq!(story.look(Some(changed("6"))), replaced());
        assert_eq!(story.look(Some(changed("6"))), left());
        // What was seen before is compared, whoever changed it when.
        let mut story = begin(false, Some(changed("5")));
        assert_eq!(story.look(Some(changed("5"))), left());
    }

    #[test]
    fn pods_that_started_without_an_optional_secret_are_replaced_when_it_comes() {
        let mut story = begin(true, Some(Look::Missing));
        assert_eq!(story.look(Some(Look::Missing)), left());
        assert_eq!(story.look(Some(present("5", &[]))), replaced());
        assert_eq!(story.look(Some(Look::Missing)), left());
    }

    #[test]
    fn a_deployment_of_an_older_release_is_noted_and_not_replaced() {
        let older = serde_json::from_value(manifest().body).expect("an object");
        let mut story = Story { live: Some(older), optional: false, restart: None };
        assert_eq!(story.look(Some(present("5", &[]))), noted());
        assert_eq!(story.look(Some(present("6", &[]))), replaced());
    }

    #[test]
    fn opting_out_and_in_again_replaces_nothing() {
        let mut story = begin(false, Some(present("5", &[])));
        assert_eq!(story.look(Some(present("6", &[]))), replaced());
        assert_eq!(story.look(None), noted());
        assert_eq!(story.look(None), left());
        assert_eq!(story.look(Some(present("8", &[]))), noted());
    }

    #[test]
    fn a_restart_is_asked_for_by_another_text_and_not_by_none() {
        let mut story = begin(false, None);
        story.restart = Some("monday");
        assert_eq!(story.look(None), (vec!["?".to_owned()], true));
        assert_eq!(story.look(None), left());
        story.restart = None;
        assert_eq!(story.look(None), left());
        story.restart = Some("tuesday");
        assert_eq!(story.look(None), (vec!["?".to_owned()], true));
    }

    #[test]
    fn what_reads_nothing_and_is_asked_nothing_stays_byte_by_byte() {
        let manifest = manifest();
        let stamped = stamped(&manifest, None, &BTreeMap::new(), &BTreeMap::new(), None);
        assert_eq!(*stamped.manifest, manifest);
    }

    #[test]
    fn a_broken_stamp_is_taken_for_none() {
        let live = json!({"metadata": {"annotations": {CONFIG_SEEN: "{broken"}}});
        assert_eq!(Stamp::of(&serde_json::from_value(live).expect("an object")), Stamp::default());
    }
}
