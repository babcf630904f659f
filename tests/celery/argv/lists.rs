// SPDX-License-Identifier: Apache-2.0
//! Argument lists of workers and of beat: right ones, nearly right ones and hostile ones, the same for the same seed.

use celery_operator::celery::command::Command;
use celery_operator::celery::options::{Spec, ValueKind, global};
use celery_operator::celery::settings::command_line::{self, Type};
use celery_operator::celery::value::{LOG_LEVELS, POOLS};

use super::vocabulary::{INTEGERS, NEARLY_NUMBERS, NUMBERS, ODD_TEXTS, TEXTS, WORDS};
use crate::dice::Dice;

/// How careful the writer of a list is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mood {
    Right,
    Nearly,
    Hostile,
}

pub(super) fn mood(dice: &mut Dice) -> Mood {
    match dice.below(20) {
        0..9 => Mood::Right,
        9..16 => Mood::Nearly,
        _ => Mood::Hostile,
    }
}

/// The argument list of a worker or of beat.
pub(super) fn list(command: Command, dice: &mut Dice) -> Vec<String> {
    let mood = mood(dice);
    let count = dice.below(6);
    let odd = dice.below(count.max(1));
    let mut list = Vec::new();
    for at in 0..count {
        let right = match mood {
            Mood::Right => true,
            Mood::Nearly => at != odd,
            Mood::Hostile => dice.one_in(3),
        };
        match dice.below(10) {
            0 if !right => list.push(dice.of(WORDS).to_owned()),
            3 if !right => list.push(chaos(dice)),
            1 => list.push(setting(right, dice)),
            2 if right && at + 1 == count => list.extend(["--".to_owned(), setting(true, dice)]),
            _ => option(command, right, dice, &mut list),
        }
    }
    if dice.one_in(30) {
        list.insert(dice.below(list.len() + 1), "--help".to_owned());
    }
    list
}

fn option(command: Command, right: bool, dice: &mut Dice, list: &mut Vec<String>) {
    let own: Vec<&Spec> = command.options().rows().collect();
    let foreign: Vec<&Spec> =
        Command::Worker.options().rows().chain(Command::Beat.options().rows()).collect();
    let (option, sound_name) = match dice.below(8) {
        0 if !right => (*dice.pick(&foreign), true),
        1 if !right => (dice.pick(global::OPTIONS), true),
        2 if !right => (*dice.pick(&own), false),
        _ => (*dice.pick(&own), true),
    };
    let mut name = dice.of(option.names).to_owned();
    if !sound_name {
        name = typo(&name, dice);
    }
    let value = value(option.kind, right || dice.one_in(3), dice);
    if option.kind.takes_value() == (right || !dice.one_in(12)) {
        match dice.below(if name.starts_with("--") { 2 } else { 3 }) {
            0 if name.starts_with("--") => list.push(format!("{name}={value}")),
            0 => list.push(format!("{name}{value}")),
            1 if !right && dice.one_in(4) => list.push(format!("{name} {value}")),
            1 => list.extend([name, value]),
            _ if right => list.extend([name, value]),
            _ => list.push(format!("{name}={value}")),
        }
    } else {
        list.push(name);
    }
}

fn value(kind: ValueKind, right: bool, dice: &mut Dice) -> String {
    if !right {
        return dice.either(NEARLY_NUMBERS, ODD_TEXTS).to_owned();
    }
    match kind {
        ValueKind::Int | ValueKind::Concurrency => dice.of(INTEGERS),
        ValueKind::Float => dice.either(INTEGERS, NUMBERS),
        ValueKind::Choice(words) => dice.of(words),
        ValueKind::Pool => dice.of(POOLS),
        ValueKind::LogLevel => {
            let level = dice.of(LOG_LEVELS);
            return if dice.one_in(2) { level.to_lowercase() } else { level.to_owned() };
        }
        ValueKind::Autoscale => dice.of(&["10,3", "3,10", "5", " 1 , 2 ", "-1", "1_0,0"]),
        _ => dice.either(ODD_TEXTS, TEXTS),
    }
    .to_string()
}

/// Letters in no order, of those that mean something to a reader. Never `$`: what expands is not judged.
pub(super) fn chaos(dice: &mut Dice) -> String {
    const LETTERS: &[&str] = &[
        "-", "-", "-", "--", "=", "=", " ", ",", ".", "_", "%", "(", ")", "(int)", "(json)", "[]", "\"", "c",
        "Q", "E", "B", "n", "l", "port", "worker", "task.", "1", "0", "+", "é", "\u{663}", "\u{a0}", "\n",
        "\u{1c}", "\u{1f}", "ſ", "ı", "\u{212a}", "ß", "h", "help",
    ];
    (0..dice.below(9)).map(|_| dice.of(LETTERS)).collect()
}

/// One slip in a name.
pub(super) fn typo(name: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = dice.below(letters.len());
    match dice.below(7) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, *dice.pick(&['-', '_', 'x', ' ', '=', 'é'])),
        2 if at > 0 => letters.swap(at - 1, at),
        3 => return name.replacen('-', "_", 4).replacen("__", "--", 1),
        4 => return name.to_uppercase(),
        5 => letters.truncate(at.max(2)),
        _ => return name.trim_start_matches('-').to_owned(),
    }
    letters.into_iter().collect()
}

fn setting(right: bool, dice: &mut Dice) -> String {
    let row = dice.pick(command_line::rows());
    let mut name = row.name();
    match dice.below(6) {
        0 => name = name.to_uppercase().replace('.', "_"),
        1 => name = format!(".{}", row.key),
        2 if !right => name = typo(&name, dice),
        3 if !right => {
            name = (dice.of(&["no.such", "enable_utc", "imports", "imports_x", "x", ".", "celery.x"]))
                .to_owned();
        }
        _ => {}
    }
    let value = match (right, row.kind) {
        (false, _) => dice.either(NEARLY_NUMBERS, ODD_TEXTS),
        (true, Type::Int) => dice.of(INTEGERS),
        (true, Type::Float) => dice.of(NUMBERS),
        (true, Type::Bool) => dice.of(&["true", "NO", "On", "0"]),
        (true, Type::Empty) => "",
        (true, Type::Castable) => dice.of(&["(list)[]", "(dict){\"a\": [1, NaN]}"]),
        (true, _) => dice.of(TEXTS),
    };
    let cast = match dice.below(if right { 12 } else { 6 }) {
        0 => dice.of(&[
            "(json)1",
            "(dict){}",
            "(list)[\"a\", 1.5e3]",
            "(tuple)[]",
            "(any)x",
            "(string)",
            "(int) 5",
            "(float)1",
            "(bool)yes",
        ]),
        1 if !right => dice.of(&[
            "(json)",
            "(dict){a}",
            "(map){}",
            "(int)x",
            "(bool)maybe",
            "()x",
            "(a b)1",
            "(json)[1,]",
            "(json)\"\u{7}\"",
            "(json){} x",
            "(float)-",
        ]),
        _ => value,
    };
    format!("{name}={cast}")
}
