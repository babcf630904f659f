// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about `spec.common`: other severities, other places, and what must pass.

use super::*;

#[test]
fn images_of_pools_flower_and_further_containers_are_judged_too() {
    let at = |overlay: &str| of_rule("C04", overlay);
    assert_eq!(at("spec: {workerPools: [{name: mail, image: My/App}]}"), deny("spec.workerPools[0].image"));
    assert_eq!(at("spec: {flowerSpec: {image: ''}}"), deny("spec.flowerSpec.image"));
    assert_eq!(
        at("spec: {workerSpec: {sidecars: [{name: log}]}}"),
        deny("spec.workerSpec.sidecars[0].image")
    );
    assert_eq!(
        at("spec: {common: {initContainers: [{name: migrate, image: A}]}}"),
        deny("spec.common.initContainers[0].image")
    );
    assert_eq!(at("spec: {common: {initContainers: [{name: migrate, image: 'a:1'}]}}"), []);
    let pinned = "registry.example.com/shop:1.0";
    for (image, expected) in [("mher/flower", 1), ("mher/flower:2.0", 0), (pinned, 0)] {
        let overlay =
            format!("spec: {{common: {{imagePullPolicy: IfNotPresent}}, flowerSpec: {{image: '{image}'}}}}");
        assert_eq!(of_rule("C05", &overlay).len(), expected, "{image}");
    }
}

#[test]
fn names_of_pools_count_to_the_last_letter() {
    let pool = |name: &str| of_rule("C14", &format!("spec: {{workerPools: [{{name: {name}}}]}}"));
    // "shop-worker-" has 12 letters.
    assert_eq!(pool(&"a".repeat(52)), deny("spec.workerPools[0].name"));
    assert_eq!(pool(&"a".repeat(51)), []);
}

#[test]
fn a_prefix_of_ones_own_is_nobody_elses() {
    assert_eq!(of_rule("C16", "{metadata: {name: mall}, spec: {common: {appName: mall}}}"), []);
    assert_eq!(of_rule("C16", "{metadata: {name: mall-2}, spec: {common: {appName: mall}}}").len(), 1);
    for (pool, clashes) in [("hall-worker", 1), ("hall-beat", 1), ("hall-worker-x", 1), ("hall-flowers", 0)] {
        let found = of_rule("C21", &format!("spec: {{workerPools: [{{name: {pool}}}]}}"));
        assert_eq!(found.len(), clashes, "{pool}");
    }
}

#[test]
fn releases_gate_fields_and_of_4_nothing_is_denied() {
    let at = |version: &str, field: &str| {
        let spec = format!(
            "spec: {{common: {{celeryVersion: '{version}'}}, workerPools: [{{name: mail, {field}}}]}}"
        );
        of_rule("C12", &spec)
    };
    assert_eq!(at("5.6", "concurrency: auto"), deny("spec.workerPools[0].concurrency"));
    assert_eq!(at("5.6.2", "poolStartMethod: spawn"), deny("spec.workerPools[0].poolStartMethod"));
    assert_eq!(at("4.4", "disablePrefetch: true"), warn("spec.workerPools[0].disablePrefetch"));
    for (version, field) in [
        ("5.7", "concurrency: auto"),
        ("5.10", "poolStartMethod: fork"),
        ("5.5", "disablePrefetch: false"),
        ("5.2", "optimization: fair"),
        ("5.2", "concurrency: 3"),
    ] {
        assert_eq!(at(version, field), [], "{version} {field}");
    }
    assert_eq!(of_rule("C12", "spec: {workerSpec: {concurrency: auto}}"), []);
}

#[test]
fn a_volume_may_come_from_wherever_the_pod_gets_it() {
    let volume = "{name: data, emptyDir: {}}";
    let mount = "volumeMounts: [{name: data, mountPath: /data}]";
    let at = |overlay: String| of_rule("C08", &overlay);
    for good in [
        format!("spec: {{workerSpec: {{volumes: [{volume}], {mount}}}}}"),
        format!("spec: {{common: {{volumes: [{volume}]}}, workerSpec: {{{mount}}}}}"),
        format!("spec: {{common: {{{mount}}}, workerSpec: {{volumes: [{volume}]}}}}"),
        format!("spec: {{common: {{{mount}, podTemplate: {{spec: {{volumes: [{volume}]}}}}}}}}"),
        format!(
            "spec: {{common: {{{mount}}}, workerSpec: {{volumes: [{volume}]}}, flowerSpec: {{inheritVolumes: false}}}}"
        ),
        "spec: {common: {volumeMounts: [{name: celery-operator-tmp, mountPath: /var/tmp}]}}".to_owned(),
    ] {
        assert_eq!(at(good.clone()), [], "{good}");
    }
    let only_workers =
        format!("spec: {{common: {{{mount}}}, workerSpec: {{volumes: [{volume}]}}, beatSpec: {{}}}}");
    assert_eq!(at(only_workers), deny("spec.common.volumeMounts[0].name"));
    let sidecar = format!("spec: {{workerSpec: {{sidecars: [{{name: log, image: 'log:1', {mount}}}]}}}}");
    assert_eq!(at(sidecar), deny("spec.workerSpec.sidecars[0].volumeMounts[0].name"));
}

#[test]
fn volumes_and_places_are_there_once() {
    let volumes = "volumes: [{name: data, emptyDir: {}}]";
    let at = |worker: &str| {
        let common = "volumeMounts: [{name: data, mountPath: /data}]";
        of_rule("C09", &format!("spec: {{common: {{{volumes}, {common}}}, workerSpec: {{{worker}}}}}"))
    };
    assert_eq!(at(volumes), [], "what a pool has takes the place of what is shared");
    let twice = "volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]";
    assert_eq!(at(twice), deny("spec.workerSpec.volumes[1].name"));
    let twice = "volumeMounts: [{name: data, mountPath: /a}, {name: data, mountPath: /a}]";
    assert_eq!(at(twice), deny("spec.workerSpec.volumeMounts[1].mountPath"));
    let place = |place: &str| at(&format!("volumeMounts: [{{name: data, mountPath: '{place}'}}]"));
    let path = "spec.workerSpec.volumeMounts[0].mountPath";
    assert_eq!(place("//"), deny(path));
    assert_eq!(place("/a:b"), deny(path));
    assert_eq!(place("cache"), warn(path));
    assert_eq!(place("/data"), []);
}

#[test]
fn what_is_the_operators_stays_so_in_templates() {
    let at = |overlay: &str| of_rule("C17", overlay);
    let template = |template: &str| at(&format!("spec: {{workerSpec: {{podTemplate: {template}}}}}"));
    let path = "spec.workerSpec.podTemplate";
    assert_eq!(
        template("{metadata: {labels: {celeryproject.org/pool: x, team: y}}}"),
        deny(&format!("{path}.metadata.labels[celeryproject.org/pool]"))
    );
    assert_eq!(
        template("{spec: {containers: [{name: celery, tty: true}, {name: flower}]}}"),
        deny(&format!("{path}.spec.containers[1].name"))
    );
    assert_eq!(
        template("{spec: {initContainers: [{name: celery}]}}"),
        deny(&format!("{path}.spec.initContainers[0].name"))
    );
    assert_eq!(template("{spec: {replicas: 3}}"), deny(&format!("{path}.spec.replicas")));
    assert_eq!(template("{spec: {restartPolicy: Never}}"), deny(&format!("{path}.spec.restartPolicy")));
    assert_eq!(template("{spec: {restartPolicy: Always, hostNetwork: true}}"), []);
    for gone in ["metadata: null", "metadata: {labels: {$patch: replace}}", "spec: {containers: null}"] {
        // The null has to survive the overlay of this test.
        let mut object = shop("{}");
        let template: Value = serde_saphyr::from_str(&format!("{{{gone}}}")).expect("YAML");
        object["spec"]["workerSpec"]["podTemplate"] = template;
        assert_eq!(found(&object, None).len(), 1, "{gone}");
    }
    for (item, at) in [
        ("{name: celery, $patch: delete}", "[0]"),
        ("{$patch: replace}", "[0]"),
        ("{name: beat}", "[0].name"),
    ] {
        let path = format!("{path}.spec.containers{at}");
        assert_eq!(template(&format!("{{spec: {{containers: [{item}]}}}}")), deny(&path), "{item}");
    }
    let shared = "podTemplate: {spec: {containers: [{name: celery, tty: true}]}}";
    assert_eq!(at(&format!("spec: {{common: {{{shared}}}}}")), []);
    assert_eq!(
        at(&format!("spec: {{common: {{{shared}}}, beatSpec: {{}}}}")),
        deny("spec.common.podTemplate.spec.containers[0].name")
    );
    assert_eq!(
        at("spec: {common: {podAnnotations: {celeryproject.org/config-hash: x}}}"),
        warn("spec.common.podAnnotations[celeryproject.org/config-hash]")
    );
}

#[test]
fn fields_of_templates_that_may_be_newer_than_we_are_pass_with_a_warning() {
    let at = |template: &str| of_rule("C24", &format!("spec: {{common: {{podTemplate: {template}}}}}"));
    let path = "spec.common.podTemplate";
    assert_eq!(at("{spec: {workloadRef: {}}}"), warn(&format!("{path}.spec.workloadRef")));
    assert_eq!(at("{containers: []}"), deny(&format!("{path}.containers")));
    assert_eq!(at("{spec: {tolerations: {}}}"), deny(&format!("{path}.spec.tolerations")));
    // Another rule tells of these.
    assert_eq!(at("{replicas: 2, spec: {strategy: {}}}"), []);
    assert_eq!(at("{spec: {containers: [{name: celery, replicas: 2}]}}").len(), 1);
    let many: Vec<String> = (0..100).map(|index| format!("unheardOf{index}: 1")).collect();
    assert_eq!(at(&format!("{{spec: {{hostNetwork: 1, {}}}}}", many.join(", "))).len(), 17);
}

#[test]
fn a_template_never_shows_its_values() {
    let object = shop(
        "spec: {common: {podTemplate: {spec: {containers: [{name: celery, env: [{name: A, vaule: hunter2, value: [hunter2]}]}]}}}}",
    );
    let findings = check(&object, None, &Facts::default()).expect("a Celery");
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| !finding.to_string().contains("hunter2")), "{findings:?}");
}

#[test]
fn one_scheme_of_the_broker() {
    let at = |broker: &str| of_rule("C25", &format!("spec: {{common: {{broker: {{{broker}}}}}}}"));
    assert_eq!(at("scheme: REDIS"), []);
    assert_eq!(at("url: null, redis: {host: cache}, scheme: rediss"), []);
    for broker in ["redis: {host: cache}, scheme: amqp", "rabbitmq: {host: mq}, scheme: redis"] {
        assert_eq!(at(&format!("url: null, {broker}")), deny("spec.common.broker.scheme"), "{broker}");
    }
}

#[test]
fn lists_that_the_schema_refuses_are_not_judged() {
    let many = |item: &str, count: usize| vec![item; count].join(", ");
    let mount = "{name: nosuch, mountPath: /}";
    for (overlay, item) in [
        ("spec: {common: {volumeMounts: [ITEMS]}}", mount),
        ("spec: {workerSpec: {volumeMounts: [ITEMS]}}", mount),
        ("spec: {workerSpec: {sidecars: [{name: a, image: 'a:1', volumeMounts: [ITEMS]}]}}", mount),
        ("spec: {common: {initContainers: [ITEMS]}}", "{name: celery}"),
        ("spec: {beatSpec: {env: [ITEMS]}}", "{name: REMAP_SIGTERM, value: x}"),
        ("spec: {beatSpec: {probes: {startup: {type: Custom, command: [ITEMS]}}}}", "$(A)"),
    ] {
        let with = |count: usize| found(&shop(&overlay.replace("ITEMS", &many(item, count))), None).len();
        assert!(with(256) >= 256, "{overlay}");
        assert_eq!(with(257), 0, "{overlay}");
    }
    // What the schema keeps open is bounded here.
    let template = |containers: &str| {
        format!("spec: {{workerSpec: {{podTemplate: {{spec: {{containers: [{containers}]}}}}}}}}")
    };
    assert_eq!(of_rule("C17", &template(&many("{name: flower}", 1000))).len(), 256);
    assert_eq!(
        of_rule("G16", &template(&many("{name: celery, livenessProbe: {grpc: {port: 1}}}", 1000))).len(),
        256
    );
}

#[test]
fn templates_do_not_go_past_the_fields_that_are_judged() {
    let at = |place: &str, template: &str| {
        of_rule("C27", &format!("spec: {{{place}: {{podTemplate: {{spec: {{{template}}}}}}}}}"))
    };
    let path = "spec.common.podTemplate.spec";
    let container = |field: &str| format!("containers: [{{name: log}}, {{name: celery, {field}}}]");
    for field in ["command", "args"] {
        let words = container(&format!("{field}: [a]"));
        assert_eq!(at("common", &words), deny(&format!("{path}.containers[1].{field}")));
    }
    let grace = "terminationGracePeriodSeconds";
    for seconds in ["0", "30"] {
        let template = format!("{grace}: {seconds}");
        assert_eq!(at("common", &template), deny(&format!("{path}.{grace}")));
        assert_eq!(at("workerSpec", &template).len(), 1);
        assert_eq!(at("workerSpec: null, beatSpec", &template), [], "beat has no such field");
    }
    assert_eq!(at("common", "containers: [{name: log, command: [a], args: [b]}]"), []);
    assert_eq!(at("common", &container("tty: true")), []);
    // One cause, one finding.
    assert_eq!(at("common", &format!("{grace}: '30'")), []);
    // The null has to survive the overlay of this test.
    let mut object = shop("{}");
    object["spec"]["workerSpec"]["podTemplate"] =
        json!({"spec": {"containers": [{"name": "celery", "args": null}]}});
    assert_eq!(found(&object, None).len(), 1);
}

#[test]
fn a_candidate_of_a_release_is_a_version() {
    for version in ["5.5.0rc1", "5.5.0b2", "5.6.0.dev0", "5.5.3.post1"] {
        let overlay = format!("spec: {{common: {{celeryVersion: '{version}'}}}}");
        assert_eq!(found(&shop(&overlay), None), [], "{version}");
    }
    for version in ["5.5.0x", "rc1", "3.1.0rc1", "5.5.0+local"] {
        let overlay = format!("spec: {{common: {{celeryVersion: '{version}'}}}}");
        assert_eq!(of_rule("C10", &overlay), deny("spec.common.celeryVersion"), "{version}");
    }
    let prefetch = "spec: {common: {celeryVersion: 5.5.0rc1}, workerSpec: {disablePrefetch: true}}";
    assert_eq!(of_rule("C12", prefetch), deny("spec.workerSpec.disablePrefetch"));
}

#[test]
fn what_is_missing_is_not_called_wrong() {
    let overlay = "spec: {flowerSpec: {auth: {basic: {secretRef: {name: flower}}}}}";
    let findings = check(&shop(overlay), None, &surroundings()).expect("has the form of a Celery");
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let text = "spec.flowerSpec.auth.basic.secretRef.key: Required value: is missing; name the key, in \
                letters, digits, '-', '_' and '.' [F37]";
    assert_eq!(texts, [text]);
}
