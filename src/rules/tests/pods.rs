// SPDX-License-Identifier: Apache-2.0
//! The values of `tests/pods/cases.txt`, about which the API server was asked: what it refuses, a rule denies.

use super::*;

#[path = "../../../tests/pods/mod.rs"]
mod cases;

use cases::Verdict;

#[test]
fn what_the_api_server_refuses_is_denied_and_nothing_else() {
    let cases = cases::cases();
    assert!(cases.len() > 1000, "only {} values were read", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        // Values of wrong types are the schema's.
        let Ok(findings) = check(&shop(&case.overlay), None, &Facts::default()) else {
            panic!("{}: has not the form of a Celery", case.overlay)
        };
        let denials: Vec<String> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Deny)
            .map(ToString::to_string)
            .collect();
        let expected = usize::from(matches!(case.verdict, Verdict::Refused | Verdict::Useless));
        if denials.len() != expected {
            wrong.push(format!("{:?}: {}: {denials:?}", case.verdict, case.overlay));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_finding_about_a_value_has_the_place_of_the_value() {
    let at =
        |id: &str, overlay: &str| of_rule(id, overlay).into_iter().map(|(_, path)| path).collect::<Vec<_>>();
    let term = "requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {}}]";
    assert_eq!(
        at(
            "C32",
            &format!(
                "spec: {{beatSpec: {{podTemplate: {{spec: {{affinity: {{podAffinity: {{{term}}}}}}}}}}}}}"
            )
        ),
        [
            "spec.beatSpec.podTemplate.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey"
        ]
    );
    assert_eq!(
        at("C28", "spec: {workerPools: [{name: a}, {name: b, envFrom: [{configMapRef: {name: A}}]}]}"),
        ["spec.workerPools[1].envFrom[0].configMapRef.name"]
    );
    assert_eq!(
        at("C34", "spec: {common: {podLabels: {example.com/a: b c, 'a b': c}}}"),
        ["spec.common.podLabels[a b]", "spec.common.podLabels[example.com/a]"]
    );
    assert_eq!(
        at("C35", "spec: {flowerSpec: {auth: {allowUnauthenticated: true}, ingress: {className: ''}}}"),
        ["spec.flowerSpec.ingress.className"]
    );
    assert_eq!(
        at("C40", "spec: {beatSpec: {probes: {liveness: {type: Custom, command: [\"a\\0b\"]}}}}"),
        ["spec.beatSpec.probes.liveness.command[0]"]
    );
}

#[test]
fn one_slip_is_told_once() {
    for (pod, at, fix) in [
        ("volumes: [{name: a, secret: {name: x}}]", "volumes[0].secret.name", "write secretName"),
        (
            "volumes: [{name: a, configMap: {configMapName: x}}]",
            "volumes[0].configMap.configMapName",
            "write name",
        ),
        (
            "volumes: [{name: a, persistentVolumeClaim: {name: x}}]",
            "volumes[0].persistentVolumeClaim.name",
            "write claimName",
        ),
        ("tolerations: [{operator: exists}]", "tolerations[0].operator", "use Equal, Exists, Lt or Gt"),
        (
            "containers: [{name: log, image: 'log:1', command: tail -f x}]",
            "containers[0].command",
            "use a list of words: [\"tail\", \"-f\", \"x\"]",
        ),
        (
            "containers: [{name: log, image: 'log:1', command: [tail -f x]}]",
            "containers[0].command[0]",
            "write one word per element: [\"tail\", \"-f\", \"x\"]",
        ),
    ] {
        let overlay = format!("spec: {{workerSpec: {{podTemplate: {{spec: {{{pod}}}}}}}}}");
        let findings = check(&shop(&overlay), None, &Facts::default()).expect("a Celery");
        let found: Vec<_> =
            findings.iter().map(|finding| (finding.path.as_str(), finding.fix.as_str())).collect();
        assert_eq!(found, [(format!("spec.workerSpec.podTemplate.spec.{at}").as_str(), fix)], "{pod}");
    }
}

#[test]
fn values_of_variables_are_not_shown() {
    for variable in [
        "{name: A, value: \"hunter2\\0\"}",
        "{name: A, value: hunter2, valueFrom: {fieldRef: {fieldPath: metadata.name}}}",
        "{name: '', value: hunter2}",
    ] {
        let findings =
            check(&shop(&format!("spec: {{workerSpec: {{env: [{variable}]}}}}")), None, &Facts::default())
                .expect("a Celery");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(!findings[0].to_string().contains("hunter2"), "{}", findings[0]);
    }
}

#[test]
fn what_every_template_shares_is_judged_without_a_component_of_its_own() {
    let of = |overlay: &str| found(&shop(overlay), None);
    let label =
        |spec: &str| format!("spec: {{{spec}common: {{podTemplate: {{metadata: {{labels: {{a: b c}}}}}}}}}}");
    for spec in ["", "flowerSpec: {auth: {allowUnauthenticated: true}}, ", "beatSpec: {}, "] {
        assert_eq!(
            of(&label(spec)),
            [("C34", "spec.common.podTemplate.metadata.labels.a".to_owned())],
            "{spec}"
        );
    }
    // A shared container that a pool names again is laid under it.
    let shared = "common: {podTemplate: {spec: {containers: [{name: log, image: 'log:1'}]}}}";
    let again = "workerSpec: {podTemplate: {spec: {containers: [{name: log, tty: true}]}}}";
    assert_eq!(of(&format!("spec: {{{shared}, {again}}}")), []);
}

#[test]
fn any_json_in_a_template_is_survived() {
    let odd = ["7", "[]", "[7]", "[[]]", "{a: 7}", "'x'", "{name: {}}", "[{name: []}]", "{$patch: delete}"];
    let fields = [
        "containers",
        "initContainers",
        "volumes",
        "tolerations",
        "affinity",
        "topologySpreadConstraints",
        "nodeSelector",
        "securityContext",
        "dnsConfig",
        "hostAliases",
        "os",
        "overhead",
        "dnsPolicy",
    ];
    for value in odd {
        for field in fields {
            let overlay = format!("spec: {{workerSpec: {{podTemplate: {{spec: {{{field}: {value}}}}}}}}}");
            let _ = check(&shop(&overlay), None, &Facts::default());
        }
        for field in
            ["env", "ports", "volumeMounts", "resources", "securityContext", "livenessProbe", "lifecycle"]
        {
            let container = format!("{{name: celery, {field}: {value}}}");
            let overlay =
                format!("spec: {{workerSpec: {{podTemplate: {{spec: {{containers: [{container}]}}}}}}}}");
            let _ = check(&shop(&overlay), None, &Facts::default());
        }
    }
}

#[test]
fn a_resolver_asks_three_servers_at_most() {
    let of = |servers: &str| {
        let found = findings(&format!("spec: {{common: {{dnsConfig: {{nameservers: {servers}}}}}}}"));
        found.iter().filter(|finding| finding.path == "spec.common.dnsConfig.nameservers").count()
    };
    assert_eq!(of("[10.0.0.1, 10.0.0.2, 10.0.0.3]"), 0);
    assert_eq!(of("[10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]"), 1);
}
