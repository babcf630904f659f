// SPDX-License-Identifier: Apache-2.0
//! The simple commands of a script, as far as it takes to see whether one of them takes the place of the shell.

use super::is_celery;

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
pub fn steps_aside(script: &str) -> bool {
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
pub fn ends_at_once(script: &str) -> bool {
    let commands = commands(script);
    let waits =
        |simple: &Simple| simple.words.first().is_some_and(|head| ["wait", "trap"].contains(&head.as_str()));
    commands.last().is_some_and(|last| last.after == Sign::Background && last.depth == 0)
        && !commands.iter().any(waits)
}

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

/// How a script hands its arguments on, where that is plain to see.
#[must_use]
pub fn handed(script: &str) -> Option<Handed> {
    if script.split(['\n', ';', '&', '|', '(', ')']).any(misquotes) {
        return Some(Handed::Misquoted);
    }
    let commands = commands(script);
    let head = |simple: &Simple| simple.words.first().is_some_and(|head| REARRANGES.contains(&head.as_str()));
    // In a function the parameters are those of the function.
    if script.contains("()") || commands.iter().any(head) {
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

/// What a script says to Celery itself in front of all its arguments, unless it changes them before.
#[must_use]
pub fn said_before(script: &str) -> Vec<String> {
    let commands = commands(script);
    let head = |simple: &Simple| simple.words.first().is_some_and(|head| REARRANGES.contains(&head.as_str()));
    if script.contains("()") || commands.iter().any(head) {
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
fn is_all(word: &str) -> bool {
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
        let is_quiet = simple.words.first().is_some_and(|head| heads.contains(&head.as_str()));
        let rearranges = simple.words[0] == "set" && !simple.words[1..].iter().all(|word| is_switch(word));
        is_quiet && !rearranges && is_alone(simple) && !simple.words.iter().any(|word| word.contains('`'))
    };
    let words = last.words.strip_prefix(&["exec".to_owned()]).unwrap_or(&last.words);
    let at = words.iter().position(|word| is_all(word))?;
    let is_plain = |word: &String| !word.contains(['$', '`', '*', '?', '<', '>']);
    if !before.iter().all(is_meant)
        || !is_alone(last)
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

/// Whether a command stands in no pipe, no parenthesis and not in the background.
fn is_alone(simple: &Simple) -> bool {
    simple.depth == 0
        && simple.after != Sign::Background
        && [simple.before, simple.after].iter().all(|sign| *sign != Sign::Pipe)
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

/// Whether a word in front of a command sets a variable.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim_end_matches('+');
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

fn close(found: &mut Vec<Simple>, words: &mut Vec<String>, (before, after): (Sign, Sign), depth: usize) {
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
            // A command in the place of a word, or the words of an array.
            (None, '(') if word.ends_with(['$', '=']) || nested > 0 => {
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
