// SPDX-License-Identifier: Apache-2.0
//! Arguments that are refused, warned about or left alone, beyond the examples of the catalogue.

use serde_json::json;

use super::*;

/// What is found in the arguments of a worker: rule and severity.
fn of_args(args: &[&str]) -> Vec<(&'static str, Severity)> {
    let mut object = shop("{}");
    object["spec"]["workerSpec"]["args"] = json!(args);
    let findings = check(&object, None, &Facts::default()).expect("has the form of a Celery");
    findings.iter().map(|finding| (finding.rule, finding.severity)).collect()
}

#[test]
fn a_word_of_a_thousand_options_is_told_once() {
    let mut object = shop("{}");
    object["spec"]["workerSpec"]["args"] = json!(vec![format!("-{}", "E".repeat(2000)); 40]);
    let findings = check(&object, None, &Facts::default()).expect("has the form of a Celery");
    assert_eq!(findings.len(), 39, "each word repeats the one before");
}

#[test]
fn the_same_twice_is_a_warning_and_another_value_a_denial() {
    let of =
        |overlay: &str| of_rule("W14", overlay).into_iter().map(|(severity, _)| severity).collect::<Vec<_>>();
    assert_eq!(of("spec: {workerSpec: {concurrency: 2, args: ['-c', '2']}}"), [Severity::Warn]);
    assert_eq!(of("spec: {workerSpec: {logLevel: INFO, args: ['-l', info]}}"), [Severity::Warn]);
    assert_eq!(of("spec: {workerSpec: {queues: [a, b], args: ['-Q', 'a,b']}}"), [Severity::Warn]);
    assert_eq!(of("spec: {workerSpec: {concurrency: 2, args: ['-c', '3']}}"), [Severity::Deny]);
    assert_eq!(of("spec: {workerSpec: {args: ['-c', '2', '-c', '2']}}"), [Severity::Warn]);
}

#[test]
fn an_option_that_is_refused_anyway_is_told_once() {
    for (args, rule) in [("--purge=1", "W13"), ("--detach=true", "W06")] {
        assert_eq!(of_args(&[args]), [(rule, Severity::Deny)], "{args}");
    }
}

#[test]
fn options_of_celery_itself_are_nobodys_own() {
    let own =
        "spec: {workerSpec: {args: ['--app=shop', '--tenant', acme], userOptions: ['--app', '--tenant']}}";
    assert_eq!(found(&shop(own), None), [("W04", "spec.workerSpec.args[0]".to_owned())]);
}

#[test]
fn a_word_that_is_nothing_is_not_quoted() {
    for args in [
        &["redis://:hunter2@h:6379/0"][..],
        &["secret: hunter2"],
        &["token", "hunter2"],
        &["\u{2014}hunter2"],
    ] {
        let mut object = shop("{}");
        object["spec"]["workerSpec"]["args"] = json!(args);
        let findings = check(&object, None, &Facts::default()).expect("has the form of a Celery");
        assert!(!findings.is_empty());
        for finding in findings {
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
        }
    }
}

/// What is said of the arguments of a worker, or of beat.
fn said(overlay: &str) -> Vec<String> {
    let findings = check(&shop(overlay), None, &Facts::default()).expect("has the form of a Celery");
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_of_a_later_release_is_told_as_such() {
    let of = |version: &str, args: &str| {
        let overlay =
            format!("spec: {{common: {{celeryVersion: '{version}'}}, workerSpec: {{args: [{args}]}}}}");
        said(&overlay)
    };
    for args in ["'-c', auto", "'--concurrency=auto'", "'-cauto'"] {
        let texts = of("5.5", args);
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].ends_with(
            "\"auto\" needs Celery 5.7 or later; use another value, or correct celeryVersion [C12]"
        ));
    }
    assert!(of("5.2", "'-P', custom")[0].contains("\"custom\" needs Celery 5.3"));
    assert!(of("5.5", "'-c', many")[0].ends_with("is not a number of tasks; use 1 or more [W15]"));
    assert!(of("5.7", "'-c', auto").is_empty());
    assert!(said("spec: {workerSpec: {args: ['-c', auto]}}").is_empty(), "5.7 takes it");
}

#[test]
fn an_option_that_became_a_value_is_the_cause() {
    let text = "spec.workerSpec.args[1]: Invalid value: \"-c\": is taken for the value of -Q; write a value before \
                it [W47]";
    assert_eq!(said("spec: {workerSpec: {args: ['-Q', '-c', '4']}}"), [text]);
    assert_eq!(of_args(&["-c", "-E"]), [("W47", Severity::Deny)]);
    assert_eq!(of_args(&["-Q", "--concurrency=4", "-E"]), [("W47", Severity::Warn)]);
    // What only looks like an option may be meant.
    assert_eq!(of_args(&["-Q", "-mail"]), []);
    let beat = said("spec: {beatSpec: {args: ['-s', '-l', info]}}");
    assert!(
        beat.len() == 1 && beat[0].ends_with("is taken for the value of -s; write a value before it [T14]")
    );
}

#[test]
fn a_scheduler_that_became_a_file_is_told_as_such() {
    for args in ["'-B', '-S', django", "'-S', 'django_celery_beat.schedulers:DatabaseScheduler'"] {
        let texts = said(&format!("spec: {{workerSpec: {{args: [{args}]}}}}"));
        let text = "-S of a worker is --statedb; write --scheduler for the scheduler [W41]";
        assert!(texts.iter().any(|line| line.ends_with(text)), "{texts:?}");
    }
    let texts = said("spec: {workerSpec: {args: ['-B', '-S', /var/state]}}");
    assert!(texts.iter().any(|text| text.contains("is not on a volume")), "{texts:?}");
}

#[test]
fn a_value_of_a_flag_is_told_with_the_flag() {
    let text = "takes no value; write -E alone, or leave it out [W47]";
    let denial = format!("spec.workerSpec.args[0]: Invalid value: \"-E\": {text}");
    assert_eq!(said("spec: {workerSpec: {args: ['-E=true']}}"), [denial]);
    let old = "spec: {common: {celeryVersion: '4.4'}, workerSpec: {args: ['-E=true']}}";
    assert_eq!(said(old), [format!("spec.workerSpec.args[0]: \"-E\" {text}")]);
}

#[test]
fn options_of_the_app_are_known_without_their_dashes_too() {
    let of = |own: &str, args: &str| {
        said(&format!("spec: {{workerSpec: {{args: [{args}], userOptions: [{own}]}}}}"))
    };
    let text = |entry: &str, name: &str| {
        format!("spec.workerSpec.userOptions[0]: {entry:?} is not the name of an option; write {name} [W03]")
    };
    assert_eq!(of("tenant", "'--tenant=acme'"), [text("tenant", "--tenant")]);
    assert_eq!(of("'--tenant=acme'", "'--tenant', acme"), [text("--tenant=acme", "--tenant")]);
    assert_eq!(of("t", "'-t', acme"), [text("t", "-t")]);
    assert_eq!(of("'--tenant'", "'--tenant', acme").len(), 0);
    assert_eq!(of("tenant", "'--other=acme'").len(), 2);
}

#[test]
fn what_a_variable_holds_is_not_judged_by_any_release() {
    for version in ["4.4", "5.5", "5.7"] {
        let overlay = format!(
            "spec: {{common: {{celeryVersion: '{version}'}}, workerSpec: {{args: [$(OPTS), $(NAME), value],
                    env: [{{name: OPTS, value: '-E'}}, {{name: NAME, value: '-Q'}}]}}}}"
        );
        assert_eq!(said(&overlay).len(), 0, "{version}: {:?}", said(&overlay));
    }
}

#[test]
fn beat_is_judged_by_the_same_words() {
    let of = |args: &str| said(&format!("spec: {{beatSpec: {{args: [{args}]}}}}"));
    for (args, text) in [
        (
            "'--nosuch', x",
            "is not an option of celery beat; remove it, or list it in spec.beatSpec.userOptions if the app adds it [T11]",
        ),
        ("'--max_interval=5'", "is not an option of celery beat; write --max-interval [T11]"),
        ("'--version'", "--version prints a text and ends the container; remove it [T16]"),
        ("beat", "is in the command already; remove it: args begin after the word beat [T14]"),
        ("'--detach=yes'", "--detach makes the container exit at once; remove it [T16]"),
    ] {
        let texts = of(args);
        assert!(texts.len() == 1 && texts[0].ends_with(text), "{args}: {texts:?}");
    }
}

#[test]
fn the_schema_refuses_in_the_words_of_the_rule() {
    let definition = serde_json::to_string(&crate::api::crd::definition()).expect("serialises");
    for id in ["A23", "F21", "F36"] {
        let rule = catalogue::rules().find(|rule| rule.id == id).expect("a rule");
        let findings = check(&shop(rule.example.bad), None, &Facts::default()).expect("a Celery");
        let text = format!("{}; {}", findings[0].message, findings[0].fix);
        assert!(definition.contains(&text), "{text}");
    }
}

#[test]
fn a_short_option_takes_its_value_without_a_sign() {
    let text = |fix: &str| format!("a short option takes its value without =; {fix}");
    for (args, id, severity, fix) in [
        ("'-Q=a,b'", "W60", Severity::Deny, r#"write "-Q", "a,b""#),
        ("'-X=a'", "W60", Severity::Deny, r#"write "-X", "a""#),
        ("'-EI=shop.tasks'", "W60", Severity::Deny, r#"write "-EI", "shop.tasks""#),
        ("'-c=4'", "W60", Severity::Deny, r#"write "-c", "4""#),
        ("'-l=INFO'", "W60", Severity::Deny, r#"write "-l", "INFO""#),
        ("'-S=/tmp/state'", "W60", Severity::Deny, r#"write "-S", "/tmp/state""#),
        ("'-S=state'", "W60", Severity::Warn, r#"write "-S", "state""#),
        ("'-n=mail@%h'", "W60", Severity::Warn, r#"write "-n", "mail@%h""#),
        ("'-n=%z@%h'", "W60", Severity::Deny, "leave the = away, and correct the value"),
        ("'-Q='", "W60", Severity::Deny, r#"remove it, or write "-Q" and the value"#),
        ("'-Q=a b'", "W60", Severity::Deny, "leave the = away"),
    ] {
        let findings = findings(&format!("spec: {{workerSpec: {{args: [{args}]}}}}"));
        let others = findings.iter().filter(|it| it.rule != "W25");
        let told: Vec<_> =
            others.map(|it| (it.rule, it.severity, format!("{}; {}", it.message, it.fix))).collect();
        assert_eq!(told, [(id, severity, text(fix))], "{args}");
    }
    for (args, severity, fix) in [
        ("'-S=django'", Severity::Deny, r#"write "-S", "django""#),
        ("'-s=/tmp/x'", Severity::Deny, r#"write "-s", "/tmp/x""#),
        ("'-s=x'", Severity::Warn, r#"write "-s", "x""#),
        ("'-l=INFO'", Severity::Deny, r#"write "-l", "INFO""#),
    ] {
        let findings = findings(&format!("spec: {{beatSpec: {{args: [{args}]}}}}"));
        let told: Vec<_> =
            findings.iter().map(|it| (it.rule, it.severity, format!("{}; {}", it.message, it.fix))).collect();
        assert_eq!(told, [("T14", severity, text(fix))], "{args}");
    }
    // The argparse of Celery 4 takes the sign away; of options that have to go others tell.
    for (version, args) in
        [("4.4", "-Q=a"), ("5.6", "-f=/var/log/x"), ("5.6", "-s=x"), ("5.6", "-Qa=b"), ("5.6", "--queues==a")]
    {
        let overlay =
            format!("spec: {{common: {{celeryVersion: '{version}'}}, workerSpec: {{args: ['{args}']}}}}");
        assert_eq!(of_rule("W60", &overlay), [], "{args}");
    }
}

#[test]
fn text_that_nobody_expands_is_told_in_fields_too() {
    for (spec, expected) in [
        (
            "{queues: [a, $QUEUE]}",
            "spec.workerSpec.queues[1]: no shell reads it; write $(NAME) for a variable [W43]",
        ),
        (
            "{excludeQueues: ['${Q}']}",
            "spec.workerSpec.excludeQueues[0]: no shell reads it; write $(NAME) for a variable [W43]",
        ),
        (
            "{nodeName: a@$HOSTNAME}",
            "spec.workerSpec.nodeName: no shell reads it; write %h for the host [W43]",
        ),
        (
            "{args: ['-n', 'a@${HOSTNAME}']}",
            "spec.workerSpec.args[1]: no shell reads the arguments; write %h for the host [W43]",
        ),
        ("{queues: [$(NOPE)]}", "spec.workerSpec.queues[0]: no variable NOPE is in env; add it [W51]"),
        (
            "{nodeName: a@$(HOSTNAME)}",
            "spec.workerSpec.nodeName: no variable HOSTNAME is in env; write %h for the host [W51]",
        ),
    ] {
        assert_eq!(said(&format!("spec: {{workerSpec: {spec}}}")), [expected], "{spec}");
    }
    // Where two pods of one name meet, the text that nobody expands is as bad as any other name.
    let many = "spec: {workerSpec: {numOfWorkers: 2, nodeName: a@$NODE}}";
    assert_eq!(of_rule("W43", many), [(Severity::Deny, "spec.workerSpec.nodeName".to_owned())]);
    assert_eq!(of_rule("W29", many), []);
    assert_eq!(said("spec: {workerSpec: {queues: [$(Q)], env: [{name: Q, value: a}]}}").len(), 0);
}

#[test]
fn an_autoscaler_of_celery_has_a_child_at_most_or_more() {
    for (args, numbers) in [
        ("'--autoscale=0,0'", 1),
        ("'--autoscale=0'", 1),
        ("'--autoscale=-3,1'", 1),
        ("'--autoscale', '2,-1'", 1),
        ("'--autoscale=-2,-1'", 1),
        ("'--autoscale=10,3,1'", 1),
        ("'--autoscale=0,1'", 0),
        ("'--autoscale=1'", 0),
        ("'--autoscale=$(MOST),0'", 0),
    ] {
        let overlay = format!("spec: {{workerSpec: {{args: [{args}], env: [{{name: MOST, value: '4'}}]}}}}");
        let found = of_rule("W22", &overlay);
        assert_eq!(
            found.iter().filter(|(severity, _)| *severity == Severity::Deny).count(),
            numbers,
            "{args}"
        );
        assert_eq!(found.len(), numbers, "{args}");
    }
}

#[test]
fn heartbeats_have_a_pause_between_them() {
    for (spec, expected) in [
        ("heartbeatInterval: -1", warn("spec.workerSpec.heartbeatInterval")),
        ("args: ['--heartbeat-interval=-1']", warn("spec.workerSpec.args[0]")),
        ("heartbeatInterval: -1, args: ['--heartbeat-interval=5']", vec![]),
        ("heartbeatInterval: 0", vec![]),
        ("heartbeatInterval: 2", vec![]),
    ] {
        assert_eq!(of_rule("W63", &format!("spec: {{workerSpec: {{{spec}}}}}")), expected, "{spec}");
    }
}
