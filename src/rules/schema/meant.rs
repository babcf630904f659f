// SPDX-License-Identifier: Apache-2.0
//! What was probably meant by a field that does not exist. Nothing of another component is offered: a field of Flower
//! is no help to a worker.

use serde_json::Value;

use super::compiled::Fields;
use super::elsewhere;
use super::pods;
use crate::celery::version::Release;
use crate::celery::{closest, settings};
use crate::rules::misnamed::meant_by;
use crate::rules::path;

/// How many names are told where none is close.
const MAX_NAMES: usize = 8;
/// Likeness from which a name is a typo and nothing else.
const TYPO: f64 = 0.95;

/// A mapping and where it stands.
pub(super) type Place<'s> = (String, &'s Fields);

/// Mappings, names that people write there, and what to say.
type Alias = (&'static [&'static str], &'static [&'static str], &'static str);

const WORKERS: &[&str] = &["spec.workerSpec", "spec.workerPools[]"];
const PROBED: &[&str] = &["spec.workerSpec", "spec.workerPools[]", "spec.beatSpec"];
const PODS: &[&str] =
    &["spec.workerSpec", "spec.workerPools[]", "spec.beatSpec", "spec.flowerSpec", "spec.common"];
/// Components, each with resources of its own.
const RUN: &[&str] = &["spec.workerSpec", "spec.workerPools[]", "spec.beatSpec", "spec.flowerSpec"];
const RESOURCES: &[&str] = &[
    "spec.workerSpec.resources",
    "spec.workerPools[].resources",
    "spec.beatSpec.resources",
    "spec.flowerSpec.resources",
];
/// Where people look for what scales.
const SCALED: &[&str] = &["spec.workerSpec", "spec.workerPools[]", "spec.flowerSpec", "spec.common"];
const PROBE: &[&str] = &[
    "spec.workerSpec.probes.startup",
    "spec.workerSpec.probes.readiness",
    "spec.workerSpec.probes.liveness",
    "spec.workerPools[].probes.startup",
    "spec.workerPools[].probes.readiness",
    "spec.workerPools[].probes.liveness",
    "spec.beatSpec.probes.startup",
    "spec.beatSpec.probes.readiness",
    "spec.beatSpec.probes.liveness",
];

#[rustfmt::skip] // A table: one meaning, one line.
const ALIASES: &[Alias] = &[
    (WORKERS, &["replicas", "replicaCount", "workers"], "did you mean numOfWorkers?"),
    (&["spec.beatSpec"], &["replicas", "replicaCount", "numOfWorkers"], "remove it: beat is always one pod"),
    (&["spec.flowerSpec"], &["numOfWorkers", "replicaCount"], "did you mean replicas?"),
    (PODS, &["sidecars", "containers", "extraContainers"], "use podTemplate.spec.containers"),
    (WORKERS, &["terminationGracePeriodSeconds"], "use gracefulShutdown.timeoutSeconds"),
    (PROBED, &["livenessProbe"], "use probes.liveness"),
    (PROBED, &["readinessProbe"], "use probes.readiness"),
    (PROBED, &["startupProbe"], "use probes.startup"),
    (PROBED, &["healthcheck", "healthCheck"], "use probes.liveness"),
    (SCALED, &["autoscale", "autoscaling", "autoscaler", "hpa", "keda"], "use spec.scaleTargetRef"),
    (SCALED, &["minReplicas"], "use spec.scaleTargetRef[].minReplicas"),
    (SCALED, &["maxReplicas"], "use spec.scaleTargetRef[].maxReplicas"),
    (&["spec"], &["minReplicas"], "use spec.scaleTargetRef[].minReplicas"),
    (&["spec"], &["maxReplicas"], "use spec.scaleTargetRef[].maxReplicas"),
    (&["spec", "spec.common"], &["pdb", "podDisruptionBudget"], "use spec.workerSpec.podDisruptionBudget"),
    (&["spec.workerSpec"], &["name"], "use workerPools, whose items have names"),
    (WORKERS, &["pdb"], "did you mean podDisruptionBudget?"),
    (&["spec.common"], &["labels"], "use spec.common.podLabels"),
    (&["spec.common"], &["annotations"], "use spec.common.podAnnotations"),
    (&["spec.common"], &["app", "application"], "did you mean celeryApp?"),
    (&["spec"], &["app", "application"], "did you mean spec.common.celeryApp?"),
    (&["spec.common"], &["brokerUrl", "brokerURL", "broker_url"], "did you mean broker.url?"),
    (&["spec"], &["brokerUrl", "brokerURL", "broker_url"], "did you mean spec.common.broker.url?"),
    (&["spec.common"], &["resultBackendUrl", "result_backend"], "did you mean resultBackend.url?"),
    (&["spec"], &["resultBackendUrl", "result_backend"], "did you mean spec.common.resultBackend.url?"),
    (&["spec.common"], &["broker_transport_options"], "did you mean broker.transportOptions?"),
    (&["spec"], &["broker_transport_options"], "use spec.common.broker.transportOptions"),
    (WORKERS, &["broker_transport_options"], "use spec.common.broker.transportOptions"),
    (WORKERS, &["task_time_limit"], "did you mean timeLimit?"),
    (WORKERS, &["task_soft_time_limit"], "did you mean softTimeLimit?"),
    (WORKERS, &["worker_concurrency"], "did you mean concurrency?"),
    (WORKERS, &["worker_prefetch_multiplier"], "did you mean prefetchMultiplier?"),
    (WORKERS, &["worker_max_tasks_per_child"], "did you mean maxTasksPerChild?"),
    (WORKERS, &["worker_max_memory_per_child"], "use maxMemoryPerChild, with a unit"),
    (&["spec", "spec.common"], &["task_time_limit"], "use spec.workerSpec.timeLimit"),
    (&["spec", "spec.common"], &["task_soft_time_limit"], "use spec.workerSpec.softTimeLimit"),
    (&["spec", "spec.common"], &["worker_concurrency"], "use spec.workerSpec.concurrency"),
    (&["spec", "spec.common"], &["worker_prefetch_multiplier"], "use spec.workerSpec.prefetchMultiplier"),
    (&["spec", "spec.common"], &["worker_max_tasks_per_child"], "use spec.workerSpec.maxTasksPerChild"),
    (&["spec", "spec.common"], &["worker_max_memory_per_child"], "use spec.workerSpec.maxMemoryPerChild, with a unit"),
    (SCALED, &["max"], "use spec.scaleTargetRef[].maxReplicas"),
    (SCALED, &["min"], "use spec.scaleTargetRef[].minReplicas"),
    (&["spec.common.broker"], &["username", "user"], "use redis.username, or rabbitmq.usernameSecretRef"),
    (PROBE, &["exec"], "write {type: Custom, command: […]}"),
    (PROBE, &["httpGet", "tcpSocket", "grpc"], "write {type: Custom, command: […]} with a command that asks"),
    (&["spec.scaleTargetRef[]"], &["replicas", "numOfWorkers"], "use minReplicas and maxReplicas"),
    (&["spec.scaleTargetRef[]"], &["name"], "use kind, and pool for one of workerPools"),
    (&["spec.scaleTargetRef[]"], &["triggers"], "write metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 10}}]"),
    (&["spec.common.securityContext"], &["capabilities", "readOnlyRootFilesystem", "allowPrivilegeEscalation", "privileged"], "use spec.common.containerSecurityContext"),
    (PODS, &["enabled"], "remove it: what is present is on"),
    (PODS, &["environment", "envVars"], "did you mean env?"),
    (&["spec.beatSpec"], &["schedule", "schedules", "beatSchedule"], "use spec.common.config.beat_schedule"),
    (&["spec.common.broker.redis"], &["ssl"], "did you mean tls?"),
    (&["spec.common.broker.rabbitmq"], &["prioritySteps"], "use spec.common.config.task_queue_max_priority"),
    (&["spec"], &["workers"], "did you mean workerSpec, or workerPools for several?"),
    (&["spec"], &["autoscaling", "autoscaler", "autoscale", "hpa", "keda"], "did you mean scaleTargetRef?"),
    (&["spec.flowerSpec.ingress"], &["tls", "secretName"], "did you mean tlsSecretName?"),
    (&["spec.flowerSpec.ingress"], &["hosts"], "use host, which is one name"),
    (&["spec.flowerSpec.ingress"], &["paths"], "use path, or spec.flowerSpec.urlPrefix"),
    (&["spec.common.broker", "spec.common.broker.redis", "spec.common.broker.sqs"], &["visibilityTimeout", "visibilityTimeoutSeconds", "visibility_timeout"], "use spec.common.broker.transportOptions.visibility_timeout"),
    (RUN, &["memory"], "use resources.limits.memory"),
    (RUN, &["cpu", "cpus"], "use resources.limits.cpu"),
    (PODS, &["secretName", "secrets", "secret"], "use envFrom"),
    (&["spec.common"], &["service"], "use spec.flowerSpec.serviceType"),
    (&["spec.common"], &["tag", "imageTag"], "write it into image, behind a colon"),
    (&["spec.common"], &["strategy"], "use spec.workerSpec.rolloutStrategy"),
    (WORKERS, &["strategy"], "did you mean rolloutStrategy?"),
    (WORKERS, &["beat"], "use spec.beatSpec"),
    (&["spec.flowerSpec"], &["basicAuth", "basic_auth"], "use auth.basic.secretRef"),
    (&["spec.flowerSpec"], &["address"], "remove it: the operator sets it"),
    (&["spec.flowerSpec.ingress"], &["enabled"], "remove it: what is present is on"),
    (&["spec.common.broker"], &["passwordSecretRef"], "use redis.passwordSecretRef or rabbitmq.passwordSecretRef"),
    (&["spec", "spec.common"], &["replicas", "replicaCount"], "did you mean spec.workerSpec.numOfWorkers?"),
    (&["spec", "spec.common"], &["limits", "requests"], "use spec.workerSpec.resources"),
    (RESOURCES, &["cpu"], "use limits.cpu"),
    (RESOURCES, &["memory"], "use limits.memory"),
    (&["spec.common.broker.rabbitmq"], &["virtualHost", "virtual_host"], "did you mean vhost?"),
    (&["spec.common.broker", "spec.common.resultBackend"], &["urlFrom", "secretKeyRef", "secretRef"], "did you mean urlSecretRef?"),
    (&["spec"], &["pools"], "did you mean workerPools?"),
    (&["spec.common"], &["celeryConfig", "settings"], "did you mean config?"),
    (&["spec.scaleTargetRef[].metrics[]"], &["queue", "queues", "queueName"], "use spec.scaleTargetRef[].queues"),
    (WORKERS, &["hostname"], "did you mean nodeName?"),
    (&["spec.common.broker.redis"], &["database"], "did you mean db?"),
    (&["spec.workerSpec.gracefulShutdown", "spec.workerPools[].gracefulShutdown"], &["terminationGracePeriodSeconds"], "did you mean timeoutSeconds?"),
    (&["spec.common.containerSecurityContext"], &["fsGroup", "fsGroupChangePolicy", "supplementalGroups"], "use spec.common.securityContext"),
    (&["spec.beatSpec"], &["storage"], "use persistence.size"),
    (PROBE, &["enabled"], "write {type: None} for no probe, or a type for one"),
    (&["metadata"], &["spec"], "move it out of metadata: spec begins in the column of metadata"),
];

/// What to write instead of a field, and the field that it stands for, as a path below the mapping that holds it. `above`
/// are the mappings from the root down to that one.
pub(super) fn meant(above: &[Place<'_>], name: &str, value: &Value) -> (String, Option<String>) {
    let Some(((at, fields), above)) = above.split_last() else { return ("remove it".to_owned(), None) };
    let told = spelt_out(at, name, value).or_else(|| alias(at, name).map(str::to_owned));
    let told = told.or_else(|| setting_of_celery(at, name));
    if let Some(fix) = told.or_else(|| pods::meant(at, name, value)) {
        let stands_for = stands_for(at, &fix);
        return (fix, stands_for);
    }
    if let Some(field) = meant_by(at, name) {
        return (format!("write {field}"), Some(field.to_owned()));
    }
    let here = || fields.known.keys().map(String::as_str);
    let alike = closest::alike(name, here());
    let is_near = |(likeness, known): (f64, &str)| {
        likeness >= TYPO || known.starts_with(name) || closest::of(name, [known].into_iter()).is_some()
    };
    let mut there = elsewhere::paths(at, fields, above, name);
    // The same name in another place is meant more often than a similar one here, and a similar one there more often than
    // one here that has a part in common with it.
    if there.is_empty() && !alike.is_some_and(is_near) {
        let names = elsewhere::names(at, fields, above);
        let near = names.into_iter().find(|known| is_slip(name, known));
        there = near.map_or(there, |near| elsewhere::paths(at, fields, above, near));
    }
    match alike {
        alike if !there.is_empty() && alike.is_none_or(|(alike, _)| alike < TYPO) => {
            let fix = format!("did you mean {}?", there.join(" or "));
            let stands_for = stands_for(at, &fix);
            (fix, stands_for)
        }
        Some((_, known)) => (format!("did you mean {known}?"), Some(known.to_owned())),
        _ if fields.known.is_empty() => ("remove it".to_owned(), None),
        _ => {
            let known: Vec<&str> = fields.known.keys().take(MAX_NAMES).map(String::as_str).collect();
            let more = if fields.known.len() > MAX_NAMES { ", …" } else { "" };
            (format!("remove it; there are {}{more}", known.join(", ")), None)
        }
    }
}

/// Whether a name is another one but for a letter, or for capitals and underscores.
fn is_slip(name: &str, known: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let (name, known) = (plain(name), plain(known));
    name == known || closest::slip(&name, [known.as_str()].into_iter()).is_some()
}

fn alias(at: &str, name: &str) -> Option<&'static str> {
    let at = path::pattern(at);
    let fits = |(places, names, _): &&Alias| places.contains(&at.as_str()) && names.contains(&name);
    ALIASES.iter().find(fits).map(|(_, _, fix)| *fix)
}

/// The place of a setting of Celery that somebody wrote as a field.
fn setting_of_celery(at: &str, name: &str) -> Option<String> {
    let place = path::pattern(at);
    let is_here = place == "spec" || PODS.contains(&place.as_str());
    let is_one = || settings::setting(name, Release::NEWEST).is_ok_and(|setting| setting.name == name);
    (is_here && name.contains('_') && is_one()).then(|| format!("use spec.common.config.{name}"))
}

/// What depends on the value, or on a part of the place.
fn spelt_out(at: &str, name: &str, value: &Value) -> Option<String> {
    let is_reference = ["SecretRef", ".secretRef", ".secretKeyRef"].iter().any(|end| at.ends_with(end));
    if is_reference && name == "namespace" {
        return Some("remove it: the Secret has to be in the namespace of this object".to_owned());
    }
    if name == "autoscale" && WORKERS.contains(&path::pattern(at).as_str()) {
        let bounds = value.as_str().filter(|text| is_pair(text))?;
        return Some(format!(
            "use spec.scaleTargetRef for pods, or args: [\"--autoscale={bounds}\"] for processes in each pod"
        ));
    }
    let is_url = at == "spec" && ["broker", "resultBackend"].contains(&name) && value.is_string();
    is_url.then(|| format!("did you mean spec.common.{name}.url?"))
}

/// Whether a text is two numbers, as `--autoscale` takes them.
fn is_pair(text: &str) -> bool {
    let is_number =
        |part: &str| (1..=5).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit());
    text.split_once(',').is_some_and(|(most, least)| is_number(most) && is_number(least))
}

/// The field below a mapping that an advice names, so that nobody is told that it is missing too.
fn stands_for(at: &str, fix: &str) -> Option<String> {
    if fix.starts_with("write {type: ") {
        return Some("type".to_owned());
    }
    let written = fix.strip_prefix("write ").and_then(|written| written.split_once(": "));
    let asked = || fix.strip_prefix("did you mean ")?.strip_suffix('?');
    let field = written.map(|(field, _)| field).or_else(asked)?;
    let field = field.strip_prefix(at).and_then(|rest| rest.strip_prefix('.')).unwrap_or(field);
    let is_path = field.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.');
    is_path.then(|| field.to_owned())
}
