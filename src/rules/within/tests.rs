// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about texts and names that refer to others within one object.

use crate::rules::tests::shop;
use crate::rules::{Facts, Finding, Severity, check};

const DENY: Severity = Severity::Deny;
const WARN: Severity = Severity::Warn;

fn findings(spec: &str) -> Vec<Finding> {
    check(&shop(&format!("spec: {{{spec}}}")), None, &Facts::default()).expect("a Celery")
}

fn found(rule: &str, spec: &str) -> Vec<(Severity, String)> {
    let of_rule = findings(spec).into_iter().filter(|finding| finding.rule == rule);
    of_rule.map(|finding| (finding.severity, finding.path)).collect()
}

#[test]
fn a_text_may_name_what_stands_before_it() {
    let env = |env: &str| format!("common: {{env: [{env}]}}");
    for (spec, at) in [
        (env("{name: A, value: $(NOPE)}"), "spec.common.env[0].value"),
        (env("{name: A, value: $(A)x}"), "spec.common.env[0].value"),
        (env("{name: A, value: '$$$(B)'}"), "spec.common.env[0].value"),
        (env("{name: A, value: $(B)}, {name: B, value: x}"), "spec.common.env[0].value"),
        (
            "common: {env: [{name: A, value: $(B)}]}, workerSpec: {env: [{name: B, value: x}]}".to_owned(),
            "spec.common.env[0].value",
        ),
        ("beatSpec: {args: ['--schedule=/tmp/$(B)']}".to_owned(), "spec.beatSpec.args[0]"),
        ("common: {command: [env, 'X=$(B)', celery]}".to_owned(), "spec.common.command[1]"),
        (
            "workerSpec: {sidecars: [{name: log, image: 'log:1', command: [log, $(B)]}]}".to_owned(),
            "spec.workerSpec.sidecars[0].command[1]",
        ),
        (
            "common: {initContainers: [{name: log, image: 'log:1', env: [{name: A, value: $(B)}]}]}"
                .to_owned(),
            "spec.common.initContainers[0].env[0].value",
        ),
    ] {
        assert_eq!(found("C59", &spec), [(WARN, at.to_owned())], "{spec}");
        for finding in findings(&spec) {
            let line = finding.to_string().replace("workerSpec", "workerPools[0]");
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}

#[test]
fn only_within_its_list_a_variable_moves_up() {
    let (a, b) = ("{name: A, value: $(B)}", "{name: B, value: x}");
    for (spec, fix) in [
        (format!("common: {{env: [{a}, {b}]}}"), "move it up"),
        (format!("common: {{env: [{a}]}}, workerSpec: {{env: [{b}]}}"), "define it above, or write $$(…)"),
        (format!("common: {{env: [{a}]}}"), "define it above, or write $$(…)"),
        ("common: {env: [{name: A, value: $(A)}]}".to_owned(), "define it above, or write $$(…)"),
    ] {
        let found: Vec<String> = findings(&spec).into_iter().map(|finding| finding.fix).collect();
        assert_eq!(found, [fix], "{spec}");
    }
}

#[test]
fn what_may_be_known_to_somebody_is_not_told() {
    for spec in [
        "common: {env: [{name: B, value: x}, {name: A, value: $(B)}]}",
        "common: {env: [{name: A, value: '$$(B) $(date) $(a b) $B'}]}",
        "common: {env: [{name: A, value: $(KUBERNETES_SERVICE_HOST)}]}",
        "common: {env: [{name: A, value: $(CELERY_BROKER_URL)}]}",
        "common: {envFrom: [{secretRef: {name: a}}], env: [{name: A, value: $(B)}]}",
        "common: {env: [{name: B, value: x}]}, workerSpec: {env: [{name: A, value: $(B)}]}",
        // Of an overridden one nothing is left.
        "common: {env: [{name: A, value: $(B)}]}, workerSpec: {env: [{name: A, value: x}]}",
        // In one of the pods it is there.
        "common: {env: [{name: A, value: $(B)}]}, workerSpec: {envFrom: [{secretRef: {name: a}}]}, beatSpec: {}",
        "common: {podTemplate: {spec: {enableServiceLinks: true}}, env: [{name: A, value: $(DB_PORT)}]}",
        "workerSpec: {sidecars: [{name: log, image: 'log:1', command: [sh, -c, 'echo $(B)']}]}",
        "workerSpec: {sidecars: [{name: log, image: 'log:1', env: [{name: B, value: x}], args: [$(B)]}]}",
        "workerSpec: {env: [{name: B, value: x}], podTemplate: {spec: {containers: [{name: celery, env: [{name: A, value: $(B)}]}]}}}",
    ] {
        assert_eq!(found("C59", spec), [], "{spec}");
    }
}

#[test]
fn of_two_variables_of_a_name_the_second_is_told() {
    let twice = "env: [{name: A, value: x}, {name: A, value: z}]";
    for (spec, severity, at) in [
        (format!("common: {{{twice}}}"), WARN, "spec.common"),
        (format!("beatSpec: {{{twice}}}"), WARN, "spec.beatSpec"),
        (format!("workerPools: [{{name: a, {twice}}}]"), WARN, "spec.workerPools[0]"),
        (
            format!("workerSpec: {{sidecars: [{{name: log, image: 'log:1', {twice}}}]}}"),
            DENY,
            "spec.workerSpec.sidecars[0]",
        ),
        (
            format!("workerSpec: {{podTemplate: {{spec: {{containers: [{{name: celery, {twice}}}]}}}}}}"),
            WARN,
            "spec.workerSpec.podTemplate.spec.containers[0]",
        ),
    ] {
        assert_eq!(found("C60", &spec), [(severity, format!("{at}.env[1].name"))], "{spec}");
    }
    let both = "common: {env: [{name: A, value: x}]}, workerSpec: {env: [{name: A, value: z}]}";
    assert_eq!(found("C60", both), []);
}

#[test]
fn containers_are_those_of_every_pod_that_shows_them() {
    let variable = |name: &str| {
        format!(
            "env: [{{name: A, valueFrom: {{resourceFieldRef: {{containerName: {name}, resource: limits.cpu}}}}}}]"
        )
    };
    let file = "volumes: [{name: a, downwardAPI: {items: [{path: x, resourceFieldRef: {containerName: log, resource: limits.cpu}}]}}]";
    let log = "sidecars: [{name: log, image: 'log:1'}]";
    for (spec, expected) in [
        (format!("common: {{{}}}", variable("celery")), 0),
        (format!("common: {{{}}}, beatSpec: {{}}", variable("celery")), 1),
        (format!("common: {{{}}}, beatSpec: {{env: [{{name: A, value: x}}]}}", variable("celery")), 0),
        (format!("workerSpec: {{{}}}", variable("log")), 1),
        (format!("workerSpec: {{{}, {log}}}", variable("log")), 0),
        (format!("workerSpec: {{{file}}}"), 1),
        (format!("workerSpec: {{{file}, {log}}}"), 0),
        (
            format!(
                "workerSpec: {{{file}, podTemplate: {{spec: {{containers: [{{name: log, image: 'log:1'}}]}}}}}}"
            ),
            0,
        ),
    ] {
        assert_eq!(found("C61", &spec).len(), expected, "{spec}");
    }
    let projected = "workerSpec: {volumes: [{name: a, projected: {sources: [{downwardAPI: {items: [{path: x, resourceFieldRef: {containerName: log, resource: limits.cpu}}]}}]}}]}";
    let at =
        "spec.workerSpec.volumes[0].projected.sources[0].downwardAPI.items[0].resourceFieldRef.containerName";
    assert_eq!(found("C61", projected), [(DENY, at.to_owned())]);
}

#[test]
fn claims_are_those_of_the_templates() {
    let claims = "resources: {claims: [{name: gpu}]}";
    let has = "podTemplate: {spec: {resourceClaims: [{name: gpu, resourceClaimName: gpu}]}}";
    let sidecar = format!("sidecars: [{{name: log, image: 'log:1', {claims}}}]");
    for (spec, at) in [
        (format!("beatSpec: {{{claims}}}"), Some("spec.beatSpec")),
        (format!("workerSpec: {{{sidecar}}}"), Some("spec.workerSpec.sidecars[0]")),
        (format!("workerSpec: {{{claims}}}, beatSpec: {{{has}}}"), Some("spec.workerSpec")),
        (
            format!(
                "workerSpec: {{{claims}, podTemplate: {{spec: {{resourceClaims: [{{name: other, resourceClaimName: a}}]}}}}}}"
            ),
            Some("spec.workerSpec"),
        ),
        (format!("common: {{{has}}}, workerSpec: {{{claims}, {sidecar}}}"), None),
    ] {
        let expected: Vec<_> =
            at.map(|at| (DENY, format!("{at}.resources.claims[0].name"))).into_iter().collect();
        assert_eq!(found("C62", &spec), expected, "{spec}");
    }
}

#[test]
fn any_json_is_survived() {
    for odd in ["7", "[]", "[7]", "[[]]", "{a: 7}", "x", "{name: {}}", "[{name: []}]", "[{$patch: delete}]"] {
        for field in ["env", "envFrom", "command", "args", "resources", "volumes", "resourceClaims"] {
            for template in [
                format!("{{{field}: {odd}}}"),
                format!("{{containers: [{{name: celery, {field}: {odd}}}]}}"),
                format!("{{initContainers: [{{name: log, {field}: {odd}}}]}}"),
            ] {
                findings(&format!("workerSpec: {{podTemplate: {{spec: {template}}}}}"));
            }
        }
    }
}
