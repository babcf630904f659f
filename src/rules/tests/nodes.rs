// SPDX-License-Identifier: Apache-2.0
//! What a worker is called, by its arguments and by its pod.

use super::*;

#[test]
fn a_node_without_a_host_gets_it_from_celery() {
    for (name, numbers) in [
        ("''", 0),
        ("w@", 0),
        ("'@'", 0),
        ("'%h'", 0),
        ("'@%h'", 0),
        ("'@mail'", 1),
        ("mail", 1),
        ("a@b@", 1),
    ] {
        for spec in [format!("{{nodeName: {name}}}"), format!("{{args: ['-n', {name}]}}")] {
            assert_eq!(of_rule("W29", &format!("spec: {{workerSpec: {spec}}}")).len(), numbers, "{spec}");
        }
    }
}

#[test]
fn a_ping_needs_the_name_that_the_system_has() {
    let env = "env: [{name: HOSTNAME, value: shop}]";
    let laid = "podTemplate: {spec: {containers: [{name: celery, env: [{name: HOSTNAME, value: shop}]}]}}";
    for (spec, at) in [
        (format!("common: {{{env}}}"), Some("spec.common.env[0].name")),
        (format!("common: {{{env}}}, workerPools: [{{name: mail}}]"), Some("spec.common.env[0].name")),
        (format!("workerSpec: {{{env}}}"), Some("spec.workerSpec.env[0].name")),
        (
            format!("workerSpec: {{{laid}}}"),
            Some("spec.workerSpec.podTemplate.spec.containers[0].env[0].name"),
        ),
        (format!("workerSpec: {{{env}, args: ['-n', 'mail@']}}"), Some("spec.workerSpec.env[0].name")),
        (
            format!("workerSpec: {{{env}, pool: solo, probes: {{readiness: {{type: Ping}}}}}}"),
            Some("spec.workerSpec.env[0].name"),
        ),
        // Nobody pings, or nobody asks for the host.
        (format!("workerSpec: {{{env}, pool: solo}}"), None),
        (format!("workerSpec: {{{env}, probes: {{startup: {{type: None}}}}}}"), None),
        (format!("workerSpec: {{{env}, nodeName: mail@shop}}"), None),
        (format!("beatSpec: {{{env}}}"), None),
        (
            "workerSpec: {env: [{name: HOSTNAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}"
                .to_owned(),
            None,
        ),
    ] {
        let told: Vec<String> =
            of_rule("W61", &format!("spec: {{{spec}}}")).into_iter().map(|(_, at)| at).collect();
        assert_eq!(told, at.into_iter().collect::<Vec<_>>(), "{spec}");
    }
}

#[test]
fn the_name_of_a_node_has_the_same_letters_in_its_field() {
    let version = |version: &str| format!("common: {{celeryVersion: '{version}'}}, ");
    for (common, name, expected) in [
        (String::new(), "w%x@%h", deny("spec.workerSpec.nodeName")),
        (String::new(), "w%p@%h", deny("spec.workerSpec.nodeName")),
        (String::new(), "w@%H", deny("spec.workerSpec.nodeName")),
        (version("4.4"), "w%x@%h", warn("spec.workerSpec.nodeName")),
        // 5.7 reads %% as a percent sign.
        (String::new(), "w%%x@%h", vec![]),
        (version("5.6"), "w%%x@%h", deny("spec.workerSpec.nodeName")),
        (version("5.7"), "w%%x@%h", vec![]),
        (String::new(), "w%d@%h", vec![]),
    ] {
        let overlay = format!("spec: {{{common}workerSpec: {{nodeName: '{name}'}}}}");
        assert_eq!(of_rule("W48", &overlay), expected, "{common}{name}");
    }
    let fix = |common: &str| {
        let overlay = format!("spec: {{{common}workerSpec: {{nodeName: 'w%x@%h'}}}}");
        findings(&overlay).into_iter().find(|it| it.rule == "W48").map(|it| it.fix).unwrap_or_default()
    };
    assert!(!fix("").contains("%%") && fix(&version("5.7")).contains("%%"));
}

#[test]
fn two_percent_signs_before_an_h_are_no_host_since_5_7() {
    for (version, numbers) in [("5.7", 1), ("5.6", 0), ("", 0)] {
        let overlay = format!(
            "spec: {{common: {{celeryVersion: '{version}'}}, workerSpec: {{numOfWorkers: 2, nodeName: 'a@%%h'}}}}"
        )
        .replace("celeryVersion: ''", "");
        assert_eq!(of_rule("W29", &overlay).len(), numbers, "{version}");
    }
}

#[test]
fn a_hostname_of_a_template_is_the_same_in_every_pod() {
    let template = "podTemplate: {spec: {hostname: mail}}";
    let own = "spec.workerSpec.podTemplate.spec.hostname";
    let shared = "spec.common.podTemplate.spec.hostname";
    for (spec, expected) in [
        (format!("workerSpec: {{numOfWorkers: 2, {template}}}"), deny(own)),
        (format!("workerSpec: {{{template}}}"), warn(own)),
        (format!("common: {{{template}}}, workerSpec: {{numOfWorkers: 2}}"), deny(shared)),
        (format!("common: {{{template}}}, workerPools: [{{name: a, numOfWorkers: 2}}]"), deny(shared)),
        (format!("workerSpec: {{numOfWorkers: 2, nodeName: a@b, {template}}}"), vec![]),
        (
            format!("common: {{{template}}}, workerSpec: {{podTemplate: {{spec: {{hostname: null}}}}}}"),
            vec![],
        ),
        ("workerSpec: {podTemplate: {spec: {hostNetwork: true}}}".to_owned(), vec![]),
        (format!("beatSpec: {{{template}}}"), vec![]),
    ] {
        assert_eq!(of_rule("W62", &format!("spec: {{{spec}}}")), expected, "{spec}");
    }
}
