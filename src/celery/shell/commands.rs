// SPDX-License-Identifier: Apache-2.0
//! The simple commands of a script, and their words.

/// What stands between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// `;`, a line break, `&&`, `||`, a parenthesis, or an end of the script.
    Other,
    /// `|`
    Pipe,
    /// `&`
    Background,
}

/// A simple command.
#[derive(Debug)]
pub(super) struct Simple {
    pub(super) words: Vec<String>,
    pub(super) before: Sign,
    pub(super) after: Sign,
    /// In how many parentheses it stands.
    pub(super) depth: usize,
}

impl Simple {
    /// The program that it starts, or the word of the shell.
    pub(super) fn head(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }

    /// Whether it stands in no pipe, no parenthesis and not in the background.
    pub(super) fn is_alone(&self) -> bool {
        self.depth == 0
            && self.after != Sign::Background
            && [self.before, self.after].iter().all(|sign| *sign != Sign::Pipe)
    }
}

/// Words that stand in front of a command and are none.
pub(super) const RESERVED: [&str; 9] = ["!", "do", "elif", "else", "if", "then", "until", "while", "{"];

/// The words of a script that is one command, with nothing beside it.
#[must_use]
pub fn only_command(script: &str) -> Option<Vec<String>> {
    let mut commands = commands(script);
    let only = commands.pop().filter(|_| commands.is_empty());
    only.filter(Simple::is_alone).map(|simple| simple.words)
}

/// The words of every command in a text, those in quotes and in parentheses too: what is told to another shell counts.
pub fn every_command(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split(|letter: char| ";&|()`\n".contains(letter)).map(|command| {
        let words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
        words.filter(|word| !word.is_empty()).collect()
    })
}

/// The simple commands, without the words in front of them.
pub(super) fn commands(script: &str) -> Vec<Simple> {
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
pub(super) fn is_assignment(word: &str) -> bool {
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
    fn a_script_of_one_command_is_told_from_others() {
        for (script, words) in [
            ("sleep 5", Some("sleep 5")),
            ("sleep '5'; # a while", Some("sleep 5")),
            ("sleep 5 &", None),
            ("sleep 5 | cat", None),
            ("(sleep 5)", None),
            ("sleep 5; true", None),
            ("", None),
        ] {
            assert_eq!(only_command(script).map(|words| words.join(" ")).as_deref(), words, "{script}");
        }
    }

    #[test]
    fn what_is_told_to_another_shell_counts() {
        let found = |text| every_command(text).filter(|words| !words.is_empty()).collect::<Vec<_>>();
        assert_eq!(found("su a -c 'b  c'; \"d\""), [vec!["su", "a", "-c", "b", "c"], vec!["d"]]);
        assert_eq!(found("a $(b `c`)&&d"), [vec!["a", "$"], vec!["b"], vec!["c"], vec!["d"]]);
    }
}
