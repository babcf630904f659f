// SPDX-License-Identifier: Apache-2.0
//! The table of settings and the words that set them, judged by every release.

use celery_operator::celery::settings::{
    Fault, Setting, SettingKind, Value, reading, setting, settings, word,
};
use celery_operator::celery::version::{Release, Target, Version};
use serde_json::{Value as Json, json};

use crate::ask::answers;
use crate::dice::Dice;
use crate::venv;

const WORDS: usize = 1500;
const VALUES: usize = 1200;

const TEXTS: &[&str] = &[
    "",
    "true",
    "True",
    "OFF",
    "yes",
    "no",
    "1",
    "0",
    "y",
    "maybe",
    "7",
    "-7",
    "+7",
    " 7 ",
    "1_000",
    "1__0",
    "0x7",
    "7.0",
    "07",
    "٣",
    "99999999999999999999",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "inf",
    "-Infinity",
    "nan",
    "1_0.5",
    "ten",
    "json",
    "auto",
    "a b",
    "{}",
    "[]",
    "{bad}",
    "{\"a\": 1}",
    "[\"json\"]",
    "null",
    "\"x\"",
    "(a",
    "()x",
    "(a b)c",
    "=",
    "a=b",
    "redis://cache/0",
    "é",
    "\n",
    "NaN",
    "[1, NaN]",
    "1e999",
    "[1.0, 2, -3]",
    "[1,]",
];
const CASTS: &[&str] = &[
    "(string)", "(int)", "(float)", "(bool)", "(any)", "(dict)", "(list)", "(tuple)", "(json)", "(flag)",
    "(Dict)", "(str)", "(é)", "( int)", "(int )", "()",
];
const NAMES: &[&str] = &[
    "timezone",
    "imports",
    "include",
    "enable_utc",
    "accept_content",
    "result_accept_content",
    "enable.utc",
    "accept.content",
    "timezone_x",
    "imports.x",
    "include_x",
    "nosuch",
    "nosuch.key",
    "worker.nosuch",
    "task.ack_late",
    "celeryd.concurrency",
    "CELERY_ACKS_LATE",
    "broker",
    "broker_",
    "_",
    ".",
    "",
    "task..acks_late",
    ".concurrency",
    "_pool",
    ".prefetch.multiplier",
    "worker",
    "task-acks_late",
    "İ.x",
    "task_acks_late ",
];

/// A release by the version of an installed one.
fn release(version: &str) -> Release {
    match Target::try_from(version.parse::<Version>().unwrap()).unwrap() {
        Target::Known(release) => release,
        _ => panic!("{version} has no table"),
    }
}

fn spelt(dice: &mut Dice, name: &str) -> String {
    match dice.below(6) {
        0 => name.to_owned(),
        1 => name.replace('_', "."),
        2 => name.to_uppercase(),
        3 => name.replacen("worker_", ".", 1),
        _ => name.replacen('_', ".", 1),
    }
}

fn random_word(dice: &mut Dice) -> String {
    let name = if dice.one_in(6) {
        dice.of(NAMES).to_owned()
    } else {
        let name = &settings()[dice.below(settings().len())].name;
        let mut name = spelt(dice, name);
        if dice.one_in(15) {
            name.push_str(&dice.garbage(1));
        }
        name
    };
    let cast = if dice.one_in(3) { dice.of(CASTS) } else { "" };
    let text = if dice.one_in(20) { dice.garbage(8) } else { dice.of(TEXTS).to_owned() };
    if dice.one_in(50) { format!("{name}{text}") } else { format!("{name}={cast}{text}") }
}

fn random_value(dice: &mut Dice, depth: usize) -> Json {
    match dice.below(if depth == 0 { 9 } else { 12 }) {
        0 => json!(true),
        1 => json!(false),
        2 => json!(dice.below(100)),
        3 => json!(-1),
        4 => json!(0.25),
        5 => Json::Null,
        6 => json!(u64::MAX),
        7 | 8 => json!(dice.of(TEXTS)),
        9 => (0..dice.below(3)).map(|_| random_value(dice, 0)).collect(),
        _ => {
            let entry = |dice: &mut Dice| (dice.of(TEXTS).to_owned(), random_value(dice, depth - 1));
            Json::Object((0..dice.below(3)).map(|_| entry(dice)).collect())
        }
    }
}

/// A value of JSON in the form of the answers.
fn plain(value: &Json) -> Json {
    match value {
        Json::Null => json!({"none": null}),
        Json::Bool(flag) => json!({ "flag": flag }),
        Json::Number(number) if number.is_f64() => number_text(number.as_f64().unwrap()),
        Json::Number(number) => json!({"whole": number.to_string()}),
        Json::String(text) => json!({ "text": text }),
        Json::Array(items) => json!({"list": items.iter().map(plain).collect::<Vec<_>>()}),
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), plain(value)));
            json!({"table": entries.collect::<serde_json::Map<_, _>>()})
        }
    }
}

fn number_text(number: f64) -> Json {
    json!({"number": number.to_string()})
}

/// Whether two values in that form are the same; Python writes numbers in its own way.
fn same(here: &Json, there: &Json) -> bool {
    let number = |value: &Json| value["number"].as_str().map(|text| text.parse::<f64>().unwrap());
    if let (Some(here), Some(there)) = (number(here), number(there)) {
        return here.to_bits() == there.to_bits() || (here.is_nan() && there.is_nan());
    }
    // Beyond 64 bits there are no whole numbers in JSON here.
    if let (Some(here), Some(there)) = (number(here), there["whole"].as_str()) {
        return there.len() > 18 && there.parse::<f64>() == Ok(here);
    }
    if let (Some(here), Some(there)) = (here["list"].as_array(), there["list"].as_array()) {
        return here.len() == there.len() && here.iter().zip(there).all(|(here, there)| same(here, there));
    }
    if let (Some(here), Some(there)) = (here["table"].as_object(), there["table"].as_object()) {
        return here.len() == there.len()
            && here.iter().all(|(key, value)| there.get(key).is_some_and(|there| same(value, there)));
    }
    here == there
}

/// What differs between a reading and what Celery says.
fn difference(read: &Result<(&Setting, Value), Fault>, answer: &Json, table: &Json) -> Option<String> {
    match read {
        // What a variable will put there, nobody knows.
        Ok((_, Value::Unread(_))) => None,
        Ok(_) if answer["ok"] == false => Some(format!("refused: {}", answer["why"])),
        Ok((setting, _)) if answer["name"] != setting.name => Some(format!("sets {}", answer["name"])),
        Ok((_, value)) => {
            let here = match value {
                // The nearest one that fits stands for it.
                Value::Unread(_) | Value::Whole(i64::MIN | i64::MAX) => return None,
                Value::Whole(number) => json!({"whole": number.to_string()}),
                Value::Text(text) => json!({ "text": text }),
                Value::Number(number) => number_text(*number),
                Value::Flag(flag) => json!({ "flag": flag }),
                Value::Json(value) => plain(value),
            };
            (!same(&here, &answer["value"])).then(|| format!("{here} here, {} there", answer["value"]))
        }
        Err(_) if answer["ok"] == false => None,
        // With a cast Celery sets anything, also what nobody will ever read.
        Err(Fault::Unknown(_)) if table.get(answer["name"].as_str().unwrap()).is_none() => None,
        Err(fault) => Some(format!("only here: {fault:?}")),
    }
}

#[test]
fn every_release_has_these_settings() {
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let release = release(pins.version);
        let table = answers(site.python(), &["settings.py"], &[]).remove(0);
        let here: Vec<&Setting> =
            settings().iter().filter(|one| setting(&one.name, release) == Ok(*one)).collect();
        assert_eq!(here.len(), table.as_object().unwrap().len(), "{release}");
        for setting in here {
            let there = &table[&setting.name];
            let kind = match there["type"].as_str().unwrap_or("nothing") {
                "string" | "str" => SettingKind::Text,
                "int" => SettingKind::Whole,
                "float" => SettingKind::Number,
                "bool" => SettingKind::Flag,
                "dict" => SettingKind::Table,
                "list" | "tuple" => SettingKind::List,
                "any" => SettingKind::Any,
                "bytes" => SettingKind::Bytes,
                other => panic!("{release}: {} is {other}", setting.name),
            };
            assert_eq!(
                (setting.kind, &json!(setting.old)),
                (kind, &there["old"]),
                "{} {release}",
                setting.name
            );
        }
    }
}

#[test]
fn words_are_read_as_celery_reads_them() {
    let mut dice = Dice::new("words behind --");
    let words: Vec<String> = (0..WORDS).map(|_| random_word(&mut dice)).collect();
    let questions: Vec<Json> = words.iter().map(|word| json!(word)).collect();
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let release = release(pins.version);
        let answers = answers(site.python(), &["settings.py"], &questions);
        let good = answers[1..].iter().filter(|answer| answer["ok"] == true).count();
        assert!(good * 4 > words.len() && good * 4 < words.len() * 3, "{good} of {}", words.len());
        let differences: Vec<String> = words
            .iter()
            .zip(&answers[1..])
            .filter_map(|(word, answer)| {
                let words = difference(&reading(word, release), answer, &answers[0])?;
                Some(format!("{word:?}: {words}"))
            })
            .collect();
        crate::say(&format!("{} {}: {} words", pins.project, pins.version, words.len()));
        assert!(
            differences.is_empty(),
            "{}: {}\n{}",
            pins.version,
            differences.len(),
            differences.join("\n")
        );
    }
}

#[test]
fn values_arrive_as_they_were_given() {
    let mut dice = Dice::new("values of settings");
    let pairs: Vec<(&str, Json)> = (0..VALUES)
        .map(|_| (settings()[dice.below(settings().len())].name.as_str(), random_value(&mut dice, 2)))
        .collect();
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let release = release(pins.version);
        let words: Vec<(&str, &Json, String)> = pairs
            .iter()
            .filter_map(|(name, value)| Some((*name, value, word(name, value, release).ok()?)))
            .collect();
        assert!(words.len() > VALUES / 4, "{} of {VALUES}", words.len());
        let questions: Vec<Json> = words.iter().map(|(_, _, word)| json!(word)).collect();
        let answers = answers(site.python(), &["settings.py"], &questions);
        for ((name, value, word), answer) in words.iter().zip(&answers[1..]) {
            assert_eq!(answer["name"], **name, "{release} {word}: {answer}");
            let kind = setting(name, release).unwrap().kind;
            let given = plain(value);
            let arrived = &answer["value"];
            // What is written in a text may say what the setting is, and a whole number is a number too.
            let said = match (kind, value) {
                (SettingKind::Flag, Json::String(_)) => arrived["flag"].is_boolean(),
                (SettingKind::Whole, Json::String(_)) => arrived["whole"].is_string(),
                (SettingKind::Number, Json::String(_)) => arrived["number"].is_string(),
                (SettingKind::Number, Json::Number(number)) => {
                    same(&number_text(number.as_f64().unwrap()), arrived)
                }
                _ => same(&given, arrived),
            };
            assert!(said, "{release} {word}: {given} became {arrived}");
            let read = reading(word, release);
            assert_eq!(difference(&read, answer, &answers[0]), None, "{release} {word}");
        }
        crate::say(&format!("{} {}: {} values", pins.project, pins.version, words.len()));
    }
}
