// SPDX-License-Identifier: Apache-2.0
//! What the schema refuses, told in the words of the rules: where it stands, what was meant, and that no credential is
//! repeated.

use serde_json::json;

use super::*;
use crate::rules::{Facts, example};

/// What the schema finds in an example: rule, path, message and fix.
fn found(overlay: &str) -> Vec<String> {
    let object = example::object(overlay).expect("is YAML");
    reading(&object, &|_| None).findings.iter().map(ToString::to_string).collect()
}

#[test]
fn its_examples_are_found_under_their_ids() {
    for rule in RULES.iter().filter(|rule| !rule.is_about_facts()) {
        let object = example::object(rule.example.bad).expect("is YAML");
        let findings = reading(&object, &|_| None).findings;
        let found: Vec<(&str, &str)> =
            findings.iter().map(|finding| (finding.rule, finding.path.as_str())).collect();
        assert_eq!(found, [(rule.id, rule.example.at)]);
        assert_eq!(self::found(rule.example.good), [""; 0], "{}", rule.id);
    }
}

#[test]
fn a_setting_that_is_null_is_told_and_dropped() {
    let text = |setting: &str, fix: &str| {
        format!("spec.common.config.{setting}: the API server drops a null; {fix} [C80]")
    };
    let celery = json!({"spec": {"common": {"image": "a", "config": {
        "result_expires": null, "timezone": null, "broker_transport_options": {"a": null}, "broker_pool_limit": null,
        "worker_soft_shutdown_timeout": null,
    }}}});
    let read = reading(&celery, &|_| None);
    let told: Vec<String> = read.findings.iter().map(ToString::to_string).collect();
    for (setting, fix) in [
        ("broker_pool_limit", "write \"--\", \"broker.pool_limit=(json)null\" in args"),
        ("result_expires", "write \"--\", \"result.expires=(json)null\" in args"),
        ("timezone", "set it in the application"),
        ("worker_soft_shutdown_timeout", "write \"--\", \"worker.soft_shutdown_timeout=(json)null\" in args"),
    ] {
        assert!(told.contains(&text(setting, fix)), "{setting}: {told:#?}");
    }
    let kept = json!({"broker_transport_options": {"a": null}});
    assert_eq!(read.object["spec"]["common"]["config"], kept);
}

#[test]
fn a_number_of_too_many_digits_has_no_fraction() {
    for (number, text) in
        [(1e20, "has too many digits; use a smaller number"), (-1e20, "has too many digits")]
    {
        let celery = json!({"metadata": {"name": "a"}, "spec": {"common": {"image": "a"}, "workerSpec": {"concurrency": number}}});
        let told = reading(&celery, &|_| None).findings.iter().map(ToString::to_string).collect::<String>();
        assert!(told.contains(text), "{told}");
    }
}

#[test]
fn no_example_of_a_rule_is_against_the_schema_in_another_place() {
    for rule in crate::rules::catalogue::rules() {
        assert_eq!(found(rule.example.good), [""; 0], "{}", rule.id);
    }
}

#[test]
fn messages_say_what_was_meant() {
    for (overlay, text) in [
        ("spec: {commom: {}}", "spec.commom: Forbidden: there is no such field; did you mean common? [S01]"),
        (
            "spec: {image: a}",
            "spec.image: Forbidden: there is no such field; did you mean spec.common.image? [S01]",
        ),
        (
            "spec: {flowerSpec: {qqqq: 1}}",
            "spec.flowerSpec.qqqq: Forbidden: there is no such field; remove it; there are ",
        ),
        (
            "spec: {common: {volumes: [{name: a, emptydir: {}}]}}",
            "spec.common.volumes[0].emptydir: Forbidden: there is no such field; did you mean emptyDir? [S01]",
        ),
        (
            "metadata: {annotations: {a.b/c: true}}",
            "metadata.annotations[a.b/c]: Invalid value: \"true\": is a truth value, the field takes a text; quote it: \"true\" [S02]",
        ),
        (
            "spec: {workerSpec: {args: -c 4}}",
            "spec.workerSpec.args: Invalid value: \"-c 4\": is a text, the field takes a list; write a list of words: [\"-c\", \"4\"] [S02]",
        ),
        (
            "spec: {workerSpec: [1]}",
            "spec.workerSpec: Forbidden: is a list, the field takes a mapping; use workerPools for several [S02]",
        ),
        (
            "spec: {workerSpec: {numOfWorkers: 1.5}}",
            "spec.workerSpec.numOfWorkers: Invalid value: \"1.5\": is a number with a fraction, the field takes a whole number; write a whole number [S02]",
        ),
        (
            "spec: {workerSpec: {resources: {limits: {cpu: 0.5}}}}",
            "spec.workerSpec.resources.limits[cpu]: Invalid value: \"0.5\": is a number with a fraction, the field takes a whole number or a text; write 500m, or put it in quotes: \"0.5\" [S02]",
        ),
        (
            "spec: {workerSpec: {resources: {limits: {memory: 1.5}}}}",
            "spec.workerSpec.resources.limits[memory]: Invalid value: \"1.5\": is a number with a fraction, the field takes a whole number or a text; put it in quotes: \"1.5\" [S02]",
        ),
        (
            "spec: {workerSpec: {numOfWorkers: 3000000000}}",
            "spec.workerSpec.numOfWorkers: Invalid value: \"3000000000\": is out of bounds; use 0 to 2147483647 [S03]",
        ),
        (
            "spec: {flowerSpec: {serviceType: Foo}}",
            "spec.flowerSpec.serviceType: Unsupported value: \"Foo\": is not a value of this field; use one of Default, ClusterIP, NodePort, LoadBalancer [S03]",
        ),
        (
            "spec: {celeryVersion: '5.5'}",
            "spec.celeryVersion: Forbidden: there is no such field; did you mean spec.common.celeryVersion? [S01]",
        ),
        (
            "metadata: {name: Shop}",
            "metadata.name: Invalid value: \"Shop\": does not have the form of the field; write what fits ",
        ),
        ("metadata: {name: null}", "metadata.name: Required value: the object has no name; set name [S03]"),
        (
            "spec: {common: {image: null}}",
            "spec.common.image: Required value: the field is required and missing; set image [S03]",
        ),
        (
            "spec: {common: {appName: A}}",
            "spec.common.appName: Invalid value: \"A\": does not have the form of the field; write what fits ^[a-z]([a-z0-9-]*[a-z0-9])?$ [S03]",
        ),
    ] {
        let found = found(overlay);
        assert!(found.len() == 1 && found[0].starts_with(text), "{overlay}: {found:#?}");
    }
}

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
        ("{workerSpec: {autoscale: '8,2'}}", "workerSpec.autoscale", "use spec.scaleTargetRef"),
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
        ("{workerSpec: {beatSpec: {}}}", "workerSpec.beatSpec", "did you mean spec.beatSpec?"),
    ] {
        let text = format!("spec.{path}: Forbidden: there is no such field; {fix} [S01]");
        assert_eq!(found(&format!("spec: {overlay}")), [text]);
    }
    let [told] = &found("spec: {beatSpec: {urlPrefix: /x}}")[..] else { panic!("one finding") };
    assert!(!told.contains("flowerSpec"), "{told}");
}

/// What lint says of an object, schema and rules together.
fn all_of(overlay: &str) -> Vec<String> {
    let object = example::object(overlay).expect("is YAML");
    let reading = reading(&object, &|_| None);
    let rules = crate::rules::check(&reading.object, None, &Facts::default()).expect("a Celery");
    reading.with(rules).iter().map(ToString::to_string).collect()
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
            "spec.common.config.task_time_limit: Forbidden: timeLimit sets the same; use timeLimit alone [C19]",
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
fn the_value_of_a_variable_is_never_told() {
    for place in ["common: {env: ", "workerSpec: {env: ", "workerSpec: {sidecars: [{name: a, image: b, env: "]
    {
        let close = if place.contains("sidecars") { "}]}" } else { "}" };
        let [told] = &found(&format!("spec: {{{place}[{{name: PIN, value: 314159}}]{close}}}"))[..] else {
            panic!("one finding: {place}")
        };
        assert!(told.ends_with("is a number or a truth value to YAML; put it in quotes [S02]"), "{told}");
        assert!(!told.contains("314159"), "{told}");
    }
}

#[test]
fn what_may_be_a_credential_is_not_repeated() {
    for (overlay, fix) in [
        ("{common: {broker: {redis: {passwordSecretRef: hunter2}}}}", "write {name: …, key: …}"),
        ("{common: {broker: {redis: {passwordSecretRef: 4711}}}}", "write {name: …, key: …}"),
        ("{common: {broker: {urlSecretRef: ['hunter2']}}}", "write {name: …, key: …}"),
        ("{common: {broker: {url: null, urlSecretRef: {name: a, key: 4711}}}}", "put it in quotes"),
        ("{common: {imagePullSecrets: [hunter2]}}", "write {name: …}"),
        ("{common: {imagePullSecrets: hunter2}}", "put each item into a line that begins with \"- \""),
        ("{common: {env: ['DB_PASSWORD=hunter2']}}", "write {name: DB_PASSWORD, value: …}"),
        ("{common: {env: ['aHVudGVyMg==']}}", "write {name: …, value: …}"),
        ("{beatSpec: {env: 'A=hunter2'}}", "put each item into a line that begins with \"- \""),
        ("{flowerSpec: {env: {FLOWER_BASIC_AUTH: hunter2}}}", "write a list: - name: FLOWER_BASIC_AUTH"),
        ("{flowerSpec: {auth: {basic: 'ann:hunter2'}}}", "write {secretRef: {name: …, key: …}}"),
        ("{flowerSpec: {auth: {basic: {secretRef: 'ann:hunter2'}}}}", "write {name: …, key: …}"),
        (
            "{workerSpec: {args: '--db-password=hunter2'}}",
            "put each item into a line that begins with \"- \"",
        ),
        ("{workerSpec: {queues: 'token-hunter2'}}", "put each item into a line that begins with \"- \""),
    ] {
        let found = found(&format!("spec: {overlay}"));
        let [told] = &found[..] else { panic!("{overlay}: {found:#?}") };
        assert!(told.ends_with(&format!("; {fix} [S02]")), "{overlay}: {told}");
        assert!(!["hunter2", "4711", "aHVu"].iter().any(|secret| told.contains(secret)), "{told}");
    }
}

#[test]
fn wrong_types_are_told_with_what_to_write() {
    for (overlay, fix) in [
        ("{workerSpec: {args: '-l info'}}", "write a list of words: [\"-l\", \"info\"]"),
        ("{workerSpec: {args: '-n $(A)'}}", "put each item into a line that begins with \"- \""),
        ("{workerSpec: {queues: 'a,b'}}", "write [\"a\", \"b\"]"),
        ("{workerPools: {fast: {}}}", "write a list: - name: fast"),
        ("{workerPools: {name: slow}}", "write a list: - name: slow"),
        ("{workerSpec: {timeLimit: 5m}}", "write seconds, such as 300"),
        ("{workerSpec: {timeLimit: 300000000000000000000d}}", "write a number"),
        ("{workerSpec: {timeLimit: 1h30m}}", "write seconds, such as 5400"),
        ("{workerSpec: {numOfWorkers: 5m}}", "write a whole number"),
        ("{workerSpec: {numOfWorkers: '80%'}}", "write 80"),
        ("{common: {broker: 'redis://:hush@cache/0'}}", "write broker: {url: …}"),
        ("{common: {resultBackend: 'redis://:hush@cache/0'}}", "write resultBackend: {url: …}"),
        ("{flowerSpec: {auth: 'user:hush'}}", "use auth.basic.secretRef, which names a Secret"),
        ("{flowerSpec: {ingress: true}}", "write ingress: {}"),
        ("{common: {image: {repository: shop, tag: '1'}}}", "write image: \"shop:1\""),
        ("{common: {env: ['A=hush']}}", "write {name: A, value: …}"),
        ("{common: {volumes: ['./a:/b']}}", "write {name: …, …} here, and the path under volumeMounts"),
        ("{workerSpec: [{name: fast}]}", "use workerPools for several"),
    ] {
        let found = found(&format!("spec: {overlay}"));
        assert!(found.len() == 1 && found[0].ends_with(&format!("; {fix} [S02]")), "{overlay}: {found:#?}");
    }
}

#[test]
fn a_worker_that_is_null_is_told_as_such() {
    let mut object = example::object("spec: {beatSpec: {}}").expect("is YAML");
    object["spec"]["workerSpec"] = json!(null);
    let reading = reading(&object, &|_| None);
    let rules =
        crate::rules::check(&reading.object, None, &Facts::default()).expect("has the form of a Celery");
    let all: Vec<String> = reading.with(rules).iter().map(ToString::to_string).collect();
    assert_eq!(all, ["spec.workerSpec: Forbidden: is null; write workerSpec: {} [S02]"]);
    object["spec"]["workerPools"] = json!([{"name": "fast"}]);
    assert_eq!(super::reading(&object, &|_| None).findings, []);
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
fn the_text_of_the_source_is_quoted() {
    let object = example::object("spec: {common: {celeryVersion: 5.1}}").expect("is YAML");
    let findings = reading(&object, &|_| Some("5.10".to_owned())).findings;
    assert_eq!(
        findings[0].to_string(),
        "spec.common.celeryVersion: Invalid value: \"5.10\": is the number 5.1 to YAML, the field takes a text; quote it: \"5.10\" [S02]"
    );
}

#[test]
fn what_is_left_can_be_judged() {
    let object = example::object(
        "spec: {status: 1, workerSpec: {numOfWorkers: three, args: [1]},
                common: {image: My/App, celeryApp: {}}, flowerSpec: null,
                scaleTargetRef: [{kind: worker, maxReplicas: '3', metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}]}",
    )
    .expect("is YAML");
    let reading = reading(&object, &|_| None);
    assert_eq!(
        reading.object["spec"],
        json!({"workerSpec": {}, "common": {"image": "My/App", "broker": {"url": "redis://cache:6379/0"}}, "scaleTargetRef": [{"kind": "worker", "pool": "default",
               "minReplicas": 1, "metrics": [{"name": "cpu", "target": {"type": "AverageValue", "averageValue": "500m"}}]}]})
    );
    let rules =
        crate::rules::check(&reading.object, None, &Facts::default()).expect("has the form of a Celery");
    let mut all: Vec<(&str, String)> =
        reading.with(rules).into_iter().map(|finding| (finding.rule, finding.path)).collect();
    all.sort();
    let expected = [
        ("C04", "spec.common.image"),
        ("S01", "spec.status"),
        ("S02", "spec.common.celeryApp"),
        ("S02", "spec.scaleTargetRef[0].maxReplicas"),
        ("S02", "spec.workerSpec.args[0]"),
        ("S02", "spec.workerSpec.numOfWorkers"),
    ];
    assert_eq!(all, expected.map(|(rule, path)| (rule, path.to_owned())));
}

#[test]
fn a_pool_of_a_wrong_type_is_no_missing_pool() {
    let object = example::object("spec: {workerSpec: 3}").expect("is YAML");
    let reading = reading(&object, &|_| None);
    let rules =
        crate::rules::check(&reading.object, None, &Facts::default()).expect("has the form of a Celery");
    assert!(rules.iter().any(|finding| finding.rule == "C22"), "{rules:?}");
    let all = reading.with(rules);
    assert_eq!(all.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [TYPE], "{all:?}");
}

#[test]
fn duplicates_of_a_map_list_are_found_by_their_keys() {
    let cpu = "metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]";
    let twice = format!(
        "spec: {{scaleTargetRef: [{{kind: worker, maxReplicas: 3, {cpu}}}, {{kind: worker, pool: default, maxReplicas: 4, {cpu}}}]}}"
    );
    assert_eq!(
        found(&twice),
        [
            "spec.scaleTargetRef[1]: Duplicate value: \"kind=worker, pool=default\": is there already, as item 0; remove one of the two [S03]"
        ]
    );
}

#[test]
fn any_json_is_survived() {
    for object in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"metadata": [], "spec": 3}),
        json!({"spec": {"common": {"volumes": [null, 3, {"": {"": []}}]}}}),
    ] {
        let reading = reading(&object, &|_| None);
        let rules = crate::rules::check(&reading.object, None, &Facts::default()).unwrap_or_default();
        assert!(!reading.with(rules).is_empty(), "{object}");
    }
}

/// What a schema finds in an object, messages and fixes alone, and what is left of the object.
fn of(schema: &serde_json::Value, object: &serde_json::Value) -> (Vec<String>, serde_json::Value) {
    let whole = json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {
        "name": {"type": "string"}}}, "it": schema}});
    let object = json!({"metadata": {"name": "shop"}, "it": object});
    let reading = walk::reading(&compiled::compiled(&whole), &object, &|_| None);
    let told = reading.findings.iter().map(|finding| format!("{}; {}", finding.message, finding.fix));
    (told.collect(), reading.object["it"].clone())
}

#[test]
fn bounds_are_where_the_definition_has_them() {
    let text = |min: u64, max: u64| json!({"type": "string", "minLength": min, "maxLength": max});
    let list = json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2});
    let capped = json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1});
    let map = json!({"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}});
    let small = json!({"type": "integer", "format": "int32", "minimum": 1});
    for (schema, good, bad, told) in [
        (&list, json!([[1], [1, 2]]), json!([]), "has 0 items; use 1 to 2 items"),
        (&list, json!([]), json!([1, 2, 3]), "has 3 items; use 1 to 2 items"),
        (&capped, json!([[], [1]]), json!([1, 2]), "has 2 items; use at most 1 items"),
        (&text(2, 3), json!(["ab", "abc"]), json!("a"), "has 1 characters; use 2 to 3 characters"),
        (&text(2, 3), json!([]), json!("abcd"), "has 4 characters; use 2 to 3 characters"),
        (
            &json!({"type": "string", "maxLength": 1}),
            json!(["", "é"]),
            json!("ab"),
            "has 2 characters; use at most 1 characters",
        ),
        (
            &json!({"type": "string", "minLength": 1}),
            json!(["a"]),
            json!(""),
            "has 0 characters; use at least 1 characters",
        ),
        (&map, json!([{}, {"a": "x"}]), json!({"a": "x", "b": "y"}), "has 2 entries; use at most 1 entries"),
        (&small, json!([1, i32::MAX]), json!(0), "is out of bounds; use 1 to 2147483647"),
        (
            &json!({"type": "integer", "format": "uint32"}),
            json!([0, u32::MAX]),
            json!(-1),
            "is out of bounds; use 0 to 4294967295",
        ),
        (
            &json!({"type": "number", "maximum": 2}),
            json!([-1e300, 2]),
            json!(2.5),
            "is out of bounds; use 2 or less",
        ),
        (
            &json!({"type": "number", "minimum": 1}),
            json!([1, 1e300]),
            json!(0.5),
            "is out of bounds; use 1 or more",
        ),
    ] {
        for value in good.as_array().into_iter().flatten() {
            assert_eq!(of(schema, value), (vec![], value.clone()), "{schema}");
        }
        assert_eq!(of(schema, &bad).0, [told], "{schema}");
    }
    // What the type cannot hold is left out, what is only out of bounds is not.
    assert_eq!(of(&small, &json!(0)).1, 0);
    assert_eq!(of(&small, &json!(3_000_000_000_u64)).1, json!(null));
}

#[test]
fn every_kind_of_value_is_told_from_the_others() {
    let either = json!({"x-kubernetes-int-or-string": true});
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let known = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}});
    let closed = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false, "properties": {"a": {"type": "string"}}});
    for (schema, good) in [
        (&json!({"type": ["string", "null"]}), json!(["x"])),
        (&json!({"type": ["null", "boolean"]}), json!([true, false])),
        (&either, json!([1, "x"])),
        (&free, json!([{"b": 1}, 7, "x"])),
        (&known, json!([{"a": "x"}, {"b": 1}])),
        (&json!({"type": "object", "additionalProperties": true}), json!([{"b": 1}])),
    ] {
        for value in good.as_array().into_iter().flatten() {
            assert_eq!(of(schema, value), (vec![], value.clone()), "{schema}");
        }
    }
    for (schema, bad, told) in [
        (&json!({"type": ["string", "null"]}), json!([]), "is a list, the field takes a text"),
        (&json!({"type": "boolean"}), json!("x"), "is a text, the field takes true or false"),
        (&either, json!(1.5), "is a number with a fraction, the field takes a whole number or a text"),
        (&either, json!(true), "is a truth value, the field takes a whole number or a text"),
        (&known, json!({"a": []}), "is a list, the field takes a text"),
        (&closed, json!({"b": 1}), "there is no such field"),
        (
            &json!({"type": "object", "additionalProperties": false}),
            json!({"b": 1}),
            "there is no such field",
        ),
        (&json!({"type": "object"}), json!(5), "is a number, the field takes a mapping"),
    ] {
        let found = of(schema, &bad).0;
        assert!(found.len() == 1 && found[0].starts_with(told), "{schema}: {found:?}");
    }
    let measured = compiled::compiled(&json!({"type": "string", "maxLength": 9}));
    assert_eq!((measured.longest_text(), measured.most_entries()), (Some(9), None));
    let measured = compiled::compiled(&json!({"type": "object", "maxProperties": 9}));
    assert_eq!((measured.longest_text(), measured.most_entries()), (None, Some(9)));
}

#[test]
fn what_to_write_instead_depends_on_what_was_written() {
    let image = |parts: &str| format!("spec: {{common: {{image: {parts}}}}}");
    let env = |text: &str| format!("spec: {{common: {{env: [{text:?}]}}}}");
    let queues = |text: &str| format!("spec: {{workerSpec: {{queues: {text:?}}}}}");
    let long = "a".repeat(65);
    for (overlay, told) in [
        ("spec: {common: {podLabels: {tier: 1}}}".to_owned(), "spec.common.podLabels[tier]: "),
        ("spec: {workerSpec: {concurrency: true}}".to_owned(), "write a whole number or a text"),
        ("spec: {workerSpec: {numOfWorkers: ' 3 '}}".to_owned(), "write 3 without quotes"),
        ("spec: {workerSpec: {numOfWorkers: three}}".to_owned(), "write a whole number"),
        ("spec: {workerSpec: {numOfWorkers: 'a b'}}".to_owned(), "\"a b\""),
        ("spec: {workerSpec: {numOfWorkers: 'http://x'}}".to_owned(), "\"http://x\""),
        ("spec: {workerSpec: {taskEvents: 'True'}}".to_owned(), "write true without quotes"),
        ("spec: {workerSpec: {taskEvents: maybe}}".to_owned(), "write true or false"),
        ("spec: {flowerSpec: false}".to_owned(), "; remove it"),
        ("spec: {flowerSpec: true}".to_owned(), "write flowerSpec: {}"),
        ("spec: {common: true}".to_owned(), "write {"),
        ("spec: {flowerSpec: {qqqq: text}}".to_owned(), "remove it; there are "),
        ("spec: {metadata: {name: a}}".to_owned(), "did you mean metadata?"),
        ("celeryApp: a".to_owned(), "did you mean spec.common.celeryApp?"),
        (image("{repository: a/b, tag: '1'}"), "write image: \"a/b:1\""),
        (image("{repository: 'a b', tag: '1'}"), "; write a text"),
        (image(&format!("{{repository: {0}/{0}, tag: '1'}}", "a".repeat(40))), "; write a text"),
        ("spec: {common: {celeryApp: {repository: a, tag: b}}}".to_owned(), "; write a text"),
        (env("A=b"), "write {name: A, value: …}"),
        (env("_A9_=b"), "write {name: _A9_, value: …}"),
        (env("9A=b"), "write {name: …, value: …}"),
        (env("AaA=b"), "write {name: …, value: …}"),
        (env("A=="), "write {name: …, value: …}"),
        (env("A="), "write {name: …, value: …}"),
        (env(&format!("{}=b", "A".repeat(65))), "write {name: …, value: …}"),
        (queues("a, b"), "write [\"a\", \"b\"]"),
        (queues("a b,c"), "put each item into a line"),
        (queues("a,b,c,d,e,f,g,h"), "\"h\"]"),
        (queues("a,b,c,d,e,f,g,h,i"), "put each item into a line"),
        (queues(&long), "put each item into a line"),
        ("spec: {common: {tolerations: {key: a}}}".to_owned(), "put each item into a line"),
        ("spec: {common: {volumes: {data: {emptyDir: {}}}}}".to_owned(), "write a list: - name: data"),
        ("spec: {beatSpec: {maxInterval: 90s}}".to_owned(), "write seconds, such as 90"),
        ("spec: {beatSpec: {maxInterval: 1d}}".to_owned(), "write seconds, such as 86400"),
        ("spec: {common: {volumes: [{name: a, secret: {secretName: s, defaultMode: '420'}}]}}".to_owned(), "write it without quotes"),
        ("spec: {common: {volumes: [{name: a, secret: {secretName: s, defaultMode: x}}]}}".to_owned(), "write a whole number"),
        (
            "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 2, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}], pods: {a: 1}}]}".to_owned(),
            "there is no such field",
        ),
        (
            "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 2, metrics: [{name: cpu, target: {type: Utilization}, pods: {}}]}]}".to_owned(),
            "there is no such field",
        ),
    ] {
        let found = found(&overlay);
        assert!(found.len() == 1 && found[0].contains(told), "{overlay}: {found:#?}");
    }
    let status = &found("spec: {workerSpec: {status: {}}}")[0];
    assert!(!status.contains("did you mean status?"), "{status}");
    assert!(!found(&env("a=b"))[0].contains("name: a,"));
    let unknown = found("spec: {common: {broker: {url: null, urlSecretRef: {name: a, key: b, qqqq: x}}}}");
    assert!(!unknown.is_empty() && !unknown.iter().any(|line| line.contains("namespace")), "{unknown:?}");
    let half =
        found("spec: {scaleTargetRef: [{kind: worker, maxReplicas: 2, metrics: [{name: cpu, pods: {}}]}]}");
    assert!(!half.is_empty() && !half.iter().any(|line| line.contains("Autoscaler")), "{half:?}");
    let resource = "{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}";
    assert_eq!(found(&format!("spec: {{common: {{env: [{resource}]}}}}")), [""; 0]);
    let both = all_of("spec: {workerSpec: {numOfWorkers: x}, common: {celeryApp: null}}");
    assert!(
        both.iter().any(|line| line.ends_with("[C01]")) && both.iter().any(|line| line.ends_with("[S02]"))
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
