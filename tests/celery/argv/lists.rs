// SPDX-License-Identifier: Apache-2.0
//! Argument lists: right ones, nearly right ones and hostile ones, the same for the same seed.

use celery_operator::celery::command::Command;
use celery_operator::celery::options::{Spec, ValueKind, flower, global};
use celery_operator::celery::settings::command_line::{self, Type};
use celery_operator::celery::value::{LOG_LEVELS, POOLS};

/// A small generator of numbers (splitmix64): enough to vary tests, and needs no package.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn either(&mut self, one: &'static [&'static str], other: &'static [&'static str]) -> &'static str {
        let list = if self.one_in(2) { one } else { other };
        list[self.below(list.len())]
    }

    fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

const INTEGERS: &[&str] =
    &["0", "1", "4", "100", "+5", " 7 ", "1_000", "007", "\u{663}", "\u{ff14}2", "5\u{a0}"];
const NUMBERS: &[&str] = &["1.5", ".5", "5.", "1e3", "1_0.0", "nan", "-inf", "Infinity", "1e999", " 2 "];
const NEARLY_NUMBERS: &[&str] = &[
    "abc",
    "-1",
    "",
    " ",
    "1.0",
    "1e3",
    "100Mi",
    "1__0",
    "_1",
    "1_",
    "+ 5",
    "0x10",
    "2 cpus",
    "=4",
    "\u{b2}",
    "\u{1c}5",
    "five",
    "99999999999999999999999",
    "-99999999999999999999999",
    "auto",
    " AUTO\t",
    "autos",
    "1_e5",
    ".",
    "--5",
];
const TEXTS: &[&str] =
    &["a", "a,b", "/tmp/x", "shop.tasks", "w@%h", "w%n@x", "%h-%i.log", "celery", "x=y", "-x", "--"];
const ODD_TEXTS: &[&str] = &[
    "",
    " ",
    "a, b",
    "a,,b",
    ",",
    "\"a\"",
    "'a b'",
    "w@%x",
    "%%h",
    "%%q",
    "100%",
    "%é",
    "%p",
    "%I%d",
    "é\u{301}",
    "\u{7}\u{1b}[0m",
    "\n",
    "\t-c",
    "日本",
    "𝟜",
    "a\u{2028}b",
    "$HOME",
    "$$",
    "`id`",
    "&&",
    "| cat",
    "*",
    "%(h)s",
];
const WORDS: &[&str] = &[
    "--",
    "-",
    "",
    "celery",
    "worker",
    "beat",
    "flower",
    "&&",
    "||",
    ";",
    "$X",
    ">",
    "=",
    "=1",
    "_=1",
    "a=1",
    "a_b=1",
    "---",
    "--=",
    "--=x",
    "-=x",
    "-é",
    "--é=1",
    "-\u{7f}",
    "--help",
    "--version",
    "-h",
    "--help=1",
    "--loglevel info",
    "-Q a,b -c 1",
    "-c 4 -E",
    "-EB",
    "-BEc4",
    "-Ez",
    "-conc",
    "--no-detach",
];

/// How careful the writer of a list is.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Right,
    Nearly,
    Hostile,
}

fn mood(dice: &mut Dice) -> Mood {
    match dice.below(20) {
        0..9 => Mood::Right,
        9..16 => Mood::Nearly,
        _ => Mood::Hostile,
    }
}

/// The argument list of a worker or of beat.
pub(crate) fn celery(command: Command, dice: &mut Dice) -> Vec<String> {
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
            0 if !right => list.push((*dice.pick(WORDS)).to_owned()),
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
    let mut name = (*dice.pick(option.names)).to_owned();
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
        ValueKind::Int | ValueKind::Concurrency => dice.pick(INTEGERS),
        ValueKind::Float => dice.either(INTEGERS, NUMBERS),
        ValueKind::Choice(words) => dice.pick(words),
        ValueKind::Pool => dice.pick(POOLS),
        ValueKind::LogLevel => {
            let level = *dice.pick(LOG_LEVELS);
            return if dice.one_in(2) { level.to_lowercase() } else { level.to_owned() };
        }
        ValueKind::Autoscale => dice.pick(&["10,3", "3,10", "5", " 1 , 2 ", "-1", "1_0,0"]),
        _ => dice.either(ODD_TEXTS, TEXTS),
    }
    .to_string()
}

/// Letters in no order, of those that mean something to a reader. Never `$`: what expands is not judged.
fn chaos(dice: &mut Dice) -> String {
    const LETTERS: &[&str] = &[
        "-", "-", "-", "--", "=", "=", " ", ",", ".", "_", "%", "(", ")", "(int)", "(json)", "[]", "\"", "c",
        "Q", "E", "B", "n", "l", "port", "worker", "task.", "1", "0", "+", "é", "\u{663}", "\u{a0}", "\n",
        "\u{1c}", "\u{1f}", "ſ", "ı", "\u{212a}", "ß", "h", "help",
    ];
    (0..dice.below(9)).map(|_| *dice.pick(LETTERS)).collect()
}

/// One slip in a name.
fn typo(name: &str, dice: &mut Dice) -> String {
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
            name = (*dice.pick(&["no.such", "enable_utc", "imports", "imports_x", "x", ".", "celery.x"]))
                .to_owned();
        }
        _ => {}
    }
    let value = match (right, row.kind) {
        (false, _) => dice.either(NEARLY_NUMBERS, ODD_TEXTS),
        (true, Type::Int) => dice.pick(INTEGERS),
        (true, Type::Float) => dice.pick(NUMBERS),
        (true, Type::Bool) => dice.pick(&["true", "NO", "On", "0"]),
        (true, Type::Empty) => "",
        (true, Type::Castable) => dice.pick(&["(list)[]", "(dict){\"a\": [1, NaN]}"]),
        (true, _) => dice.pick(TEXTS),
    };
    let cast = match dice.below(if right { 12 } else { 6 }) {
        0 => dice.pick(&[
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
        1 if !right => dice.pick(&[
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

const FLOWER_WORDS: &[&str] = &[
    "--",
    "-",
    "",
    "--help",
    "-help",
    "--help=1",
    "-help=false",
    "--",
    "-p",
    "5555",
    "port",
    "db=x",
    "-A",
    "--broker=x",
    "--nosuch=1",
    "--basic_auht=u:p",
    "--define",
    "--print-help=1",
    "groups",
    "--_options",
    "--__class__=x",
    "=",
    "--=",
    "--logging=bogus",
    "--logging",
    "-- help",
    "&&",
    "$X",
    "é",
    "--é=1",
];

/// The argument list of Flower.
pub(crate) fn flower(dice: &mut Dice) -> Vec<String> {
    let mood = mood(dice);
    let count = dice.below(6);
    let odd = dice.below(count.max(1));
    let mut list = Vec::new();
    for at in 0..count {
        let right = mood == Mood::Right || (mood == Mood::Nearly && at != odd);
        if !right && dice.one_in(2) {
            list.push(if dice.one_in(3) { chaos(dice) } else { (*dice.pick(FLOWER_WORDS)).to_owned() });
            continue;
        }
        let option = dice.pick(flower::OPTIONS);
        let mut name = if dice.one_in(2) { option.name.replace('_', "-") } else { option.name.to_owned() };
        if option.name == "help" {
            continue;
        }
        if !right && dice.one_in(3) {
            name = typo(&name, dice);
        }
        let value = match (right, option.kind, option.name) {
            (_, _, "log_file_prefix") => dice.pick(&["", "/dev/null"]),
            (true, _, "logging") => dice.pick(&["debug", "INFO", "none", "Warning"]),
            (_, _, "log_rotate_mode") => dice.pick(&["size", "time", "Size", ""]),
            (_, _, "log_rotate_when") => dice.pick(&["S", "midnight", "w3", "D", "w9", "X", ""]),
            (false, ..) => dice.either(NEARLY_NUMBERS, ODD_TEXTS),
            (true, flower::TornadoType::Int, _) => dice.pick(INTEGERS),
            (true, flower::TornadoType::Float, _) => dice.pick(NUMBERS),
            (true, flower::TornadoType::Floats, _) => dice.pick(&["1,2.5", "1", "1, 2"]),
            (true, flower::TornadoType::Bool, _) => dice.pick(&["true", "False", "F", "0", "maybe", "1"]),
            (true, ..) => dice.pick(TEXTS),
        };
        let dashes = *dice.pick(&["--", "--", "--", "--", "-", "---"]);
        match dice.below(10) {
            0 if !right => list.extend([format!("{dashes}{name}"), value.to_owned()]),
            1 if option.kind == flower::TornadoType::Bool => list.push(format!("{dashes}{name}")),
            _ => list.push(format!("{dashes}{name}={value}")),
        }
    }
    list
}
