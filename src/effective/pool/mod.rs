// SPDX-License-Identifier: Apache-2.0
//! What a worker pool runs with.
//!
//! The strongest comes first: arguments stand last on the command line, so they win over fields, which are words in
//! front of them. An option that the line does not have is taken from its variable (`CELERY_WORKER_CONCURRENCY`), by
//! Celery 5 alone; what that does not say either, a setting or a choice of the operator's own does.

mod ping;

pub use ping::{APP, names_the_app};

use std::collections::HashSet;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Effective, literal, variable};
use crate::api::{Common, Open, WorkerPoolKind, WorkerSpec, amount};
use crate::celery::command::Concurrency;
use crate::celery::expansion::expands;
use crate::celery::options::ValueKind;
use crate::celery::queues::{self, DEFAULT_QUEUE};
use crate::celery::reading::Reading;
use crate::celery::value::{Value, click_truth, value};

/// A worker pool as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// Its name; `default` for `workerSpec`.
    pub name: &'a str,
    /// Its fields.
    pub worker: &'a WorkerSpec,
    /// What all components share.
    pub common: &'a Common,
    /// What the newest release in question makes of its arguments.
    pub said: &'a Reading<'a>,
}

impl<'a> Pool<'a> {
    /// What runs the tasks; never absent, since Celery takes child processes by itself.
    #[must_use]
    pub fn implementation(&self) -> Effective<WorkerPoolKind> {
        let field = || self.worker.pool.as_ref().map_or(Effective::Absent, |kind| literal(kind.written()));
        let word = self.said.pool().or_else(field).or_else(|| self.variable("POOL"));
        word.and_then(kind).or_else(|| Effective::Is(WorkerPoolKind::Prefork))
    }

    /// How many tasks one pod is asked to run at once, whoever asks; unclear beside an autoscaler of Celery's own.
    #[must_use]
    pub fn stated_concurrency(&self) -> Effective<Concurrency> {
        if self.said.has("--autoscale") || self.variable("AUTOSCALE") != Effective::Absent {
            return Effective::Unclear;
        }
        let field = || match &self.worker.concurrency {
            None => Effective::Absent,
            Some(IntOrString::Int(tasks)) => Effective::Is(tasks.to_string()),
            Some(IntOrString::String(text)) => literal(text).map(str::to_owned),
        };
        let word = field().or_else(|| self.variable("CONCURRENCY").map(str::to_owned));
        let word = word.or_else(|| self.setting("worker_concurrency"));
        let read = |text: String| {
            value(ValueKind::Concurrency, &text, self.said.release).ok().and_then(Concurrency::of)
        };
        self.said.concurrency().or_else(|| word.and_then(read))
    }

    /// The number of tasks that the operator chooses, when nobody else says one: Celery's own default is the number of
    /// cpus of the node, whatever the container may use of them.
    #[must_use]
    pub fn chosen_concurrency(&self) -> Option<u32> {
        let is_solo = self.implementation() == Effective::Is(WorkerPoolKind::Solo);
        let chosen = || if is_solo { 1 } else { cpus(self.worker.resources.as_ref()) };
        (self.stated_concurrency() == Effective::Absent).then(chosen)
    }

    /// The number of tasks that the worker announces; solo runs one at a time, whatever it announces.
    #[must_use]
    pub fn concurrency(&self) -> Effective<u32> {
        let stated = self.stated_concurrency().and_then(|stated| match stated {
            Concurrency::Of(tasks) => u32::try_from(tasks).ok(),
            Concurrency::Unset | Concurrency::Auto => None,
        });
        stated.or_else(|| self.chosen_concurrency().map_or(Effective::Absent, Effective::Is))
    }

    /// The queues it consumes, those that it leaves out apart; absent where the application decides.
    #[must_use]
    pub fn queues(&self) -> Effective<Vec<String>> {
        let selected = self.names("--queues", &self.worker.queues);
        match (selected, self.names("--exclude-queues", &self.worker.exclude_queues)) {
            (Effective::Is(selected), Effective::Is(excluded)) => {
                let excluded: HashSet<String> = excluded.into_iter().collect();
                Effective::Is(selected.into_iter().filter(|queue| !excluded.contains(queue)).collect())
            }
            (Effective::Is(_), Effective::Unclear) => Effective::Unclear,
            (selected, _) => selected,
        }
    }

    /// The queue that it consumes where it names none, unless the application says otherwise.
    #[must_use]
    pub fn default_queue(&self) -> Effective<String> {
        self.setting("task_default_queue").or_else(|| Effective::Is(DEFAULT_QUEUE.to_owned()))
    }

    /// Whether Celery makes a queue that is named and that nobody declares, as far as settings tell.
    #[must_use]
    pub fn makes_queues(&self) -> Effective<bool> {
        let said = self.setting("task_create_missing_queues").and_then(|text| click_truth(&text));
        said.or_else(|| Effective::Is(true))
    }

    /// The queues that an autoscaler counts which names none: those of the pool, or the best guess.
    #[must_use]
    pub fn counted_queues(&self) -> Vec<String> {
        let named = self.queues().is().filter(|queues| !queues.is_empty());
        let guess = || self.default_queue().is().unwrap_or_else(|| DEFAULT_QUEUE.to_owned());
        named.unwrap_or_else(|| vec![guess()])
    }

    /// The node's name that somebody wrote, as Celery takes it.
    #[must_use]
    pub fn stated_node_name(&self) -> Effective<&'a str> {
        let field = || self.worker.node_name.as_deref().map_or(Effective::Absent, literal);
        self.said.node_name().or_else(field).or_else(|| self.variable("HOSTNAME"))
    }

    /// The node's name that the operator chooses.
    #[must_use]
    pub fn chosen_node_name(&self) -> String {
        format!("{}@%h", self.name)
    }

    /// The node's name as Celery takes it; never absent.
    #[must_use]
    pub fn node_name(&self) -> Effective<String> {
        self.stated_node_name().map(str::to_owned).or_else(|| Effective::Is(self.chosen_node_name()))
    }

    /// Seconds after which a task is killed; 0 for never.
    #[must_use]
    pub fn time_limit(&self) -> Effective<f64> {
        self.seconds("--time-limit", "TIME_LIMIT", self.worker.time_limit, "task_time_limit")
    }

    /// Seconds after which a task is told to end; 0 for never.
    #[must_use]
    pub fn soft_time_limit(&self) -> Effective<f64> {
        let field = self.worker.soft_time_limit;
        self.seconds("--soft-time-limit", "SOFT_TIME_LIMIT", field, "task_soft_time_limit")
    }

    /// Whether it sends heartbeats; never absent. A field that asks for them is no word, so a variable wins over it.
    #[must_use]
    pub fn sends_heartbeat(&self) -> Effective<bool> {
        if self.said.has("--without-heartbeat") || self.worker.heartbeat == Some(false) {
            return Effective::Is(false);
        }
        let off = self.variable("WITHOUT_HEARTBEAT").and_then(click_truth);
        off.map(|off| !off).or_else(|| Effective::Is(true))
    }

    /// Seconds behind an option, else in its field, its variable or its setting.
    fn seconds(&self, option: &str, variable: &str, field: Option<f64>, setting: &str) -> Effective<f64> {
        let read = |text: String| match value(ValueKind::Float, &text, self.said.release) {
            Ok(Value::Float(seconds)) => Some(seconds),
            _ => None,
        };
        let weaker = || self.variable(variable).map(str::to_owned).or_else(|| self.setting(setting));
        let field = || field.map_or(Effective::Absent, Effective::Is);
        self.said.float(option).or_else(field).or_else(|| weaker().and_then(read))
    }

    /// The names of queues behind an option, else in its field, else in its variable.
    fn names(&self, option: &str, field: &[String]) -> Effective<Vec<String>> {
        let list = if let Some(used) = self.said.last(option) {
            used.value.map_or(Effective::Unclear, |list| literal(list).map(str::to_owned))
        } else if field.is_empty() {
            let variable = option.trim_start_matches('-').replace('-', "_").to_ascii_uppercase();
            self.variable(&variable).map(str::to_owned)
        } else {
            let list = field.join(",");
            if expands(&list) { Effective::Unclear } else { Effective::Is(list) }
        };
        match list.map(|list| queues::names(&list)) {
            // An empty list selects nothing, so that the application decides.
            Effective::Is(names) if names.is_empty() => Effective::Absent,
            names => names,
        }
    }

    /// What a variable says where the command line is silent: `CELERY_WORKER_…`. Celery 4 reads none.
    fn variable(&self, option: &str) -> Effective<&'a str> {
        if !self.said.release.has_click() {
            return Effective::Absent;
        }
        variable(&format!("CELERY_WORKER_{option}"), &self.worker.env, &self.common.env)
    }

    /// What a setting says: behind the arguments, else in `config`.
    fn setting(&self, name: &str) -> Effective<String> {
        if let Some(setting) = self.said.setting(name) {
            return literal(setting.value).map(str::to_owned);
        }
        let Some(written) = self.common.config.get(name) else { return Effective::Absent };
        match &written.0 {
            serde_json::Value::Null => Effective::Absent,
            serde_json::Value::String(text) => literal(text).map(str::to_owned),
            other => Effective::Is(other.to_string()),
        }
    }
}

/// A word of `-P`.
fn kind(word: &str) -> Option<WorkerPoolKind> {
    // Another name of prefork.
    if word == "processes" { Some(WorkerPoolKind::Prefork) } else { Open::from(word).known() }
}

/// As many tasks at once as the container has cpus: its limit rounded up, else its request, else one.
fn cpus(resources: Option<&ResourceRequirements>) -> u32 {
    let lists = resources.map(|resources| [resources.limits.as_ref(), resources.requests.as_ref()]);
    let cpu = lists.into_iter().flatten().flatten().find_map(|list| list.get("cpu"));
    let cpus = cpu.and_then(|cpu| amount::number(&cpu.0)).unwrap_or(1.0);
    // Clamped before the conversion, so that nothing is lost in it.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = cpus.ceil().clamp(1.0, 1024.0) as u32;
    whole
}

#[cfg(test)]
mod tests;
