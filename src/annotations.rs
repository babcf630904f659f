// SPDX-License-Identifier: Apache-2.0
//! The annotations of a Celery that ask for something, and those that the operator leaves on its children.

use std::collections::BTreeMap;

/// What the names of the operator's own annotations begin with.
pub const OWN: &str = "celeryproject.org/";

/// Leaves the children alone.
pub const PAUSED: &str = "celeryproject.org/paused";
/// Replaces the pods when its text changes.
pub const RESTART: &str = "celeryproject.org/restart";
/// Takes over what has the right name and belongs to nobody.
pub const ADOPT: &str = "celeryproject.org/adopt";
/// Whether pods are replaced when a Secret or ConfigMap changes that they read at their start.
pub const ROLL_ON_CONFIG_CHANGE: &str = "celeryproject.org/roll-on-config-change";
/// Rules whose warnings are not told.
pub const IGNORE_RULES: &str = "celeryproject.org/ignore-rules";

/// On a Deployment: the versions of the Secrets and ConfigMaps that its pods started with, as far as known. It stands
/// beside the pod template and not in it, so that looking at an older Deployment for the first time restarts nobody.
pub const CONFIG_SEEN: &str = "celeryproject.org/config-seen";
/// On a pod template: changes when something changed that the pods read at their start.
pub const CONFIG_HASH: &str = "celeryproject.org/config-hash";

/// An annotation that users may set on a Celery.
#[derive(Clone, Copy, Debug)]
pub struct Annotation {
    /// Its name.
    pub name: &'static str,
    /// What to write.
    pub value: &'static str,
    /// The words that are understood, whatever their case; none: any text is.
    pub words: Option<[&'static str; 2]>,
    /// What comes of it.
    pub meaning: &'static str,
}

/// The words of what is on or off.
const SWITCH: Option<[&str; 2]> = Some(["true", "false"]);

/// Every annotation that users may set on a Celery.
pub const ALL: &[Annotation] = &[
    Annotation {
        name: PAUSED,
        value: "\"true\"",
        words: SWITCH,
        meaning: "The children are left as they are: nothing is created, changed or deleted. The condition Paused says so, \
                  and Stalled as soon as something would have to be done.",
    },
    Annotation {
        name: RESTART,
        value: "any text",
        words: None,
        meaning: "Pods of workers, beat and Flower are replaced, by the rollout strategy, whenever the text changes. \
                  Taking the annotation away replaces nothing.",
    },
    Annotation {
        name: ADOPT,
        value: "\"true\"",
        words: SWITCH,
        meaning: "A Deployment or Service of the right name that nobody controls is taken over: its spec becomes the \
                  operator's, the number of pods stays where an autoscaler owns it. A Deployment with another selector \
                  cannot be taken over, since a selector never changes; Stalled says so. What \
                  the operator itself made for a Celery of this name and appName, and what a deletion with \
                  `--cascade=orphan` left behind, is taken over whatever its kind. The names and the selectors, and the \
                  way beside that, are in [children](children.md).",
    },
    Annotation {
        name: ROLL_ON_CONFIG_CHANGE,
        value: "\"false\"",
        words: SWITCH,
        meaning: "Pods are not replaced when a Secret or ConfigMap changes that they read at their start: variables, what \
                  the operator mounts itself, and mounts by subPath. Other volumes are refreshed by kubelet and replace \
                  nothing anyway.",
    },
    Annotation {
        name: IGNORE_RULES,
        value: "\"G11, B30\"",
        words: None,
        meaning: "The warnings of these rules are not told: at no `kubectl apply`, by no `lint`, and not in the status. It is \
                  for what cannot be seen from here, such as a setting of the broker. A denial is never silent.",
    },
];

/// The ids that an annotation names whose warnings are not told, as they are written.
pub fn ignored(annotations: Option<&BTreeMap<String, String>>) -> impl Iterator<Item = &str> {
    let text = annotations.and_then(|annotations| annotations.get(IGNORE_RULES));
    let ids = text.into_iter().flat_map(|text| text.split(|c: char| c == ',' || c.is_whitespace()));
    ids.filter(|id| !id.is_empty())
}

impl Annotation {
    /// Whether a text is one that is understood.
    #[must_use]
    pub fn reads(&self, text: &str) -> bool {
        self.words.is_none_or(|words| words.into_iter().any(|word| is_word(text, word)))
    }
}

/// Whether a text is this word, as people write it.
fn is_word(text: &str, word: &str) -> bool {
    text.trim().eq_ignore_ascii_case(word)
}

/// What the annotations of a Celery ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The children are left alone.
    pub paused: bool,
    /// What has the right name and belongs to nobody is taken over.
    pub adopt: bool,
    /// Pods are replaced when something changes that they read at their start.
    pub roll: bool,
    /// Pods are replaced when this text changes.
    pub restart: Option<String>,
}

impl Asked {
    /// What these annotations ask for.
    #[must_use]
    pub fn of(annotations: Option<&BTreeMap<String, String>>) -> Self {
        let text = |name: &str| annotations.and_then(|annotations| annotations.get(name));
        let is = |name: &str, word: &str| text(name).is_some_and(|text| is_word(text, word));
        Self {
            paused: is(PAUSED, "true"),
            adopt: is(ADOPT, "true"),
            roll: !is(ROLL_ON_CONFIG_CHANGE, "false"),
            restart: text(RESTART).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_asks_for_nothing_but_fresh_configuration() {
        let silent = Asked { paused: false, adopt: false, roll: true, restart: None };
        assert_eq!(Asked::of(None), silent);
        assert_eq!(Asked::of(Some(&BTreeMap::new())), silent);
        for (name, value) in
            [(PAUSED, "false"), (PAUSED, ""), (ADOPT, "yes"), (ROLL_ON_CONFIG_CHANGE, "true")]
        {
            let annotations = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            assert_eq!(Asked::of(Some(&annotations)), silent, "{name}: {value}");
        }
    }

    #[test]
    fn every_wish_is_heard() {
        let wishes =
            [(PAUSED, "true"), (ADOPT, "True"), (ROLL_ON_CONFIG_CHANGE, "false"), (RESTART, "monday")];
        let annotations = wishes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected = Asked { paused: true, adopt: true, roll: false, restart: Some("monday".to_owned()) };
        assert_eq!(Asked::of(Some(&annotations)), expected);
    }
}
