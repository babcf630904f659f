// SPDX-License-Identifier: Apache-2.0
//! The rules whose breaches the tables find, one for each topic.

use super::told;
use crate::rules::breach::Topic;
use crate::rules::finding::Severity;
use crate::rules::rule::{Check, Example, Rule};

/// What would have happened, for every rule here.
const REFUSED: &str = "The Celery is stored, then the API server refuses the Deployment: old pods stay, and only the status says why.";

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C28", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a variable has a name and one value",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Variables)),
        example: Example {
            bad: "spec: {common: {env: [{name: LEVEL, value: info, valueFrom: {configMapKeyRef: {name: shop, key: level}}}]}}",
            at: "spec.common.env[0].valueFrom",
            good: "spec: {common: {env: [{name: LEVEL, valueFrom: {configMapKeyRef: {name: shop, key: level}}}], envFrom: [{prefix: SHOP_, configMapRef: {name: shop}}]}}",
            old: None,
        },
    },
    Rule {
        id: "C29", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a volume has a name, and one source with all that it needs",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Volumes)),
        example: Example {
            bad: "spec: {common: {volumes: [{name: data, secret: {}}]}}",
            at: "spec.common.volumes[0].secret.secretName",
            good: "spec: {common: {volumes: [{name: data, secret: {secretName: data, defaultMode: 288}}]}}",
            old: None,
        },
    },
    Rule {
        id: "C30", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a mount stays inside its volume",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Mounts)),
        example: Example {
            bad: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data, subPath: ../shop}]}}",
            at: "spec.common.volumeMounts[0].subPath",
            good: "spec: {common: {volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data, subPath: shop}]}}",
            old: None,
        },
    },
    Rule {
        id: "C31", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a toleration says which taints it means",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Tolerations)),
        example: Example {
            bad: "spec: {common: {tolerations: [{key: gpu, operator: Exists, value: 'true'}]}}",
            at: "spec.common.tolerations[0].value",
            good: "spec: {common: {tolerations: [{key: gpu, value: 'true', effect: NoSchedule}, {operator: Exists, effect: NoExecute, tolerationSeconds: 60}]}}",
            old: None,
        },
    },
    Rule {
        id: "C32", severity: Severity::Deny, schema: false, since: "0.1",
        title: "affinity has operators with the values they look at, weights and topologies",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Affinity)),
        example: Example {
            bad: "spec: {common: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In}]}]}}}}}",
            at: "spec.common.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values",
            good: "spec: {common: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: In, values: [ssd]}]}]}}}}}",
            old: None,
        },
    },
    Rule {
        id: "C33", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a spread has a topology, a skew, and a word for when it fails",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Spread)),
        example: Example {
            bad: "spec: {common: {topologySpreadConstraints: [{maxSkew: 0, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}]}}",
            at: "spec.common.topologySpreadConstraints[0].maxSkew",
            good: "spec: {common: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}]}}",
            old: None,
        },
    },
    Rule {
        id: "C34", severity: Severity::Deny, schema: false, since: "0.1",
        title: "labels and annotations have keys and values that Kubernetes takes",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Labels)),
        example: Example {
            bad: "spec: {common: {podLabels: {team: web shop}}}",
            at: "spec.common.podLabels.team",
            good: "spec: {common: {podLabels: {team: web-shop, example.com/tier: '1'}, podAnnotations: {team: web shop}}}",
            old: None,
        },
    },
    Rule {
        id: "C35", severity: Severity::Deny, schema: false, since: "0.1",
        title: "names and words of the pod are ones that Kubernetes takes",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Names)),
        example: Example {
            bad: "spec: {common: {serviceAccountName: Shop}}",
            at: "spec.common.serviceAccountName",
            good: "spec: {common: {serviceAccountName: shop, priorityClassName: high}}",
            old: None,
        },
    },
    Rule {
        id: "C36", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a further container has a name and ports of its own",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Containers)),
        example: Example {
            bad: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1', ports: [{containerPort: 80000}]}]}}",
            at: "spec.workerSpec.sidecars[0].ports[0].containerPort",
            good: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1', ports: [{containerPort: 8000, name: http}]}]}}",
            old: None,
        },
    },
    Rule {
        id: "C37", severity: Severity::Deny, schema: false, since: "0.1",
        title: "security settings do not contradict themselves",
        consequence: "The Celery is stored, then the API server refuses the Deployment: old pods stay, and only the status says why. With runAsNonRoot and the user 0 it takes the Deployment, and kubelet starts no container: CreateContainerConfigError.",
        check: Check::object(|subject, report| told(subject, report, Topic::Security)),
        example: Example {
            bad: "spec: {common: {containerSecurityContext: {privileged: true, allowPrivilegeEscalation: false}}}",
            at: "spec.common.containerSecurityContext.allowPrivilegeEscalation",
            good: "spec: {common: {containerSecurityContext: {runAsUser: 1000, allowPrivilegeEscalation: false}}}",
            old: None,
        },
    },
    Rule {
        id: "C38", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a probe or a hook does one thing, with numbers that Kubernetes takes",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Handlers)),
        example: Example {
            bad: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1', livenessProbe: {periodSeconds: 5}}]}}",
            at: "spec.workerSpec.sidecars[0].livenessProbe",
            good: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1', livenessProbe: {periodSeconds: 5, tcpSocket: {port: 8000}}}]}}",
            old: None,
        },
    },
    Rule {
        id: "C39", severity: Severity::Deny, schema: false, since: "0.1",
        title: "dnsConfig has addresses and domains, not too many of them",
        consequence: REFUSED,
        check: Check::object(|subject, report| told(subject, report, Topic::Dns)),
        example: Example {
            bad: "spec: {common: {dnsConfig: {nameservers: [ns.example.com]}}}",
            at: "spec.common.dnsConfig.nameservers[0]",
            good: "spec: {common: {dnsConfig: {nameservers: [10.0.0.10], searches: [example.com]}}}",
            old: None,
        },
    },
    Rule {
        id: "C40", severity: Severity::Deny, schema: false, since: "0.1",
        title: "words and values hold no NUL byte",
        consequence: "The API server takes it; no container can be started with it, and the pod tries for ever.",
        check: Check::object(|subject, report| told(subject, report, Topic::Words)),
        example: Example {
            bad: "spec: {common: {env: [{name: GREETING, value: \"a\\0b\"}]}}",
            at: "spec.common.env[0].value",
            good: "spec: {common: {env: [{name: GREETING, value: \"a\\tb\"}]}}",
            old: None,
        },
    },
    Rule {
        id: "C57", severity: Severity::Deny, schema: false, since: "0.1",
        title: "a command is a list of words, the first of which is a program",
        consequence: "A file of this whole name is looked for and not found: the container ends with \"executable file not found\", or the probe always fails.",
        check: Check::object(|subject, report| told(subject, report, Topic::Programs)),
        example: Example {
            bad: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1', command: [tail -f /var/log/shop]}]}}",
            at: "spec.workerSpec.sidecars[0].command[0]",
            good: "spec: {workerSpec: {sidecars: [{name: log, image: 'log:1', command: [tail, -f, /var/log/shop]}, {name: run, image: 'log:1', command: [/opt/my tools/run]}]}}",
            old: None,
        },
    },
];
