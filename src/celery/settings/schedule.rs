// SPDX-License-Identifier: Apache-2.0
//! The entries of `beat_schedule`, as far as JSON can say them: every so many seconds. A crontab is an object of Python.

use serde_json::{Map, Value as Json};

use super::unfit::{Step, Unfit};

/// What an entry may have.
const KEYS: [&str; 10] = [
    "name",
    "task",
    "schedule",
    "args",
    "kwargs",
    "options",
    "relative",
    "app",
    "last_run_at",
    "total_run_count",
];

/// A fault in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplanned {
    /// Whether beat goes on with it, in another way than was meant.
    pub is_doubt: bool,
    /// What is wrong, and where below `beat_schedule`.
    pub fault: Unfit,
    /// Whether only Celery's own scheduler minds; those of packages may know more.
    pub is_own: bool,
}

/// What beat cannot use of a schedule; one fault an entry.
#[must_use]
pub fn misplanned(schedule: &Json) -> Vec<Misplanned> {
    let entries = schedule.as_object().into_iter().flatten();
    let found = |(name, entry): (&String, &Json)| {
        let found = fault(entry)?;
        Some(Misplanned { fault: found.fault.below(Step::Name(name.clone())), ..found })
    };
    entries.filter_map(found).collect()
}

fn fault(entry: &Json) -> Option<Misplanned> {
    let Some(entry) = entry.as_object() else {
        let fix = "use {task: a.b, schedule: 60}";
        return Some(Misplanned {
            fault: Unfit::whole("is no table of names and values", fix),
            is_own: false,
            is_doubt: false,
        });
    };
    let of_part = part(entry).map(|(key, fault)| fault.below(Step::Name(key.to_owned())));
    if let Some(fault) = of_part {
        return Some(Misplanned { fault, is_own: false, is_doubt: false });
    }
    let Some(unknown) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) else {
        return letters(entry);
    };
    let fault = Unfit::whole("is no part of an entry", "remove it, or put it into options");
    Some(Misplanned { fault: fault.below(Step::Name(unknown.clone())), is_own: true, is_doubt: false })
}

/// Arguments that are one text, of which Python makes a list of letters. Without the text, which may be a credential.
fn letters(entry: &Map<String, Json>) -> Option<Misplanned> {
    let is_text = entry.get("args").and_then(Json::as_str).is_some_and(|text| text.chars().count() > 1);
    let fault = Unfit::whole("makes an argument of each letter", "write it in brackets: [text]");
    is_text.then(|| Misplanned {
        fault: fault.below(Step::Name("args".to_owned())),
        is_own: false,
        is_doubt: true,
    })
}

fn part(entry: &Map<String, Json>) -> Option<(&'static str, Unfit)> {
    let given = |key: &str| entry.get(key).filter(|value| !value.is_null());
    let is_text = |value: &Json| value.as_str().is_some_and(|text| !text.is_empty());
    if !given("task").is_some_and(is_text) {
        return Some(("task", Unfit::whole("is not the name of a task", "use one such as shop.tasks.clean")));
    }
    if let Some(fault) = seconds(given("schedule")) {
        return Some(("schedule", fault));
    }
    let wrong = |key, fits: fn(&Json) -> bool| given(key).is_some_and(|value| !fits(value));
    // Python makes a list of texts and tables too.
    if wrong("args", |args| args.is_array() || args.is_string() || args.is_object()) {
        return Some(("args", Unfit::whole("is not a list", "use a list such as [1, 2]")));
    }
    let tables = ["kwargs", "options"];
    let key = tables.into_iter().find(|key| wrong(key, Json::is_object))?;
    Some((key, Unfit::whole("is no table of names and values", "use {name: value}")))
}

/// With 0 or less a task is due always, and beat sends it without a pause.
fn seconds(schedule: Option<&Json>) -> Option<Unfit> {
    let crontab = "use seconds, and set crontabs in the application";
    match schedule {
        None => Some(Unfit::whole("is missing", "use a number of seconds")),
        Some(Json::Number(number)) => {
            let is_due_always = number.as_f64().is_some_and(|seconds| seconds <= 0.0);
            is_due_always.then(|| Unfit::whole("is always due, so beat never pauses", "use 1 or more"))
        }
        // For Python that is 1.
        Some(Json::Bool(true)) => None,
        Some(_) => Some(Unfit::whole("is not a number of seconds", crontab)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_has_a_task_and_seconds() {
        let good = json!({"task": "a.b", "schedule": 0.5, "args": [1], "kwargs": {"a": 1}, "options": null});
        let odd = json!({"task": "a", "schedule": true, "args": {"x": 1}});
        assert_eq!(
            misplanned(&json!({"good": good, "shorter": {"task": "a", "schedule": 5}, "odd": odd})),
            []
        );
        for (entry, key, is_own) in [
            (json!(7), None, false),
            (json!({}), Some("task"), false),
            (json!({"task": 7, "schedule": 5}), Some("task"), false),
            (json!({"task": "a"}), Some("schedule"), false),
            (json!({"task": "a", "schedule": "crontab(minute=5)"}), Some("schedule"), false),
            (json!({"task": "a", "schedule": "$(EVERY)"}), Some("schedule"), false),
            (json!({"task": "a", "schedule": {"minute": 5}}), Some("schedule"), false),
            (json!({"task": "a", "schedule": 0}), Some("schedule"), false),
            (json!({"task": "a", "schedule": 5, "args": 7}), Some("args"), false),
            (json!({"task": "a", "schedule": 5, "kwargs": [1]}), Some("kwargs"), false),
            (json!({"task": "a", "schedule": 5, "options": 7}), Some("options"), false),
            (json!({"task": "a", "schedule": 5, "enabled": true}), Some("enabled"), true),
        ] {
            let found = misplanned(&json!({"x": entry}));
            let name = |name: &str| Step::Name(name.to_owned());
            let within: Vec<Step> = [Some("x"), key].into_iter().flatten().map(name).collect();
            assert_eq!(found.len(), 1, "{entry}");
            assert_eq!((&found[0].fault.within, found[0].is_own), (&within, is_own), "{entry}");
        }
    }
}
