// SPDX-License-Identifier: Apache-2.0
//! How the words of a command are read where a shell or an init process stands in front of Celery.

/// The name of the program that a command starts, without its folder.
#[must_use]
pub(super) fn program(command: &[String]) -> Option<&str> {
    command.first().map(|word| word.rsplit('/').next().unwrap_or(word))
}

/// Whether a command starts a shell.
#[must_use]
pub(super) fn is_shell(command: &[String]) -> bool {
    program(command)
        .is_some_and(|name| ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"].contains(&name))
}

/// What a shell is told to run by `-c`, also among other letters (`-ec`).
#[must_use]
pub(super) fn script(command: &[String]) -> Option<&str> {
    if !is_shell(command) {
        return None;
    }
    let is_flag = |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.contains('c');
    let flag = command.iter().position(|word| is_flag(&word))?;
    command[flag + 1..].iter().map(String::as_str).find(|word| !word.starts_with('-'))
}

/// Whether a script hands its place over to what it starts, or passes signals on by itself.
#[must_use]
pub(super) fn steps_aside(script: &str) -> bool {
    let separators = |letter: char| letter.is_whitespace() || ";&|(){}\"'".contains(letter);
    script.split(separators).any(|word| ["exec", "trap"].contains(&word))
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
    fn exec_is_a_word_of_its_own() {
        assert!(steps_aside("cd /app && exec celery"));
        assert!(steps_aside("{ exec celery; }"));
        assert!(steps_aside("trap 'kill $p' TERM; celery & p=$!; wait"));
        assert!(!steps_aside("./executor && celery"));
    }
}
