// SPDX-License-Identifier: Apache-2.0
//! Argument lists of Flower.

use celery_operator::celery::options::flower::{self, Spec, TornadoType};

use super::lists::{Mood, chaos, mood, typo};
use super::vocabulary::{FLOWER_WORDS, INTEGERS, NEARLY_NUMBERS, NUMBERS, ODD_TEXTS, TEXTS};
use crate::dice::Dice;

/// The argument list of Flower.
pub(super) fn list(dice: &mut Dice) -> Vec<String> {
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
        let value = value(option, right, dice);
        let dashes = *dice.pick(&["--", "--", "--", "--", "-", "---"]);
        match dice.below(10) {
            0 if !right => list.extend([format!("{dashes}{name}"), value.to_owned()]),
            1 if option.kind == TornadoType::Bool => list.push(format!("{dashes}{name}")),
            _ => list.push(format!("{dashes}{name}={value}")),
        }
    }
    list
}

fn value(option: &Spec, right: bool, dice: &mut Dice) -> &'static str {
    match (right, option.kind, option.name) {
        (_, _, "log_file_prefix") => dice.of(&["", "/dev/null"]),
        (true, _, "logging") => dice.of(&["debug", "INFO", "none", "Warning"]),
        (_, _, "log_rotate_mode") => dice.of(&["size", "time", "Size", ""]),
        (_, _, "log_rotate_when") => dice.of(&["S", "midnight", "w3", "D", "w9", "X", ""]),
        (false, ..) => dice.either(NEARLY_NUMBERS, ODD_TEXTS),
        (true, TornadoType::Int, _) => dice.of(INTEGERS),
        (true, TornadoType::Float, _) => dice.of(NUMBERS),
        (true, TornadoType::Floats, _) => dice.of(&["1,2.5", "1", "1, 2"]),
        (true, TornadoType::Bool, _) => dice.of(&["true", "False", "F", "0", "maybe", "1"]),
        (true, _, "auth") => {
            dice.of(&["ada@example.com", ".*@example.com", "a|b", "*", "a@b*", "[", "a@*|b"])
        }
        (true, _, "basic_auth") => dice.of(&["ada:secret", "ada:a,bob:b", "ada", "ada:", ""]),
        (true, _, "broker_api") => {
            dice.of(&["http://mq:15672/api/", "https://u:p@mq/api/", "mq:15672", "http://", "amqp://mq"])
        }
        (true, ..) => dice.of(TEXTS),
    }
}

/// An environment variable that is, or looks like, one of Flower's, with a value.
pub(super) fn variable(dice: &mut Dice) -> (String, String) {
    let option = dice.pick(flower::OPTIONS);
    let mut name = option.variable();
    match dice.below(12) {
        0 => name = name.to_lowercase(),
        1 => name = format!("FLOWER_{}", option.name),
        2 => name = format!("FLOWER_{}", option.name.replace('_', "-")),
        3 => name = name.replacen("FLOWER_", "FLOWER-", 1),
        4 => name = format!("FLOWER_{}", typo(option.name, dice).to_uppercase()).replace(['=', '\0'], ""),
        5 => name = format!("CELERY_{name}"),
        _ => {}
    }
    let right = !dice.one_in(3);
    let value = value(option, right, dice);
    let value = match option.kind {
        TornadoType::Bool => {
            dice.of(&["true", "False", "F", "0", "maybe", "1", "no", "OFF", "y", "", "2", " true"])
        }
        _ => value,
    };
    (name, value.replace('\0', ""))
}
