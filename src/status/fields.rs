// SPDX-License-Identifier: Apache-2.0
//! Which part of a Celery a Deployment stands for, and which fields of the spec to look at when its pods fail.

use serde_json::{Value, json};

use super::trouble::{Cause, Hindrance, MissingConfig, Trouble};
use crate::api::CelerySpec;
use crate::names;
use crate::resolve::Resolved;

/// A part of a Celery that has a Deployment.
pub(super) struct Part<'a> {
    /// Name of the Deployment.
    pub(super) deployment: String,
    /// What people call it.
    pub(super) title: String,
    /// Where its fields are: `spec.workerPools[0]`.
    path: String,
    /// Its container.
    container: &'static str,
    image: Option<&'a str>,
    /// The Secret that is made of the parts of the broker.
    broker_secret: String,
    spec: &'a CelerySpec,
}

/// The parts of a Celery, in the order of the spec.
pub(super) fn parts<'a>(resolved: &Resolved, spec: &'a CelerySpec) -> Vec<Part<'a>> {
    let app = &resolved.app;
    let pool = |name: &str, path: String, image: &'a Option<String>| Part {
        deployment: names::worker(app, name),
        title: format!("pool {name}"),
        path,
        container: names::WORKER_CONTAINER,
        image: image.as_deref(),
        broker_secret: names::broker_secret(app),
        spec,
    };
    let default = spec.worker_spec.iter();
    let default =
        default.map(|worker| pool(names::DEFAULT_POOL, "spec.workerSpec".to_owned(), &worker.image));
    let named = spec.worker_pools.iter().enumerate();
    let named = named.map(|(at, it)| pool(&it.name, format!("spec.workerPools[{at}]"), &it.spec.image));
    let beat = spec.beat_spec.iter().map(|_| Part {
        deployment: names::beat(app),
        title: "beat".to_owned(),
        path: "spec.beatSpec".to_owned(),
        container: names::BEAT_CONTAINER,
        image: None,
        broker_secret: names::broker_secret(app),
        spec,
    });
    let flower = spec.flower_spec.iter().map(|flower| Part {
        deployment: names::flower(app),
        title: "flower".to_owned(),
        path: "spec.flowerSpec".to_owned(),
        container: names::FLOWER_CONTAINER,
        image: flower.image.as_deref(),
        broker_secret: names::broker_secret(app),
        spec,
    });
    default.chain(named).chain(beat).chain(flower).collect()
}

impl Part<'_> {
    /// One sentence for people: what is wrong with its pods, and where to look.
    pub(super) fn told(&self, trouble: &Trouble) -> String {
        let what = match &trouble.cause {
            Cause::Image(_) => "cannot get its image".to_owned(),
            Cause::Config(None) => "cannot be configured: a Secret or ConfigMap is missing".to_owned(),
            Cause::Config(Some(MissingConfig { kind, name, key: None })) => {
                format!("cannot be configured: {kind} {name:?} does not exist")
            }
            Cause::Config(Some(MissingConfig { kind, name, key: Some(key) })) => {
                format!("cannot be configured: {kind} {name:?} has no key {key:?}")
            }
            Cause::Start(_) => "cannot be started".to_owned(),
            Cause::Crash { exit_code: Some(0) } => {
                "ends again and again with exit code 0: it has nothing to run".to_owned()
            }
            Cause::Crash { exit_code: Some(code) } => format!("ends again and again with exit code {code}"),
            Cause::Crash { exit_code: None } => "ends again and again".to_owned(),
            Cause::OutOfMemory => "was killed: it took more memory than its limit".to_owned(),
            Cause::Unstarted => "runs, and has not passed its startup probe for a minute".to_owned(),
            Cause::Unschedulable(_) => "fits on no node".to_owned(),
        };
        let subject = match &trouble.container {
            Some(container) => format!("container {container} of Deployment {}", self.deployment),
            None => format!("a pod of Deployment {}", self.deployment),
        };
        let mut fields = self.fields(trouble);
        if fields.is_empty() {
            fields.push(self.deployment_itself());
        }
        let fields = fields.join(", ");
        format!("{}: {subject} {what} ({}); look at {fields}", self.title, trouble.reason())
    }

    /// Where to look when pods are refused altogether, for the two who do it most.
    pub(super) fn refused(&self, message: &str) -> Option<String> {
        if message.contains("exceeded quota")
            || message.contains("LimitRange")
            || message.contains(" usage per ")
        {
            return Some(format!("; look at {}.resources, or at the quota of the namespace", self.path));
        }
        let standard = message.contains("PodSecurity");
        standard
            .then(|| "; look at spec.common.securityContext, spec.common.containerSecurityContext".to_owned())
    }

    /// The fields to look at; none where the spec says nothing of what fails.
    fn fields(&self, trouble: &Trouble) -> Vec<String> {
        let own = |field: &str| format!("{}.{field}", self.path);
        let common = |field: &str| format!("spec.common.{field}");
        let named = trouble.container.as_deref();
        if let Some(other) = named.filter(|name| *name != self.container) {
            return self.container_field(other);
        }
        match &trouble.cause {
            Cause::Image(_) => {
                let image = if self.image.is_some() { own("image") } else { common("image") };
                vec![image, common("imagePullSecrets")]
            }
            Cause::Config(missing) => self.config_fields(missing.as_ref()),
            Cause::Start(_) => vec![common("command"), common("image")],
            Cause::Crash { .. } => vec![own("args"), own("env"), common("celeryApp"), common("env")],
            Cause::OutOfMemory => vec![own("resources")],
            // A worker that does not reach its broker answers no ping.
            Cause::Unstarted => vec![common("broker"), own("probes")],
            Cause::Unschedulable(hindrances) if hindrances.is_empty() => {
                vec![own("resources"), common("nodeSelector"), common("affinity"), common("tolerations")]
            }
            Cause::Unschedulable(hindrances) => {
                let fields = hindrances.iter().flat_map(|hindrance| match hindrance {
                    // These help even where nothing is written yet.
                    Hindrance::Resources => vec![own("resources")],
                    Hindrance::Taint => vec![common("tolerations")],
                    Hindrance::Placement => self.written([common("nodeSelector"), common("affinity")]),
                    Hindrance::Spread => self.written([common("topologySpreadConstraints")]),
                    Hindrance::Volume => {
                        self.written([common("volumes"), own("volumes"), own("persistence")])
                    }
                });
                fields.collect()
            }
        }
    }

    /// What to look at where the spec says nothing of what fails: somebody may add to a Deployment what we leave alone.
    fn deployment_itself(&self) -> String {
        format!("Deployment {} itself, since the spec says nothing of it", self.deployment)
    }

    /// Those of these fields that the spec has, and the pod templates, which may say the same.
    fn written<const N: usize>(&self, fields: [String; N]) -> Vec<String> {
        let is_written = |field: &String| {
            let value = self.value(field);
            value.is_some_and(|value| !value.is_null() && value != json!([]) && value != json!({}))
        };
        let templates = ["spec.common.podTemplate".to_owned(), format!("{}.podTemplate", self.path)];
        fields.into_iter().chain(templates).filter(is_written).collect()
    }

    /// What the spec says in a field.
    fn value(&self, field: &str) -> Option<Value> {
        let mut spec = serde_json::to_value(self.spec).ok()?;
        let pointer = field.replace(['.', '['], "/").replace(']', "");
        spec.pointer_mut(pointer.strip_prefix("spec")?).map(Value::take)
    }

    /// Where a container beside ours comes from.
    fn container_field(&self, name: &str) -> Vec<String> {
        let init = self.spec.common.init_containers.iter().position(|container| container.name == name);
        if let Some(at) = init {
            return vec![format!("spec.common.initContainers[{at}]")];
        }
        let sidecars = format!("{}.sidecars", self.path);
        let own = self.value(&sidecars);
        let mut own = own.as_ref().and_then(Value::as_array).into_iter().flatten();
        if own.any(|container| container["name"] == name) { vec![sidecars] } else { self.written([]) }
    }

    /// Where the spec names what is missing; the places are found by name, whatever the fields are called.
    fn config_fields(&self, missing: Option<&MissingConfig>) -> Vec<String> {
        let everywhere = || vec![format!("{}.env", self.path), "spec.common.env".to_owned()];
        let Some(missing) = missing else { return everywhere() };
        if missing.name == self.broker_secret {
            return vec!["spec.common.broker".to_owned()];
        }
        let spec = serde_json::to_value(self.spec).unwrap_or_default();
        let found = |missing: &MissingConfig| {
            let mut found = Vec::new();
            mentions(&spec, "spec", missing, &mut found);
            found.retain(|field| field.starts_with(&self.path) || field.starts_with("spec.common"));
            found
        };
        let exactly = found(missing);
        // A key that is the usual one need not be written.
        if exactly.is_empty() { found(&MissingConfig { key: None, ..missing.clone() }) } else { exactly }
    }
}

/// Every object that names the missing one, and its key if that is what is missing.
fn mentions(value: &serde_json::Value, path: &str, missing: &MissingConfig, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            let says = |name: &str, text: &str| fields.get(name).is_some_and(|value| value == text);
            let last = path.rsplit('.').next().unwrap_or_default();
            let names_it =
                says("name", &missing.name) && (last.ends_with("Ref") || last.starts_with("secret"));
            if names_it && missing.key.as_ref().is_none_or(|key| says("key", key)) {
                found.push(path.to_owned());
            }
            for (name, inner) in fields {
                mentions(inner, &format!("{path}.{name}"), missing, found);
            }
        }
        serde_json::Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                mentions(inner, &format!("{path}[{at}]"), missing, found);
            }
        }
        _ => {}
    }
}
