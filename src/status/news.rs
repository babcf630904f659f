// SPDX-License-Identifier: Apache-2.0
//! What is worth an event: children that came or went, and a change of `Ready` or `Valid`. Pure, and a function of the
//! difference alone: where nothing changes there is no news.

use crate::api::{CeleryStatus, Condition};

/// Longest note that the API server takes.
const MAX_NOTE: usize = 1024;
/// How many children a note names.
const NAMED: usize = 8;

/// How an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Importance {
    /// What is as it should be.
    Normal,
    /// What somebody may want to look at.
    Warning,
}

/// What is told in an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct News {
    /// How it is shown.
    pub importance: Importance,
    /// One word for programs, one for each cause.
    pub reason: String,
    /// One sentence for people.
    pub note: String,
    /// What the operator was doing.
    pub action: &'static str,
}

impl News {
    fn new(importance: Importance, reason: &str, note: &str, action: &'static str) -> Self {
        let mut note = note.to_owned();
        if note.len() > MAX_NOTE {
            // Bytes count, and a letter may take several.
            let end = (0..=MAX_NOTE - '…'.len_utf8()).rev().find(|end| note.is_char_boundary(*end));
            note.truncate(end.unwrap_or_default());
            note.push('…');
        }
        Self { importance, reason: reason.to_owned(), note, action }
    }
}

/// News of what was done to children; each is given as `Deployment shop-worker`.
#[must_use]
pub fn of_children(
    created: &[String],
    adopted: &[String],
    deleted: &[String],
    rolled: &[String],
) -> Vec<News> {
    let told = [
        ("ChildCreated", "created", created, "Apply"),
        ("ChildAdopted", "took over", adopted, "Apply"),
        ("ChildDeleted", "deleted", deleted, "Prune"),
        (
            "ConfigChanged",
            "pods are replaced, since what they read at their start has changed:",
            rolled,
            "Roll",
        ),
    ];
    let some = told.into_iter().filter(|(_, _, children, _)| !children.is_empty());
    some.map(|(reason, verb, children, action)| {
        let mut named: Vec<String> = children.iter().take(NAMED).cloned().collect();
        if children.len() > NAMED {
            named.push(format!("{} more", children.len() - NAMED));
        }
        News::new(Importance::Normal, reason, &format!("{verb} {}", named.join(", ")), action)
    })
    .collect()
}

/// News of a status that was written over another one.
#[must_use]
pub fn of_conditions(before: Option<&CeleryStatus>, after: &CeleryStatus) -> Vec<News> {
    let find = |status: &'_ CeleryStatus, type_: &str| -> Option<Condition> {
        status.conditions.iter().find(|condition| condition.type_ == type_).cloned()
    };
    let is_stalled = find(after, "Stalled").is_some_and(|stalled| stalled.status == "True");
    let mut news: Vec<News> = Vec::new();
    for type_ in ["Valid", "Ready"] {
        let Some(now) = find(after, type_) else { continue };
        let then = before.and_then(|before| find(before, type_));
        let same = then.as_ref().is_some_and(|then| then.status == now.status && then.reason == now.reason);
        // That a new object is valid is nothing new: it was let in.
        let expected = then.is_none() && type_ == "Valid" && now.status == "True";
        // One reason for one cause: a spec that is refused is neither valid nor ready.
        let told = news.iter().any(|told| told.reason == now.reason);
        if same || expected || told {
            continue;
        }
        let is_bad = now.status == "False" && (type_ == "Valid" || is_stalled);
        let importance = if is_bad { Importance::Warning } else { Importance::Normal };
        news.push(News::new(importance, &now.reason, &now.message, "Reconcile"));
    }
    news
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(conditions: &[(&str, &str, &str)]) -> CeleryStatus {
        let condition = |(type_, status, reason): &(&str, &str, &str)| {
            json!({"type": type_, "status": status, "reason": reason, "message": format!("because {reason}"),
                   "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let conditions: Vec<_> = conditions.iter().map(condition).collect();
        serde_json::from_value(json!({ "conditions": conditions })).expect("a status")
    }

    fn told(before: Option<&CeleryStatus>, after: &CeleryStatus) -> Vec<(Importance, String)> {
        of_conditions(before, after).into_iter().map(|news| (news.importance, news.reason)).collect()
    }

    fn one(importance: Importance, reason: &str) -> Vec<(Importance, String)> {
        vec![(importance, reason.to_owned())]
    }

    #[test]
    fn every_change_of_ready_and_of_valid_is_told_once() {
        let waiting = status(&[("Ready", "False", "Progressing"), ("Valid", "True", "Accepted")]);
        let ready = status(&[("Ready", "True", "Ready"), ("Valid", "True", "Accepted")]);
        let stalled = status(&[
            ("Ready", "False", "ImagePullBackOff"),
            ("Stalled", "True", "ImagePullBackOff"),
            ("Valid", "True", "Accepted"),
        ]);
        let refused = status(&[
            ("Ready", "False", "Refused"),
            ("Stalled", "True", "Refused"),
            ("Valid", "False", "Refused"),
        ]);
        assert_eq!(told(None, &waiting), one(Importance::Normal, "Progressing"));
        assert_eq!(told(Some(&waiting), &waiting), []);
        assert_eq!(told(Some(&waiting), &ready), one(Importance::Normal, "Ready"));
        let missing = status(&[("Ready", "False", "Missing"), ("Valid", "True", "Accepted")]);
        assert_eq!(told(Some(&waiting), &missing), one(Importance::Normal, "Missing"));
        let unchecked = status(&[("Ready", "True", "Ready"), ("Valid", "Unknown", "Accepted")]);
        assert_eq!(told(Some(&ready), &unchecked), one(Importance::Normal, "Accepted"));
        assert_eq!(told(Some(&ready), &stalled), one(Importance::Warning, "ImagePullBackOff"));
        assert_eq!(told(Some(&ready), &refused), one(Importance::Warning, "Refused"));
        let healed = [(Importance::Normal, "Accepted".to_owned()), (Importance::Normal, "Ready".to_owned())];
        assert_eq!(told(Some(&refused), &ready), healed);
        assert_eq!(of_conditions(Some(&ready), &stalled)[0].note, "because ImagePullBackOff");
    }

    #[test]
    fn children_of_one_verb_are_one_event_and_a_note_has_an_end() {
        let children: Vec<String> = (0..50).map(|at| format!("Deployment shop-worker-{at}")).collect();
        let news = of_children(&children, &[], &children[..1], &[]);
        assert_eq!(news.len(), 2);
        assert!(news[0].note.ends_with("42 more"), "{}", news[0].note);
        assert_eq!(news[1].note, "deleted Deployment shop-worker-0");
        let all = of_children(&children[..NAMED], &[], &[], &[]);
        assert!(all[0].note.ends_with(", Deployment shop-worker-7"), "{}", all[0].note);
        assert_eq!(of_children(&[], &[], &[], &[]), []);
        let long = News::new(Importance::Normal, "A", &"é".repeat(4000), "B");
        assert!(long.note.len() <= MAX_NOTE && long.note.ends_with('…'), "{}", long.note.len());
    }
}
