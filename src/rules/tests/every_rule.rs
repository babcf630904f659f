// SPDX-License-Identifier: Apache-2.0
//! What holds for every rule of the catalogue: its examples, its texts, the fields that it guards.

use super::*;

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
fn examples_that_need_more_than_the_object_say_what() {
    for rule in catalogue::rules() {
        let Some(beside) = example::beside(rule) else {
            assert!(!rule.is_about_facts(), "{}", rule.id);
            continue;
        };
        let facts = example::facts(rule);
        let mut objects = facts.secret_keys.keys().chain(facts.config_maps.keys());
        let is_told = objects.any(|name| beside.contains(&format!("`{name}`")));
        let other = ["cluster", "Celery"].iter().any(|word| beside.contains(word));
        assert!(is_told || other, "{}: {beside}", rule.id);
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
