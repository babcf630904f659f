// SPDX-License-Identifier: Apache-2.0
//! What the rules ask about a shell in front of Celery, and which words only a shell understands.

use std::collections::BTreeSet;

pub(super) use crate::celery::shell::{
    Handed, behind_init, ends_at_once, every_command, execs_another, handed, is_celery, is_shell,
    only_command, program, said_before, script, script_at, starts_alone, steps_aside,
};

/// The parts of Celery that the operator starts.
pub(super) const STARTED: [&str; 3] = ["worker", "beat", "flower"];

/// Most words of a line that are written out.
const MAX_LISTED: usize = 8;

/// Whether a command is a shell that is told nothing to run.
#[must_use]
pub(super) fn has_nothing_to_run(command: &[String]) -> bool {
    let own = if program(command) == Some("busybox") { 2 } else { 1 };
    let is_option = |word: &String| word.starts_with(['-', '+']);
    is_shell(command) && command.iter().skip(own).all(is_option)
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

/// Whether a script uses one of these parameters: `@` for `$@` and `${@}`.
#[must_use]
pub(super) fn uses(script: &str, parameters: &[char]) -> bool {
    script.split('$').skip(1).any(|after| after.trim_start_matches('{').starts_with(parameters))
}

/// Whether a script starts one part of Celery by name, whatever the arguments: `celery -A shop worker`. One that chooses
/// among several may do so by a variable.
#[must_use]
pub(super) fn starts_one_part(script: &str) -> bool {
    let parts: BTreeSet<&str> = every_command(script).filter_map(part).collect();
    parts.len() == 1
}

/// The sub-command of Celery that one simple command starts.
fn part(command: Vec<&str>) -> Option<&str> {
    let mut words = command.into_iter();
    words.find(|word| is_celery(word))?;
    words.find(|word| STARTED.contains(word) || *word == "multi")
}

/// A word that only a shell would understand, where none does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// Which word of the command.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) fix: String,
    /// Whether no program can be meant to get it.
    pub(super) is_certain: bool,
}

/// What begins a line for a shell, and is no program anywhere.
const BUILTINS: [&str; 9] = [".", "eval", "exec", "export", "for", "if", "set", "source", "while"];

/// The first word of a command that only a shell would understand, where no shell reads it.
#[must_use]
pub(super) fn needs_a_shell(command: &[String]) -> Option<Unread> {
    let begin = command.len() - behind_init(command).len();
    let started = &command[begin..];
    let found =
        |at, message: String, fix: &str| Some(Unread { at, message, fix: fix.to_owned(), is_certain: true });
    let first = started.first()?.as_str();
    if BUILTINS.contains(&first) {
        let message = "is a word of the shell and no program".to_owned();
        return found(begin, message, "use [sh, -c, 'the whole line']");
    }
    if sets_a_variable(first) {
        let message = "sets a variable, which only a shell or env does".to_owned();
        return found(begin, message, "set it in env, or write env before it");
    }
    // What stands behind a script are its parameters, of which it is to make something.
    let behind = match script_at(started) {
        Some(at) => begin + at + 1,
        None if is_shell(started) => {
            let at = begin + 1 + started[1..].iter().position(|word| !word.starts_with(['-', '+']))?;
            // A folder may have blanks in its name.
            let is_line = command[at].trim().contains(char::is_whitespace) && !command[at].starts_with('/');
            let message = "is the name of a file for a shell without -c".to_owned();
            return if is_line { found(at, message, "write -c before it") } else { None };
        }
        None => begin,
    };
    // Another shell may stand further on: timeout 10 sh -c '…'.
    let is_free = |at: usize| !(begin + 1..at).any(|start| is_shell(&command[start..]));
    let at = (behind..command.len()).find(|at| CONNECTIVES.contains(&command[*at].as_str()))?;
    is_free(at).then(|| Unread {
        at,
        message: format!("no shell reads {}", command[at]),
        fix: "use [sh, -c, 'the whole line']".to_owned(),
        is_certain: ["&&", "||", "2>&1"].contains(&command[at].as_str()),
    })
}

/// Whether a word is `NAME=value`; a folder may have such a sign in its name.
fn sets_a_variable(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
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
    fn what_only_a_shell_understands_is_found_where_none_reads_it() {
        let words = |line: &str| line.split('|').map(|word| word.replace('¦', "|")).collect::<Vec<_>>();
        let at = |line: &str| needs_a_shell(&words(line)).map(|found| (found.at, found.is_certain));
        for (line, expected) in [
            ("source|/venv/bin/activate|&&|celery", (0, true)),
            ("tini|--|exec|celery", (2, true)),
            ("PYTHONPATH=/app|celery", (0, true)),
            ("python|manage.py|migrate|&&|celery", (3, true)),
            ("celery|¦|tee", (1, false)),
            ("bash|exec celery \"$@\"", (1, true)),
            ("sh|-c|cd /app|&&|celery", (3, true)),
        ] {
            assert_eq!(at(line), Some(expected), "{line}");
        }
        for line in [
            "",
            "celery",
            "env|PYTHONPATH=/app|celery",
            "sh|-c|cd /app && exec celery \"$@\"|celery",
            "bash|/my app/start.sh",
            "timeout|10|sh|-c|a|&&",
            "./a=b|celery",
            "bash|-lc|exec \"$@\"|bash|celery",
        ] {
            assert_eq!(at(line), None, "{line}");
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
            "/opt/celery -A shop worker",
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
