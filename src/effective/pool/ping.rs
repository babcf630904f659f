// SPDX-License-Identifier: Apache-2.0
//! Whether anybody pings a worker, and whether it answers.

use serde_json::{Map, Value};

use super::Pool;
use crate::api::{ProbeType, Probes, WorkerPoolKind};
use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::celery::settings::content::accepts;
use crate::celery::value::click_truth;
use crate::effective::{Effective, broker, variable};

/// Settings that make workers deaf to whoever does not know them.
const DEAFENING: &[&str] =
    &["broker_use_ssl", "control_exchange", "control_queue_exclusive", "worker_enable_remote_control"];

impl Pool<'_> {
    /// Whether a probe pings it: one that is written does, and by default that of the start does where it is sure to be
    /// answered.
    #[must_use]
    pub fn is_pinged(&self) -> bool {
        let probes = self.worker.probes.as_ref();
        let has_startup = probes.is_some_and(|probes| probes.startup.is_some());
        let mut written = probes.into_iter().flat_map(Probes::written);
        written.any(|(_, probe)| probe.type_.known() == Some(ProbeType::Ping))
            || (!has_startup && self.answers_pings())
    }

    /// Whether it is sure to answer a ping, by all that the spec tells. Solo is deaf while a task runs.
    #[must_use]
    pub fn answers_pings(&self) -> bool {
        let kind = self.implementation().is();
        kind.is_some_and(|kind| kind != WorkerPoolKind::Solo) && self.hears_pings()
    }

    /// Whether it listens to remote control, as far as settings tell; pings are a part of that.
    #[must_use]
    pub fn listens(&self) -> Effective<bool> {
        let said = self.setting("worker_enable_remote_control").and_then(|text| click_truth(&text));
        said.or_else(|| Effective::Is(true))
    }

    /// What makes sure that it does not hear the pings of a probe, which knows the URL of the broker and no setting:
    /// the name of a setting, or of a transport option. Nothing where the application is asked for the broker, and where
    /// nobody can tell.
    #[must_use]
    pub fn deafened_by(&self) -> Option<&'static str> {
        let common = self.common;
        common.broker.as_ref()?;
        // With either of them Celery loads what may say the same.
        let is_set = |name: &&str| variable(name, &self.worker.env, &common.env).is_written();
        if ["APP", "CELERY_CONFIG_MODULE"].iter().any(is_set) {
            return None;
        }
        let scheme = broker::scheme(common).is()?;
        let plain = scheme.name == "redis" || scheme.name == "amqp";
        let config = |name: &str| common.config.get(name).map(|setting| &setting.0);
        let is_written = |name: &str| self.said.setting(name).is_some();
        match scheme.transport {
            Transport::Sentinel => return Some("master_name"),
            Transport::Redis => {
                if let Some(name) = self.options().is().as_ref().and_then(other_keys) {
                    return Some(name);
                }
            }
            Transport::Amqp => {}
            _ => return None,
        }
        let is_other = |name: &str| {
            config(name).and_then(Value::as_str).is_some_and(|text| text != "celery" && !expands(text))
        };
        if is_other("control_exchange") && !is_written("control_exchange") {
            return Some("control_exchange");
        }
        if config("accept_content").is_some_and(refuses_json) && !is_written("accept_content") {
            return Some("accept_content");
        }
        // Answers come in the form of tasks.
        let serializer = config("task_serializer").and_then(Value::as_str);
        if serializer.is_some_and(|name| FOREIGN.contains(&name)) && !is_written("task_serializer") {
            return Some("task_serializer");
        }
        let encrypts = |value: &Value| match value {
            Value::Object(options) => !options.is_empty(),
            // For Redis a bare word changes nothing.
            Value::Bool(is_on) => *is_on && scheme.transport == Transport::Amqp,
            _ => false,
        };
        (plain && config("broker_use_ssl").is_some_and(encrypts)).then_some("broker_use_ssl")
    }

    /// Its transport options, those behind its arguments included.
    fn options(&self) -> Effective<Map<String, Value>> {
        match self.said.setting(broker::OPTIONS) {
            Some(setting) => serde_json::from_str(setting.value).map_or(Effective::Unclear, Effective::Is),
            None => broker::transport_options(self.common),
        }
    }

    fn hears_pings(&self) -> bool {
        let common = self.common;
        let speaks_json =
            common.config.get("accept_content").is_none_or(|setting| is_sure_of_json(&setting.0))
                && common
                    .config
                    .get("task_serializer")
                    .is_none_or(|setting| setting.0.is_null() || setting.0 == "json");
        let behind_dashes = self.said.settings.iter().map(|setting| setting.name.as_str());
        let mut settings = common.config.keys().map(String::as_str).chain(behind_dashes.clone());
        let has_prefix = match broker::transport_options(common) {
            Effective::Absent => false,
            Effective::Unclear => true,
            Effective::Is(options) => {
                options.contains_key("global_keyprefix") || other_keys(&options).is_some()
            }
        };
        let rabbitmq = common.broker.as_ref().and_then(|broker| broker.rabbitmq.as_ref());
        let is_deaf = settings.any(|name| DEAFENING.contains(&name))
            || behind_dashes.clone().any(|name| name == broker::OPTIONS)
            || has_prefix
            || !speaks_json
            || behind_dashes.clone().any(|name| ["accept_content", "task_serializer"].contains(&name))
            || rabbitmq.is_some_and(|rabbitmq| rabbitmq.tls.is_some());
        let transport = broker::transport(common);
        !is_deaf && matches!(transport, Effective::Is(Transport::Amqp | Transport::Redis))
    }
}

/// Forms of messages that whoever knows no settings refuses to read.
const FOREIGN: [&str; 3] = ["yaml", "pickle", "msgpack"];
/// What kombu puts between the parts of a key by itself.
const SEPARATOR: &str = "\u{6}\u{16}";

/// The transport option that lets a worker look under other keys of Redis than whoever does not know it.
fn other_keys(options: &Map<String, Value>) -> Option<&'static str> {
    let is_other = |name: &str, usual: &Value| options.get(name).is_some_and(|value| value != usual);
    let has_prefix =
        options.get("global_keyprefix").and_then(Value::as_str).is_some_and(|prefix| !prefix.is_empty());
    if has_prefix {
        Some("global_keyprefix")
    } else if is_other("sep", &Value::from(SEPARATOR)) {
        Some("sep")
    } else {
        is_other("fanout_prefix", &Value::Bool(true)).then_some("fanout_prefix")
    }
}

/// The names of a list; nothing where one of them is no name.
fn names(accepted: &Value) -> Option<Vec<&str>> {
    let names: Option<Vec<&str>> = accepted.as_array()?.iter().map(Value::as_str).collect();
    names.filter(|names| !names.iter().any(|name| expands(name)))
}

/// Whether a list of accepted forms is sure to have that of a ping.
fn is_sure_of_json(accepted: &Value) -> bool {
    names(accepted).is_some_and(|names| accepts(&names, "json"))
}

/// Whether it is sure to have none.
fn refuses_json(accepted: &Value) -> bool {
    names(accepted).is_some_and(|names| !names.is_empty() && !accepts(&names, "json"))
}
