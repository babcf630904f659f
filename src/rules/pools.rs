// SPDX-License-Identifier: Apache-2.0
//! Rules about the pools of workers together: their names, and who consumes which queue.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::finding::{Kind, Report, Severity};
use super::rule::{Check, Example, Rule};
use super::subject::{Pool, Subject};
use crate::api::{DEFAULT_POOL, MetricName, ScaleTarget};

#[rustfmt::skip] // A table: one rule, one block.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "T06", severity: Severity::Deny, schema: true, since: "0.1",
        title: "every pool has a name of its own, which is a DNS label",
        consequence: "Two pools would share one Deployment, or none could be created.",
        check: Check::field(&["spec.workerPools[].name"], "use lower-case letters, digits and inner '-'").and(t06),
        example: Example {
            bad: "spec: {workerPools: [{name: big_mail}]}",
            at: "spec.workerPools[0].name",
            good: "spec: {workerPools: [{name: big-mail}]}",
            old: None,
        },
    },
    Rule {
        id: "T07", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a queue drives one autoscaler",
        consequence: "Both pools grow for the same waiting tasks.",
        check: Check::object(t07),
        example: Example {
            bad: "spec: {workerSpec: {queues: [mail]}, workerPools: [{name: big, queues: [mail, orders]}], scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}, {kind: worker, pool: big, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            at: "spec.scaleTargetRef[1]",
            good: "spec: {workerSpec: {queues: [mail]}, workerPools: [{name: big, queues: [orders]}], scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}, {kind: worker, pool: big, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]}",
            old: None,
        },
    },
    Rule {
        id: "T08", severity: Severity::Warn, schema: false, since: "0.1",
        title: "tasks are routed to queues that somebody consumes",
        consequence: "The tasks of that queue wait for ever.",
        check: Check::object(t08),
        example: Example {
            bad: "spec: {common: {config: {task_routes: {shop.mail.send: {queue: mial}}}}, workerSpec: {queues: [mail]}}",
            at: "spec.common.config.task_routes",
            good: "spec: {common: {config: {task_routes: {shop.mail.send: {queue: mail}}}}, workerSpec: {queues: [mail]}}",
            old: None,
        },
    },
    Rule {
        id: "T09", severity: Severity::Deny, schema: true, since: "0.1",
        title: "the pool called default is workerSpec",
        consequence: "Two pools would share one Deployment.",
        check: Check::object(t09),
        example: Example {
            bad: "spec: {workerPools: [{name: default}]}",
            at: "spec.workerPools[0].name",
            good: "spec: {workerPools: [{name: other}]}",
            old: None,
        },
    },
    Rule {
        id: "T10", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a change leaves no queue without a consumer",
        consequence: "What waits in the queue, and what still comes, stays there.",
        check: Check::object(t10),
        example: Example {
            bad: "spec: {workerSpec: {queues: [orders]}}",
            at: "spec.workerSpec.queues",
            good: "spec: {workerSpec: {queues: [orders]}, workerPools: [{name: mail, queues: [mail]}]}",
            old: Some("spec: {workerSpec: {queues: [orders, mail]}}"),
        },
    },
];

fn t06(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    for (at, pool) in subject.object.spec.worker_pools.iter().enumerate() {
        if !pool.name.is_empty() && !seen.insert(&pool.name) {
            let path = format!("spec.workerPools[{at}].name");
            report.add(Kind::Duplicate, path, "another pool has this name", "use a name of its own");
        }
    }
}

/// The queues whose length an autoscaler follows.
fn watched(subject: &Subject<'_>, target: &ScaleTarget) -> Vec<String> {
    let pool = subject.pool_of(target).filter(|_| target.follows(MetricName::TaskQueueLength));
    match pool {
        None => Vec::new(),
        Some(_) if !target.queues.is_empty() => target.queues.clone(),
        Some(pool) => pool.effective().counted_queues(),
    }
}

fn t07(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut drivers: HashMap<String, &str> = HashMap::new();
    for (path, target) in subject.targets() {
        let queues: BTreeSet<String> = watched(subject, target).into_iter().collect();
        let shared = queues.iter().find_map(|queue| Some((queue, *drivers.get(queue)?)));
        // The same pool twice is another mistake: A01 tells.
        if let Some((queue, other)) = shared.filter(|(_, other)| *other != target.pool()) {
            let message = format!("queue {queue:?} also scales the pool {other:?}");
            report.add(Kind::Forbidden, path, message, "give each pool its own queues");
        }
        for queue in queues {
            drivers.entry(queue).or_insert(target.pool());
        }
    }
}

/// The queues to which settings send tasks, each with the name of the setting.
fn routed<'a>(subject: &Subject<'a>) -> Vec<(&'a str, &'static str)> {
    let config = &subject.common().config;
    let mut found = Vec::new();
    if let Some(routes) = config.get("task_routes") {
        let mut tables = vec![&routes.0];
        // A list of tables is asked one by one; a pair in it is a pattern with its route.
        if let Value::Array(list) = &routes.0 {
            tables.extend(list);
        }
        for route in tables.into_iter().filter_map(Value::as_object).flat_map(|table| table.values()) {
            let queue = route.as_str().or_else(|| route.get("queue")?.as_str());
            found.extend(queue.map(|queue| (queue, "task_routes")));
        }
    }
    for entry in
        config.get("beat_schedule").and_then(|it| it.0.as_object()).into_iter().flat_map(|it| it.values())
    {
        let queue = entry.pointer("/options/queue").and_then(Value::as_str);
        found.extend(queue.map(|queue| (queue, "beat_schedule")));
    }
    let usual = config.get("task_default_queue").and_then(|it| it.0.as_str());
    found.extend(usual.map(|queue| (queue, "task_default_queue")));
    found
}

fn t08(subject: &Subject<'_>, report: &mut Report<'_>) {
    // Without pools the workers live elsewhere.
    if subject.pools.is_empty() {
        return;
    }
    let Some(consumed) = subject.queues() else { return };
    let consumed: HashSet<&str> = consumed.iter().map(String::as_str).collect();
    let mut told = HashSet::new();
    for (queue, setting) in routed(subject) {
        if !consumed.contains(queue) && told.insert(queue) {
            let path = format!("spec.common.config.{setting}");
            let message = format!("no pool consumes the queue {queue:?}");
            report.add(Kind::Forbidden, path, message, "add it to the queues of a pool");
        }
    }
}

fn t09(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (at, pool) in subject.object.spec.worker_pools.iter().enumerate() {
        if pool.name == DEFAULT_POOL {
            let path = format!("spec.workerPools[{at}].name");
            report.add(Kind::Invalid, path, "is the name of workerSpec", "use another name, or workerSpec");
        }
    }
}

fn t10(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(old) = subject.old else { return };
    let Some(consumed) = subject.queues() else { return };
    let mut known: HashSet<String> = consumed.into_iter().collect();
    let before = Subject::new(old, None, subject.facts);
    for pool in &before.pools {
        for queue in pool.queues().into_iter().flatten() {
            if known.insert(queue.clone()) {
                let message = format!("no pool consumes {queue:?} any more");
                report.add(
                    Kind::Forbidden,
                    place(subject, pool),
                    message,
                    "empty the queue first, or keep a pool for it",
                );
            }
        }
    }
}

/// Where a pool of the old object is named in the new one: its queues, or where it stood.
fn place(subject: &Subject<'_>, old: &Pool<'_>) -> String {
    match subject.pools.iter().find(|pool| pool.name == old.name) {
        Some(pool) => format!("{}.{}", pool.path, pool.queues_field()),
        None if old.name == DEFAULT_POOL => "spec.workerSpec".to_owned(),
        None => "spec.workerPools".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::shop;
    use crate::rules::{Facts, check};

    fn found(overlay: &str, old: Option<&str>) -> Vec<(&'static str, String)> {
        let old = old.map(shop);
        let findings = check(&shop(overlay), old.as_ref(), &Facts::default()).expect("a Celery");
        findings.into_iter().map(|it| (it.rule, it.path)).collect()
    }

    #[test]
    fn names_of_pools_have_their_variants() {
        let at = |rule, index: usize| (rule, format!("spec.workerPools[{index}].name"));
        assert_eq!(found("spec: {workerPools: [{name: a}, {name: a}]}", None), [at("T06", 1)]);
        assert_eq!(found("spec: {workerPools: [{queues: [a]}]}", None), [at("T06", 0)]);
        assert_eq!(found("spec: {workerPools: [{name: 9a}]}", None), []);
    }

    #[test]
    fn pools_without_queues_share_the_usual_one() {
        let metrics = "maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]";
        let both = format!(
            "scaleTargetRef: [{{kind: worker, {metrics}}}, {{kind: worker, pool: a, {metrics}}}], workerPools: [{{name: a"
        );
        let ids = |rest: &str| {
            found(&format!("spec: {{{both}{rest}}}]}}"), None).into_iter().map(|it| it.0).collect::<Vec<_>>()
        };
        assert!(ids("").contains(&"T07"));
        assert!(!ids(", queues: [a]").contains(&"T07"));
    }

    #[test]
    fn every_form_of_a_route_is_read() {
        let routed = |routes: &str| {
            found(
                &format!(
                    "spec: {{common: {{config: {{{routes}}}}}, beatSpec: {{}}, workerSpec: {{queues: [mail]}}}}"
                ),
                None,
            )
        };
        let at = |setting: &str| vec![("T08", format!("spec.common.config.{setting}"))];
        assert_eq!(routed("task_routes: {a: orders}"), at("task_routes"));
        assert_eq!(routed("task_routes: [{a: {queue: orders}}, {b: mail}]"), at("task_routes"));
        assert_eq!(routed("task_default_queue: celery"), at("task_default_queue"));
        assert_eq!(
            routed("beat_schedule: {a: {task: t, schedule: 9, options: {queue: orders}}}"),
            at("beat_schedule")
        );
        assert_eq!(routed("task_routes: {a: mail}"), []);
        assert_eq!(found("spec: {common: {config: {task_routes: {a: orders}}}}", None), []);
    }

    #[test]
    fn a_queue_may_move_to_another_pool_but_not_go() {
        let old = Some("spec: {workerPools: [{name: mail, queues: [mail]}], workerSpec: {queues: [orders]}}");
        let moved = "spec: {workerSpec: {args: [-Q, 'orders,mail']}}";
        assert_eq!(found(moved, old), []);
        let gone = "spec: {workerSpec: {args: [-Q, orders]}}";
        assert_eq!(found(gone, old), [("T10", "spec.workerPools".to_owned())]);
        let without_default = "spec: {workerSpec: null, workerPools: [{name: mail, queues: [mail]}]}";
        assert_eq!(found(without_default, old), [("T10", "spec.workerSpec".to_owned())]);
        assert_eq!(found("{}", old), []);
    }
}
