// SPDX-License-Identifier: Apache-2.0
//! What a variable that sets an option finds on the command line.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use serde::Deserialize as _;

use super::*;
use crate::api::Celery;
use crate::celery::version::Release;
use crate::resolve::{Sources, resolved};
use crate::rules::tests::{findings, shop};
use crate::rules::{Facts, Finding, check};

fn line(finding: &Finding) -> String {
    let Finding { severity, path, message, fix, .. } = finding;
    format!("{} {path}: {message}; {fix}", severity.as_str())
}

fn told(spec: &str) -> Vec<String> {
    let found = findings(&format!("spec: {{{spec}}}"));
    found.iter().filter(|one| one.rule == "B36").map(line).collect()
}

fn variable(name: &str, text: &str) -> String {
    format!("env: [{{name: {name}, value: '{text}'}}]")
}

/// Put together, the last of them would have four terabytes.
#[test]
fn variables_full_of_one_another_are_let_be() {
    let full = |name: &str| format!("$({name})").repeat(1000);
    let env = [("D", "x".repeat(4000)), ("C", full("D")), ("B", full("C")), ("A", full("B"))];
    let env: Vec<_> = env.map(|(name, value)| format!("{{name: {name}, value: '{value}'}}")).into();
    assert_eq!(told(&format!("common: {{env: [{}]}}, workerSpec: {{}}", env.join(", "))), [""; 0]);
}

#[test]
fn a_word_of_the_command_line_wins_over_a_variable() {
    let four = variable("CELERY_WORKER_CONCURRENCY", "four");
    let at = "spec.workerSpec.env[0]";
    for (field, beside) in [
        ("concurrency: 2", "concurrency"),
        ("args: [-c, '2']", "args"),
        ("args: ['--autoscale=4,1', -c, '2']", "args"),
    ] {
        let line = format!("warn {at}.name: has no effect beside workerSpec.{beside}; remove it");
        assert_eq!(told(&format!("workerSpec: {{{four}, {field}}}")), [line], "{field}");
    }
    // Another pool has the variable alone.
    let two = format!("common: {{{four}}}, workerSpec: {{concurrency: 2}}, workerPools: [{{name: a}}]");
    assert_eq!(told(&two), ["deny spec.common.env[0].value: is not a number of tasks; use 1 or more"]);
    let gossip = |field: &str, text: &str| {
        told(&format!("workerSpec: {{{field}, {}}}", variable("CELERY_WORKER_WITHOUT_GOSSIP", text)))
    };
    let sets = |severity: &str| {
        vec![format!(
            "{severity} {at}.name: CELERY_WORKER_WITHOUT_GOSSIP sets an option of the workers; use the field gossip"
        )]
    };
    assert_eq!(gossip("gossip: true", "1"), sets("deny"));
    assert_eq!(gossip("pool: prefork", "1"), sets("warn"));
    assert_eq!(gossip("gossip: true", "0"), [""; 0]);
    assert_eq!(
        gossip("gossip: false", "1"),
        [format!("warn {at}.name: has no effect beside workerSpec.gossip; remove it")]
    );
}

#[test]
fn a_value_that_celery_refuses_ends_the_container() {
    for (name, text, expected) in [
        ("CELERY_WORKER_TIME_LIMIT", "5m", "--time-limit is not a number; use seconds such as 300"),
        ("CELERY_WORKER_PURGE", "true", "every start of a pod would delete all waiting tasks; remove it"),
        ("CELERY_WORKER_DETACH", "1", "the worker must stay in the foreground; remove it"),
        (
            "NO_COLOR",
            "please",
            "--no-color of celery is on or off, and this is neither; write 1, or remove it",
        ),
        (
            "CELERY_VERSION",
            "5.4.0",
            "--version of celery is on or off, and this is neither; write 1, or remove it",
        ),
        ("CELERY_VERSION", "1", "celery would print its version and end; remove it"),
    ] {
        let line = format!("deny spec.workerSpec.env[0].value: {expected}");
        assert_eq!(told(&format!("workerSpec: {{{}}}", variable(name, text))), [line], "{name}");
    }
    assert_eq!(
        told(&format!("beatSpec: {{{}}}", variable("CELERY_BEAT_DETACH", "1"))),
        ["deny spec.beatSpec.env[0].value: beat must stay in the foreground; remove it"]
    );
    for (name, text) in [
        ("CELERY_WORKER_PURGE", "false"),
        ("CELERY_WORKER_PURGE", ""),
        ("NO_COLOR", "1"),
        ("CELERY_BEAT_MAX_INTERVAL", "5m"),
    ] {
        assert_eq!(told(&format!("workerSpec: {{{}}}", variable(name, text))), [""; 0], "{name}");
    }
    let beat = |field: &str| {
        let env = variable("CELERY_BEAT_MAX_INTERVAL", "5m");
        told(&format!("common: {{{env}}}, beatSpec: {{{field}}}"))
    };
    let line = "deny spec.common.env[0].value: --max-interval is not a whole number; use digits only";
    assert_eq!(beat(""), [line]);
    assert_eq!(beat("maxInterval: 5"), [""; 0]);
    let hidden = "env: [{name: CELERY_WORKER_PURGE, valueFrom: {secretKeyRef: {name: a, key: b}}}]";
    assert_eq!(
        told(&format!("workerSpec: {{{hidden}}}")),
        ["warn spec.workerSpec.env[0].name: CELERY_WORKER_PURGE sets --purge of the workers; remove it"]
    );
}

#[test]
fn a_template_and_a_map_of_the_input_are_looked_into() {
    let template = |env: &str| {
        told(&format!("workerSpec: {{podTemplate: {{spec: {{containers: [{{name: celery, {env}}}]}}}}}}"))
    };
    assert_eq!(
        template(&variable("CELERY_WORKER_DETACH", "1")),
        [
            "deny spec.workerSpec.podTemplate.spec.containers[0].env[0].value: the worker must stay in the foreground; remove it"
        ]
    );
    // The operator sees no variable there, and says its own level.
    let quiet = template(&variable("CELERY_WORKER_LOGLEVEL", "loud"));
    assert_eq!(quiet.len(), 1);
    assert!(quiet[0].starts_with("warn "), "{quiet:?}");
    let map = |key: &str, text: &str, spec: &str| {
        let texts = BTreeMap::from([(key.to_owned(), text.to_owned())]);
        let facts = Facts { config_texts: [("m".to_owned(), texts)].into(), ..Facts::default() };
        let from = "envFrom: [{configMapRef: {name: m}, prefix: CELERY_}]";
        let object = shop(&format!("spec: {{common: {{{from}}}, {spec}}}"));
        let found = check(&object, None, &facts).expect("a Celery");
        found.iter().filter(|one| one.rule == "B36").map(line).collect::<Vec<_>>()
    };
    let spec = "workerSpec: {env: [{name: CELERY_WORKER_TIME_LIMIT, value: '5'}]}";
    let four = "deny spec.common.envFrom[0]: has CELERY_WORKER_PREFETCH_MULTIPLIER: --prefetch-multiplier is not a whole number; use digits only";
    assert_eq!(map("WORKER_PREFETCH_MULTIPLIER", "four", ""), [four]);
    assert_eq!(
        map("WORKER_SOFT_TIME_LIMIT", "5m", ""),
        [
            "deny spec.common.envFrom[0]: has CELERY_WORKER_SOFT_TIME_LIMIT: --soft-time-limit is not a number; use seconds such as 300"
        ]
    );
    // The entry of the list wins over it, and is no wrong one.
    assert_eq!(
        map("WORKER_TIME_LIMIT", "5m", spec),
        [
            "warn spec.workerSpec.env[0].name: CELERY_WORKER_TIME_LIMIT sets an option of the workers; use the field timeLimit"
        ]
    );
    assert_eq!(map("WORKER_TIME_LIMIT", "300", ""), [""; 0]);
}

#[test]
fn what_other_arguments_put_aside_is_no_word() {
    let beside = |text: &str| {
        let variable = variable("CELERY_WORKER_CONCURRENCY", text);
        told(&format!("workerSpec: {{{variable}, concurrency: 2, args: ['--autoscale=4,1']}}"))
    };
    let at = "spec.workerSpec.env[0]";
    assert_eq!(beside("four"), [format!("deny {at}.value: is not a number of tasks; use 1 or more")]);
    let sets = "CELERY_WORKER_CONCURRENCY sets an option of the workers";
    assert_eq!(beside("4"), [format!("warn {at}.name: {sets}; remove it")]);
}

#[test]
fn a_pool_has_the_words_of_its_own_autoscaler() {
    let texts = BTreeMap::from([("CELERY_WORKER_PREFETCH_MULTIPLIER".to_owned(), "four".to_owned())]);
    let facts = Facts { config_texts: [("m".to_owned(), texts)].into(), ..Facts::default() };
    let is_denied = |pool: &str| {
        let metric = "{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}";
        let target = format!("{{kind: worker, pool: {pool}, maxReplicas: 3, metrics: [{metric}]}}");
        let spec = "envFrom: [{configMapRef: {name: m}}]}, workerPools: [{name: mail, queues: [mail]}]";
        let object = shop(&format!("spec: {{workerSpec: {{{spec}, scaleTargetRef: [{target}]}}"));
        let found = check(&object, None, &facts).expect("a Celery");
        found.iter().any(|one| one.rule == "B36" && one.severity == Severity::Deny)
    };
    assert!(is_denied("mail") && !is_denied("default"));
}

/// What a worker may have: one of each line.
const WORKER: &[&[&str]] = &[
    &["", "concurrency: 2"],
    &["", "logLevel: DEBUG"],
    &["", "pool: solo", "pool: threads"],
    &["", "queues: []", "queues: [mail]"],
    &["", "excludeQueues: [mail]"],
    &["", "optimization: default"],
    &["", "prefetchMultiplier: 2"],
    &["", "disablePrefetch: true", "disablePrefetch: false"],
    &["", "gossip: true", "gossip: false"],
    &["", "mingle: true", "mingle: false"],
    &["", "heartbeat: true", "heartbeat: false"],
    &["", "taskEvents: true", "taskEvents: false"],
    &["", "heartbeatInterval: 2"],
    &["", "nodeName: a@%h"],
    &["", "timeLimit: 5"],
    &["", "softTimeLimit: 4"],
    &["", "maxTasksPerChild: 3"],
    &["", "maxMemoryPerChild: 200Mi"],
    &["", "poolStartMethod: spawn"],
    &["", "probes: {liveness: {type: Heartbeat}}"],
    &[
        "",
        "args: ['--autoscale=4,1']",
        "args: [-c, '3', -E]",
        "args: [-l, INFO, -Ofair, '--without-gossip']",
        "args: [-n, a, -I, shop.b, '--', task.acks_late=1]",
    ],
    &[
        "",
        "env: [{name: CELERY_WORKER_CONCURRENCY, value: '3'}, {name: CELERY_WORKER_INCLUDE, value: a}]",
        "env: [{name: CELERY_WORKER_OPTIMIZATION, value: fair}, {name: CELERY_WORKER_LOGLEVEL, value: INFO}]",
        "env: [{name: CELERY_WORKER_HOSTNAME, value: a}, {name: CELERY_WORKER_AUTOSCALE, value: '4,1'}]",
        "env: [{name: CELERY_WORKER_PREFETCH_MULTIPLIER, value: '1'}, {name: CELERY_WORKER_DISABLE_PREFETCH, value: '1'}]",
    ],
];
/// The same of beat.
const BEAT: &[&[&str]] = &[
    &["", "scheduler: a.B"],
    &["", "scheduleFile: /tmp/beat"],
    &["", "maxInterval: 5"],
    &["", "logLevel: DEBUG"],
    &["", "probes: {liveness: {type: Heartbeat}}", "probes: {liveness: {type: Ping}}"],
    &["", "args: [-S, c.D, -s, /tmp/other]", "args: ['--enable-remote-control']"],
    &["", "env: [{name: CELERY_BEAT_SCHEDULE, value: a}, {name: CELERY_BEAT_LOGLEVEL, value: INFO}]"],
];
/// And of what is around them.
const AROUND: &[&[&str]] = &[
    &["", "flowerSpec: {}", "flowerSpec: null"],
    &[
        "",
        "scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]",
        "scaleTargetRef: [{kind: worker, pool: mail, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}]",
    ],
    &[
        "",
        "common: {celeryVersion: '5.4'}",
        "common: {celeryVersion: '5.6'}",
        "common: {celeryVersion: '5.7'}",
    ],
];

/// One of each line.
fn one_of_each(lines: &'static [&'static [&'static str]]) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<Index>(), lines.len()).prop_map(move |picks| {
        let picked = picks.iter().zip(lines).map(|(pick, line)| *pick.get(line));
        picked.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
    })
}

/// The options on a command line, those apart whose value is what the variable says.
fn on_the_line(command: Command, args: &[String], release: Release) -> BTreeSet<&'static str> {
    let begin = args.iter().position(|word| word == command.name()).expect("a sub-command") + 1;
    let reading = command.reading(&args[begin..], Release::NEWEST);
    let says_the_same = |value: Option<&str>| value.is_some_and(|value| value.contains("$(CELERY_"));
    let used = reading.occurrences.iter();
    let used = used.filter(|used| used.option.is_in(release) && !says_the_same(used.value));
    used.map(|used| used.option.name()).collect()
}

proptest! {
    #[test]
    fn a_word_is_what_stands_on_the_rendered_line(
        worker in one_of_each(WORKER), beat in one_of_each(BEAT), around in one_of_each(AROUND)
    ) {
        let spec = format!("workerSpec: {{{worker}}}, workerPools: [{{name: mail}}], beatSpec: {{{beat}}}, {around}");
        let object = Celery::deserialize(shop(&format!("spec: {{{spec}}}"))).expect("a Celery");
        let facts = Facts::default();
        let (subject, resolved) = (Subject::new(&object, None, &facts), resolved(&object, &Sources::default()));
        // What it does not have is refused.
        let release = subject.celery.newest();
        for component in subject.components() {
            let (command, args) = match component.part {
                Part::Worker(_) => {
                    let name = subject.pools.iter().find(|pool| pool.path == component.path).map(|pool| pool.name);
                    let pool = resolved.pools.iter().find(|pool| Some(pool.name.as_str()) == name);
                    (Command::Worker, pool.map(|pool| &pool.args))
                }
                Part::Beat(_) => (Command::Beat, resolved.beat.as_ref().map(|beat| &beat.args)),
                Part::Flower(_) => continue,
            };
            let origins = origins(&subject, &component);
            let is_word = |option: &&Spec| matches!(way(&component, &origins, option), Way::Beside(_) | Way::Chosen);
            let options = command.options().rows().filter(|option| option.is_in(release));
            let words: BTreeSet<_> = options.filter(is_word).map(Spec::name).collect();
            prop_assert_eq!(words, on_the_line(command, args.expect("it is rendered"), release), "{}", spec);
        }
    }
}
