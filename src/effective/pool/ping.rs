// SPDX-License-Identifier: Apache-2.0
//! Whether anybody pings a worker, and whether it answers.

use k8s_openapi::api::core::v1::EnvVar;
use serde_json::{Map, Value};

use super::Pool;
use crate::api::{Common, ProbeType, Probes, WorkerPoolKind};
use crate::celery::broker_url::Transport;
use crate::celery::expansion::expands;
use crate::celery::settings::content::accepts;
use crate::celery::value::click_truth;
use crate::effective::{Effective, broker, program, variable};

/// Settings that make workers deaf to whoever does not know them.
const DEAFENING: &[&str] =
    &["broker_use_ssl", "control_exchange", "control_queue_exclusive", "worker_enable_remote_control"];

/// Variables that Celery takes for `-A`.
pub const APP: [&str; 2] = ["APP", "CELERY_APP"];

/// Whether one of them names the application of the spec.
#[must_use]
pub fn names_the_app(own: &[EnvVar], common: &Common) -> bool {
    let app = common.celery_app.as_deref();
    let value = |name: &&str| variable(name, own, &common.env).is();
    APP.iter().filter_map(value).any(|value| Some(value) == app)
}

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

    /// Whether it is sure to answer a ping, by all that the spec tells. Solo is deaf while a task runs; where a command
    /// does more than start Celery, the ping would do that too; and with amqps it would trust no authority but those of
    /// the image.
    #[must_use]
    pub fn answers_pings(&self) -> bool {
        let kind = self.implementation().is();
        kind.is_some_and(|kind| kind != WorkerPoolKind::Solo)
            && program::alone(&self.common.command).is_some()
            && !self.may_need_certificates()
            && self.hears_pings()
    }

    /// Whether the broker is one that a ping trusts by the authorities of the image alone.
    fn may_need_certificates(&self) -> bool {
        broker::scheme(self.common).is().is_some_and(|scheme| scheme.name == "amqps")
    }

    /// Whether a ping reads the variables that name an application, as it would by itself. Their value may mean
    /// something else, and then no ping starts: it does where they name the application of the spec, and where
    /// nothing but an application can tell the ping how to reach the worker.
    #[must_use]
    pub fn pings_by_variable(&self) -> bool {
        let needs_an_app = || self.deafened().is_some() || self.may_need_certificates();
        names_the_app(&self.worker.env, self.common) || (self.names_an_app() && needs_an_app())
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
        // With either of them Celery loads what may say the same.
        let is_set = |name: &str| variable(name, &self.worker.env, &self.common.env).is_written();
        let is_told =
            self.names_an_app() || ["CELERY_CONFIG_MODULE", "CONFIG_MODULE"].into_iter().any(is_set);
        self.deafened().filter(|_| !is_told)
    }

    fn names_an_app(&self) -> bool {
        APP.iter().any(|name| variable(name, &self.worker.env, &self.common.env).is_written())
    }

    fn deafened(&self) -> Option<&'static str> {
        let common = self.common;
        common.broker.as_ref()?;
        let scheme = broker::scheme(common).is()?;
        let plain = scheme.name == "redis" || scheme.name == "amqp";
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
        let exchange = self.written("control_exchange");
        if exchange.as_ref().and_then(Value::as_str).is_some_and(|name| name != "celery") {
            return Some("control_exchange");
        }
        if self.written("accept_content").is_some_and(|accepted| refuses_json(&accepted)) {
            return Some("accept_content");
        }
        // Answers come in the form of tasks.
        let serializer = self.written("task_serializer");
        if serializer.as_ref().and_then(Value::as_str).is_some_and(|name| FOREIGN.contains(&name)) {
            return Some("task_serializer");
        }
        let encrypts = |value: Value| match value {
            Value::Object(options) => !options.is_empty(),
            // For Redis a bare word changes nothing.
            Value::Bool(is_on) => is_on && scheme.transport == Transport::Amqp,
            _ => false,
        };
        (plain && self.written("broker_use_ssl").is_some_and(encrypts)).then_some("broker_use_ssl")
    }

    /// What a setting is set to, behind the arguments or else in `config`; nothing where a variable says it.
    fn written(&self, name: &str) -> Option<Value> {
        let value = match self.said.setting(name) {
            Some(setting) => serde_json::from_str(setting.value)
                .unwrap_or_else(|_| Value::String(setting.value.to_owned())),
            None => self.common.config.get(name)?.0.clone(),
        };
        Some(value).filter(|value| !value.as_str().is_some_and(expands))
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
        options
            .get("fanout_prefix")
            .is_some_and(|prefix| !broker::is_usual(prefix))
            .then_some("fanout_prefix")
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
