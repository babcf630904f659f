// SPDX-License-Identifier: Apache-2.0
//! The simple commands of a script, as far as it takes to see whether one of them takes the place of the shell.

/// What stands between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// `;`, a line break, `&&`, `||`, a parenthesis, or an end of the script.
    Other,
    /// `|`
    Pipe,
    /// `&`
    Background,
}

/// A simple command.
#[derive(Debug)]
struct Simple {
    words: Vec<String>,
    before: Sign,
    after: Sign,
    /// In how many parentheses it stands.
    depth: usize,
}

/// Words that stand in front of a command and are none.
const RESERVED: [&str; 9] = ["!", "do", "elif", "else", "if", "then", "until", "while", "{"];
/// Commands that start what stands behind them.
const WRAPPERS: [&str; 4] = ["command", "env", "nohup", "time"];

/// Whether a script hands its place over to what it starts, or passes signals on by itself. What stands in quotes for
/// another shell is believed.
#[must_use]
pub(in crate::rules) fn steps_aside(script: &str) -> bool {
    let commands = commands(script);
    let hands_over = |simple: &&Simple| simple.words.first().is_some_and(|head| head == "exec");
    let first = commands.iter().position(runs_celery).unwrap_or(commands.len());
    let is_good = |simple: &Simple| {
        let is_alone = [simple.before, simple.after].iter().all(|sign| *sign != Sign::Pipe);
        is_alone && simple.after != Sign::Background && simple.depth == 0 && has_program(&simple.words[1..])
    };
    let quoted = commands.iter().flat_map(|simple| &simple.words).any(|word| {
        let mut inner = word.split(|letter: char| letter.is_whitespace() || ";&|\"'".contains(letter));
        word.contains(char::is_whitespace) && inner.any(|part| part == "exec")
    });
    let traps = commands.iter().any(|simple| simple.words.first().is_some_and(|head| head == "trap"));
    traps || quoted || commands[..first].iter().filter(hands_over).any(is_good)
}

/// Whether nothing keeps the shell once it has started its last command: `celery "$@" &`.
#[must_use]
pub(in crate::rules) fn ends_at_once(script: &str) -> bool {
    let commands = commands(script);
    let waits =
        |simple: &Simple| simple.words.first().is_some_and(|head| ["wait", "trap"].contains(&head.as_str()));
    commands.last().is_some_and(|last| last.after == Sign::Background && last.depth == 0)
        && !commands.iter().any(waits)
}

/// How a script hands its arguments on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Handed {
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

/// How a script hands its arguments on, where that is plain to see.
#[must_use]
pub(in crate::rules) fn handed(script: &str) -> Option<Handed> {
    let mut is_behind_celery = false;
    for token in script.split_whitespace() {
        if is_behind_celery && MISQUOTED.contains(&token) {
            return Some(Handed::Misquoted);
        }
        let ends = token.ends_with([';', '&', '|']);
        is_behind_celery = !ends && (is_behind_celery || is_celery(token));
    }
    let commands = commands(script);
    let head = |simple: &Simple| simple.words.first().is_some_and(|head| REARRANGES.contains(&head.as_str()));
    // In a function the parameters are those of the function.
    if script.contains("()") || commands.iter().any(head) {
        return None;
    }
    let is_all = |word: &String| word == "$@" || word == "${@}";
    let handing = commands.iter().find(|simple| simple.words.iter().any(is_all))?;
    let mut words = handing.words.iter().skip_while(|word| *word == "exec");
    match words.next()? {
        head if is_all(head) => Some(Handed::AsProgram),
        head if is_celery(head) && words.next().is_some_and(is_all) => Some(Handed::ToCelery),
        _ => None,
    }
}

/// Whether a script begins with an `exec` of another program than Celery, which it names further on.
#[must_use]
pub(in crate::rules) fn execs_another(script: &str) -> bool {
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

fn is_celery(word: &str) -> bool {
    word == "celery" || word.ends_with("/celery")
}

/// Whether a command starts Celery, or whatever it was told to, beside the shell.
fn runs_celery(simple: &Simple) -> bool {
    let head = simple.words.iter().find(|word| !WRAPPERS.contains(&word.as_str()));
    head.is_some_and(|head| ["celery", "$@", "${@}"].contains(&head.as_str()) || head.ends_with("/celery"))
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

/// The simple commands, without the words in front of them.
fn commands(script: &str) -> Vec<Simple> {
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let (mut before, mut depth) = (Sign::Other, 0_usize);
    let mut rest = script;
    while let Some(letter) = rest.chars().next() {
        let (word, behind) = word(rest);
        if !word.is_empty() || behind.len() < rest.len() {
            words.push(word);
            rest = behind;
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        if letter == '#' {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if !(letter.is_whitespace() && letter != '\n') {
            let doubled = rest.starts_with(letter) && "&|;".contains(letter);
            rest = if doubled { &rest[1..] } else { rest };
            let sign = match letter {
                '|' if !doubled => Sign::Pipe,
                '&' if !doubled => Sign::Background,
                _ => Sign::Other,
            };
            close(&mut found, &mut words, (before, sign), depth);
            before = sign;
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    close(&mut found, &mut words, (before, Sign::Other), depth);
    found
}

fn close(found: &mut Vec<Simple>, words: &mut Vec<String>, (before, after): (Sign, Sign), depth: usize) {
    let is_assignment = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        })
    };
    let is_before = |word: &String| RESERVED.contains(&word.as_str()) || is_assignment(word);
    let own: Vec<String> = std::mem::take(words).into_iter().skip_while(is_before).collect();
    if !own.is_empty() && own.iter().any(|word| word != "}") {
        found.push(Simple { words: own, before, after, depth });
    }
}

/// The word at the beginning of a text, without its quotes, and what follows it; nothing where none begins.
fn word(text: &str) -> (String, &str) {
    let mut word = String::new();
    let (mut quote, mut nested) = (None, 0_usize);
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, letter)| *letter);
        let joins = word.ends_with(['<', '>']) || next == Some('>');
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(letter),
            (None | Some('"'), '\\') => {
                if let Some((_, escaped)) = letters.next() {
                    word.push(escaped);
                }
            }
            (None, '(') if word.ends_with('$') || nested > 0 => {
                nested += 1;
                word.push(letter);
            }
            (None, ')') if nested > 0 => {
                nested -= 1;
                word.push(letter);
            }
            (None, '&') if nested == 0 && joins => word.push(letter),
            (None, '#') if at == 0 => return (word, text),
            (None, letter) if nested == 0 && (letter.is_whitespace() || ";&|()".contains(letter)) => {
                return (word, &text[at..]);
            }
            _ => word.push(letter),
        }
    }
    (word, "")
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
        ] {
            assert_eq!(handed(script), expected, "{script}: {:?}", commands(script));
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

    #[test]
    fn no_text_makes_it_panic() {
        for script in
            ["\\", "'", "\"", "$(", "((", "))", "&>", ">&", "é\\", "`é", "#", ";;&|", "a$(b;c", "exec"]
        {
            let _ = (steps_aside(script), ends_at_once(script), handed(script), execs_another(script));
        }
    }
}
