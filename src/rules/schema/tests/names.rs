// SPDX-License-Identifier: Apache-2.0
//! Names of fields that do not exist: what was meant, and that it is told once.

use serde_json::json;

use super::*;

#[test]
fn no_field_of_another_component_is_offered() {
    for (overlay, path, fix) in [
        ("{workerSpec: {replicas: 3}}", "workerSpec.replicas", "did you mean numOfWorkers?"),
        ("{workerPools: [{name: a, replicas: 3}]}", "workerPools[0].replicas", "did you mean numOfWorkers?"),
        ("{beatSpec: {replicas: 2}}", "beatSpec.replicas", "remove it: beat is always one pod"),
        ("{flowerSpec: {sidecars: []}}", "flowerSpec.sidecars", "use podTemplate.spec.containers"),
        (
            "{workerSpec: {terminationGracePeriodSeconds: 60}}",
            "workerSpec.terminationGracePeriodSeconds",
            "use gracefulShutdown.timeoutSeconds",
        ),
        ("{workerSpec: {livenessProbe: {}}}", "workerSpec.livenessProbe", "use probes.liveness"),
        (
            "{workerSpec: {autoscale: '8,2'}}",
            "workerSpec.autoscale",
            "use spec.scaleTargetRef for pods, or args: [\"--autoscale=8,2\"] for processes in each pod",
        ),
        ("{workerSpec: {autoscale: true}}", "workerSpec.autoscale", "use spec.scaleTargetRef"),
        ("{beatSpec: {enabled: true}}", "beatSpec.enabled", "remove it: what is present is on"),
        ("{beatSpec: {schedule: {}}}", "beatSpec.schedule", "use spec.common.config.beat_schedule"),
        ("{common: {environment: []}}", "common.environment", "did you mean env?"),
        ("{workerSpec: {memory: 1Gi}}", "workerSpec.memory", "use resources.limits.memory"),
        ("{beatSpec: {cpu: 1}}", "beatSpec.cpu", "use resources.limits.cpu"),
        ("{common: {secretName: a}}", "common.secretName", "use envFrom"),
        ("{common: {service: {}}}", "common.service", "use spec.flowerSpec.serviceType"),
        ("{common: {imageTag: a}}", "common.imageTag", "write it into image, behind a colon"),
        ("{common: {strategy: {}}}", "common.strategy", "use spec.workerSpec.rolloutStrategy"),
        ("{workerSpec: {beat: true}}", "workerSpec.beat", "use spec.beatSpec"),
        ("{flowerSpec: {basic_auth: a}}", "flowerSpec.basic_auth", "use auth.basic.secretRef"),
        ("{flowerSpec: {address: a}}", "flowerSpec.address", "remove it: the operator sets it"),
        (
            "{flowerSpec: {ingress: {enabled: true}}}",
            "flowerSpec.ingress.enabled",
            "remove it: what is present is on",
        ),
        (
            "{common: {broker: {passwordSecretRef: {}}}}",
            "common.broker.passwordSecretRef",
            "use redis.passwordSecretRef or rabbitmq.passwordSecretRef",
        ),
        ("{common: {annotations: {}}}", "common.annotations", "use spec.common.podAnnotations"),
        ("{autoscaling: {}}", "autoscaling", "did you mean scaleTargetRef?"),
        (
            "{workerSpec: {tolerations: []}}",
            "workerSpec.tolerations",
            "use spec.workerSpec.podTemplate.spec.tolerations",
        ),
        (
            "{common: {broker: {url: null, rabbitmq: {host: mq, virtualHost: a}}}}",
            "common.broker.rabbitmq.virtualHost",
            "did you mean vhost?",
        ),
        (
            "{common: {resultBackend: {urlFrom: {}}}}",
            "common.resultBackend.urlFrom",
            "did you mean urlSecretRef?",
        ),
        ("{pools: []}", "pools", "did you mean workerPools?"),
        ("{common: {celeryConfig: {}}}", "common.celeryConfig", "did you mean config?"),
        ("{common: {settings: {}}}", "common.settings", "did you mean config?"),
        ("{workerSpec: {hostname: a}}", "workerSpec.hostname", "did you mean nodeName?"),
        (
            "{common: {broker: {url: null, redis: {host: cache, database: 1}}}}",
            "common.broker.redis.database",
            "did you mean db?",
        ),
        (
            "{workerSpec: {gracefulShutdown: {terminationGracePeriodSeconds: 5}}}",
            "workerSpec.gracefulShutdown.terminationGracePeriodSeconds",
            "did you mean timeoutSeconds?",
        ),
        (
            "{common: {containerSecurityContext: {fsGroup: 5}}}",
            "common.containerSecurityContext.fsGroup",
            "use spec.common.securityContext",
        ),
        ("{beatSpec: {storage: 1Gi}}", "beatSpec.storage", "use persistence.size"),
        (
            "{workerSpec: {probes: {liveness: {enabled: false}}}}",
            "workerSpec.probes.liveness.enabled",
            "write {type: None} for no probe, or a type for one",
        ),
        ("{workerSpec: {beatSpec: {}}}", "workerSpec.beatSpec", "did you mean spec.beatSpec?"),
    ] {
        let text = format!("spec.{path}: Forbidden: there is no such field; {fix} [S01]");
        assert_eq!(found(&format!("spec: {overlay}")), [text]);
    }
    let [told] = &found("spec: {beatSpec: {urlPrefix: /x}}")[..] else { panic!("one finding") };
    assert!(!told.contains("flowerSpec"), "{told}");
}

#[test]
fn a_field_of_a_pod_moves_the_pods_of_its_component_alone() {
    for (overlay, path, fix) in [
        (
            "{workerPools: [{name: a, nodeSelector: {a: b}}]}",
            "workerPools[0].nodeSelector",
            "use spec.workerPools[0].podTemplate.spec.nodeSelector",
        ),
        (
            "{beatSpec: {priorityClass: high}}",
            "beatSpec.priorityClass",
            "use spec.beatSpec.podTemplate.spec.priorityClassName",
        ),
        (
            "{flowerSpec: {podAnnotations: {a: b}}}",
            "flowerSpec.podAnnotations",
            "use spec.flowerSpec.podTemplate.metadata.annotations",
        ),
        (
            "{workerSpec: {labels: {a: b}}}",
            "workerSpec.labels",
            "use spec.workerSpec.podTemplate.metadata.labels",
        ),
        (
            "{workerSpec: {imagePullSecrets: []}}",
            "workerSpec.imagePullSecrets",
            "use spec.workerSpec.podTemplate.spec.imagePullSecrets",
        ),
        (
            "{beatSpec: {containerSecurityContext: {}}}",
            "beatSpec.containerSecurityContext",
            "use spec.beatSpec.podTemplate.spec.containers: [{name: beat, securityContext: …}]",
        ),
        ("{common: {dnsPolicy: None}}", "common.dnsPolicy", "use spec.common.podTemplate.spec.dnsPolicy"),
        ("{common: {serviceAccount: shop}}", "common.serviceAccount", "use spec.common.serviceAccountName"),
        (
            "{common: {serviceAccount: {annotations: {}}}}",
            "common.serviceAccount",
            "create and annotate the ServiceAccount yourself, and name it in spec.common.serviceAccountName",
        ),
        (
            "{workerSpec: {serviceAccountAnnotations: {}}}",
            "workerSpec.serviceAccountAnnotations",
            "create and annotate the ServiceAccount yourself, and name it in spec.workerSpec.podTemplate.spec.serviceAccountName",
        ),
        ("{nodeSelector: {a: b}}", "nodeSelector", "did you mean spec.common.nodeSelector?"),
    ] {
        let told = format!("spec.{path}: Forbidden: there is no such field; {fix} [S01]");
        assert_eq!(found(&format!("spec: {overlay}")), [told]);
    }
}

#[test]
fn what_people_know_by_another_name_is_told_once_and_right() {
    for (overlay, told) in [
        (
            "{common: {celeryApp: null, app: shop}}",
            "spec.common.app: Forbidden: there is no such field; did you mean celeryApp? [S01]",
        ),
        (
            "{common: {celeryApp: null}, app: shop}",
            "spec.app: Forbidden: there is no such field; did you mean spec.common.celeryApp? [S01]",
        ),
        (
            "{common: {broker: null}, brokerUrl: 'redis://cache'}",
            "spec.brokerUrl: Forbidden: there is no such field; did you mean spec.common.broker.url? [S01]",
        ),
        (
            "{common: {broker: null}, broker: 'redis://cache'}",
            "spec.broker: Forbidden: there is no such field; did you mean spec.common.broker.url? [S01]",
        ),
        (
            "{workerSpec: {maxReplicas: 3}}",
            "spec.workerSpec.maxReplicas: Forbidden: there is no such field; use spec.scaleTargetRef[].maxReplicas [S01]",
        ),
        (
            "{common: {pdb: {}}}",
            "spec.common.pdb: Forbidden: there is no such field; use spec.workerSpec.podDisruptionBudget [S01]",
        ),
        (
            "{common: {hpa: {}}}",
            "spec.common.hpa: Forbidden: there is no such field; use spec.scaleTargetRef [S01]",
        ),
        (
            "{common: {broker: {url: null, urlSecretRef: {name: a, key: b, namespace: c}, scheme: redis}}}",
            "spec.common.broker.urlSecretRef.namespace: Forbidden: there is no such field; remove it: the Secret has to be in the namespace of this object [S01]",
        ),
        (
            "{common: {securityContext: {readOnlyRootFilesystem: true}}}",
            "spec.common.securityContext.readOnlyRootFilesystem: Forbidden: there is no such field; use spec.common.containerSecurityContext [S01]",
        ),
        (
            "{common: {broker: {url: null, sqs: {region: eu-west-1, visibilityTimeout: 60}}}}",
            "spec.common.broker.sqs.visibilityTimeout: Forbidden: there is no such field; use spec.common.broker.transportOptions.visibility_timeout [S01]",
        ),
        (
            "{workerSpec: {probes: {liveness: {httpGet: {port: 1}}}}}",
            "spec.workerSpec.probes.liveness.httpGet: Forbidden: there is no such field; write {type: Custom, command: […]} with a command that asks [S01]",
        ),
        (
            "{workerSpec: {probes: {liveness: {}}}}",
            "spec.workerSpec.probes.liveness.type: Required value: is missing; use one of Ping, Heartbeat, Custom, None [G21]",
        ),
        (
            "{scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{target: {type: AverageValue, averageValue: 10}}]}]}",
            "spec.scaleTargetRef[0].metrics[0].name: Required value: is missing; use one of cpu, memory, task_queue_length [A05]",
        ),
        (
            "{scaleTargetRef: [{kind: worker, maxReplicas: 3, triggers: [{type: redis}]}]}",
            "spec.scaleTargetRef[0].triggers: Forbidden: there is no such field; write metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 10}}] [S01]",
        ),
        (
            "{common: {config: {task_time_limit: 4h}}, workerSpec: {timeLimit: 60}}",
            "spec.common.config.task_time_limit: Forbidden: spec.workerSpec.timeLimit sets this too; keep the field only [C19]",
        ),
        (
            "{scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 70}}}]}]}",
            "spec.scaleTargetRef[0].metrics[0]: Forbidden: is in the form of a HorizontalPodAutoscaler; write {name: memory, target: {type: Utilization, averageUtilization: 70}} [S01]",
        ),
    ] {
        assert_eq!(all_of(&format!("spec: {overlay}")), [told], "{overlay}");
    }
}

#[test]
fn a_field_under_another_name_is_told_once() {
    for (volume, at, meant) in [
        ("secret: {name: x}", "secret.name", "secretName"),
        ("configMap: {secretName: x}", "configMap.secretName", "name"),
        ("configMap: {configMapName: x}", "configMap.configMapName", "name"),
        ("persistentVolumeClaim: {name: x}", "persistentVolumeClaim.name", "claimName"),
    ] {
        let object = example::object(&format!("spec: {{common: {{volumes: [{{name: a, {volume}}}]}}}}"));
        let reading = super::reading(&object.expect("is YAML"), &|_| None);
        let rules = crate::rules::check(&reading.object, None, &Facts::default()).expect("a Celery");
        let all: Vec<String> = reading.with(rules).iter().map(ToString::to_string).collect();
        let path = format!("spec.common.volumes[0].{at}");
        assert_eq!(
            all,
            [format!("{path}: Forbidden: there is no such field; write {meant} [S01]")],
            "{volume}"
        );
    }
}

#[test]
fn of_many_unknown_fields_the_first_are_told() {
    let fields = |count: usize| {
        let fields: Vec<String> = (0..count).map(|index| format!("x{index}: 1")).collect();
        found(&format!("spec: {{workerSpec: {{{}}}}}", fields.join(", ")))
    };
    assert_eq!(fields(16).len(), 16);
    let told = fields(9999);
    assert_eq!(told.len(), 17);
    assert_eq!(
        told[16],
        "spec.workerSpec: Forbidden: has these and 9983 more unknown fields; remove them [S01]"
    );
}

#[test]
fn a_name_of_another_place_is_meant_unless_one_of_this_place_is_nearly_the_same() {
    let fields = |names: &[&str]| {
        let known = names.iter().map(|name| ((*name).to_owned(), Schema::default())).collect();
        compiled::Fields { known, ..compiled::Fields::default() }
    };
    let mut spec = fields(&[]);
    spec.known.insert(
        "common".to_owned(),
        Schema {
            form: compiled::Form::Object(Box::new(fields(&["colour", "colours"]))),
            ..Schema::default()
        },
    );
    let mut root = fields(&[]);
    root.known.insert(
        "spec".to_owned(),
        Schema { form: compiled::Form::Object(Box::new(spec)), ..Schema::default() },
    );
    for (written, here, told) in [
        ("colours", &["colour"][..], "did you mean colour?"),
        // The least likeness that counts.
        ("colour", &["coloured"], "did you mean coloured?"),
        ("colours", &["colouring"], "did you mean spec.common.colours?"),
        ("colours", &["colander"], "did you mean spec.common.colours?"),
        ("colours", &[], "did you mean spec.common.colours?"),
    ] {
        let here = fields(here);
        let above = [(String::new(), &root), ("spec.workerSpec".to_owned(), &here)];
        assert_eq!(meant::meant(&above, written, &json!(1)).0, told);
    }
    for (count, told) in [
        (0, "remove it"),
        (8, "remove it; there are a0, a1, a2, a3, a4, a5, a6, a7"),
        (9, "remove it; there are a0, a1, a2, a3, a4, a5, a6, a7, …"),
    ] {
        let names: Vec<String> = (0..count).map(|at| format!("a{at}")).collect();
        let here = fields(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(meant::meant(&[("x".to_owned(), &here)], "qqqqqqqq", &json!(1)).0, told);
    }
}

#[test]
fn what_celery_calls_a_setting_has_a_place_here() {
    for (overlay, path, fix) in [
        ("{workerSpec: {task_time_limit: 5}}", "workerSpec.task_time_limit", "did you mean timeLimit?"),
        (
            "{workerSpec: {worker_prefetch_multiplier: 1}}",
            "workerSpec.worker_prefetch_multiplier",
            "did you mean prefetchMultiplier?",
        ),
        (
            "{common: {worker_max_tasks_per_child: 5}}",
            "common.worker_max_tasks_per_child",
            "use spec.workerSpec.maxTasksPerChild",
        ),
        (
            "{common: {task_acks_late: true}}",
            "common.task_acks_late",
            "use spec.common.config.task_acks_late",
        ),
        ("{task_queues: []}", "task_queues", "use spec.common.config.task_queues"),
        (
            "{workerPools: [{name: a, result_expires: 5}]}",
            "workerPools[0].result_expires",
            "use spec.common.config.result_expires",
        ),
        ("{beatSpec: {beat_schedule: {}}}", "beatSpec.beat_schedule", "use spec.common.config.beat_schedule"),
        ("{common: {broker_use_ssl: {}}}", "common.broker_use_ssl", "use spec.common.config.broker_use_ssl"),
        (
            "{common: {broker_transport_options: {}}}",
            "common.broker_transport_options",
            "did you mean broker.transportOptions?",
        ),
        ("{workerPools: [{name: a, max: 5}]}", "workerPools[0].max", "use spec.scaleTargetRef[].maxReplicas"),
        (
            "{common: {broker: {username: a}}}",
            "common.broker.username",
            "use redis.username, or rabbitmq.usernameSecretRef",
        ),
    ] {
        let told = all_of(&format!("spec: {overlay}"));
        let expected = format!("spec.{path}: Forbidden: there is no such field; {fix} [S01]");
        assert_eq!(told, [expected], "{overlay}");
    }
}
