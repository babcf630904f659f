// SPDX-License-Identifier: Apache-2.0
//! Celery settings as words of a command line, after `--`: no file and no change of the application is needed.

use serde_json::{Map, Value};

use super::pod::kept_by_kubelet;
use super::{BrokerAccess, CelerySpec};
use crate::celery::settings;
use crate::celery::version::Release;
use crate::effective::broker::{OPTIONS, said_options};

/// The settings that a worker or beat gets: the broker's transport options and encryption, then `common.config`.
pub(super) fn settings(spec: &CelerySpec, broker: Option<&BrokerAccess>) -> Vec<String> {
    let mut transport = said_options(&spec.common);
    if let Some(encryption) = broker.and_then(|broker| broker.sentinel_kwargs.as_ref()) {
        encrypt_sentinels(&mut transport, encryption);
    }
    let transport = if transport.is_empty() { None } else { word(OPTIONS, &Value::Object(transport)) };
    let use_ssl = broker.and_then(|broker| broker.use_ssl.as_ref());
    let use_ssl = use_ssl.and_then(|options| word("broker_use_ssl", options));
    let config = spec.common.config.iter().filter_map(|(name, value)| word(name, &value.0));
    transport.into_iter().chain(use_ssl).chain(config).collect()
}

/// Says how the sentinels are spoken to, under what the user wrote for them.
fn encrypt_sentinels(transport: &mut Map<String, Value>, encryption: &Map<String, Value>) {
    let mut options = encryption.clone();
    match transport.remove("sentinel_kwargs") {
        Some(Value::Object(written)) => options.extend(written),
        // What is no map is another form of the whole.
        Some(written) => return drop(transport.insert("sentinel_kwargs".to_owned(), written)),
        None => {}
    }
    transport.insert("sentinel_kwargs".to_owned(), options.into());
}

/// One setting as `namespace.key=value`. `None` for what no word can say, which the rules refuse.
pub(super) fn word(name: &str, value: &Value) -> Option<String> {
    // A name of any release is one of the newest, or worth no word.
    settings::word(name, value, Release::NEWEST).ok().map(|word| kept_by_kubelet(&word))
}

/// A command line with settings behind its `--`. What the user wrote there comes later, and the last one wins.
pub(super) fn joined(mut words: Vec<String>, args: &[String], settings: Vec<String>) -> Vec<String> {
    let (options, own) = match args.iter().position(|word| word == "--") {
        Some(dashes) => (&args[..dashes], &args[dashes + 1..]),
        None => (args, &[][..]),
    };
    words.extend(options.iter().cloned());
    if options.len() < args.len() || !settings.is_empty() {
        words.push("--".to_owned());
        words.extend(settings);
        words.extend(own.iter().cloned());
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_say_their_type_where_celery_would_take_a_text() {
        for (name, value, expected) in [
            ("task_acks_late", json!(true), "task.acks_late=true"),
            ("worker_soft_shutdown_timeout", json!(2.5), "worker.soft_shutdown_timeout=2.5"),
            ("task_default_queue", json!("mail"), "task.default_queue=mail"),
            ("task_default_queue", json!("(mail"), "task.default_queue=(string)(mail"),
            ("task_default_rate_limit", json!(null), "task.default_rate_limit=(json)null"),
            ("accept_content", json!(["json"]), r#"accept.content=(list)["json"]"#),
            ("task_routes", json!({"a.b": {"queue": "c"}}), r#"task.routes=(json){"a.b":{"queue":"c"}}"#),
            ("task_default_queue", json!("a$b"), "task.default_queue=a$$b"),
        ] {
            assert_eq!(word(name, &value).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_users_settings_come_last() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
        for (args, settings, expected) in [
            ("-E", "", "worker -E"),
            ("-E", "a.b=1", "worker -E -- a.b=1"),
            ("-E -- c.d=2", "a.b=1", "worker -E -- a.b=1 c.d=2"),
            ("-- c.d=2 -- e", "", "worker -- c.d=2 -- e"),
            ("", "", "worker"),
        ] {
            assert_eq!(joined(words("worker"), &words(args), words(settings)), words(expected), "{args}");
        }
    }
}
