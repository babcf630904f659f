// SPDX-License-Identifier: Apache-2.0
//! What kubelet asks workers and beat.
//!
//! A ping costs most of a second of cpu, so by default it is asked at the start only, and only where it is sure to be
//! answered: a default that kills healthy workers is worse than none. It is asked without the application, whose import
//! may take longer than an answer may, since the pod's own variable tells the broker; variables that name an application
//! are taken away, since whoever sets one called APP may mean anything.

use k8s_openapi::api::core::v1::{ExecAction, Probe as KubeProbe};

use super::heartbeat;
use super::pod::ContainerProbes;
use crate::api::{BeatSpec, CelerySpec, Open, Probe, ProbeRole, ProbeType, Probes};
use crate::celery::version::Release;
use crate::effective;

/// Beat's name among the nodes.
const BEAT_NODE: &str = "celerybeat@%h";

/// The probes of a worker pool. By default it is pinged only where it is known not to be solo, which is deaf while a
/// task runs.
pub(super) fn worker(pool: &effective::Pool<'_>, spec: &CelerySpec) -> ContainerProbes {
    let ping = pool.node_name().is().and_then(|node| ping(&node, spec, pool.pings_by_variable()));
    all(pool.worker.probes.as_ref(), ping.as_deref(), pool.answers_pings())
}

/// The probes of beat: nothing by default, and a ping only where beat can answer.
pub(super) fn beat(beat: &BeatSpec, spec: &CelerySpec) -> ContainerProbes {
    let answers = effective::celery(&spec.common).is_at_least(Release::V5_7);
    let by_variable = effective::names_the_app(&beat.env, &spec.common);
    let ping = answers.then(|| ping(BEAT_NODE, spec, by_variable)).flatten();
    all(beat.probes.as_ref(), ping.as_deref(), false)
}

/// Whether beat has to answer pings.
pub(super) fn beat_is_pinged(beat: &BeatSpec) -> bool {
    let written =
        beat.probes.iter().flat_map(|probes| [&probes.startup, &probes.readiness, &probes.liveness]);
    written.flatten().any(|probe| probe.type_.known() == Some(ProbeType::Ping))
}

fn all(written: Option<&Probes>, ping: Option<&str>, by_default: bool) -> ContainerProbes {
    let of = |role, probe: Option<&Probe>| match probe {
        Some(probe) => asked(role, probe, ping),
        None if by_default && role == ProbeRole::Startup => {
            asked(role, &Probe { type_: Open::from(ProbeType::Ping), ..Probe::default() }, ping)
        }
        None => None,
    };
    ContainerProbes {
        startup: of(ProbeRole::Startup, written.and_then(|probes| probes.startup.as_ref())),
        readiness: of(ProbeRole::Readiness, written.and_then(|probes| probes.readiness.as_ref())),
        liveness: of(ProbeRole::Liveness, written.and_then(|probes| probes.liveness.as_ref())),
    }
}

fn asked(role: ProbeRole, probe: &Probe, ping: Option<&str>) -> Option<KubeProbe> {
    let (command, period, timeout, failures) = match probe.type_.known()? {
        ProbeType::Ping => {
            let shell = vec!["sh".to_owned(), "-c".to_owned(), ping?.to_owned()];
            // Five minutes for a start; later only what lasts counts.
            let (period, failures) = if role == ProbeRole::Startup { (10, 30) } else { (60, 5) };
            (shell, Some(period), Some(15), Some(failures))
        }
        ProbeType::Custom => (probe.command.clone(), None, None, None),
        ProbeType::Heartbeat => {
            let (period, failures) = if role == ProbeRole::Startup { (10, 30) } else { (30, 3) };
            let command = heartbeat::check(role == ProbeRole::Liveness, probe);
            (command, Some(period), Some(10), Some(failures))
        }
        ProbeType::None => return None,
    };
    Some(KubeProbe {
        exec: Some(ExecAction { command: Some(command) }),
        initial_delay_seconds: probe.initial_delay_seconds,
        period_seconds: probe.period_seconds.or(period),
        timeout_seconds: probe.timeout_seconds.or(timeout),
        failure_threshold: probe.failure_threshold.or(failures),
        ..KubeProbe::default()
    })
}

/// The command line that pings a node; `None` when its name cannot be told.
fn ping(node: &str, spec: &CelerySpec, by_variable: bool) -> Option<String> {
    let node = in_shell(node)?;
    let words = effective::program::likely(&spec.common.command);
    let command = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    // Only the application knows the broker then.
    let app = match (&spec.common.broker, &spec.common.celery_app) {
        (None, Some(app)) => format!(" -A {}", quoted(app)),
        _ => String::new(),
    };
    let unset = if by_variable { String::new() } else { format!("unset {}; ", effective::APP.join(" ")) };
    Some(format!("{unset}exec {command}{app} inspect ping -d {node} -t 5"))
}

/// A node's name for a shell in the pod, whose host is called like the pod.
fn in_shell(node: &str) -> Option<String> {
    // Celery fills in what is missing before or behind the @.
    let (name, host) = node.split_once('@').unwrap_or(("", node));
    let whole = format!("{}@{}", filled(name, "celery"), filled(host, "%h"));
    let mut text = String::new();
    let mut letters = whole.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push_str(&quoted(letter.encode_utf8(&mut [0; 4])));
            continue;
        }
        match letters.next()? {
            'h' => text.push_str("$HOSTNAME"),
            'n' => text.push_str("${HOSTNAME%%.*}"),
            '%' => text.push('%'),
            _ => return None,
        }
    }
    Some(text)
}

/// A part of a node's name, as Celery fills it in where it is empty.
fn filled<'a>(part: &'a str, default: &'a str) -> &'a str {
    if part.is_empty() { default } else { part }
}

/// A word that a shell reads as it is.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@._-/:=+,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::resolve;
    use super::*;

    fn startup(common: Value, worker: Value) -> Option<String> {
        let mut spec = json!({"common": {"image": "shop:1", "celeryApp": "shop.tasks", "broker": {"url": "redis://cache"}},
                              "workerSpec": {}});
        json_patch::merge(&mut spec["common"], &common);
        json_patch::merge(&mut spec["workerSpec"], &worker);
        let probe = resolve(spec, &[]).pools.remove(0).pod.probes.startup?;
        probe.exec?.command?.pop()
    }

    #[test]
    fn a_worker_is_asked_under_the_name_it_has() {
        for (common, worker, expected) in [
            (json!({}), json!({}), "celery inspect ping -d default@$HOSTNAME -t 5"),
            (
                json!({}),
                json!({"nodeName": "it's@%n"}),
                r"celery inspect ping -d it''\'''s@${HOSTNAME%%.*} -t 5",
            ),
            (json!({}), json!({"args": ["-n", "mine"]}), "celery inspect ping -d celery@mine -t 5"),
            (json!({}), json!({"args": ["-n", "@%h"]}), "celery inspect ping -d celery@$HOSTNAME -t 5"),
            (json!({}), json!({"args": ["-n", "%n"]}), "celery inspect ping -d celery@${HOSTNAME%%.*} -t 5"),
            (json!({}), json!({"args": ["-n", "mine@"]}), "celery inspect ping -d mine@$HOSTNAME -t 5"),
            (json!({}), json!({"nodeName": ""}), "celery inspect ping -d celery@$HOSTNAME -t 5"),
            (json!({}), json!({"args": ["-n=a@b"]}), "celery inspect ping -d =a@b -t 5"),
            (
                json!({"env": [{"name": "CELERY_WORKER_HOSTNAME", "value": "mine"}]}),
                json!({}),
                "celery inspect ping -d celery@mine -t 5",
            ),
            (
                json!({"broker": {"url": "redis://$(HOST):$(PORT)/0"}}),
                json!({}),
                "celery inspect ping -d default@$HOSTNAME -t 5",
            ),
            (
                json!({"command": ["/venv/bin/celery"]}),
                json!({}),
                "/venv/bin/celery inspect ping -d default@$HOSTNAME -t 5",
            ),
            (
                json!({"command": ["python", "-m", "celery"]}),
                json!({}),
                "python -m celery inspect ping -d default@$HOSTNAME -t 5",
            ),
            (
                json!({"command": ["/bin/sh", "-c", "exec celery \"$@\"", "celery"]}),
                json!({}),
                "celery inspect ping -d default@$HOSTNAME -t 5",
            ),
            (
                json!({"command": ["bash", "-c", "sleep 20; exec celery \"$@\"", "celery"]}),
                json!({"probes": {"startup": {"type": "Ping"}}}),
                "celery inspect ping -d default@$HOSTNAME -t 5",
            ),
            (
                json!({"broker": null}),
                json!({"probes": {"startup": {"type": "Ping"}}}),
                "celery -A shop.tasks inspect ping -d default@$HOSTNAME -t 5",
            ),
        ] {
            let written = format!("{common} {worker}");
            let whole = format!("unset APP CELERY_APP; exec {expected}");
            assert_eq!(startup(common, worker), Some(whole), "{written}");
        }
    }

    #[test]
    fn a_variable_that_names_no_application_stops_no_ping() {
        let ping = json!({"startup": {"type": "Ping"}});
        let env = |name: &str, value: &str| json!({"env": [{"name": name, "value": value}]});
        for (common, worker, by_variable) in [
            (env("APP", "x"), json!({}), false),
            (env("CELERY_APP", "shop"), json!({"probes": ping}), false),
            (env("APP", "shop.tasks"), json!({}), true),
            (env("APP", "x"), env("APP", "shop.tasks"), true),
            // Nothing else can tell the ping of the exchange.
            (
                json!({"config": {"control_exchange": "shop"}, "env": [{"name": "APP", "value": "shop.control"}]}),
                json!({"probes": ping}),
                true,
            ),
        ] {
            let asked = startup(common.clone(), worker).expect("a ping");
            assert_eq!(asked.starts_with("exec celery inspect"), by_variable, "{common}: {asked}");
        }
    }

    #[test]
    fn nothing_is_asked_where_an_answer_is_not_sure() {
        let broker = |broker: Value| {
            let mut common = json!({"broker": {"url": null}});
            json_patch::merge(&mut common["broker"], &broker);
            common
        };
        for (common, worker) in [
            (json!({"broker": null}), json!({})),
            (broker(json!({"url": "sqs://"})), json!({})),
            (broker(json!({"url": "amqps://mq"})), json!({})),
            (broker(json!({"urlSecretRef": {"name": "a", "key": "b"}, "scheme": "amqps"})), json!({})),
            (broker(json!({"rabbitmq": {"host": "mq", "tls": {}}})), json!({})),
            (json!({"command": ["/entrypoint.sh", "celery"]}), json!({})),
            (json!({"command": ["bash", "-c", "sleep 20; exec celery \"$@\"", "celery"]}), json!({})),
            (
                json!({"command": ["sh", "-c", ". /venv/bin/activate && exec celery \"$@\"", "celery"]}),
                json!({}),
            ),
            (json!({"command": ["sh", "-c", "exec celery"]}), json!({})),
            (broker(json!({"urlSecretRef": {"name": "a", "key": "b"}})), json!({})),
            (broker(json!({"redis": {"host": "cache", "keyPrefix": "shop"}})), json!({})),
            (json!({"broker": {"transportOptions": {"global_keyprefix": "shop"}}}), json!({})),
            (json!({"broker": {"transportOptions": {"sep": ":"}}}), json!({})),
            (json!({"broker": {"transportOptions": {"fanout_prefix": false}}}), json!({})),
            (json!({"broker": {"transportOptions": {"fanout_prefix": "/a."}}}), json!({})),
            (broker(json!({"redis": {"host": "cache", "sep": ":"}})), json!({})),
            (json!({"config": {"accept_content": ["pickle"]}}), json!({})),
            (json!({"config": {"accept_content": ["$(FORM)"]}}), json!({})),
            (json!({"config": {"accept_content": ["json", "yaml"], "task_serializer": "yaml"}}), json!({})),
            (json!({}), json!({"args": ["--", "task.serializer=yaml"]})),
            (json!({"config": {"worker_enable_remote_control": false}}), json!({})),
            (json!({"config": {"broker_transport_options": {"global_keyprefix": "shop"}}}), json!({})),
            (json!({}), json!({"args": ["--", "worker.enable_remote_control=false"]})),
            (
                json!({}),
                json!({"args": ["--", r#"broker.transport_options=(dict){"global_keyprefix":"shop"}"#]}),
            ),
            (json!({}), json!({"pool": "solo"})),
            (json!({}), json!({"args": ["--pool=solo"]})),
            (json!({}), json!({"nodeName": "a%i@%h"})),
            (json!({}), json!({"args": ["-n", "$(NAME)@%h"]})),
            (json!({"env": [{"name": "CELERY_WORKER_HOSTNAME", "value": "$(POD)"}]}), json!({})),
            (json!({"env": [{"name": "CELERY_WORKER_POOL", "value": "solo"}]}), json!({})),
            (json!({}), json!({"args": ["--pool=$(POOL)"]})),
            (json!({}), json!({"probes": {"startup": {"type": "None"}}})),
        ] {
            let written = format!("{common} {worker}");
            assert_eq!(startup(common, worker), None, "{written}");
        }
        for common in [
            broker(json!({"urlSecretRef": {"name": "a", "key": "b"}, "scheme": "amqp"})),
            json!({"config": {"accept_content": ["pickle", "json"]}}),
            json!({"broker": {"transportOptions": {"fanout_prefix": "/{db}."}}}),
            json!({"broker": {"transportOptions": {"fanout_prefix": true, "fanout_patterns": false}}}),
        ] {
            let written = common.to_string();
            assert!(startup(common, json!({})).is_some(), "{written}");
        }
    }

    #[test]
    fn what_is_written_of_a_probe_stays() {
        let probes = json!({
            "startup": {"type": "Ping", "periodSeconds": 5, "timeoutSeconds": 30},
            "readiness": {"type": "Custom", "command": ["check"], "initialDelaySeconds": 1},
            "liveness": {"type": "Ping", "failureThreshold": 9},
        });
        let spec = json!({"common": {"image": "a", "celeryApp": "a", "broker": {"url": "redis://cache"}},
                          "workerSpec": {"probes": probes}});
        let probes = resolve(spec, &[]).pools.remove(0).pod.probes;
        let numbers = |probe: &Option<KubeProbe>| {
            let probe = probe.as_ref().expect("a probe");
            (
                probe.initial_delay_seconds,
                probe.period_seconds,
                probe.timeout_seconds,
                probe.failure_threshold,
            )
        };
        assert_eq!(numbers(&probes.startup), (None, Some(5), Some(30), Some(30)));
        assert_eq!(numbers(&probes.readiness), (Some(1), None, None, None));
        assert_eq!(numbers(&probes.liveness), (None, Some(60), Some(15), Some(9)));
    }
}
