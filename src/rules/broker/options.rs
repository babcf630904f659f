// SPDX-License-Identifier: Apache-2.0
//! Rules about the names and the values of transport options, which kombu takes as they are and trips over later.

use serde_json::Value;

use crate::celery::broker_url::Transport;
use crate::celery::closest;
use crate::celery::expansion::expands;
use crate::effective::broker::is_true;
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::path;
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

use super::sqs::makes_queues;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "B50", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a transport option has a value that it takes",
        consequence: "The worker crashes with a TypeError, some options only with the first message, or never connects. With a visibility_timeout of 0 Redis hands out every task a second time while it runs. SQS makes no queue with a visibility_timeout that is not whole.",
        check: Check::object(b50).or(Severity::Warn, "when the broker is not known, and for visibility_timeout with SQS"),
        example: Example {
            bad: "spec: {common: {broker: {transportOptions: {visibility_timeout: 1h}}}}",
            at: "spec.common.broker.transportOptions.visibility_timeout",
            good: "spec: {common: {broker: {transportOptions: {visibility_timeout: 3600}}}}",
            old: None,
        },
    },
    Rule {
        id: "B51", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a transport option is spelt as kombu spells it",
        consequence: "The option has no effect, without a word about it.",
        check: Check::object(b51),
        example: Example {
            bad: "spec: {common: {broker: {transportOptions: {visibilityTimeout: 3600}}}}",
            at: "spec.common.broker.transportOptions.visibilityTimeout",
            good: "spec: {common: {broker: {transportOptions: {visibility_timeout: 3600}}}}",
            old: None,
        },
    },
];

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Seconds, with a fraction or without.
    Number,
    /// Seconds, or none.
    Pause,
    /// A table whose names are numbers of Python's `socket`, which JSON and YAML make texts of.
    Nothing,
    /// A count.
    Whole,
    /// More seconds than none.
    Seconds,
    /// A list of whole numbers.
    Steps,
    /// A text.
    Text,
    /// A text without blanks, which Redis refuses in a name.
    Word,
    /// The order in which queues get their turn: a word of kombu, or the path of a class.
    Order,
}

/// Options whose values are used in arithmetic, and the transports that have them.
const TYPED: &[(&str, Takes, &[Transport])] = &[
    ("visibility_timeout", Takes::Seconds, REDIS),
    ("socket_timeout", Takes::Seconds, REDIS),
    ("socket_connect_timeout", Takes::Seconds, REDIS),
    ("health_check_interval", Takes::Number, REDIS),
    ("polling_interval", Takes::Pause, REDIS),
    ("polling_interval", Takes::Number, &[Transport::Sqs]),
    ("max_connections", Takes::Whole, REDIS),
    ("priority_steps", Takes::Steps, REDIS),
    ("wait_time_seconds", Takes::Whole, &[Transport::Sqs]),
    ("global_keyprefix", Takes::Text, REDIS),
    ("queue_order_strategy", Takes::Order, REDIS),
    ("sep", Takes::Text, REDIS),
    ("client_name", Takes::Word, REDIS),
    ("socket_keepalive_options", Takes::Nothing, REDIS),
    ("connect_timeout", Takes::Seconds, &[Transport::Amqp]),
    ("queue_name_prefix", Takes::Text, &[Transport::Sqs]),
];
/// The orders that kombu knows by a word.
const ORDERS: [&str; 3] = ["priority", "round_robin", "sorted"];
const REDIS: &[Transport] = &[Transport::Redis, Transport::Sentinel, Transport::RedisSocket];

/// Further names, so that a right one is not taken for a wrong one.
const NAMES: &[&str] = &[
    "master_name",
    "sentinel_kwargs",
    "min_other_sentinels",
    "socket_keepalive",
    "socket_keepalive_options",
    "retry_on_timeout",
    "fanout_prefix",
    "fanout_patterns",
    "ack_emulation",
    "unacked_key",
    "unacked_index_key",
    "unacked_mutex_key",
    "unacked_mutex_expire",
    "unacked_restore_limit",
    "body_encoding",
    "deadletter_queue",
    "region",
    "predefined_queues",
    "queue_name_prefix",
    "sqs-creation-attributes",
    "client-config",
    "sts_role_arn",
    "sts_token_timeout",
    "sts_token_buffer_time",
    "is_secure",
    "port",
    "regioninfo",
    "backoff_policy",
    "backoff_tasks",
    "sqs_base64_encoding",
    "fetch_message_attributes",
    "data_folder_in",
    "data_folder_out",
    "processed_folder",
    "store_processed",
    "control_folder",
    "confirm_publish",
    "confirm_timeout",
    "login_method",
    "client_properties",
    "connect_timeout",
    "read_timeout",
    "write_timeout",
    "heartbeat",
    "max_retries",
    "interval_start",
    "interval_step",
    "interval_max",
    "errback",
    "callback",
];

/// The options of both places, each with its path, its name and its value.
pub(super) fn options<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = (String, &'s str, &'s Value)> {
    let field = subject.broker().and_then(|broker| broker.transport_options.as_ref());
    let field = field.map(|options| ("spec.common.broker.transportOptions", &options.0));
    let setting = subject.common().config.get("broker_transport_options");
    let setting = setting.map(|setting| ("spec.common.config.broker_transport_options", &setting.0));
    field.into_iter().chain(setting).flat_map(|(at, options)| {
        let entries = options.as_object().into_iter().flatten();
        entries.map(move |(name, value)| (path::entry(at, name), name.as_str(), value))
    })
}

fn b50(subject: &Subject<'_>, report: &mut Report<'_>) {
    let transport = subject.transport();
    for (path, name, value) in options(subject) {
        if name == "visibility_timeout" && transport == Some(Transport::Sqs) {
            of_sqs(subject, path, value, report);
            continue;
        }
        let is_here = |transports: &[Transport]| transport.is_none_or(|known| transports.contains(&known));
        let typed = TYPED.iter().find(|(typed, _, transports)| *typed == name && is_here(transports));
        let Some((_, takes, _)) = typed else { continue };
        // redis-py looks at it beside that alone.
        let is_read = *takes != Takes::Nothing || keeps_alive(subject, &path);
        if takes.fits(value) || value.as_str().is_some_and(expands) || !is_read {
            continue;
        }
        // Which broker a Secret names is not known.
        let severity = if transport.is_some() { report.severity() } else { Severity::Warn };
        report.graded(severity, Kind::Invalid, path, takes.not(), takes.instead(name, value));
    }
}

/// Whether `socket_keepalive` is on beside an option.
fn keeps_alive(subject: &Subject<'_>, path: &str) -> bool {
    let place = |path: &str| path.rsplit_once('.').map(|(place, _)| place.to_owned());
    options(subject)
        .any(|(at, name, value)| name == "socket_keepalive" && is_true(value) && place(&at) == place(path))
}

/// kombu hands the text of this value to SQS, so that digits in quotes work, where it makes the queue.
fn of_sqs(subject: &Subject<'_>, path: String, value: &Value, report: &mut Report<'_>) {
    let is_whole = match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => !number.is_f64(),
        Value::String(text) => text.parse::<u32>().is_ok() || text.is_empty() || expands(text),
        _ => false,
    };
    if !is_whole && makes_queues(subject) {
        let message = "is not a whole number of seconds";
        report.warn(Kind::Invalid, path, message, "use one such as 3600");
    }
}

fn b51(subject: &Subject<'_>, report: &mut Report<'_>) {
    let known = || TYPED.iter().map(|(name, ..)| *name).chain(NAMES.iter().copied());
    for (path, name, _) in options(subject) {
        if known().any(|known| known == name) {
            continue;
        }
        if let Some(meant) = closest::of(name, known()) {
            report.add(Kind::Forbidden, path, "is no transport option", format!("did you mean {meant}?"));
        }
    }
}

impl Takes {
    /// Whether a value is one of these; null is told of elsewhere.
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null)
            | (Self::Number | Self::Word, Value::Number(_))
            | (Self::Text, Value::String(_)) => true,
            (Self::Pause, Value::Number(number)) => number.as_f64().is_some_and(|seconds| seconds >= 0.0),
            (Self::Nothing, written) => written.as_object().is_none_or(serde_json::Map::is_empty),
            (Self::Whole, Value::Number(number)) => !number.is_f64(),
            (Self::Seconds, Value::Number(number)) => number.as_f64().is_some_and(|seconds| seconds > 0.0),
            (Self::Steps, Value::Array(steps)) => {
                !steps.is_empty() && steps.iter().all(|step| step.is_i64() || step.is_u64())
            }
            (Self::Word, Value::String(text)) => !text.contains(char::is_whitespace),
            (Self::Order, Value::String(word)) => {
                ORDERS.contains(&word.as_str()) || word.contains(['.', ':'])
            }
            _ => false,
        }
    }

    fn not(self) -> &'static str {
        match self {
            Self::Number => "is not a number",
            Self::Pause => "is not a number of 0 or more",
            Self::Nothing => "has strings for the numbers of its options",
            Self::Seconds => "is not a number above 0",
            Self::Text => "is not a string",
            Self::Word => "is not a name without spaces",
            Self::Order => "is not an order of queues",
            Self::Whole => "is not a whole number",
            Self::Steps => "is not a list of whole numbers",
        }
    }

    /// What to write instead.
    fn instead(self, name: &str, value: &Value) -> String {
        let digits = value.as_str().map(str::trim).filter(|text| text.parse::<u32>().is_ok());
        match (self, digits) {
            (Self::Steps, _) => "write one such as [0, 3, 6, 9]".to_owned(),
            (Self::Order, _) => format!("use {}", ORDERS.join(", ")),
            (Self::Nothing, _) => "set it in the application".to_owned(),
            (Self::Text, _) => "write it in quotes".to_owned(),
            (Self::Word, _) => "leave spaces out".to_owned(),
            (_, Some("0")) | (Self::Seconds, None) if name == "visibility_timeout" => {
                "use seconds such as 3600".to_owned()
            }
            (_, Some(digits)) => format!("write {digits} without quotes"),
            _ if name == "max_connections" => "use a number such as 10".to_owned(),
            _ => "use seconds such as 60".to_owned(),
        }
    }
}
