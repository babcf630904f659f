// SPDX-License-Identifier: Apache-2.0
//! What becomes of the arguments of a script, and which words start Celery with them.

use super::commands::{RESERVED, Simple, commands, is_assignment};
use super::{WRAPPERS, is_celery};

/// How a script hands its arguments on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// The first of them is the program: `exec "$@"`.
    AsProgram,
    /// All of them go to Celery: `exec celery "$@"`.
    ToCelery,
    /// In quotes that make one word of them, or leave them as they are written.
    Misquoted,
}

/// What quotes make of all arguments that are not `"$@"`.
const MISQUOTED: [&str; 8] =
    ["'$@'", "'$*'", "\"$*\"", "\"${*}\"", "\\\"$@\\\"", "\\\"$*\\\"", "\"'$@'\"", "\\$@"];
/// What changes the arguments before they are handed on.
const REARRANGES: [&str; 3] = ["set", "shift", "eval"];

/// Whether a script changes its arguments. In a function they are those of the function.
fn rearranges(script: &str, commands: &[Simple]) -> bool {
    let head = |simple: &Simple| simple.head().is_some_and(|head| REARRANGES.contains(&head));
    script.contains("()") || commands.iter().any(head)
}

/// How a script hands its arguments on, where that is plain to see.
#[must_use]
pub fn handed(script: &str) -> Option<Handed> {
    if script.split(['\n', ';', '&', '|', '(', ')']).any(misquotes) {
        return Some(Handed::Misquoted);
    }
    let commands = commands(script);
    if rearranges(script, &commands) {
        return None;
    }
    let handing = commands.iter().filter(|simple| simple.words.iter().any(|word| is_all(word)));
    let ways = handing.map(|simple| {
        let mut words = simple.words.iter().skip_while(|word| *word == "exec");
        match words.next()? {
            head if is_all(head) => Some(Handed::AsProgram),
            head if is_celery(head) && words.next().is_some_and(|word| is_all(word)) => {
                Some(Handed::ToCelery)
            }
            _ => None,
        }
    });
    // Where there are several, the script chooses among them by what it was given.
    let ways: Vec<Option<Handed>> = ways.collect();
    ways.iter().all(|way| *way == ways[0]).then(|| ways.first().copied().flatten()).flatten()
}

/// Whether the quotes in a simple command of Celery make something else of all arguments than they are.
fn misquotes(command: &str) -> bool {
    let is_before = |word: &&str| {
        *word == "exec" || RESERVED.contains(word) || WRAPPERS.contains(word) || is_assignment(word)
    };
    let mut words = command.split_whitespace().skip_while(is_before);
    words.next().is_some_and(|head| is_celery(head.trim_matches(['"', '\''])))
        && words.any(|word| MISQUOTED.contains(&word))
}

/// What a script says to Celery itself in front of all its arguments, unless it changes them before.
#[must_use]
pub fn said_before(script: &str) -> Vec<String> {
    let commands = commands(script);
    if rearranges(script, &commands) {
        return Vec::new();
    }
    let said = commands.iter().map(|simple| {
        let celery = simple.words.iter().position(|word| is_celery(word));
        let all = simple.words.iter().position(|word| is_all(word));
        let (Some(celery), Some(all)) = (celery, all) else { return Vec::new() };
        simple.words.get(celery + 1..all).unwrap_or_default().to_vec()
    });
    // Where it chooses among several, it may know what it was given.
    let mut said: Vec<Vec<String>> = said.filter(|words| !words.is_empty()).collect();
    if said.len() == 1 { said.pop().unwrap_or_default() } else { Vec::new() }
}

/// Whether a script starts Celery without a word behind it, which says how it is used and ends.
#[must_use]
pub fn starts_alone(script: &str) -> bool {
    let is_alone = |simple: &Simple| matches!(simple.words.as_slice(), [only] if is_celery(only));
    commands(script).iter().any(is_alone)
}

/// Whether a word stands for all arguments.
pub(super) fn is_all(word: &str) -> bool {
    word == "$@" || word == "${@}"
}

/// Heads of commands that change the shell alone, and not what a program is found by.
const QUIET: [&str; 4] = ["cd", "set", "ulimit", "umask"];
/// Heads of commands that bring variables in.
const BRINGS: [&str; 3] = [".", "export", "source"];

/// The words in front of all arguments in the last command of a script, where a shell runs that with `behind` behind it:
/// a program with its own options. `None` where the words are not plain to see, or where an earlier command is none of
/// those whose heads are named.
fn last_program(script: &str, behind: &[String], heads: &[&str]) -> Option<Vec<String>> {
    if script.contains("()") {
        return None;
    }
    let commands = commands(script);
    let (last, before) = commands.split_last()?;
    let is_meant = |simple: &Simple| {
        let is_quiet = simple.head().is_some_and(|head| heads.contains(&head));
        let rearranges = simple.words[0] == "set" && !simple.words[1..].iter().all(|word| is_switch(word));
        is_quiet && !rearranges && simple.is_alone() && !simple.words.iter().any(|word| word.contains('`'))
    };
    let words = last.words.strip_prefix(&["exec".to_owned()]).unwrap_or(&last.words);
    let at = words.iter().position(|word| is_all(word))?;
    let is_plain = |word: &String| !word.contains(['$', '`', '*', '?', '<', '>']);
    if !before.iter().all(is_meant)
        || !last.is_alone()
        || !words[at + 1..].iter().all(|word| word.contains(['<', '>']))
    {
        return None;
    }
    match &words[..at] {
        [] => behind.get(1..).map(<[String]>::to_vec),
        [name] if name == "$0" => behind.first().map(|name| vec![name.clone()]),
        words => words.iter().all(is_plain).then(|| words.to_vec()),
    }
}

/// Whether a word switches an option of the shell.
fn is_switch(word: &str) -> bool {
    word.starts_with(['-', '+']) && word != "--"
        || ["errexit", "nounset", "pipefail", "xtrace"].contains(&word)
}

/// The program that a script starts with all its arguments, where nothing else runs: `exec celery "$@"`.
#[must_use]
pub fn only_program(script: &str, behind: &[String]) -> Option<Vec<String>> {
    let words = last_program(script, behind, &QUIET)?;
    // Other programs look for their project in the folder into which the shell went.
    let stays = !commands(script).iter().any(|simple| simple.words[0] == "cd");
    let is_found_anywhere = |word: &String| word.starts_with('/') || !word.contains('/');
    (words.iter().take(1).all(is_found_anywhere) && (stays || words.len() == 1)).then_some(words)
}

/// Whether a script only brings variables in before it starts a program with all its arguments.
#[must_use]
pub fn only_prepares(script: &str, behind: &[String]) -> bool {
    last_program(script, behind, &[&QUIET[..], &BRINGS[..]].concat()).is_some()
}

/// The words that start Celery with all arguments of a script, whatever else it does: `/venv/bin/celery`.
#[must_use]
pub fn celery_in(script: &str) -> Option<Vec<String>> {
    commands(script).into_iter().find_map(|simple| {
        let words = simple.words.strip_prefix(&["exec".to_owned()]).unwrap_or(&simple.words);
        let at = words.iter().position(|word| is_all(word))?;
        let is_plain = |word: &String| !word.contains(['$', '`', '*', '?', '<', '>']);
        let words = &words[..at];
        (words.last().is_some_and(|word| is_celery(word)) && words.iter().all(is_plain))
            .then(|| words.to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_says_before_the_arguments() {
        for (script, said) in [
            ("exec celery -A shop worker \"$@\"", "-A shop worker"),
            ("cd /app && celery worker \"$@\"", "worker"),
            ("exec celery \"$@\"", ""),
            ("shift 3; exec celery -A shop worker \"$@\"", ""),
            ("if $W; then celery worker \"$@\"; else celery beat \"$@\"; fi", ""),
            ("exec python manage.py celery worker \"$@\"", "worker"),
        ] {
            assert_eq!(said_before(script).join(" "), said, "{script}");
        }
        assert!(starts_alone("celery") && starts_alone("cd /app && /venv/bin/celery"));
        assert!(!starts_alone("which celery") && !starts_alone("celery \"$@\""));
    }

    #[test]
    fn arguments_are_handed_on_as_a_program_or_to_celery() {
        for (script, expected) in [
            ("exec \"$@\"", Some(Handed::AsProgram)),
            (". ./env; exec ${@}", Some(Handed::AsProgram)),
            ("exec celery \"$@\"", Some(Handed::ToCelery)),
            ("cd /app && /venv/bin/celery \"$@\" 2>&1", Some(Handed::ToCelery)),
            ("exec celery '$@'", Some(Handed::Misquoted)),
            ("exec celery \\\"$@\\\"", Some(Handed::Misquoted)),
            ("exec celery \"$*\"", Some(Handed::Misquoted)),
            ("exec celery $*", None),
            ("exec poetry run celery \"$@\"", None),
            ("exec \"$0\" \"$@\"", None),
            ("set -- celery \"$@\"; exec \"$@\"", None),
            ("run() { exec \"$@\"; }; run celery \"$@\"", None),
            ("su app -c 'celery \"$@\"'", None),
            ("celery --version; echo \"$*\"; exec ./start \"$@\"", None),
            ("which celery\necho \"$*\"\nexec celery \"$@\"", Some(Handed::ToCelery)),
            ("which celery\nexec celery \"$@\"", Some(Handed::ToCelery)),
            ("A=b exec celery \"$*\"", Some(Handed::Misquoted)),
            ("if [ $1 = bash ]; then exec \"$@\"; fi; exec celery \"$@\"", None),
            ("case $1 in celery) exec \"$@\";; *) exec celery \"$@\";; esac", None),
            ("if ./a; then exec \"$@\"; fi; exec \"$@\"", Some(Handed::AsProgram)),
            ("args=(\"$@\"); exec celery \"${args[@]}\"", None),
            ("declare -a A=(-q \"$@\"); A+=(\"$@\"); exec celery \"${A[@]}\"", None),
            ("", None),
        ] {
            assert_eq!(handed(script), expected, "{script}: {:?}", commands(script));
        }
    }
}
