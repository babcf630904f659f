// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about beat.

use crate::rules::tests::shop;
use crate::rules::{Facts, Severity, check};

const DENY: Severity = Severity::Deny;
const WARN: Severity = Severity::Warn;

fn found(overlay: &str) -> Vec<(&'static str, Severity, String)> {
    let findings = check(&shop(overlay), None, &Facts::default()).expect("a Celery");
    findings.into_iter().map(|it| (it.rule, it.severity, it.path)).collect()
}

fn of(beat: &str) -> Vec<(&'static str, Severity)> {
    let overlay = format!("spec: {{beatSpec: {{{beat}}}}}");
    found(&overlay).into_iter().map(|(rule, severity, _)| (rule, severity)).collect()
}

#[test]
fn beat_in_workers_is_found_in_every_spelling() {
    let ids = |rest: &str| {
        let found = found(&format!("spec: {{beatSpec: {{}}, {rest}}}"));
        found.into_iter().filter(|it| it.0 == "T02").map(|it| it.2).collect::<Vec<_>>()
    };
    assert_eq!(ids("workerPools: [{name: a, args: ['-c', '1', '--beat']}]"), ["spec.workerPools[0].args[2]"]);
    assert_eq!(ids("common: {command: [sh, -c, 'exec celery -A a worker -B']}"), ["spec.common.command"]);
    assert!(ids("workerSpec: {args: ['-n', '-B%h']}").is_empty());
}

#[test]
fn two_words_in_one_are_told_once() {
    for (word, severity) in [
        ("--scheduler django", DENY),
        ("-S django", DENY),
        ("-l DEBUG", DENY),
        ("--max-interval 30", DENY),
        ("--loglevel INFO", DENY),
        ("--schedule /x", DENY),
        ("-s /data/x", DENY),
        ("-s x", WARN),
    ] {
        assert_eq!(of(&format!("args: ['{word}']")), [("T14", severity)], "{word}");
    }
    let overlay = "spec: {beatSpec: {persistence: {}, args: ['-s /data/x']}}";
    assert_eq!(found(overlay), [("T14", DENY, "spec.beatSpec.args[0]".to_owned())]);
    let findings = check(&shop("spec: {beatSpec: {args: ['-S django']}}"), None, &Facts::default());
    assert_eq!(findings.expect("a Celery")[0].fix, r#"write "-S", "django""#);
}

#[test]
fn a_file_that_cannot_be_written_is_found_where_it_is_named() {
    let with = |context: &str, rest: &str| {
        let overlay =
            format!("spec: {{common: {{containerSecurityContext: {{{context}}}}}, beatSpec: {{{rest}}}}}");
        found(&overlay)
    };
    let at = |severity, path: &str| vec![("T03", severity, path.to_owned())];
    let read_only = "readOnlyRootFilesystem: true";
    let file = "spec.beatSpec.scheduleFile";
    assert_eq!(with("runAsNonRoot: true", "scheduleFile: beat"), at(WARN, file));
    assert_eq!(with(read_only, "scheduleFile: /var/beat"), at(DENY, file));
    assert_eq!(with(read_only, "args: ['-s', beat]"), at(DENY, "spec.beatSpec.args[1]"));
    assert_eq!(with("", "scheduleFile: beat"), []);
    assert_eq!(with(read_only, "scheduleFile: /data/beat/file, persistence: {}"), []);
    assert_eq!(with(read_only, "scheduler: django, scheduleFile: beat"), []);
    // Kubelet puts the folder in, and what a variable names as the scheduler may keep no file.
    assert_eq!(with(read_only, "scheduleFile: $(DIR)/beat, env: [{name: DIR, value: /tmp}]"), []);
    let of_django = "env: [{name: CELERY_BEAT_SCHEDULER, value: django}]";
    assert_eq!(with(read_only, &format!("scheduleFile: beat, {of_django}")), []);
}

#[test]
fn schedulers_have_their_variants() {
    for (beat, expected) in [
        ("scheduler: django", vec![]),
        ("scheduler: redbeat.RedBeatScheduler", vec![("C48", WARN)]),
        ("scheduler: own", vec![("T04", WARN)]),
        ("scheduler: a/b", vec![("T04", DENY)]),
        ("args: ['-S', 'a b']", vec![("T04", DENY)]),
        ("args: ['--scheduler=$(SCHEDULER)'], env: [{name: SCHEDULER, value: x}]", vec![]),
        ("scheduler: $(SCHEDULER), env: [{name: SCHEDULER, value: x}]", vec![]),
    ] {
        assert_eq!(of(beat), expected, "{beat}");
    }
}

#[test]
fn arguments_have_their_variants() {
    for (beat, expected) in [
        ("args: ['--nosuch=1']", vec![("T11", DENY)]),
        ("args: ['--nosuch=1', '--other', x], userOptions: ['--nosuch', '--other']", vec![]),
        ("args: ['--nosuch=1'], userOptions: [nosuch]", vec![("T11", WARN)]),
        ("args: ['-A', shop]", vec![("T12", DENY)]),
        ("args: ['-l', verbose]", vec![("T14", DENY)]),
        ("args: ['-s']", vec![("T14", DENY)]),
        ("args: ['--pidfile=/run/beat.pid']", vec![("T16", WARN)]),
        ("args: ['--help']", vec![("T16", DENY)]),
        ("maxInterval: 5, args: ['--max-interval=5']", vec![("T17", WARN)]),
        ("args: ['-l', INFO, '--loglevel=DEBUG']", vec![("T17", DENY)]),
        ("args: ['--', 'beat.sync_every=1']", vec![]),
        ("persistence: {existingClaim: a, storageClass: b}", vec![("T15", WARN)]),
        ("persistence: {size: 10}", vec![("T15", WARN)]),
        ("persistence: {size: 512k}", vec![("T15", WARN)]),
        ("persistence: {size: 1Mi}", vec![]),
        ("persistence: {size: 0}", vec![("T15", DENY)]),
        ("persistence: {}, scheduleFile: /data/beat/own", vec![]),
        ("persistence: {}, scheduleFile: /data/other", vec![("T15", DENY)]),
        ("persistence: {}, args: ['-s', beat]", vec![("T15", DENY)]),
        ("persistence: {}, args: ['-s', beat], scheduler: django", vec![]),
    ] {
        assert_eq!(of(beat), expected, "{beat}");
    }
}

#[test]
fn what_an_old_or_unknown_celery_refuses_is_a_warning() {
    for version in ["4.4", "6.0"] {
        let overlay = format!(
            "spec: {{common: {{celeryVersion: '{version}'}}, beatSpec: {{args: ['--max_interval=5']}}}}"
        );
        let found: Vec<_> = found(&overlay).into_iter().filter(|it| it.0 == "T11").collect();
        assert_eq!(found, [("T11", WARN, "spec.beatSpec.args[0]".to_owned())], "{version}");
    }
}

#[test]
fn entries_are_judged_where_a_beat_reads_them() {
    let bad =
        "config: {beat_schedule: {a: {task: t, schedule: '5'}, b: {task: t, schedule: 5, enabled: true}}}";
    let severities = |beat: &str| {
        let findings = check(&shop(&format!("spec: {{common: {{{bad}}}, {beat}}}")), None, &Facts::default());
        let findings = findings.expect("a Celery").into_iter().filter(|finding| finding.rule == "T18");
        findings.map(|finding| finding.severity).collect::<Vec<_>>()
    };
    for (beat, expected) in [
        ("beatSpec: {}", vec![Severity::Deny; 2]),
        ("workerSpec: {args: [-B]}", vec![Severity::Deny; 2]),
        ("beatSpec: {scheduler: 'celery.beat:Scheduler'}", vec![Severity::Deny; 2]),
        // A package may know more keys, and tells of the rest in its log.
        ("beatSpec: {scheduler: django}", vec![Severity::Warn]),
        ("beatSpec: {env: [{name: CELERY_BEAT_SCHEDULER, value: django}]}", vec![Severity::Warn]),
        ("flowerSpec: {auth: {allowUnauthenticated: true}}", vec![]),
    ] {
        assert_eq!(severities(beat), expected, "{beat}");
    }
}
