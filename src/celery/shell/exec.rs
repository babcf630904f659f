// SPDX-License-Identifier: Apache-2.0
//! Whether something in a script takes the place of the shell, and whether the shell stays.

use super::arguments::is_all;
use super::commands::{Sign, Simple, commands};
use super::{WRAPPERS, is_celery};

/// Whether a script hands its place over to what it starts, or passes signals on by itself. What stands in quotes for
/// another shell is believed.
#[must_use]
pub fn steps_aside(script: &str) -> bool {
    let commands = commands(script);
    let hands_over = |simple: &&Simple| simple.head() == Some("exec");
    let first = commands.iter().position(runs_celery).unwrap_or(commands.len());
    let is_good = |simple: &Simple| simple.is_alone() && has_program(&simple.words[1..]);
    let quoted = commands.iter().flat_map(|simple| &simple.words).any(|word| {
        let mut inner = word.split(|letter: char| letter.is_whitespace() || ";&|\"'".contains(letter));
        word.contains(char::is_whitespace) && inner.any(|part| part == "exec")
    });
    let traps = commands.iter().any(|simple| simple.head() == Some("trap"));
    traps || quoted || commands[..first].iter().filter(hands_over).any(is_good)
}

/// Whether nothing keeps the shell once it has started its last command: `celery "$@" &`.
#[must_use]
pub fn ends_at_once(script: &str) -> bool {
    let commands = commands(script);
    let waits = |simple: &Simple| simple.head().is_some_and(|head| ["wait", "trap"].contains(&head));
    commands.last().is_some_and(|last| last.after == Sign::Background && last.depth == 0)
        && !commands.iter().any(waits)
}

/// Whether a script begins with an `exec` of another program than Celery, which it names further on.
#[must_use]
pub fn execs_another(script: &str) -> bool {
    let commands = commands(script);
    let [first, rest @ ..] = commands.as_slice() else { return false };
    let words = first.words.get(1..).unwrap_or_default();
    let may_be_celery =
        |word: &String| word.contains('$') || word.contains("celery") || word.contains(char::is_whitespace);
    script.trim_start().starts_with("exec ")
        && first.after == Sign::Other
        && has_program(words)
        && !words.iter().any(may_be_celery)
        && rest.iter().any(|simple| simple.words.iter().any(|word| is_celery(word)))
}

/// Whether a command starts Celery, or whatever it was told to, beside the shell.
fn runs_celery(simple: &Simple) -> bool {
    let head = simple.words.iter().find(|word| !WRAPPERS.contains(&word.as_str()));
    head.is_some_and(|head| is_celery(head) || is_all(head))
}

/// Whether `exec` has a program to start, and not only files to write to.
fn has_program(words: &[String]) -> bool {
    let mut is_target = false;
    words.iter().any(|word| {
        let is_redirection = word.contains(['<', '>']);
        let counts = !is_redirection && !is_target;
        is_target = is_redirection && word.ends_with(['<', '>']);
        counts
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_is_the_head_of_a_command_that_takes_the_place_of_the_shell() {
        for script in [
            "exec celery \"$@\"",
            "cd /app && exec celery",
            "{ exec celery; }",
            "A=b exec celery \"$@\" 2>&1",
            "exec celery \"$@\" >/tmp/log 2>&1; echo never",
            "./wait; exec /venv/bin/celery \"$@\" # | not read &",
            "if $BEAT; then exec celery beat; else exec celery worker; fi",
            "case $1 in worker) exec celery \"$@\";; esac",
            "set -- celery \"$@\"; exec \"$@\"",
            "exec 2>&1; exec celery \"$@\"",
            "for i in $(seq 3); do ./try && exec celery \"$@\"; done",
            "PGPASSWORD=$(cat /run/pw | tail -1) ./wait; exec celery \"$@\"",
            "run() { exec celery \"$@\"; }; run \"$@\"",
            "trap 'kill $p' TERM; celery & p=$!; wait",
            "su app -c 'exec celery worker'",
            "args=(\"$@\"); exec celery \"${args[@]}\"",
            "declare -a args\nargs+=(-q \"$@\")\nexec celery \"${args[@]}\"",
        ] {
            assert!(steps_aside(script) && !ends_at_once(script), "{script}: {:?}", commands(script));
        }
        for script in [
            "",
            "./executor && celery",
            "exec celery \"$@\" &",
            "exec celery \"$@\" | tee /tmp/log",
            "./input | exec celery \"$@\"",
            "exec 2>&1; celery \"$@\"",
            "exec > /tmp/log 2>&1; celery \"$@\"",
            "celery \"$@\"; exec true",
            "\"$@\" && exec true",
            "(exec celery \"$@\")",
            "echo exec; celery \"$@\"",
        ] {
            assert!(!steps_aside(script), "{script}: {:?}", commands(script));
        }
    }

    #[test]
    fn an_exec_of_another_program_is_the_last_that_happens() {
        for script in ["exec python wait.py && celery \"$@\"", "exec ./wait; exec celery \"$@\""] {
            assert!(execs_another(script), "{script}");
        }
        for script in [
            "exec celery \"$@\"; echo never",
            "exec ddtrace-run celery \"$@\"",
            "exec \"$0\" \"$@\" || celery",
            "exec 2>&1; celery \"$@\"",
            "[ -f x ] && exec ./migrate; celery \"$@\"",
            "exec ./start \"$@\"",
            "",
        ] {
            assert!(!execs_another(script), "{script}");
        }
    }

    #[test]
    fn a_shell_with_nothing_left_to_do_ends() {
        for script in ["celery \"$@\" &", "exec celery \"$@\" &", "./wait; celery \"$@\" & # for ever"] {
            assert!(ends_at_once(script), "{script}");
        }
        for script in
            ["celery \"$@\" & wait", "celery & wait $!", "celery \"$@\"", "a & exec b", "a && b 2>&1", ""]
        {
            assert!(!ends_at_once(script), "{script}");
        }
    }
}
