// SPDX-License-Identifier: Apache-2.0
//! The program that a probe starts to ask Celery something: a command stands in front of Celery to prepare its start, and
//! what it does once must not be done for each question.

use crate::celery::shell::{
    behind_init, celery_in, is_celery, is_shell, only_prepares, only_program, program, script_at,
};

/// Programs that start what stands behind them and do nothing else.
const RUNNERS: [&str; 16] = [
    "chrt",
    "conda",
    "ddtrace-run",
    "dotenv",
    "ionice",
    "mamba",
    "micromamba",
    "newrelic-admin",
    "numactl",
    "opentelemetry-instrument",
    "pdm",
    "pipenv",
    "poetry",
    "runuser",
    "stdbuf",
    "uv",
];

/// Programs that say for whom, or with what, a command runs.
const PREPARES: [&str; 5] = ["env", "gosu", "nice", "setpriv", "su-exec"];

/// The words that start Celery and nothing else, where the command is plain to read; `None` where something else may run
/// in front of it: a script, or a shell that does more.
#[must_use]
pub fn alone(command: &[String]) -> Option<Vec<String>> {
    if command.is_empty() {
        return Some(vec!["celery".to_owned()]);
    }
    let started = behind_init(command);
    let words = if is_shell(started) {
        let at = script_at(started)?;
        only_program(&started[at], &started[at + 1..])?
    } else {
        started.to_vec()
    };
    starts_celery(&words).then(|| [preparation(command), &words].concat())
}

/// The words that are likely to start Celery, where somebody wants a ping whatever the command is.
#[must_use]
pub fn likely(command: &[String]) -> Vec<String> {
    let celery = || vec!["celery".to_owned()];
    let whole =
        || if command.last().is_some_and(|last| is_celery(last)) { command.to_vec() } else { celery() };
    let started = behind_init(command);
    let in_shell = || {
        let at = script_at(started).filter(|_| is_shell(started))?;
        let (script, behind) = (started[at].as_str(), &started[at + 1..]);
        // Where celery is found may be one of the variables.
        let prepared = only_prepares(script, behind).then(|| command.to_vec());
        Some(
            prepared
                .or_else(|| celery_in(script).filter(|words| starts_celery(words)))
                .unwrap_or_else(celery),
        )
    };
    alone(command).or_else(in_shell).unwrap_or_else(whole)
}

/// What stands in front of a command, unless that is an init for the container alone: a variable or a user may decide
/// whether Celery is found.
fn preparation(command: &[String]) -> &[String] {
    let before = &command[..command.len() - behind_init(command).len()];
    let is_more = |at| program(&before[at..]).is_some_and(|name| PREPARES.contains(&name));
    if (0..before.len()).any(is_more) { before } else { &[] }
}

fn starts_celery(words: &[String]) -> bool {
    let words = behind_init(words);
    let Some((last, before)) = words.split_last() else { return false };
    let is_script = |word: &String| {
        let ends = word.rsplit_once('.').is_some_and(|(_, end)| ["py", "sh"].contains(&end));
        ends || word.starts_with("./") || word.contains("entrypoint")
    };
    let is_module = before.last().is_some_and(|word| word == "-m") || last.contains('/');
    is_celery(last)
        && !words.iter().any(is_script)
        && program(words).is_some_and(|first| {
            before.is_empty() || RUNNERS.contains(&first) || (first.starts_with("python") && is_module)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn celery_alone_is_plain_to_read() {
        for (command, expected) in [
            ("", "celery"),
            ("celery", "celery"),
            ("/venv/bin/celery", "/venv/bin/celery"),
            ("python3|-m|celery", "python3|-m|celery"),
            ("python|/venv/bin/celery", "python|/venv/bin/celery"),
            ("poetry|run|celery", "poetry|run|celery"),
            ("uv|run|--package|worker|celery", "uv|run|--package|worker|celery"),
            ("gosu|app|celery", "gosu|app|celery"),
            ("/sbin/tini|--|celery", "celery"),
            ("env|-u|A|celery", "env|-u|A|celery"),
            ("tini|--|env|PATH=/v|sh|-c|exec celery \"$@\"|celery", "tini|--|env|PATH=/v|celery"),
            ("sh|-c|exec celery \"$@\"|celery", "celery"),
            ("/bin/bash|-ec|exec /venv/bin/celery \"$@\" 2>&1|celery", "/venv/bin/celery"),
            ("tini|--|sh|-c|celery \"$@\"|celery", "celery"),
            ("sh|-c|exec \"$@\"|sh|poetry|run|celery", "poetry|run|celery"),
            ("sh|-c|exec \"$0\" \"$@\"|celery", "celery"),
            ("bash|-c|set -euo pipefail; umask 7; cd /app && exec celery \"$@\"|celery", "celery"),
            ("sh|-c|exec gosu app celery \"$@\"|celery", "gosu|app|celery"),
            ("sh|-c|A=b exec python -m celery \"$@\"|celery", "python|-m|celery"),
        ] {
            let found = alone(&words(command));
            assert_eq!(found, Some(words(expected)), "{command}");
            assert_eq!(likely(&words(command)), words(expected), "{command}");
        }
    }

    #[test]
    fn what_else_may_run_is_never_guessed() {
        for (command, likely_words) in [
            ("/entrypoint.sh|celery", "/entrypoint.sh|celery"),
            ("poetry|run|./entrypoint|celery", "poetry|run|./entrypoint|celery"),
            ("python|manage.py|celery", "python|manage.py|celery"),
            ("python|-c|celery", "python|-c|celery"),
            ("chamber|exec|shop|--|celery", "chamber|exec|shop|--|celery"),
            ("bash|/app/run.sh|celery", "bash|/app/run.sh|celery"),
            ("./start", "celery"),
            ("bash|start.sh", "celery"),
            ("bash", "celery"),
            ("tini", "celery"),
            ("sh|-c|exec celery", "celery"),
            ("bash|-c|sleep 20; exec celery \"$@\"|celery", "celery"),
            ("/bin/sh|-c|./wait; exec /venv/bin/celery \"$@\"|celery", "/venv/bin/celery"),
            ("sh|-c|sleep 20; exec \"$@\"|sh|/venv/bin/celery", "celery"),
            (
                "sh|-c|cd /app && exec ./bin/celery \"$@\"|celery",
                "sh|-c|cd /app && exec ./bin/celery \"$@\"|celery",
            ),
            ("sh|-c|. ./env && exec celery \"$@\"|celery", "sh|-c|. ./env && exec celery \"$@\"|celery"),
            ("sh|-c|export A=b; exec celery \"$@\"|celery", "sh|-c|export A=b; exec celery \"$@\"|celery"),
            ("sh|-c|set -- celery \"$@\"; exec \"$@\"|celery", "celery"),
            ("sh|-c|set -- -v; exec celery \"$@\"|celery", "celery"),
            ("sh|-c|celery \"$@\" \\| tee /log|celery", "celery"),
            ("sh|-c|exec celery \"$@\"; ./after|celery", "celery"),
            ("sh|-c|exec $CELERY \"$@\"|celery", "celery"),
            ("sh|-c|exec celery -q \"$@\"|celery", "sh|-c|exec celery -q \"$@\"|celery"),
            ("sh|-c|run() { ./wait; }; run && exec celery \"$@\"|celery", "celery"),
            (
                "sh|-c|exec ./entrypoint.sh celery \"$@\"|celery",
                "sh|-c|exec ./entrypoint.sh celery \"$@\"|celery",
            ),
        ] {
            let (command, expected) = (command.replace("\\|", "¦"), words(likely_words));
            let command: Vec<String> = words(&command).iter().map(|word| word.replace('¦', "|")).collect();
            assert_eq!(alone(&command), None, "{command:?}");
            assert_eq!(likely(&command), expected, "{command:?}");
        }
    }
}
