// SPDX-License-Identifier: Apache-2.0
//! Every reason that a condition or an event can have, with what it means: one table, which the reference prints and
//! the tests hold every status to.

/// A reason.
#[derive(Clone, Copy, Debug)]
pub struct Reason {
    /// The word.
    pub name: &'static str,
    /// The conditions that have it of their own; `Ready`, `Reconciling` and `Stalled` repeat it.
    pub conditions: &'static [&'static str],
    /// What it means, and what helps.
    pub meaning: &'static str,
}

const fn reason(name: &'static str, conditions: &'static [&'static str], meaning: &'static str) -> Reason {
    Reason { name, conditions, meaning }
}

const PODS: &[&str] = &["WorkersAvailable", "BeatAvailable", "FlowerAvailable"];
/// Only a change by somebody helps.
const STALLED: &[&str] = &["Ready", "Stalled"];
/// It passes by itself, or is tried again.
const RECONCILING: &[&str] =
    &["Ready", "Reconciling", "WorkersAvailable", "BeatAvailable", "FlowerAvailable", "AutoscalingReady"];
/// Only a change by somebody helps, and a child waits for it.
const CHILD_STALLED: &[&str] =
    &["Ready", "Stalled", "WorkersAvailable", "BeatAvailable", "FlowerAvailable", "AutoscalingReady"];

/// The reasons of conditions. Two conditions also pass on what others say: `AutoscalingReady` the reason of an
/// autoscaler, and those of pods the reason of a Deployment that Kubernetes gave up on.
pub const REASONS: &[Reason] = &[
    reason("Ready", &["Ready"], "Everything is as the spec says."),
    reason("Settled", &["Reconciling", "Stalled"], "Nothing is being done; nothing stands in the way."),
    reason(
        "Terminating",
        &["Ready", "Reconciling"],
        "The object is being deleted, and something holds it until its children are gone.",
    ),
    reason("Accepted", &["Valid"], "No rule denies the spec."),
    reason(
        "Tolerated",
        &["Valid"],
        "A rule of a newer release denies what ran before it; it is followed all the same.",
    ),
    reason(
        "Refused",
        &["Valid"],
        "A rule denies the spec: the children stay as they are until it is corrected.",
    ),
    reason("InStep", &["Paused"], "Paused, and nothing would be done anyway."),
    reason("Behind", &["Paused"], "Paused, and something is left undone."),
    reason(
        "Paused",
        STALLED,
        "Something is left undone because the annotation celeryproject.org/paused asks for it.",
    ),
    reason("Resolved", &["BrokerResolved"], "The operator knows which broker the pods use."),
    reason(
        "SecretNotFound",
        &["BrokerResolved"],
        "A Secret that the broker names does not exist; it is looked for again.",
    ),
    reason("SecretKeyNotFound", &["BrokerResolved"], "A Secret that the broker names lacks the key."),
    reason("BrokerUrlInvalid", &["BrokerResolved"], "The broker URL in the Secret cannot be used."),
    reason(
        "BrokerNotMeasurable",
        &["AutoscalingReady"],
        "Nothing can look into the queues of this kind of broker.",
    ),
    reason("Available", PODS, "Every pod is of the newest spec and available."),
    reason("Progressing", PODS, "Pods are being created or replaced."),
    reason(
        "Missing",
        &["WorkersAvailable", "BeatAvailable", "FlowerAvailable", "AutoscalingReady"],
        "An object is not there yet.",
    ),
    reason(
        "AwaitingPredecessor",
        &["BeatAvailable", "AutoscalingReady"],
        "A pod of an earlier beat, or an autoscaler that is no longer asked for, has not ended yet, or nobody knows, since \
         pods could not be listed so far: two beats would send every task twice, and until it is gone the number of pods \
         is the autoscaler's own.",
    ),
    reason(
        "DeploymentPaused",
        PODS,
        "Somebody has paused the rollout of a Deployment: its pods stay as they are until kubectl rollout resume.",
    ),
    reason("ProgressDeadlineExceeded", PODS, "Kubernetes gave up waiting for a rollout."),
    reason(
        "FailedCreate",
        PODS,
        "Kubernetes refuses to create pods: a quota, a policy, a service account that is missing.",
    ),
    reason("ErrImagePull", PODS, "The image cannot be pulled: its name, or imagePullSecrets."),
    reason("ImagePullBackOff", PODS, "The same, and Kubernetes waits before it tries again."),
    reason("InvalidImageName", PODS, "The name of the image is none."),
    reason(
        "ErrImageNeverPull",
        PODS,
        "The image is not on the node, and imagePullPolicy forbids to pull it.",
    ),
    reason("ImageInspectError", PODS, "The node cannot read the image."),
    reason("RegistryUnavailable", PODS, "The registry does not answer."),
    reason("SignatureValidationFailed", PODS, "The node does not accept the signature of the image."),
    reason(
        "CreateContainerConfigError",
        PODS,
        "A Secret or ConfigMap that a variable names is missing, or lacks the key.",
    ),
    reason("CreateContainerError", PODS, "The container cannot be made; kubectl describe pod tells why."),
    reason("RunContainerError", PODS, "The container cannot be started; kubectl describe pod tells why."),
    reason("StartError", PODS, "The command is not in the image."),
    reason("ContainerCannotRun", PODS, "The container cannot be started; kubectl describe pod tells why."),
    reason(
        "CrashLoopBackOff",
        PODS,
        "The container ends again and again; kubectl logs --previous tells why.",
    ),
    reason("OOMKilled", PODS, "The container took more memory than resources.limits."),
    reason(
        "NotStarted",
        PODS,
        "A container has not passed its startup probe for a minute: a worker that does not reach its broker answers no ping.",
    ),
    reason("Unschedulable", PODS, "No node has taken a pod for a minute."),
    reason("Active", &["AutoscalingReady"], "Every autoscaler reports that it works."),
    reason("Waiting", &["AutoscalingReady"], "An autoscaler has not reported yet."),
    reason(
        "ForeignAutoscaler",
        &["AutoscalingReady"],
        "Somebody else's autoscaler scales a Deployment of this object: the number in the spec does not count meanwhile, and \
         it and one of ours undo each other's work.",
    ),
    reason(
        "BeatAutoscaled",
        &["AutoscalingReady"],
        "Somebody else's autoscaler starts a second beat, which is undone each time; only its deletion ends that.",
    ),
    reason("KedaNotInstalled", &["AutoscalingReady"], "task_queue_length needs KEDA."),
    reason("NameTaken", CHILD_STALLED, "An object of the name of a child belongs to somebody else."),
    reason(
        "SelectorDiffers",
        CHILD_STALLED,
        "A Deployment cannot be adopted: its selector is another one and never changes.",
    ),
    reason("Leaving", RECONCILING, "An object of the name of a child is about to go; it is waited for."),
    reason("ChildRefused", CHILD_STALLED, "The API server does not take a child."),
    reason(
        "ClaimRefused",
        STALLED,
        "A claim cannot become what the spec asks for: none shrinks, or changes its storage class.",
    ),
    reason(
        "Forbidden",
        RECONCILING,
        "The API server does not let the operator do something: a quota, a role, a namespace that is going.",
    ),
    reason(
        "NotPermitted",
        CHILD_STALLED,
        "The role of the operator does not let it watch a kind that the spec needs.",
    ),
    reason(
        "WebhookFailed",
        RECONCILING,
        "The API server has to ask a webhook of somebody else about a child, and it does not answer.",
    ),
    reason("ApiTimeout", RECONCILING, "The API server did not answer in time; it is asked again."),
    reason("ApiError", RECONCILING, "A request to the API server failed; it is sent again."),
    reason("Unreadable", STALLED, "The object cannot be read: it was let in by another schema."),
];

/// The reasons of events. Every change of `Ready` and of `Valid` is an event as well, with the condition's reason.
pub const EVENTS: &[Reason] = &[
    reason("ChildCreated", &[], "Objects were created."),
    reason("ChildAdopted", &[], "Objects that nobody controlled were taken over."),
    reason("ChildDeleted", &[], "Objects that the spec no longer asks for were deleted."),
    reason(
        "ConfigChanged",
        &[],
        "Pods are replaced, since a Secret or ConfigMap changed that they read at their start.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_there_once_and_is_one_word() {
        let all: Vec<&str> = REASONS.iter().chain(EVENTS).map(|reason| reason.name).collect();
        for (at, name) in all.iter().enumerate() {
            assert!(!all[..at].contains(name), "{name} is there twice");
            assert!(
                name.chars().all(char::is_alphanumeric) && name.starts_with(char::is_uppercase),
                "{name}"
            );
        }
    }
}
