// SPDX-License-Identifier: Apache-2.0
//! How argparse, which read the command line up to Celery 4.4, takes an argument list apart.
//!
//! Otherwise than click it knows abbreviations, takes the global options behind the sub-command too, reads `-c=4` as 4,
//! and never takes a word that looks like an option for a value. Celery cuts off what follows `--` before it and reads
//! settings there, and nowhere else.

use super::click::Parser;
use super::command::Command;
use super::expansion::expands;
use super::options::{Spec, ValueKind, global};
use super::reading::{Cause, Occurrence, Reading};
use super::settings::command_line::Defect;
use super::version::Release;

type Found<'a> = (&'static Spec, &'static str, Option<&'a str>);

pub(super) fn reading(command: Command, args: &[String], release: Release) -> Reading<'_> {
    let mut parser = Parser::new(command.options(), args, release);
    while let Some(word) = args.get(parser.next) {
        let at = parser.next;
        parser.next += 1;
        if word == "--" {
            parser.reading.separator = Some(at);
            break;
        }
        // A variable may hold an option, and the word behind it its value.
        if expands(word.split('=').next().unwrap_or_default()) {
            parser.reading.opaque.push(at);
            continue;
        }
        if !looks_like_option(word) {
            if parser.is_behind_opaque(at) {
                parser.reading.opaque.push(at);
                continue;
            }
            parser.fault(at, Cause::BadSetting(Defect::NotASetting));
            continue;
        }
        match found(&parser, word, release) {
            Ok(found) => found.into_iter().for_each(|found| used(&mut parser, at, found)),
            Err(names) if names.is_empty() => {
                let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(n, v)| (n, Some(v)));
                parser.unknown(at, name, value.is_some());
            }
            Err(names) => parser.fault(at, Cause::Ambiguous(names)),
        }
    }
    parser.others.extend(parser.next..args.len());
    parser.finished(command)
}

/// Everything with a dash in front but a lone one, negative numbers and words with blanks.
fn looks_like_option(word: &str) -> bool {
    let number = || word[1..].bytes().all(|b| b.is_ascii_digit() || b == b'.');
    word.len() > 1
        && word.starts_with('-')
        && !number()
        && !word.split('=').next().is_some_and(|n| n.contains(' '))
}

/// The options in one word; else the names it may be short for.
fn found<'a>(
    parser: &Parser<'_>,
    word: &'a str,
    release: Release,
) -> Result<Vec<Found<'a>>, Vec<&'static str>> {
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    if let Some((option, name)) = find(parser, name, release) {
        return Ok(vec![(option, name, value)]);
    }
    if word.starts_with("--") {
        let table = parser.table.rows().chain(global::OPTIONS).chain([&global::HELP]);
        let spellings = table.flat_map(|row| row.names.iter().filter_map(|name| row.spelling(name, release)));
        let names: Vec<_> = spellings.filter(|known| known.starts_with(name)).collect();
        return match names.as_slice() {
            [one] => Ok(find(parser, one, release)
                .map(|(option, name)| (option, name, value))
                .into_iter()
                .collect()),
            _ => Err(names),
        };
    }
    let mut found = Vec::new();
    for (offset, letter) in word.char_indices().skip(1) {
        let (option, name) = find(parser, &format!("-{letter}"), release).ok_or_else(Vec::new)?;
        let rest = &word[offset + letter.len_utf8()..];
        if option.kind.takes_value() {
            found.push((option, name, Some(rest).filter(|rest| !rest.is_empty())));
            break;
        }
        found.push((option, name, None));
    }
    Ok(found)
}

fn find(parser: &Parser<'_>, name: &str, release: Release) -> Option<(&'static Spec, &'static str)> {
    let name = if name == "-h" { "--help" } else { name };
    let global =
        || global::OPTIONS.iter().find_map(|row| row.spelling(name, release).map(|name| (row, name)));
    parser.find(name).or_else(global)
}

fn used<'a>(parser: &mut Parser<'a>, at: usize, (option, name, value): Found<'a>) {
    let takes_value = matches!(option.kind, kind if kind != ValueKind::Flag);
    if !takes_value && value.is_some() {
        parser.fault(at, Cause::UnexpectedValue(option));
    }
    let mut occurrence = Occurrence { option, name, at, value: value.filter(|_| takes_value), value_at: at };
    if takes_value && value.is_none() {
        let next = parser.args.get(parser.next).filter(|word| *word != "--" && !looks_like_option(word));
        if let Some(word) = next {
            occurrence.value = Some(word);
            occurrence.value_at = parser.next;
            parser.next += 1;
        }
    }
    parser.used(occurrence);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::celery::reading::Fault;

    fn of(args: &[String]) -> Reading<'_> {
        reading(Command::Worker, args, Release::V4_4)
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn names_may_be_cut_short() {
        let args = words("--conc=1 --hos w@%h -c=4 -A shop -BEl info -h");
        let reading = of(&args);
        assert_eq!(reading.faults, []);
        let names: Vec<_> = reading.occurrences.iter().map(|o| (o.name, o.value)).collect();
        assert_eq!(
            names,
            [
                ("--concurrency", Some("1")),
                ("--hostname", Some("w@%h")),
                ("-c", Some("4")),
                ("-A", Some("shop")),
                ("-B", None),
                ("-E", None),
                ("-l", Some("info")),
                ("--help", None)
            ]
        );
    }

    #[test]
    fn settings_stand_behind_the_dashes_only() {
        let args = words("worker.direct=1 -- worker.direct=1");
        let reading = of(&args);
        assert_eq!(reading.settings.len(), 1);
        assert_eq!(reading.faults, [Fault { at: 0, cause: Cause::BadSetting(Defect::NotASetting) }]);
    }

    #[test]
    fn what_a_variable_holds_is_not_known() {
        let faults = |text: &str| of(&words(text)).faults.iter().map(|fault| fault.at).collect::<Vec<_>>();
        assert!(faults("$(OPTS) -c 4").is_empty());
        assert_eq!(faults("$(NAME) value other"), [2]);
        assert!(faults("-E $(A)=1").is_empty());
    }

    #[test]
    fn what_fits_several_names_fits_none() {
        let args = words("--max=1 -c -E");
        let causes: Vec<_> = of(&args).faults.into_iter().map(|fault| fault.cause).collect();
        assert!(matches!(&causes[0], Cause::Ambiguous(names) if names.len() == 4), "{causes:?}");
        assert!(matches!(&causes[1], Cause::MissingValue(_)), "{causes:?}");
    }
}
