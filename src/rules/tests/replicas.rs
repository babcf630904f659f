// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about numbers of pods, resources and disruptions.

use super::*;

#[test]
fn a_number_that_an_autoscaler_ignores_is_told_when_it_is_written() {
    let spec = |workers: &str| {
        format!(
            "spec: {{workerPools: [{{name: mail{workers}}}], scaleTargetRef: [{{kind: worker, pool: mail, minReplicas: 2, \
             maxReplicas: 4, metrics: [{{name: memory, target: {{type: AverageValue, averageValue: 200Mi}}}}]}}]}}"
        )
    };
    let told = |new: &str, old: &str| {
        let old = shop(&spec(old));
        let findings = check(&shop(&spec(new)), Some(&old), &Facts::default()).expect("a Celery");
        findings.iter().filter(|finding| finding.rule == "K03").count()
    };
    let (absent, nine, one) = ("", ", numOfWorkers: 9", ", numOfWorkers: 1");
    for (new, old, expected) in [
        (nine, absent, 1),
        (nine, nine, 0),
        (one, nine, 1),
        (absent, nine, 0),
        (", numOfWorkers: 4", nine, 0),
    ] {
        assert_eq!(told(new, old), expected, "{old} -> {new}");
    }
    assert_eq!(of_rule("K02", &spec(", numOfWorkers: 0")), []);
}

#[test]
fn every_container_has_its_resources_judged() {
    let container = |resources: &str| format!("{{name: log, image: 'log:1', resources: {{{resources}}}}}");
    for (id, resources, field) in [
        ("K07", "limits: {cpu: 1 core}", "limits.cpu"),
        ("K07", "requests: {nvidia.com/gpu: -1}", "requests[nvidia.com/gpu]"),
        ("K08", "limits: {memory: 100}", "limits.memory"),
        ("K09", "requests: {memory: 1Gi}, limits: {memory: 1G}", "requests.memory"),
        ("K10", "requests: {CPU: 1}", "requests.CPU"),
    ] {
        for (overlay, place) in [
            (format!("spec: {{beatSpec: {{resources: {{{resources}}}}}}}"), "spec.beatSpec"),
            (format!("spec: {{flowerSpec: {{resources: {{{resources}}}}}}}"), "spec.flowerSpec"),
            (
                format!("spec: {{workerSpec: {{sidecars: [{}]}}}}", container(resources)),
                "spec.workerSpec.sidecars[0]",
            ),
            (
                format!("spec: {{common: {{initContainers: [{}]}}}}", container(resources)),
                "spec.common.initContainers[0]",
            ),
        ] {
            assert_eq!(of_rule(id, &overlay), deny(&format!("{place}.resources.{field}")), "{overlay}");
        }
    }
    assert_eq!(
        of_rule("K07", "spec: {workerSpec: {maxMemoryPerChild: 200 MB}}"),
        deny("spec.workerSpec.maxMemoryPerChild")
    );
    assert_eq!(
        of_rule("K08", "spec: {workerSpec: {resources: {requests: {memory: 512m}}}}"),
        warn("spec.workerSpec.resources.requests.memory")
    );
    assert_eq!(
        of_rule("K08", "spec: {workerSpec: {resources: {requests: {memory: 512}}}}"),
        warn("spec.workerSpec.resources.requests.memory")
    );
    let cpu = |cpu: &str| of_rule("K14", &format!("spec: {{workerSpec: {{resources: {{{cpu}}}}}}}"));
    assert_eq!(cpu("requests: {cpu: '250'}"), warn("spec.workerSpec.resources.requests.cpu"));
    assert_eq!(cpu("limits: {cpu: 1000}"), warn("spec.workerSpec.resources.limits.cpu"));
    for (cores, fix) in
        [("500M", "did you mean 500m?"), ("250k", "did you mean 250m?"), ("1Gi", "did you mean 1m?")]
    {
        let found = findings(&format!("spec: {{workerSpec: {{resources: {{requests: {{cpu: {cores}}}}}}}}}"));
        let fixes: Vec<&str> = found.iter().filter(|it| it.rule == "K14").map(|it| it.fix.as_str()).collect();
        assert_eq!(fixes, [fix], "{cores}");
    }
    for fine in [
        "requests: {cpu: 1500u}",
        "requests: {cpu: 0M}",
        "requests: {cpu: 64}",
        "requests: {cpu: 50}",
        "limits: {cpu: 192}",
        "limits: {cpu: 1000m}",
        "requests: {memory: 1Mi}",
        "limits: {memory: 0}",
        "limits: {memory: 4Mi}",
        "requests: {memory: 1}",
        "limits: {hugepages-2Mi: 4Mi, cpu: 1}",
    ] {
        let overlay = format!("spec: {{workerSpec: {{sidecars: [{}]}}}}", container(fine));
        assert_eq!(found(&shop(&overlay), None), [], "{fine}");
    }
}

#[test]
fn budgets_that_let_no_pod_go_are_told() {
    let at = |budget: &str| {
        let overlay = format!("spec: {{workerSpec: {{numOfWorkers: 3, podDisruptionBudget: {{{budget}}}}}}}");
        of_rule("G19", &overlay)
    };
    let path = "spec.workerSpec.podDisruptionBudget";
    assert_eq!(at(""), deny(path));
    for (budget, field) in [
        ("minAvailable: three", "minAvailable"),
        ("maxUnavailable: '2'", "maxUnavailable"),
        ("minAvailable: 101%", "minAvailable"),
    ] {
        assert_eq!(at(budget), deny(&format!("{path}.{field}")), "{budget}");
    }
    for (budget, field) in [
        ("minAvailable: 3", "minAvailable"),
        ("minAvailable: 100%", "minAvailable"),
        ("minAvailable: 67%", "minAvailable"),
        ("maxUnavailable: 0", "maxUnavailable"),
        ("maxUnavailable: 0%", "maxUnavailable"),
    ] {
        assert_eq!(at(budget), warn(&format!("{path}.{field}")), "{budget}");
    }
    for budget in ["minAvailable: 2", "minAvailable: 66%", "maxUnavailable: 1", "maxUnavailable: 10%"] {
        assert_eq!(at(budget), [], "{budget}");
    }
}

#[test]
fn a_request_is_not_measured_by_a_limit_that_is_wrong_itself() {
    let at = |limit: &str| {
        let resources = format!("{{requests: {{memory: 1Gi}}, limits: {{memory: {limit}}}}}");
        of_rule("K09", &format!("spec: {{workerSpec: {{resources: {resources}}}}}"))
    };
    for limit in ["512m", "1 GB", "-1"] {
        assert_eq!(at(&format!("'{limit}'")), [], "{limit}");
    }
    assert_eq!(at("512Mi").len(), 1);
    assert_eq!(at("0").len(), 1);
}
