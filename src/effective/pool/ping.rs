// SPDX-License-Identifier: Apache-2.0
//! Whether anybody pings a worker, and whether it answers.

use super::Pool;
use crate::api::{ProbeType, Probes, WorkerPoolKind};
use crate::celery::broker_url::Transport;
use crate::celery::value::click_truth;
use crate::effective::{Effective, broker};

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

    fn hears_pings(&self) -> bool {
        let common = self.common;
        let behind_dashes = self.said.settings.iter().map(|setting| setting.name.as_str());
        let mut settings = common.config.keys().map(String::as_str).chain(behind_dashes.clone());
        let has_prefix = match broker::transport_options(common) {
            Effective::Absent => false,
            Effective::Unclear => true,
            Effective::Is(options) => options.contains_key("global_keyprefix"),
        };
        let rabbitmq = common.broker.as_ref().and_then(|broker| broker.rabbitmq.as_ref());
        let is_deaf = settings.any(|name| DEAFENING.contains(&name))
            || behind_dashes.into_iter().any(|name| name == broker::OPTIONS)
            || has_prefix
            || rabbitmq.is_some_and(|rabbitmq| rabbitmq.tls.is_some());
        let transport = broker::transport(common);
        !is_deaf && matches!(transport, Effective::Is(Transport::Amqp | Transport::Redis))
    }
}
