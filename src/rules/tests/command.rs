// SPDX-License-Identifier: Apache-2.0
//! The further cases of rules about the command and what it starts.

use super::*;

#[test]
fn a_shell_hands_all_arguments_on() {
    let at = |words: &str| of_rule("C20", &format!("spec: {{common: {{command: [{words}]}}}}"));
    let path = "spec.common.command";
    assert_eq!(at(r#"sh, -c, 'exec celery "$@"', celery"#), []);
    assert_eq!(at(r#"sh, -c, 'exec celery "$@"'"#), deny(path), "the first argument becomes $0");
    assert_eq!(at("sh, -c, 'celery $*'"), deny(path));
    assert_eq!(at("bash, -ec, 'exec celery ${@}'"), deny(path));
    assert_eq!(at(r#"sh, -c, 'exec celery "$0" "$@"'"#), [], "$0 is used as what it is");
    for lost in ["sh, -c, exec celery", "sh, -c, 'exec celery -A shop worker', celery"] {
        assert_eq!(at(lost), deny(path), "{lost}");
    }
    assert_eq!(at("sh, -c, 'exec celery $1 $2 $3', celery"), []);
    for kept in [
        "exec celery \"$@\" | tee /tmp/log",
        "exec 2>&1; celery \"$@\"",
        "celery \"$@\"; exec true",
        "(exec celery \"$@\")",
    ] {
        assert_eq!(at(&format!("sh, -c, '{kept}', celery")), warn(path), "{kept}");
    }
    for gone in ["exec celery \"$@\" &", "celery \"$@\" &"] {
        assert_eq!(at(&format!("sh, -c, '{gone}', celery")), deny(path), "{gone}");
    }
    assert_eq!(at("sh, -c, 'set -- celery \"$@\"; exec \"$@\"', celery"), []);
    assert_eq!(at(r#"sh, -c, 'celery "$@"', celery"#), warn(path));
    // Of two applications Celery takes the second.
    assert_eq!(at(r#"sh, -c, 'exec celery -A shop "$@"', celery"#), warn(path));
    assert_eq!(at("sh, ./start.sh"), []);
    // Beat would run this worker as well.
    assert_eq!(at("sh, -c, 'celery -A a worker -l INFO -c 4'"), deny(path));
    assert_eq!(at("sh, -c, ./start.sh"), warn(path), "it may choose by a variable");
    for wrong in [
        r#"sh, -c, 'exec "$@"', celery"#,
        r#"sh, -c, 'exec celery "$@"', sh, celery"#,
        r#"sh, -c, 'exec celery "$*"', celery"#,
        r#"sh, -c, "exec celery '$@'", celery"#,
        r#"sh, -c, 'exec celery \"$@\"', celery"#,
        r#"sh, -c, 'exec python wait.py && celery "$@"', celery"#,
        "bash, -c, celery",
        r#"sh, -c, 'exec celery -A shop.tasks worker "$@"', celery"#,
        r#"sh, -c, 'celery worker "$@"', celery"#,
        "bash",
        "bash, -l",
        "sh, -c",
        "tini, --, sh, -c, 'celery -A shop worker -l info'",
        "gosu, app, sh, -c, 'exec celery -A shop worker'",
        "su-exec, 'app:app', bash, -c, 'exec celery -A shop worker'",
        "setpriv, --reuid, '5', --clear-groups, sh, -c, 'exec celery -A shop worker'",
        "nice, -n, '5', sh, -c, 'exec celery -A shop worker'",
        "nice, sh, -c, 'exec celery -A shop worker'",
        "/usr/bin/dumb-init, -c, -r, '15:3', --, env, A=b, sh, -c, 'exec celery -A shop worker'",
    ] {
        assert_eq!(at(wrong), deny(path), "{wrong}");
    }
    for right in [
        r#"sh, -c, 'exec "$@"', sh, celery"#,
        r#"tini, -g, --, sh, -c, 'exec celery "$@"', celery"#,
        "gosu, app, sh, -c, 'exec celery \"$@\"', celery",
        "nice, --adjustment=5, celery",
        "bash, /app/run.sh, -c, celery",
        "bash, -e, /app/run.sh, -c, exec celery",
        r#"bash, -o, pipefail, -c, 'exec celery "$@"', celery"#,
        r#"bash, -c, 'args=("$@"); exec celery "${args[@]}"', celery"#,
        r#"bash, -c, 'if [ $1 = bash ]; then exec "$@"; fi; exec celery "$@"', celery"#,
        r#"sh, -c, "which celery\necho \"$*\"\nexec celery \"$@\"", celery"#,
        "env, A=b, celery",
        "tini",
        "bash, start.sh",
    ] {
        assert_eq!(at(right), [], "{right}");
    }
}

#[test]
fn a_web_server_is_told_from_celery() {
    let at = |words: &str| of_rule("C90", &format!("spec: {{common: {{command: [{words}]}}}}"));
    for words in
        ["gunicorn, 'a:app'", "/venv/bin/uvicorn, a", "poetry, run, gunicorn", "python, manage.py, runserver"]
    {
        assert_eq!(at(words), warn("spec.common.command"), "{words}");
    }
    for words in ["celery", "ddtrace-run, celery", "./gunicorn-or, celery", "python, manage.py, celery"] {
        assert_eq!(at(words), [], "{words}");
    }
}

#[test]
fn a_command_ends_before_the_app() {
    let at = |words: &str| of_rule("C26", &format!("spec: {{common: {{command: [{words}]}}}}"));
    for (words, index) in [
        ("celery, -A, shop", 1),
        ("celery, worker", 1),
        ("python, -m, celery, --app=shop, beat", 3),
        ("celery, --app, shop", 1),
        ("celery, flower", 1),
        ("celery, multi, start", 1),
        ("worker", 0),
        ("uv, run, --package, worker, celery, worker", 5),
        ("celery, -A, celery, worker", 1),
        ("celery, worker, -Q, celery", 1),
        ("env, -i, celery, worker", 3),
        ("celery, --workdir, worker, worker", 3),
        ("uv, run, --extra, celery, celery, worker", 5),
        ("python, -m, celery, multi", 3),
        ("celery -A shop worker", 0),
        ("poetry run celery", 0),
        ("''", 0),
        ("' '", 0),
        ("sh -c celery", 0),
        ("source, /venv/bin/activate, '&&', celery", 0),
        ("exec, celery", 0),
        ("'PYTHONPATH=/app', celery", 0),
        ("python, manage.py, migrate, '&&', celery", 3),
        ("celery, '|', tee", 1),
        (r#"bash, 'exec celery "$@"'"#, 1),
    ] {
        assert_eq!(at(words), deny(&format!("spec.common.command[{index}]")), "{words}");
    }
    for words in [
        "celery",
        "/venv/bin/celery",
        "poetry, run, celery",
        "poetry, run, multi",
        "newrelic-admin, run-program, celery",
        "python, -m, celery",
        "/sbin/tini, --, celery",
        "sh, -c, 'exec celery \"$@\"', worker",
        "env, 'A=b c', celery",
        "uv, run, --package, worker, celery",
        "conda, run, -n, worker, celery",
        "conda, run, -n, celery, celery",
        "chamber, exec, worker, --, celery",
        "uv, run, --extra, celery, --extra, flower, celery",
        "uv, run, --with, celery, --with, flower, celery",
        "uv, run, -q, --extra, worker, -q, celery",
        "celery, --workdir, worker",
        "celery, -b, flower",
        "chamber, exec, celery, worker, --, celery",
        "poetry, --directory, worker, run, celery",
    ] {
        assert_eq!(at(words), [], "{words}");
    }
}

#[test]
fn what_only_a_shell_reads_is_no_program_of_other_containers_either() {
    let at = |words: &str| of_common("C57", &format!("initContainers: [{{name: a, image: 'a:1', {words}}}]"));
    let path = "spec.common.initContainers[0]";
    assert_eq!(
        at("command: [python, manage.py, migrate, '&&', echo, done]"),
        deny(&format!("{path}.command[3]"))
    );
    assert_eq!(at("command: [python], args: [manage.py, '&&', 'true']"), deny(&format!("{path}.args[1]")));
    assert_eq!(at("command: [source, /env]"), deny(&format!("{path}.command[0]")));
    assert_eq!(at("command: [bash, 'exec ./migrate now']"), deny(&format!("{path}.command[1]")));
    for right in [
        "command: [sh, -c, 'a && b']",
        "command: [find, /tmp, -exec, rm, '{}', ;]",
        "command: [cut, -d, '|', /a]",
        "args: ['&&']",
    ] {
        assert_eq!(at(right), [], "{right}");
    }
}

#[test]
fn a_file_in_the_place_of_the_application_is_told_of_once() {
    let app = |text: &str| {
        let object = shop(&format!("spec: {{common: {{celeryApp: {text:?}}}}}"));
        let findings = check(&object, None, &surroundings()).expect("a Celery");
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for (text, id, module) in [
        ("shop/tasks.py", "C02", "shop.tasks"),
        ("./shop/tasks.py:app", "C02", "shop.tasks:app"),
        ("shop/tasks", "C02", "shop.tasks"),
        ("tasks.py", "C03", "tasks"),
        ("tasks.py:app", "C03", "tasks:app"),
    ] {
        let told = app(text);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(&format!("{module:?}")) && told[0].ends_with(&format!("[{id}]")),
            "{told:?}"
        );
    }
    assert_eq!(app("shop.tasks:app"), [] as [String; 0]);
}

#[test]
fn a_command_in_one_string_gets_no_command_of_another_project() {
    let findings = findings("spec: {common: {command: ['env API_KEY=hush celery']}}");
    let told: Vec<&str> = findings.iter().filter(|it| it.rule == "C26").map(|it| it.fix.as_str()).collect();
    assert_eq!(told, ["write each word as an element of its own"]);
}
