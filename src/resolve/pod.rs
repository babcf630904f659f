// SPDX-License-Identifier: Apache-2.0
//! The pod of a component with everything decided: what all components share, what this one says, and what the operator
//! chooses where both are silent.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, Container, EmptyDirVolumeSource, EnvFromSource, EnvVar, EnvVarSource, Lifecycle,
    LocalObjectReference, PodDNSConfig, PodSecurityContext, Probe, SeccompProfile, SecretKeySelector,
    SecurityContext, Toleration, TopologySpreadConstraint, Volume, VolumeMount,
};
use serde_json::Value;

use super::BrokerAccess;
use crate::api::{AnyObject, CelerySpec, ImagePullPolicy, Open, ResultBackend, SecretKeyRef, image};
use crate::celery::expansion::expands;
use crate::labels::VERSION;
use crate::names;

/// The variable that Celery 4.4 to 5.7 reads before anything in the application.
const RESULT_BACKEND: &str = "CELERY_RESULT_BACKEND";

/// The pod of a component.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    /// Image of the container.
    pub image: String,
    /// When nodes pull it.
    pub pull_policy: ImagePullPolicy,
    /// Registry credentials.
    pub pull_secrets: Vec<LocalObjectReference>,
    /// What starts Celery.
    pub command: Vec<String>,
    /// Variables, each name once.
    pub env: Vec<EnvVar>,
    /// Where further variables come from.
    pub env_from: Vec<EnvFromSource>,
    /// Volumes, each name once.
    pub volumes: Vec<Volume>,
    /// Mounts of the container, each path once.
    pub mounts: Vec<VolumeMount>,
    /// Containers that run before.
    pub init_containers: Vec<Container>,
    /// Containers that run beside.
    pub sidecars: Vec<Container>,
    /// Hooks of the container.
    pub lifecycle: Option<Lifecycle>,
    /// What kubelet asks the container.
    pub probes: ContainerProbes,
    /// Labels beside those of every child.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Service account; its token is there only when one is named.
    pub service_account: Option<String>,
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pod puts up with.
    pub tolerations: Vec<Toleration>,
    /// Nodes and neighbours.
    pub affinity: Option<Affinity>,
    /// How the pods spread.
    pub spread: Vec<TopologySpreadConstraint>,
    /// Priority class.
    pub priority_class: Option<String>,
    /// Security settings of the pod.
    pub security: PodSecurityContext,
    /// Security settings of the container.
    pub container_security: SecurityContext,
    /// DNS settings.
    pub dns: Option<PodDNSConfig>,
    /// Seconds between SIGTERM and SIGKILL.
    pub grace_seconds: i64,
    /// The pause process becomes PID 1: a worker that is still importing then dies of SIGTERM instead of ignoring it.
    pub share_process_namespace: bool,
    /// Pod templates laid over the rendered one, in this order.
    pub overlays: Vec<Value>,
}

/// What kubelet asks a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerProbes {
    /// Whether the start is done.
    pub startup: Option<Probe>,
    /// Whether a rollout may go on.
    pub readiness: Option<Probe>,
    /// Whether the container must be restarted.
    pub liveness: Option<Probe>,
}

/// What a component says of its own pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Own<'a> {
    pub(super) image: Option<&'a str>,
    pub(super) env: &'a [EnvVar],
    pub(super) env_from: &'a [EnvFromSource],
    pub(super) volumes: &'a [Volume],
    pub(super) mounts: &'a [VolumeMount],
    pub(super) sidecars: &'a [Container],
    pub(super) lifecycle: Option<&'a Lifecycle>,
    pub(super) template: Option<&'a AnyObject>,
    pub(super) without_shared_volumes: bool,
    /// The image is not the application's: what starts Celery there is `celery`.
    pub(super) foreign_image: bool,
    /// What the operator gives this component beside broker and result backend.
    pub(super) made: Made,
    pub(super) probes: ContainerProbes,
    pub(super) grace_seconds: i64,
    pub(super) share_process_namespace: bool,
}

/// What the operator adds to a pod.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    /// What stands before the command that starts Celery.
    pub(super) command: Vec<String>,
    pub(super) env: Vec<EnvVar>,
    pub(super) volumes: Vec<(Volume, VolumeMount)>,
    /// Something is written to `/tmp`.
    pub(super) writes_to_tmp: bool,
}

pub(super) fn pod(spec: &CelerySpec, broker: Option<&BrokerAccess>, own: Own<'_>) -> Pod {
    let common = &spec.common;
    let image = own.image.or(common.image.as_deref()).unwrap_or_default().to_owned();
    let written = common.image_pull_policy.as_ref().and_then(Open::known);
    let celery = common.command.is_empty() || own.foreign_image;
    let shared_volumes = if own.without_shared_volumes { &[][..] } else { &common.volumes };
    let shared_mounts = if own.without_shared_volumes { &[][..] } else { &common.volume_mounts };
    let mut labels = common.pod_labels.clone();
    labels.extend(common.celery_version.iter().map(|version| (VERSION.to_owned(), version.clone())));
    let mut pod = Pod {
        pull_policy: written.unwrap_or_else(|| image::pull_policy(&image)),
        image,
        pull_secrets: common.image_pull_secrets.clone(),
        command: command(&own.made, if celery { &[] } else { &common.command }),
        env: env(&made_env(common.result_backend.as_ref(), broker, &own.made), &common.env, own.env),
        env_from: common.env_from.iter().chain(own.env_from).cloned().collect(),
        volumes: by_key(shared_volumes.iter().chain(own.volumes), |volume| &volume.name),
        mounts: by_key(shared_mounts.iter().chain(own.mounts), |mount| &mount.mount_path),
        init_containers: common.init_containers.clone(),
        sidecars: own.sidecars.to_vec(),
        lifecycle: own.lifecycle.cloned(),
        probes: own.probes,
        labels,
        annotations: common.pod_annotations.clone(),
        service_account: common.service_account_name.clone(),
        node_selector: common.node_selector.clone(),
        tolerations: common.tolerations.clone(),
        affinity: common.affinity.clone(),
        spread: common.topology_spread_constraints.clone(),
        priority_class: common.priority_class_name.clone(),
        security: pod_security(common.security_context.as_ref()),
        container_security: container_security(common.container_security_context.as_ref()),
        dns: common.dns_config.clone(),
        grace_seconds: own.grace_seconds,
        share_process_namespace: own.share_process_namespace,
        overlays: common.pod_template.iter().chain(own.template).map(|template| template.0.clone()).collect(),
    };
    let authority = broker.and_then(|broker| broker.authority.as_ref());
    for (volume, mount) in authority.into_iter().chain(&own.made.volumes) {
        mounted(&mut pod, volume, mount);
    }
    // Child processes need a folder for their temporary files.
    if own.made.writes_to_tmp || pod.container_security.read_only_root_filesystem == Some(true) {
        temporary(&mut pod);
    }
    pod
}

/// What starts Celery: `celery` where nothing is written.
fn command(made: &Made, written: &[String]) -> Vec<String> {
    let celery = written.is_empty().then(|| "celery".to_owned());
    made.command.iter().chain(written).cloned().chain(celery).collect()
}

/// What the operator gives every container: where tasks travel, where results are kept, and what is `made`.
fn made_env(backend: Option<&ResultBackend>, broker: Option<&BrokerAccess>, made: &Made) -> Vec<EnvVar> {
    let backend = backend.and_then(|backend| match (&backend.url, &backend.url_secret_ref) {
        (Some(url), _) => Some(literal(RESULT_BACKEND, url)),
        (None, Some(reference)) => Some(from_key(RESULT_BACKEND, &reference.name, &reference.key)),
        (None, None) => None,
    });
    let broker = broker.map(|broker| broker.env.clone());
    broker.into_iter().chain(backend).chain(made.env.iter().cloned()).collect()
}

/// Variables by name. A later one takes the place of an earlier one; kubelet expands `$(NAME)` only to what stands
/// before, so whatever refers to others stands where its own list has it, and the operator's behind everything.
fn env(made: &[EnvVar], shared: &[EnvVar], own: &[EnvVar]) -> Vec<EnvVar> {
    let refers = |variable: &EnvVar| variable.value.as_deref().is_some_and(expands);
    let mut merged: Vec<EnvVar> = Vec::new();
    for variable in made.iter().filter(|variable| !refers(variable)).chain(shared).chain(own) {
        match merged.iter().position(|known| known.name == variable.name) {
            Some(index) if refers(variable) => {
                merged.remove(index);
                merged.push(variable.clone());
            }
            Some(index) => merged[index] = variable.clone(),
            None => merged.push(variable.clone()),
        }
    }
    for variable in made.iter().filter(|variable| refers(variable)) {
        if !merged.iter().any(|known| known.name == variable.name) {
            merged.push(variable.clone());
        }
    }
    merged
}

/// Items by key; a later one takes the place of an earlier one.
fn by_key<'a, T: Clone + 'a>(items: impl Iterator<Item = &'a T>, key: fn(&T) -> &String) -> Vec<T> {
    let mut merged: Vec<T> = Vec::new();
    for item in items {
        match merged.iter_mut().find(|known| key(known) == key(item)) {
            Some(known) => *known = item.clone(),
            None => merged.push(item.clone()),
        }
    }
    merged
}

/// A volume of the operator's own, unless the user mounts something at its place.
fn mounted(pod: &mut Pod, volume: &Volume, mount: &VolumeMount) {
    let path = |mount: &VolumeMount| mount.mount_path.trim_end_matches('/').to_owned();
    if !pod.mounts.iter().any(|known| path(known) == path(mount)) {
        pod.volumes.push(volume.clone());
        pod.mounts.push(mount.clone());
    }
}

fn temporary(pod: &mut Pod) {
    let name = names::TEMPORARY_VOLUME.to_owned();
    let volume =
        Volume { name: name.clone(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() };
    let mount = VolumeMount { name, mount_path: "/tmp".to_owned(), ..VolumeMount::default() };
    mounted(pod, &volume, &mount);
}

fn pod_security(written: Option<&PodSecurityContext>) -> PodSecurityContext {
    let mut security = written.cloned().unwrap_or_default();
    security.seccomp_profile.get_or_insert_with(|| SeccompProfile {
        type_: "RuntimeDefault".to_owned(),
        localhost_profile: None,
    });
    security
}

/// Without escalation of privileges, unless what is written asks for privileges: the API server refuses the two together.
fn container_security(written: Option<&SecurityContext>) -> SecurityContext {
    let mut security = written.cloned().unwrap_or_default();
    let added = security.capabilities.iter().filter_map(|capabilities| capabilities.add.as_ref()).flatten();
    let administers = added.into_iter().any(|name| name.trim_start_matches("CAP_") == "SYS_ADMIN");
    if security.privileged != Some(true) && !administers {
        security.allow_privilege_escalation.get_or_insert(false);
    }
    security
}

/// A variable with the key of a Secret.
pub(super) fn from_key(variable: &str, name: &str, key: &str) -> EnvVar {
    let selector = SecretKeySelector { name: name.to_owned(), key: key.to_owned(), optional: None };
    EnvVar {
        name: variable.to_owned(),
        value_from: Some(EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() }),
        ..EnvVar::default()
    }
}

/// The same of a written reference.
pub(super) fn from_reference(variable: &str, reference: &SecretKeyRef) -> EnvVar {
    from_key(variable, &reference.name, &reference.key)
}

/// A variable with this very text.
pub(super) fn literal(variable: &str, text: &str) -> EnvVar {
    EnvVar { name: variable.to_owned(), value: Some(kept_by_kubelet(text)), ..EnvVar::default() }
}

/// A text that kubelet hands over as it is: it halves `$$` and expands `$(NAME)`, so a lone dollar is doubled.
pub(super) fn kept_by_kubelet(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        kept.push(letter);
        if letter == '$' && letters.peek() != Some(&'(') {
            kept.push('$');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables(text: &str) -> Vec<EnvVar> {
        text.split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| EnvVar {
                name: name.to_owned(),
                value: Some(value.to_owned()),
                ..EnvVar::default()
            })
            .collect()
    }

    #[test]
    fn the_component_wins_and_references_stand_behind_what_they_name() {
        for (made, shared, own, expected) in [
            ("U=u", "A=1 B=2", "A=3 C=4", "U=u A=3 B=2 C=4"),
            ("U=$(A)", "A=1", "", "A=1 U=$(A)"),
            ("U=$(A)", "A=1", "U=own", "A=1 U=own"),
            ("", "A=1 B=2", "C=3 A=$(C)", "B=2 C=3 A=$(C)"),
            ("", "A=1 A=2", "", "A=2"),
        ] {
            let merged = env(&variables(made), &variables(shared), &variables(own));
            assert_eq!(merged, variables(expected), "{made} | {shared} | {own}");
        }
    }

    #[test]
    fn privileges_that_are_asked_for_are_not_denied_in_the_same_breath() {
        for (written, expected) in [
            (json!({}), Some(false)),
            (json!({"runAsUser": 1000}), Some(false)),
            (json!({"allowPrivilegeEscalation": true}), Some(true)),
            (json!({"privileged": true}), None),
            (json!({"capabilities": {"add": ["CAP_SYS_ADMIN"]}}), None),
            (json!({"capabilities": {"add": ["NET_ADMIN"]}}), Some(false)),
        ] {
            let context: SecurityContext = serde_json::from_value(written.clone()).expect("a context");
            assert_eq!(container_security(Some(&context)).allow_privilege_escalation, expected, "{written}");
        }
    }

    #[test]
    fn what_is_written_of_a_pods_security_stays() {
        let context: PodSecurityContext =
            serde_json::from_value(json!({"fsGroup": 7, "seccompProfile": {"type": "Unconfined"}}))
                .expect("one");
        assert_eq!(pod_security(Some(&context)), context);
        let profile = pod_security(None).seccomp_profile.expect("the default");
        assert_eq!(profile.type_, "RuntimeDefault");
    }
}
