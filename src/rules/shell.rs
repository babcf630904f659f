// SPDX-License-Identifier: Apache-2.0
//! What a shell makes of words: how a command is read where one stands in front of Celery, and which words only a shell
//! understands.

mod script;

use std::collections::BTreeSet;

pub(super) use script::{Handed, ends_at_once, execs_another, handed, steps_aside};

/// Most words of a line that are written out.
const MAX_LISTED: usize = 8;

/// The name of the program that a command starts, without its folder.
#[must_use]
pub(super) fn program(command: &[String]) -> Option<&str> {
    command.first().map(|word| word.rsplit('/').next().unwrap_or(word))
}

/// What a command starts behind programs that only prepare for it: an init for the container, or `env`.
#[must_use]
pub(super) fn behind_init(command: &[String]) -> &[String] {
    let mut rest = command;
    loop {
        let takes_value: &[&str] = match program(rest) {
            Some("tini" | "tini-static" | "catatonit") => &["-p", "-e"],
            Some("dumb-init") => &["-r", "--rewrite"],
            Some("env") => &["-u", "--unset", "-C", "--chdir"],
            _ => return rest,
        };
        let is_env = program(rest) == Some("env");
        let mut at = 1;
        while let Some(word) = rest.get(at) {
            if takes_value.contains(&word.as_str()) {
                at += 1;
            } else if !(word.starts_with('-') || is_env && word.contains('=')) {
                break;
            }
            at += 1;
            if word == "--" {
                break;
            }
        }
        rest = rest.get(at..).unwrap_or_default();
    }
}

/// Whether a command is a shell that is told nothing to run.
#[must_use]
pub(super) fn has_nothing_to_run(command: &[String]) -> bool {
    let own = if program(command) == Some("busybox") { 2 } else { 1 };
    let is_option = |word: &String| word.starts_with(['-', '+']);
    is_shell(command) && command.iter().skip(own).all(is_option)
}

/// Whether a command starts a shell.
#[must_use]
pub(super) fn is_shell(command: &[String]) -> bool {
    program(command)
        .is_some_and(|name| ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"].contains(&name))
}

/// The words of a line as the list to write instead, where they need no quoting and none may be a credential.
#[must_use]
pub(super) fn listed(line: &str) -> Option<String> {
    let is_plain = |word: &str| {
        let letters = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.,-/=".contains(letter));
        let lower = word.to_lowercase();
        letters
            && word.len() <= 64
            && !["pass", "secret", "token", "key"].iter().any(|part| lower.contains(part))
    };
    let words: Vec<&str> = line.split_whitespace().take(MAX_LISTED + 1).collect();
    let told = (1..=MAX_LISTED).contains(&words.len()) && words.iter().all(|word| is_plain(word));
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    told.then(|| format!("[{}]", quoted.join(", ")))
}

/// What a shell is told to run by `-c`, also among other letters (`-ec`).
#[must_use]
pub(super) fn script(command: &[String]) -> Option<&str> {
    Some(command[script_at(command)?].as_str())
}

/// Which word of a command is the script of its shell. The word behind it is `$0`, those after that are `$@`.
#[must_use]
pub(super) fn script_at(command: &[String]) -> Option<usize> {
    if !is_shell(command) {
        return None;
    }
    let is_flag = |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.contains('c');
    let flag = command.iter().position(|word| is_flag(&word))?;
    command[flag..].iter().position(|word| !word.starts_with('-')).map(|at| flag + at)
}

/// Whether a script uses one of these parameters: `@` for `$@` and `${@}`.
#[must_use]
pub(super) fn uses(script: &str, parameters: &[char]) -> bool {
    script.split('$').skip(1).any(|after| after.trim_start_matches('{').starts_with(parameters))
}

/// Whether a script starts one part of Celery by name, whatever the arguments: `celery -A shop worker`. One that chooses
/// among several may do so by a variable.
#[must_use]
pub(super) fn starts_one_part(script: &str) -> bool {
    let parts: BTreeSet<&str> = script.split([';', '&', '|', '(', ')', '\n']).filter_map(part).collect();
    parts.len() == 1
}

/// The sub-command of Celery that one simple command starts.
fn part(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    words.find(|word| *word == "celery" || word.ends_with("/bin/celery"))?;
    words.find(|word| ["worker", "beat", "flower", "multi"].contains(word))
}

/// Words that connect commands.
const CONNECTIVES: &[&str] = &["&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"];

/// Whether a word has a meaning in a shell and none here.
pub(super) fn is_for_a_shell(word: &str) -> bool {
    let expands = |word: &str| {
        let mut rest = word;
        while let Some((_, after)) = rest.split_once('$') {
            if after.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic()) {
                return true;
            }
            // Kubernetes reads "$(NAME)" and "$$".
            rest = after.strip_prefix('$').unwrap_or(after);
        }
        false
    };
    let is_python = word.contains("%(") && !word.contains('=');
    CONNECTIVES.contains(&word) || word.contains('`') || word.contains("&&") || is_python || expands(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_script_of_a_shell_is_found() {
        for command in [&["sh", "-c", "x"][..], &["/bin/bash", "-eu", "-o", "pipefail", "-c", "x", "y"]] {
            assert_eq!(script(&words(command)), Some("x"), "{command:?}");
        }
        assert_eq!(script(&words(&["bash", "-ec", "x"])), Some("x"));
        for command in [&[][..], &["celery", "-c", "x"], &["sh", "start.sh"], &["sh", "-c"]] {
            assert_eq!(script(&words(command)), None, "{command:?}");
        }
    }

    #[test]
    fn a_line_is_written_as_a_list_without_secrets() {
        assert_eq!(listed(" celery  -A shop ").as_deref(), Some("[\"celery\", \"-A\", \"shop\"]"));
        for line in [
            "",
            " ",
            "celery -b redis://:hush@cache",
            "run --password hush",
            "echo 'a b'",
            "a b c d e f g h i",
        ] {
            assert_eq!(listed(line), None, "{line}");
        }
    }

    #[test]
    fn parameters_are_found_in_both_spellings() {
        for script in ["exec celery \"$@\"", "celery ${@}", "celery ${@:2}", "celery $$@"] {
            assert!(uses(script, &['@', '*']), "{script}");
        }
        for script in ["", "celery @", "celery $x@", "a@b $1"] {
            assert!(!uses(script, &['@', '*']), "{script}");
        }
    }

    #[test]
    fn a_part_of_celery_is_found_by_name() {
        for script in [
            "celery -A shop worker -l INFO -c 4",
            "cd /app && python -m celery -A shop worker",
            "sleep 5; /venv/bin/celery -A $APP beat",
            "celery multi start w1 -A shop",
        ] {
            assert!(starts_one_part(script), "{script}");
        }
        for script in [
            "",
            "./start.sh worker",
            "celery $ARGS",
            "celery -A shop inspect ping",
            "cd celery && ./run worker",
            "if $BEAT; then celery -A shop beat; else celery -A shop worker; fi",
        ] {
            assert!(!starts_one_part(script), "{script}");
        }
    }

    #[test]
    fn words_for_a_shell_are_told_from_words_for_kubernetes() {
        for word in ["$X", "${X:-4}", "--concurrency=$N", "`nproc`", "&&", "a$$$b", "%(here)s"] {
            assert!(is_for_a_shell(word), "{word}");
        }
        for word in ["$(X)", "$$X", "cost$", "a$1", "%h", "a|b", "--logfile=%n%I.log", ""] {
            assert!(!is_for_a_shell(word), "{word}");
        }
    }
}
