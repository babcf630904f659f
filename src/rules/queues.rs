// SPDX-License-Identifier: Apache-2.0
//! Which queues a worker pool consumes, as far as the object says so: the one place that rules ask.

use super::subject::Subject;
use crate::api::{Common, WorkerSpec};
use crate::celery::command::Command;
use crate::celery::expansion::expands;
use crate::celery::queues::DEFAULT_QUEUE;
use crate::celery::version::Release;

/// The queues that a pool names, behind `-Q` or else in `queues`, without those it excludes: arguments come last on the
/// command line, so that they win. `None`: the application decides, or a variable does.
pub(super) fn named(pool: &WorkerSpec) -> Option<Vec<String>> {
    let written = selected(&pool.args).or_else(|| (!pool.queues.is_empty()).then(|| pool.queues.clone()))?;
    let is_final = |queue: &String| !expands(queue);
    written.iter().all(is_final).then(|| {
        let excluded = |queue: &String| pool.exclude_queues.contains(queue);
        written.into_iter().filter(|queue| !excluded(queue)).collect()
    })
}

/// The queues behind `-Q`; the newest release knows every spelling.
fn selected(args: &[String]) -> Option<Vec<String>> {
    Command::Worker.reading(args, Release::NEWEST).queues()
}

/// The field in which a pool names its queues.
pub(super) fn field(pool: &WorkerSpec) -> &'static str {
    if selected(&pool.args).is_some() { "args" } else { "queues" }
}

/// The queue that a pool consumes which names none, unless the application says otherwise.
pub(super) fn default(common: &Common) -> &str {
    common.config.get("task_default_queue").and_then(|name| name.0.as_str()).unwrap_or(DEFAULT_QUEUE)
}

/// Every queue that some pool names. `None` when a pool's queues are not known: it may consume any.
pub(super) fn of_all_pools(subject: &Subject<'_>) -> Option<Vec<String>> {
    let lists: Option<Vec<Vec<String>>> = subject.pools.iter().map(|pool| named(pool.spec)).collect();
    lists.map(|lists| lists.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(json: &str) -> WorkerSpec {
        serde_json::from_str(json).expect("a pool")
    }

    #[test]
    fn arguments_come_before_fields_and_the_application_last() {
        let of = |json: &str| named(&pool(json));
        let some = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(r#"{"queues": ["a"], "args": ["-Q", "b"]}"#), some(&["b"]));
        assert_eq!(of(r#"{"args": ["-Q", "b,c"], "excludeQueues": ["c"]}"#), some(&["b"]));
        assert_eq!(of(r#"{"args": ["-Q", "$(QUEUE)"]}"#), None);
        assert_eq!(of("{}"), None);
        assert_eq!(field(&pool(r#"{"args": ["-Q", "b"]}"#)), "args");
        assert_eq!(field(&pool("{}")), "queues");
    }
}
