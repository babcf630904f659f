// SPDX-License-Identifier: Apache-2.0
//! What the rules ask about a shell in front of Celery, and which words only a shell understands.

use std::collections::BTreeSet;

pub(super) use crate::celery::shell::{
    Handed, behind_init, ends_at_once, execs_another, handed, is_shell, program, script, script_at,
    steps_aside,
};

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
