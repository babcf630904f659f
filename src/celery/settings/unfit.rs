// SPDX-License-Identifier: Apache-2.0
//! Values of the right kind that Celery cannot use all the same: the command line takes them, and then the worker ends,
//! its children do, or no task can be sent.
//!
//! Every entry was seen with real workers of 5.2 to 5.7. What an application may have registered, such as a serializer,
//! is not judged here.

use serde_json::{Map, Value as Json};

use super::routes;
use crate::celery::expansion::expands;
use crate::celery::number;

/// Where a value stands in the value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Below this name.
    Name(String),
    /// At this position.
    Item(usize),
}

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The way to it; empty for the whole value.
    pub within: Vec<Step>,
    /// What it is: `is not a rate`.
    pub message: &'static str,
    /// What to write: `use 10/m`.
    pub fix: &'static str,
}

impl Unfit {
    /// The whole value.
    pub(super) fn whole(message: &'static str, fix: &'static str) -> Self {
        Self { within: Vec::new(), message, fix }
    }

    /// The same one step further in.
    #[must_use]
    pub(super) fn below(mut self, step: Step) -> Self {
        self.within.insert(0, step);
        self
    }
}

/// The words behind the number of a rate.
const RATES: [&str; 4] = ["s", "m", "h", ""];
/// Types of exchanges that a broker has; plugins of RabbitMQ bring others, with `x-` before their names.
const EXCHANGES: [&str; 5] = ["", "direct", "topic", "fanout", "headers"];
/// Levels of Python's logging, as Celery knows them.
const LEVELS: [&str; 8] = ["CRITICAL", "FATAL", "ERROR", "WARN", "WARNING", "INFO", "DEBUG", "NOTSET"];
/// Ways to log in that py-amqp knows; it counts capitals.
const LOGINS: [&str; 4] = ["PLAIN", "AMQPLAIN", "EXTERNAL", "GSSAPI"];
/// What a policy of retries may say.
const RETRIES: [&str; 7] = [
    "max_retries",
    "interval_start",
    "interval_step",
    "interval_max",
    "retry_errors",
    "errback",
    "on_revive",
];
/// Settings without which Celery does not run, and which therefore cannot be null.
const NEVER_NULL: [&str; 7] = [
    "accept_content",
    "broker_transport_options",
    "result_serializer",
    "task_default_queue",
    "task_protocol",
    "worker_consumer",
    "worker_log_format",
];
/// Settings that Celery's table lets be numbers, and whose numbers Celery takes for texts.
const NEVER_NUMBERS: [&str; 13] = [
    "broker_transport",
    "result_serializer",
    "task_default_exchange",
    "task_default_exchange_type",
    "task_default_queue",
    "task_serializer",
    "worker_agent",
    "worker_consumer",
    "worker_log_format",
    "worker_redirect_stdouts_level",
    "worker_state_db",
    "worker_task_log_format",
    "worker_timer",
];

/// Why a value of the right kind cannot be used; `None` for one that can, and for what no table tells. What a variable
/// will put there is not judged.
#[must_use]
pub fn unfit(name: &str, value: &Json) -> Option<Unfit> {
    match value {
        Json::String(text) if expands(text) => return None,
        Json::Null if NEVER_NULL.contains(&name) => {
            return Some(Unfit::whole("cannot be null", "leave it out"));
        }
        Json::Null => return None,
        Json::Number(_) if NEVER_NUMBERS.contains(&name) => {
            return Some(Unfit::whole("is a number, Celery needs a string", "write a string"));
        }
        _ => {}
    }
    match name {
        "worker_max_tasks_per_child" => less_than(value, 1, "is less than one task", "use 1 or more"),
        "worker_concurrency" => concurrency(value),
        "broker_pool_limit" => {
            less_than(value, 0, "is less than no connection", "use 1 or more, or 0 for no pool")
        }
        "result_expires" => {
            let is_negative = number_of(value).is_some_and(|seconds| seconds < 0.0);
            is_negative.then(|| Unfit::whole("lies in the past", "use 0 for never, or seconds"))
        }
        "task_protocol" => {
            let is_known = whole_of(value).is_none_or(|version| [1, 2].contains(&version));
            (!is_known).then(|| Unfit::whole("is not a protocol of Celery", "use 2"))
        }
        "task_default_rate_limit" => rate(value),
        "worker_pool_start_method" => {
            let is_known = value.as_str().is_some_and(|word| ["fork", "spawn"].contains(&word));
            (!is_known).then(|| Unfit::whole("is not a way to start children", "use fork or spawn"))
        }
        "accept_content" | "result_accept_content" => content(name, value),
        "task_queues" => queues(value.as_object()?),
        "task_annotations" => annotations(value),
        "task_routes" => routes::unfit(value),
        "task_publish_retry_policy" => retries(value.as_object()?),
        _ => unfit_text(name, value),
    }
}

/// The same for settings of which only texts can be unfit.
fn unfit_text(name: &str, value: &Json) -> Option<Unfit> {
    match name {
        "task_default_queue" => is_empty(value).then(|| Unfit::whole("is an empty name", "leave it out")),
        "result_serializer" => is_empty(value).then(|| Unfit::whole("is an empty name", "use json")),
        "task_default_delivery_mode" => {
            let is_other = value.as_str().is_some_and(|word| !["transient", "persistent"].contains(&word));
            is_other.then(|| Unfit::whole("is not a mode", "use transient or persistent"))
        }
        "task_default_exchange_type" => {
            let is_other =
                value.as_str().is_some_and(|word| !EXCHANGES.contains(&word) && !word.starts_with("x-"));
            is_other.then(|| Unfit::whole("is not a type of exchange", "use direct, topic or fanout"))
        }
        "broker_failover_strategy" => {
            let is_other = value.as_str().is_some_and(|word| !["round-robin", "shuffle", ""].contains(&word));
            is_other.then(|| Unfit::whole("is not a strategy", "use round-robin or shuffle"))
        }
        "broker_heartbeat_checkrate" => {
            (number_of(value) == Some(0.0)).then(|| Unfit::whole("divides by zero", "use 2"))
        }
        "broker_connection_timeout" => {
            let is_none = number_of(value).is_some_and(|seconds| seconds <= 0.0);
            is_none.then(|| Unfit::whole("leaves no time to connect", "use 4"))
        }
        "broker_login_method" => {
            let is_other = value.as_str().is_some_and(|word| !word.is_empty() && !LOGINS.contains(&word));
            is_other.then(|| Unfit::whole("is not a way to log in", "use PLAIN, AMQPLAIN or EXTERNAL"))
        }
        "worker_redirect_stdouts_level" => level(value),
        "worker_log_format" | "worker_task_log_format" => {
            let is_bare =
                value.as_str().is_some_and(|text| !text.is_empty() && fields(text).next().is_none());
            is_bare.then(|| Unfit::whole("has no field of a log line", "use one such as %(message)s"))
        }
        _ => None,
    }
}

/// A whole number, written as one or as a text.
fn whole_of(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(number::int))
}

/// A number, written as one or as a text.
fn number_of(value: &Json) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str().and_then(number::float))
}

fn is_empty(value: &Json) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

fn less_than(value: &Json, least: i64, message: &'static str, fix: &'static str) -> Option<Unfit> {
    whole_of(value).is_some_and(|number| number < least).then(|| Unfit::whole(message, fix))
}

/// A word counts as nothing said since 5.7, and is refused by the command line before; what is no text arrives as it is.
fn concurrency(value: &Json) -> Option<Unfit> {
    let is_unusable = match value {
        Json::String(_) => whole_of(value).is_some_and(|tasks| tasks < 0),
        other => other.as_u64().is_none(),
    };
    is_unusable.then(|| Unfit::whole("is not a number of tasks", "use 1 or more"))
}

/// `10`, `10/s`, `0.5/m`; what stands before the slash is a number of Python.
fn rate(value: &Json) -> Option<Unfit> {
    let text = value.as_str().filter(|text| !text.is_empty() && !expands(text))?;
    let (amount, per) = text.split_once('/').unwrap_or((text, ""));
    let is_rate = number::float(amount).is_some() && RATES.contains(&per);
    (!is_rate).then(|| Unfit::whole("is not a rate", "write one such as 10/s, 10/m or 10/h"))
}

fn level(value: &Json) -> Option<Unfit> {
    let word = value.as_str().filter(|word| !word.is_empty())?.to_uppercase();
    let told = Unfit::whole("is not a level of logging", "use DEBUG, INFO, WARNING, ERROR or CRITICAL");
    (!LEVELS.contains(&word.as_str())).then_some(told)
}

/// The fields of a format of Python: of each `%(name)` with flags and the letter of a type the name.
pub fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("%(").filter_map(|(at, opening)| {
        let (name, rest) = text[at + opening.len()..].split_once(')')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let kind = rest.trim_start_matches(|c: char| "#0+ -.*".contains(c) || c.is_ascii_digit());
        let is_whole = kind.starts_with(|c: char| "diouxefgcrsa%".contains(c.to_ascii_lowercase()));
        (is_name && is_whole).then_some(name)
    })
}

fn content(name: &str, value: &Json) -> Option<Unfit> {
    let items = value.as_array()?;
    if items.is_empty() && name == "accept_content" {
        return Some(Unfit::whole("refuses every task", "use [json], or leave it out"));
    }
    let at = items.iter().position(|item| !item.is_string())?;
    Some(Unfit::whole("is not the name of a serializer", "use json").below(Step::Item(at)))
}

fn queues(queues: &Map<String, Json>) -> Option<Unfit> {
    let (name, _) = queues.iter().find(|(_, queue)| !queue.is_object())?;
    let told = Unfit::whole("is no table of names and values", "use {}, or {routing_key: …}");
    Some(told.below(Step::Name(name.clone())))
}

fn retries(policy: &Map<String, Json>) -> Option<Unfit> {
    let unknown = policy.keys().find(|key| !RETRIES.contains(&key.as_str()))?;
    let told = Unfit::whole("is no part of a retry policy", "use max_retries or interval_start");
    Some(told.below(Step::Name(unknown.clone())))
}

/// What is changed about tasks: a table by their names, or a list of such tables. A text is an import.
fn annotations(value: &Json) -> Option<Unfit> {
    match value {
        Json::Object(tasks) => tasks.iter().find_map(|(name, task)| {
            let found = match task {
                Json::Object(changes) => rate(changes.get("rate_limit")?)
                    .map(|found| found.below(Step::Name("rate_limit".to_owned()))),
                // Python makes a table of nothing from it.
                Json::Array(items) if items.is_empty() => None,
                _ => Some(Unfit::whole("is no table of names and values", "use {rate_limit: 10/s}")),
            };
            found.map(|found| found.below(Step::Name(name.clone())))
        }),
        Json::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
            item.is_object().then(|| annotations(item))?.map(|found| found.below(Step::Item(at)))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_celery_can_use_are_left_alone() {
        for (name, value) in [
            ("worker_max_tasks_per_child", json!(1)),
            ("worker_max_tasks_per_child", json!("$(TASKS)")),
            ("worker_concurrency", json!(0)),
            ("worker_concurrency", json!("auto")),
            ("task_default_rate_limit", json!("0.5/m")),
            ("task_default_rate_limit", json!(10)),
            ("task_default_rate_limit", json!("")),
            ("task_default_rate_limit", json!("1/")),
            ("worker_redirect_stdouts_level", json!("info")),
            ("worker_log_format", json!("%(asctime)s: %(message)-10s")),
            ("accept_content", json!(["json", "own"])),
            ("result_accept_content", json!([])),
            ("task_annotations", json!({"*": {"rate_limit": "$(RATE)"}, "b": []})),
            ("task_annotations", json!([{"a": {"rate_limit": "10/s"}}, "shop.Annotations"])),
            ("task_publish_retry_policy", json!({"max_retries": 3, "interval_max": 0.2})),
            ("broker_pool_limit", json!(null)),
            ("result_expires", json!(0)),
            ("task_queues", json!({"a": {}})),
            ("task_protocol", json!("1")),
        ] {
            assert_eq!(unfit(name, &value), None, "{name} {value}");
        }
    }

    #[test]
    fn a_pool_of_connections_is_told_what_the_api_server_keeps() {
        assert_eq!(unfit("broker_pool_limit", &json!(0)), None);
        let fix = unfit("broker_pool_limit", &json!(-1)).map(|found| found.fix);
        assert!(fix.is_some_and(|fix| fix.contains("or 0") && !fix.contains("null")), "{fix:?}");
    }

    #[test]
    fn a_fault_is_told_where_it_stands() {
        let name = |name: &str| Step::Name(name.to_owned());
        for (setting, value, within) in [
            ("accept_content", json!(["json", 7]), vec![Step::Item(1)]),
            ("task_queues", json!({"a": {}, "b": "c"}), vec![name("b")]),
            (
                "task_annotations",
                json!([{"*": {"rate_limit": "1/x"}}]),
                vec![Step::Item(0), name("*"), name("rate_limit")],
            ),
            ("task_publish_retry_policy", json!({"retries": 3}), vec![name("retries")]),
            ("worker_log_format", json!("%(message)"), vec![]),
        ] {
            assert_eq!(unfit(setting, &value).map(|found| found.within), Some(within), "{setting} {value}");
        }
    }
}
