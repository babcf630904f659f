// SPDX-License-Identifier: Apache-2.0
//! What a shell makes of words, where one stands in front of Celery.

mod arguments;
mod commands;
mod exec;

pub use arguments::{Handed, celery_in, handed, only_prepares, only_program, said_before, starts_alone};
pub use commands::{every_command, only_command};
pub use exec::{ends_at_once, execs_another, steps_aside};

/// Commands that start what stands behind them.
const WRAPPERS: [&str; 4] = ["command", "env", "nohup", "time"];

/// The name of the program that a command starts, without its folder.
#[must_use]
pub fn program(command: &[String]) -> Option<&str> {
    command.first().map(|word| word.rsplit('/').next().unwrap_or(word))
}

/// Whether a word starts Celery.
#[must_use]
pub fn is_celery(word: &str) -> bool {
    word.rsplit('/').next() == Some("celery")
}

/// What a command starts behind programs that only prepare for it: an init for the container, `env`, or one that changes
/// user or priority.
#[must_use]
pub fn behind_init(command: &[String]) -> &[String] {
    let mut rest = command;
    while let Some((takes_value, words)) = program(rest).and_then(prepares) {
        let is_env = program(rest) == Some("env");
        let (mut at, mut words) = (1, words);
        while let Some(word) = rest.get(at) {
            if takes_value.contains(&word.as_str()) {
                at += 1;
            } else if !(word.starts_with('-') || is_env && word.contains('=')) {
                if words == 0 {
                    break;
                }
                words -= 1;
            }
            at += 1;
            if word == "--" {
                break;
            }
        }
        rest = rest.get(at..).unwrap_or_default();
    }
    rest
}

/// The options that take a value, and the number of words before the command, of a program that only prepares.
fn prepares(program: &str) -> Option<(&'static [&'static str], usize)> {
    Some(match program {
        "tini" | "tini-static" | "catatonit" => (&["-p", "-e"], 0),
        "dumb-init" => (&["-r", "--rewrite"], 0),
        "env" => (&["-u", "--unset", "-C", "--chdir"], 0),
        "gosu" | "su-exec" => (&[], 1),
        "nice" => (&["-n", "--adjustment"], 0),
        "setpriv" => (
            &[
                "--ambient-caps",
                "--apparmor-profile",
                "--bounding-set",
                "--egid",
                "--euid",
                "--groups",
                "--inh-caps",
                "--landlock-access",
                "--landlock-rule",
                "--pdeathsig",
                "--ptracer",
                "--regid",
                "--reuid",
                "--rgid",
                "--ruid",
                "--securebits",
                "--selinux-label",
            ],
            0,
        ),
        _ => return None,
    })
}

/// Whether a command starts a shell.
#[must_use]
pub fn is_shell(command: &[String]) -> bool {
    program(command)
        .is_some_and(|name| ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"].contains(&name))
}

/// What a shell is told to run by `-c`, also among other letters (`-ec`).
#[must_use]
pub fn script(command: &[String]) -> Option<&str> {
    Some(command[script_at(command)?].as_str())
}

/// Which word of a command is the script of its shell. The word behind it is `$0`, those after that are `$@`.
#[must_use]
pub fn script_at(command: &[String]) -> Option<usize> {
    if !is_shell(command) {
        return None;
    }
    let own = if program(command) == Some("busybox") { 2 } else { 1 };
    let (mut at, mut has_script) = (own, false);
    // The first word that is no option is the script, or with no -c a file.
    while let Some(word) = command.get(at).filter(|word| word.starts_with(['-', '+'])) {
        let letters = if word.starts_with("--") { "" } else { word.as_str() };
        has_script |= letters.contains('c');
        // Of these the name of an option follows.
        let is_named = letters.ends_with(['o', 'O']) || ["--rcfile", "--init-file"].contains(&word.as_str());
        at += if is_named { 2 } else { 1 };
    }
    (has_script && at < command.len()).then_some(at)
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
        for command in [
            &[][..],
            &["celery", "-c", "x"],
            &["sh", "start.sh"],
            &["sh", "-c"],
            &["bash", "run.sh", "-c", "x"],
        ] {
            assert_eq!(script(&words(command)), None, "{command:?}");
        }
    }

    #[test]
    fn a_command_stands_behind_all_that_prepares_for_it() {
        for prepares in [
            &["dumb-init", "-r", "15:3"][..],
            &["nice", "-n", "5"],
            &["setpriv", "--reuid", "1000", "--clear-groups"],
            &["tini", "-v", "-g", "--"],
            &["gosu", "app", "env", "-u", "DEBUG", "A=b"],
        ] {
            let command = words(&[prepares, &["celery", "worker"]].concat());
            assert_eq!(behind_init(&command), words(&["celery", "worker"]), "{prepares:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        for script in
            ["\\", "'", "\"", "$(", "((", "))", "&>", ">&", "é\\", "`é", "#", ";;&|", "a$(b;c", "exec"]
        {
            let _ = (steps_aside(script), ends_at_once(script), handed(script), execs_another(script));
        }
    }
}
