// SPDX-License-Identifier: Apache-2.0
//! What was probably meant by a field that does not exist. Nothing of another component is offered: a field of Flower
//! is no help to a worker.

use super::compiled::{Fields, Form};
use super::sentences::below;
use crate::celery::closest;
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
    (WORKERS, &["autoscale", "autoscaling", "autoscaler", "hpa", "keda"], "use spec.scaleTargetRef"),
    (PODS, &["labels", "podLabels"], "use spec.common.podLabels"),
    (PODS, &["annotations", "podAnnotations"], "use spec.common.podAnnotations"),
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
    (&["spec.common.broker.redis"], &["visibilityTimeout", "visibilityTimeoutSeconds", "visibility_timeout"], "use transportOptions.visibility_timeout of the broker"),
    (&["spec"], &["replicas", "numOfWorkers"], "did you mean spec.workerSpec.numOfWorkers?"),
];

/// What to write instead of a field, and which field of the same mapping that is. `above` are the mappings from the root
/// down to the one that holds it.
pub(super) fn meant<'s>(above: &[Place<'s>], name: &str) -> (String, Option<&'s str>) {
    let Some(((at, fields), above)) = above.split_last() else { return ("remove it".to_owned(), None) };
    if let Some(fix) = alias(at, name) {
        return (fix.to_owned(), None);
    }
    if let Some(field) = meant_by(at, name) {
        return (format!("write {field}"), Some(field));
    }
    let alike = closest::alike(name, fields.known.keys().map(String::as_str));
    match (elsewhere(at, fields, above, name), alike) {
        // The same name in another place is meant more often than a similar one here.
        (Some(there), alike) if alike.is_none_or(|(alike, _)| alike < TYPO) => {
            (format!("did you mean {there}?"), None)
        }
        (_, Some((_, known))) => (format!("did you mean {known}?"), Some(known)),
        _ if fields.known.is_empty() => ("remove it".to_owned(), None),
        _ => {
            let known: Vec<&str> = fields.known.keys().take(MAX_NAMES).map(String::as_str).collect();
            let more = if fields.known.len() > MAX_NAMES { ", …" } else { "" };
            (format!("remove it; there are {}{more}", known.join(", ")), None)
        }
    }
}

fn alias(at: &str, name: &str) -> Option<&'static str> {
    let at = path::pattern(at);
    let fits = |(places, names, _): &&Alias| places.contains(&at.as_str()) && names.contains(&name);
    ALIASES.iter().find(fits).map(|(_, _, fix)| *fix)
}

/// Where a mapping above, or what all components share, has a field of this name.
fn elsewhere(at: &str, fields: &Fields, above: &[Place<'_>], name: &str) -> Option<String> {
    let has = |fields: &Fields| fields.known.contains_key(name);
    // The root's own fields are in nearly every object: below `spec` they are hardly meant.
    let first = usize::from(at != "spec");
    let ancestor = above.iter().skip(first).rev().find(|(_, fields)| has(fields));
    if let Some((at, _)) = ancestor.filter(|_| name != "status") {
        return Some(below(at, name, true));
    }
    let root = above.first().map_or(fields, |(_, root)| root);
    let spec = child(root, "spec").filter(|_| at.is_empty() || at.starts_with("spec"))?;
    if at.is_empty() && has(spec) {
        return Some(format!("spec.{name}"));
    }
    child(spec, "common").is_some_and(has).then(|| format!("spec.common.{name}"))
}

fn child<'f>(fields: &'f Fields, name: &str) -> Option<&'f Fields> {
    match &fields.known.get(name)?.form {
        Form::Object(fields) => Some(fields),
        _ => None,
    }
}
