// SPDX-License-Identifier: Apache-2.0
//! A worker's options as words that every supported version takes. What the user's arguments say is never said twice.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube_quantity::ParsedQuantity;

use super::said::Said;
use super::words::{Words, switch, text};
use super::{CelerySpec, Scaler};
use crate::api::{Open, Word, WorkerSpec};
use crate::celery::broker_url::Transport;
use crate::celery::version::Release;
use crate::effective::{self, Effective};

/// What was chosen for a worker where its fields, arguments and variables say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Tasks at once.
    pub concurrency: Option<u32>,
    /// Log level.
    pub log_level: Option<&'static str>,
    /// Tasks taken in advance for each that runs.
    pub prefetch_multiplier: Option<u32>,
    /// Whether no task is fetched before one can run.
    pub disable_prefetch: bool,
}

/// What the user's words leave open.
pub(super) fn chosen(
    pool: &effective::Pool<'_>,
    spec: &CelerySpec,
    said: &Said<'_>,
    scaler: Option<&Scaler>,
) -> Chosen {
    let worker = pool.worker;
    let open = |written: bool, long: &str| !written && !said.option_or_variable(long);
    let follows_queue = scaler.is_some_and(|scaler| scaler.queue.is_some());
    Chosen {
        concurrency: pool.chosen_concurrency(),
        log_level: open(worker.log_level.is_some(), "--loglevel").then_some("INFO"),
        // What a worker holds beyond the tasks it runs is hidden from whoever counts the queue.
        prefetch_multiplier: (follows_queue
            && open(worker.prefetch_multiplier.is_some(), "--prefetch-multiplier"))
        .then_some(1),
        disable_prefetch: follows_queue
            && open(worker.disable_prefetch.is_some(), "--disable-prefetch")
            && effective::celery(&spec.common).is_at_least(Release::V5_6)
            && effective::broker::transport(&spec.common) == Effective::Is(Transport::Redis),
    }
}

/// The options between `worker` and the user's arguments.
pub(super) fn words<'a>(
    pool: &effective::Pool<'_>,
    spec: &CelerySpec,
    said: &'a Said<'a>,
    chosen: Chosen,
) -> Words<'a> {
    let worker = pool.worker;
    let mut words = Words::new(said);
    let is_nameless = pool.stated_node_name() == Effective::Absent;
    let name = is_nameless.then(|| pool.chosen_node_name());
    words.pair("-n", "--hostname", text(worker.node_name.clone(), name));
    let level = text(written(worker.log_level.as_ref()), chosen.log_level.map(str::to_owned));
    words.pair("-l", "--loglevel", level);
    words.pair("-P", "--pool", text(written(worker.pool.as_ref()), None));
    if !said.option("--autoscale") {
        let number = worker.concurrency.as_ref().map(|concurrency| match concurrency {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(text) => text.clone(),
        });
        words.pair("-c", "--concurrency", text(number, chosen.concurrency.map(|number| number.to_string())));
    }
    let list = |names: &[String]| (!names.is_empty()).then(|| names.join(","));
    words.pair("-Q", "--queues", text(list(&worker.queues), None));
    words.pair("-X", "--exclude-queues", text(list(&worker.exclude_queues), None));
    let fair = (!said.option_or_variable("--optimization")).then(|| "fair".to_owned());
    // Its long form is not known to 5.2.
    words.pair("-O", "--optimization", text(written(worker.optimization.as_ref()), fair));
    tuning(&mut words, worker, chosen);
    chatter(&mut words, worker, spec);
    words
}

/// How tasks are fetched, and when a child process or a task ends.
fn tuning(words: &mut Words<'_>, worker: &WorkerSpec, chosen: Chosen) {
    let number = |number: Option<i32>| number.map(|number| number.to_string());
    // The number is Celery's own text: 30 and not 30.0.
    let seconds = |seconds: Option<f64>| text(seconds.map(|seconds| seconds.to_string()), None);
    let multiplier = chosen.prefetch_multiplier.map(|number| number.to_string());
    words.value("--prefetch-multiplier", text(number(worker.prefetch_multiplier), multiplier));
    words.flag("--disable-prefetch", switch(worker.disable_prefetch, chosen.disable_prefetch));
    words.value("--max-tasks-per-child", text(number(worker.max_tasks_per_child), None));
    let memory = worker.max_memory_per_child.as_ref().and_then(kibibytes);
    words.value("--max-memory-per-child", text(memory, None));
    words.value("--time-limit", seconds(worker.time_limit));
    words.value("--soft-time-limit", seconds(worker.soft_time_limit));
    words.value("--pool-start-method", text(written(worker.pool_start_method.as_ref()), None));
}

/// What workers tell each other and Flower.
fn chatter(words: &mut Words<'_>, worker: &WorkerSpec, spec: &CelerySpec) {
    let off = |is_on: Option<bool>| is_on.map(|is_on| !is_on);
    words.flag("--without-gossip", switch(off(worker.gossip), true));
    words.flag("--without-mingle", switch(off(worker.mingle), true));
    words.flag("--without-heartbeat", switch(off(worker.heartbeat), false));
    let interval = worker.heartbeat_interval.map(|seconds| seconds.to_string());
    words.value("--heartbeat-interval", text(interval, None));
    words.short_flag("-E", "--task-events", switch(worker.task_events, spec.flower_spec.is_some()));
}

fn written<T: Word>(word: Option<&Open<T>>) -> Option<String> {
    word.map(|word| word.written().to_owned())
}

/// Celery counts in KiB.
fn kibibytes(amount: &Quantity) -> Option<String> {
    let bytes = ParsedQuantity::try_from(amount.clone()).ok()?.to_bytes_f64()?;
    Some(format!("{:.0}", (bytes / 1024.0).floor().max(1.0)))
}
