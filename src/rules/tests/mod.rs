// SPDX-License-Identifier: Apache-2.0
//! The rules as a whole: what holds for all of them, and the further cases of each area below.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

mod args;
mod backend;
mod broker;
mod common;
mod credentials;
mod pods;
mod replicas;
mod settings;
mod shutdown;
mod sqs;
mod variables;
mod worker;

/// The small correct Celery with this YAML laid over it.
pub(super) fn shop(overlay: &str) -> Value {
    example::object(overlay).unwrap_or_else(|error| panic!("{overlay}: {error}"))
}

/// What surrounds the examples: two Celery objects of the same namespace.
fn surroundings() -> Facts {
    let neighbours =
        example::NEIGHBOURS.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned()));
    Facts { neighbours: neighbours.collect(), ..Facts::default() }
}

fn found(object: &Value, old: Option<&Value>) -> Vec<(&'static str, String)> {
    located(check(object, old, &surroundings()).expect("has the form of a Celery"))
}

/// What is found of one rule: how severe, and where.
fn of_rule(id: &str, overlay: &str) -> Vec<(Severity, String)> {
    let findings = check(&shop(overlay), None, &surroundings()).expect("has the form of a Celery");
    let of_rule = findings.into_iter().filter(|finding| finding.rule == id);
    of_rule.map(|finding| (finding.severity, finding.path)).collect()
}

/// The same of an object with this in `spec.common`.
fn of_common(id: &str, common: &str) -> Vec<(Severity, String)> {
    of_rule(id, &format!("spec: {{common: {{{common}}}}}"))
}

/// What is found in an overlay.
fn findings(overlay: &str) -> Vec<Finding> {
    check(&shop(overlay), None, &Facts::default()).expect("has the form of a Celery")
}

/// Every line that is printed about an object, warnings as clients cut them.
fn lines(overlay: &str) -> Vec<String> {
    let findings = check(&shop(overlay), None, &surroundings()).expect("a Celery");
    let line = |finding: &Finding| {
        format!("{}: {}; {} [{}]", finding.path, finding.message, finding.fix, finding.rule)
    };
    findings.iter().filter(|finding| finding.severity == Severity::Warn).map(line).collect()
}

/// One denial.
fn deny(path: &str) -> Vec<(Severity, String)> {
    vec![(Severity::Deny, path.to_owned())]
}

/// One warning.
fn warn(path: &str) -> Vec<(Severity, String)> {
    vec![(Severity::Warn, path.to_owned())]
}

/// The short way and the long one come to the same.
#[test]
fn what_the_schema_refuses_is_known_without_asking_every_rule() {
    let mut refused = 0;
    for rule in catalogue::rules() {
        for overlay in [rule.example.bad, rule.example.good] {
            let (new, old) = (shop(overlay), rule.example.old.map(shop));
            let Ok(findings) = check(&new, old.as_ref(), &surroundings()) else { continue };
            let long = findings.iter().any(|finding| finding.schema && finding.severity == Severity::Deny);
            let short = is_refused_by_schema(&new, old.as_ref()).expect("has the form of a Celery");
            assert_eq!(short, long, "{}: {overlay}", rule.id);
            refused += usize::from(long);
        }
    }
    assert!(refused > 50, "only {refused} examples are refused by the schema");
}

#[test]
fn rules_about_facts_find_nothing_in_the_object_alone() {
    for rule in catalogue::rules().filter(|rule| rule.is_about_facts()) {
        assert_eq!(found(&shop(rule.example.bad), rule.example.old.map(shop).as_ref()), [], "{}", rule.id);
    }
}

#[test]
fn what_the_facts_say_of_an_object_they_say_of_the_one_before_it_too() {
    for rule in catalogue::rules().filter(|rule| rule.is_about_facts()) {
        let (facts, before) = (example::facts(rule), shop(rule.example.bad));
        let mut after = before.clone();
        after["metadata"]["labels"] = json!({"team": "a"});
        let typed = serde_json::from_value(before.clone()).expect("a Celery");
        let of_before = all(&typed, None, &before, &facts);
        let of_after = check(&after, Some(&before), &facts).expect("a Celery");
        assert!(!of_after.is_empty(), "{}", rule.id);
        for finding in of_after {
            assert!(of_before.iter().any(|known| known.same_matter(&finding)), "{finding}");
            assert_eq!(finding.severity, Severity::Warn, "{finding}");
        }
    }
}

/// What an example of a rule leads to: when it is stored, or when it is scaled.
fn outcome(rule: &Rule, overlay: &str) -> Vec<(&'static str, String)> {
    let object = shop(overlay);
    let old = rule.example.old.map(shop);
    let mut findings =
        located(check(&object, old.as_ref(), &example::facts(rule)).expect("has the form of a Celery"));
    if rule.is_about_scaling() {
        findings.extend(located(check_scale(&object)));
    }
    findings
}

fn located(findings: Vec<Finding>) -> Vec<(&'static str, String)> {
    findings.into_iter().map(|finding| (finding.rule, finding.path)).collect()
}

#[test]
fn every_bad_example_is_found_under_its_id_alone_and_every_good_one_is_free() {
    let mut wrong = Vec::new();
    for rule in catalogue::rules() {
        let bad = outcome(rule, rule.example.bad);
        if bad != [(rule.id, rule.example.at.to_owned())] {
            wrong.push(format!("{}, bad: {bad:?}", rule.id));
        }
        let good = outcome(rule, rule.example.good);
        if !good.is_empty() {
            wrong.push(format!("{}, good: {good:?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bad_examples_have_the_severity_of_their_rule() {
    for rule in catalogue::rules() {
        let old = rule.example.old.map(shop);
        let findings = check(&shop(rule.example.bad), old.as_ref(), &example::facts(rule)).expect("a Celery");
        for finding in findings.iter().filter(|finding| finding.rule == rule.id) {
            assert_eq!(finding.severity, rule.severity, "{}", rule.id);
            assert_eq!(finding.schema, rule.schema || finding.schema, "{}", rule.id);
        }
    }
}

#[test]
fn warnings_fit_into_a_line_wherever_their_pool_stands() {
    for rule in catalogue::rules() {
        let old = rule.example.old.map(shop);
        for finding in check(&shop(rule.example.bad), old.as_ref(), &example::facts(rule)).expect("a Celery")
        {
            let path = finding.path.replace("spec.workerSpec", "spec.workerPools[0]");
            let value = finding.value.as_ref().map(|value| format!("{value:?} ")).unwrap_or_default();
            let line = format!("{path}: {value}{}; {} [{}]", finding.message, finding.fix, finding.rule);
            assert!(
                finding.severity == Severity::Deny || line.chars().count() <= 120,
                "{} characters: {line}",
                line.chars().count()
            );
        }
    }
}

#[test]
fn ids_are_unique_and_texts_are_there() {
    let ids: BTreeSet<&str> = catalogue::rules().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), catalogue::rules().count());
    for rule in catalogue::rules() {
        let check = &rule.check;
        assert!(!check.is_schema() || !check.fields.is_empty(), "{}", rule.id);
        assert!(rule.check.fields.is_empty() || !rule.check.fix.is_empty(), "{}", rule.id);
        assert!(!rule.title.is_empty() && rule.consequence.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_rule_that_does_two_things_says_when() {
    let mut seen = 0;
    for rule in catalogue::entries() {
        let Some((_, when)) = rule.also() else {
            assert_eq!(rule.exception(), None, "{}", rule.id);
            continue;
        };
        let begins = ["when ", "for ", "with ", "where ", "in "].iter().any(|word| when.starts_with(word));
        assert!(begins && when.len() > 12 && !when.ends_with(['.', ' ', ',']), "{}: {when:?}", rule.id);
        seen += 1;
    }
    assert!(seen > 50, "only {seen} rules do two things");
    let of = |id: &str| catalogue::rules().find(|rule| rule.id == id).and_then(Rule::exception);
    assert_eq!(of("G04").as_deref(), Some("Only warns with Celery 4."));
    assert_eq!(of("W08").as_deref(), Some("Denies when the file lies on a volume."));
}

#[test]
fn every_field_of_a_rule_is_guarded_by_garde() {
    let broken = shop(
        "spec: {common: {image: ' ', appName: '_', celeryApp: '/', celeryVersion: x, broker: {url: null,
                    redis: {host: '', port: 0, db: -1, passwordSecretRef: {}}, urlSecretRef: {name: _, key: /}, sqs: {}}},
                workerSpec: {numOfWorkers: -1, image: '/', maxTasksPerChild: 0, prefetchMultiplier: 0,
                             gracefulShutdown: {timeoutSeconds: 0, softTimeoutSeconds: -1}},
                workerPools: [{name: _, numOfWorkers: -1, image: '/', maxTasksPerChild: 0, prefetchMultiplier: 0,
                               gracefulShutdown: {timeoutSeconds: 0, softTimeoutSeconds: -1}}],
                beatSpec: {maxInterval: 0},
                flowerSpec: {image: '/', replicas: -1, servicePort: 0, nodePort: 0, version: x, urlPrefix: ':', maxTasks: 0,
                    maxWorkers: 0, purgeOfflineWorkersSeconds: -1, inspectTimeoutMs: 0, persistence: {saveIntervalSeconds: -1},
                    ingress: {host: 'a:1', tlsSecretName: _}, tls: {secretName: _}, brokerApiSecretRef: {},
                    auth: {basic: {secretRef: {}}, oauth: {keySecretRef: {}, secretSecretRef: {}, cookieSecretRef: {}}}},
                scaleTargetRef: [{kind: worker, minReplicas: -1, maxReplicas: 0,
                                  pollingInterval: 0, cooldownPeriod: 0, idleReplicas: 1, activationValue: -1,
                                  fallback: {failureThreshold: -1, replicas: -1}, triggerAuthenticationRef: {name: _},
                                  metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 0}}]}]}",
    );
    let rabbit = shop(
        "spec: {common: {broker: {url: null, rabbitmq: {host: 'a:1', port: 70000,
                usernameSecretRef: {}, passwordSecretRef: {}}}}}",
    );
    let reported: BTreeSet<String> = [broken, rabbit]
        .iter()
        .flat_map(|object| found(object, None))
        .map(|(_, at)| path::pattern(&at))
        .collect();
    for rule in catalogue::rules() {
        for field in rule.check.fields {
            assert!(
                reported.contains(*field),
                "{}: nothing guards {field}, or the objects of this test do not break it: add a breach to them",
                rule.id
            );
        }
    }
}

/// The fields with a garde attribute that checks something, as the sources of the types name them.
fn guarded() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut fields = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of the types") {
        let source = std::fs::read_to_string(entry.expect("an entry").path()).expect("a source");
        let mut checks = false;
        for line in source.lines().map(str::trim) {
            checks |= line.starts_with("#[garde(") && !line.contains("(skip)") && !line.contains("(dive)");
            if let Some(field) = line.strip_prefix("pub ").filter(|_| checks) {
                let words = field.split(':').next().unwrap_or_default().split('_');
                let camel = words.enumerate().map(|(index, word)| match index {
                    0 => word.to_owned(),
                    _ => word[..1].to_uppercase() + &word[1..],
                });
                fields.push(camel.collect());
                checks = false;
            }
        }
    }
    fields
}

#[test]
fn every_guarded_field_belongs_to_a_rule() {
    let fields = guarded();
    assert!(fields.len() > 15, "the reader of attributes sees only {fields:?}");
    let named: BTreeSet<&str> = catalogue::rules()
        .flat_map(|rule| rule.check.fields.iter().filter_map(|field| field.rsplit('.').next()))
        .collect();
    for field in fields {
        assert!(
            named.contains(field.as_str()),
            "{field} has a garde attribute and no rule names it in Check::field"
        );
    }
}

#[test]
fn all_mistakes_come_in_one_answer() {
    let object = shop(
        "spec: {common: {image: My/App, celeryApp: shop/tasks, broker: {url: 'cache:6379'}},
                flowerSpec: {servicePort: 0, serviceType: Foo, auth: {allowUnauthenticated: true}},
                scaleTargetRef: [{kind: queue, minReplicas: 4, maxReplicas: 2, metrics: [{name: tasks, target: {}}]}]}",
    );
    let ids: BTreeSet<&str> = found(&object, None).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, BTreeSet::from(["A01", "A02", "A05", "A07", "B04", "C02", "C04", "F08", "F09"]));
}

#[test]
fn duplicates_are_found_by_key() {
    let metric = "{name: cpu, target: {type: AverageValue, averageValue: 500m}}";
    let twice = shop(&format!(
        "spec: {{scaleTargetRef: [{{kind: worker, maxReplicas: 3, metrics: [{metric}, {metric}]}},
                                  {{kind: worker, pool: default, maxReplicas: 3, metrics: [{metric}]}}]}}"
    ));
    let expected = [
        ("A01", "spec.scaleTargetRef[1]".to_owned()),
        ("A04", "spec.scaleTargetRef[0].metrics[1].name".to_owned()),
    ];
    let mut findings = found(&twice, None);
    findings.sort();
    assert_eq!(findings, expected);
}

#[test]
fn what_was_already_wrong_is_a_warning_on_update() {
    let old = shop("spec: {common: {broker: {url: 'cache:6379'}}}");
    let same = shop("{metadata: {labels: {team: a}}, spec: {common: {broker: {url: 'cache:6379'}}}}");
    let worse = shop("spec: {common: {broker: {url: 'other:6379'}}}");
    let severity = |new: &Value| check(new, Some(&old), &Facts::default()).expect("a Celery")[0].severity;
    assert_eq!(severity(&same), Severity::Warn);
    assert_eq!(severity(&worse), Severity::Deny);
}

#[test]
fn a_moved_item_keeps_its_place() {
    let target = |kind: &str, max: u32| {
        format!(
            "{{kind: {kind}, maxReplicas: {max}, metrics: [{{name: cpu, target: {{type: Utilization}}}}]}}"
        )
    };
    let spec = |a: &str, b: &str| shop(&format!("spec: {{flowerSpec: {{}}, scaleTargetRef: [{a}, {b}]}}"));
    let old = spec(&target("worker", 3), &target("flower", 3));
    let moved = spec(&target("flower", 3), &target("worker", 3));
    assert!(
        check(&moved, Some(&old), &Facts::default())
            .expect("a Celery")
            .iter()
            .all(|finding| finding.severity == Severity::Warn)
    );
}

#[test]
fn a_secret_is_never_quoted() {
    for url in [
        "redis://:hunter2@cache",
        "redis://:hunter2#@cache",
        "redis://:hunter2/@cache/abc",
        "rabbitmq://app:hunter2@mq",
        "amqp://app:hunter2@a;b:5672",
        "amqp://app:hunter2@a;redis://b",
        "app:hunter2@mq",
        " redis://:hunter2@cache",
        "redis://app:hunter2",
        "rediss://:hunter2@cache?ssl_cert_reqs=x",
        "memory://app:hunter2@x",
        "memory://;amqp://app:hunter2@mq",
    ] {
        let object = shop(&format!("spec: {{common: {{broker: {{url: {url:?}}}}}}}"));
        let findings = check(&object, None, &Facts::default()).expect("a Celery");
        assert!(!findings.is_empty(), "{url}");
        for finding in findings {
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}

#[test]
fn messages_say_what_to_write_instead() {
    let object = shop("spec: {common: {broker: {url: 'rabbitmq://app@mq'}, image: My/App}}");
    let texts: Vec<String> =
        check(&object, None, &Facts::default()).expect("a Celery").iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "spec.common.broker.url: Invalid value: \"rabbitmq://***@mq\": has the scheme \"rabbitmq\", which Celery \
             does not know; did you mean amqp://? [B05]",
            "spec.common.image: Invalid value: \"My/App\": has capital letters in the repository name; use \
             registry/name:tag in lower-case letters [C04]",
        ]
    );
}

#[test]
fn long_values_are_cut_and_control_characters_are_escaped() {
    let mut object = shop("{}");
    object["spec"]["common"]["image"] = json!(format!("A\u{7}{}", "x".repeat(200)));
    let text = check(&object, None, &Facts::default()).expect("a Celery")[0].text();
    assert!(text.starts_with(&format!("Invalid value: \"A\\u{{7}}{}…\":", "x".repeat(62))), "{text}");
}

#[test]
fn wrong_types_are_left_to_the_schema() {
    for overlay in
        ["spec: {workerSpec: {numOfWorkers: three}}", "spec: [1]", "spec: {common: {celeryVersion: 5.1}}"]
    {
        assert!(check(&shop(overlay), None, &Facts::default()).is_err(), "{overlay}");
    }
    for object in
        [json!(null), json!({}), json!({"spec": {}}), json!({"metadata": {}, "spec": {"common": {}}})]
    {
        let _ = check(&object, Some(&object), &Facts::default());
    }
}
