// SPDX-License-Identifier: Apache-2.0
//! Argument lists, read by the model and by the real thing: both have to end up alike, with the same values.

pub(crate) mod lists;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::thread;

use celery_operator::celery::command::Command;
use celery_operator::celery::options::{self, ValueKind};
use celery_operator::celery::reading::{Cause, Effective, Outcome, Reading};
use celery_operator::celery::settings::command_line::{Setting, Type};
use celery_operator::celery::value::Value as Told;
use celery_operator::celery::version::{Release, Target, Version};
use celery_operator::celery::{flower, number};
use lists::Dice;
use serde_json::{Map, Value, json};

use crate::venv::{self, Pins, Site};

/// How many lists; those of workers and beat are read by every release.
const WORKERS: usize = 3000;
const BEATS: usize = 600;
const FLOWERS: usize = 1500;

/// Differences that are known and meant: the words, and why.
const EXEMPT: &[(&[&str], &str)] = &[];

/// The same seed gives the same lists; `CELERY_JUDGE_SEED` gives others.
pub(crate) fn seed() -> u64 {
    env::var("CELERY_JUDGE_SEED").ok().map_or(1, |seed| seed.parse().unwrap())
}

#[test]
fn workers_read_their_arguments_alike() {
    every_release(Command::Worker, "worker", WORKERS);
}

#[test]
fn beat_reads_its_arguments_alike() {
    every_release(Command::Beat, "beat", BEATS);
}

#[test]
fn flower_reads_its_arguments_alike() {
    let Some(site) = venv::site(&venv::FLOWER) else { return };
    let mut dice = Dice(seed());
    let lists: Vec<_> = (0..FLOWERS).map(|_| lists::flower(&mut dice)).collect();
    let release = options::flower::Release::NEWEST;
    compare(&venv::FLOWER, &site, "flower", &lists, |list| flower_answer(&flower::reading(list, release)));
}

/// Needs no judge: whatever is written and whoever reads it, no word gets lost.
#[test]
fn every_word_is_accounted_for() {
    let mut dice = Dice(seed());
    for _ in 0..BEATS {
        let mut list = lists::celery(Command::Worker, &mut dice);
        list.extend(lists::flower(&mut dice));
        for release in Release::ALL {
            let reading = Command::Worker.reading(&list, release);
            let uses = reading.occurrences.iter().flat_map(|used| [used.at, used.value_at]);
            let settings = reading.settings.iter().map(|setting| setting.at);
            let faults = reading.faults.iter().map(|fault| fault.at);
            // A word behind an unknown option is taken for its value.
            let unknown =
                reading.faults.iter().filter(|fault| matches!(fault.cause, Cause::UnknownOption { .. }));
            let behind = unknown.map(|fault| fault.at + 1);
            let opaque = reading.opaque.iter().copied();
            let seen =
                uses.chain(settings).chain(faults).chain(behind).chain(opaque).chain(reading.separator);
            assert_all_in(&list, seen);
        }
        let reading = flower::reading(&list, options::flower::Release::NEWEST);
        let uses = reading.occurrences.iter().map(|used| used.at);
        let dropped = reading.dropped.iter().map(|dropped| dropped.at);
        let faults = reading.faults.iter().map(|fault| fault.at);
        let separator = list.iter().position(|word| word == "--");
        assert_all_in(&list, uses.chain(dropped).chain(faults).chain(separator));
    }
}

fn assert_all_in(list: &[String], seen: impl Iterator<Item = usize>) {
    let seen: BTreeSet<usize> = seen.filter(|at| *at < list.len()).collect();
    assert_eq!(seen.len(), list.len(), "{list:?}: {seen:?}");
}

fn every_release(command: Command, name: &str, count: usize) {
    let mut dice = Dice(seed());
    let lists: Vec<_> = (0..count).map(|_| lists::celery(command, &mut dice)).collect();
    thread::scope(|scope| {
        for pins in venv::RELEASES {
            let Some(site) = venv::site(pins) else { continue };
            let lists = &lists;
            let release = release(pins);
            scope.spawn(move || {
                compare(pins, &site, name, lists, |list| celery_answer(&command.reading(list, release)));
            });
        }
    });
}

fn release(pins: &Pins) -> Release {
    let version: Version = pins.version.parse().unwrap();
    match Target::try_from(version) {
        Ok(Target::Known(release)) => release,
        other => panic!("{other:?}"),
    }
}

/// Panics with the first differences, unless there are none.
fn compare(pins: &Pins, site: &Site, name: &str, lists: &[Vec<String>], model: impl Fn(&[String]) -> Value) {
    let answers = judged(site, name, lists);
    let mut ends = BTreeMap::new();
    let mut differences = Vec::new();
    for (list, answer) in lists.iter().zip(&answers) {
        *ends.entry(answer["outcome"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        let exempt = EXEMPT.iter().any(|(words, _)| words.iter().eq(list.iter()));
        let told = model(list);
        if !exempt && !same(&told, answer) {
            differences.push(format!("{list:?}\n  model: {told}\n  real:  {answer}"));
        }
    }
    crate::say(&format!(
        "{name} of {} {}: {ends:?}, {} differences",
        pins.project,
        pins.version,
        differences.len()
    ));
    // A judge that says the same to everything judges nothing.
    assert!(ends.values().filter(|count| **count * 10 > lists.len()).count() > 1, "{ends:?}");
    assert!(
        differences.is_empty(),
        "{} differences to {name} of {} {} (CELERY_JUDGE_SEED={}):\n{}",
        differences.len(),
        pins.project,
        pins.version,
        seed(),
        differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
}

/// Settings whose value the model does not work out are compared by their names only.
fn same(told: &Value, answer: &Value) -> bool {
    let outcome = told["outcome"] == answer["outcome"];
    if !outcome || told["outcome"] != "accepted" {
        return outcome;
    }
    let (settings, real) = (told["settings"].as_object(), answer["settings"].as_object());
    let none = Map::new();
    let (settings, real) = (settings.unwrap_or(&none), real.unwrap_or(&none));
    told["options"] == answer["options"]
        && settings.keys().eq(real.keys())
        && settings.iter().all(|(name, value)| *value == "..." || *value == real[name])
}

/// The answers of the real thing, in order.
pub(crate) fn judged(site: &Site, name: &str, lists: &[Vec<String>]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/celery/argv.py");
    let mut child =
        site.python().args([script, name]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut questions = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap());
    let answers: Vec<Value> = thread::scope(|scope| {
        scope.spawn(move || {
            for list in lists {
                writeln!(questions, "{}", json!(list)).unwrap();
            }
        });
        answers.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    });
    assert!(child.wait().unwrap().success());
    assert_eq!(answers.len(), lists.len(), "the judge stopped early");
    answers
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Help => "help",
        Outcome::Refused => "refused",
    }
}

fn celery_answer(reading: &Reading<'_>) -> Value {
    let options = reading.occurrences.iter().map(|occurrence| {
        let option = occurrence.option;
        let value = match reading.effective(option.names[0]) {
            Effective::Is(_) if option.kind == ValueKind::NodeName => json!("..."),
            // Celery falls back to the setting.
            Effective::Is(Told::Int(0)) if option.name() == "--prefetch-multiplier" => Value::Null,
            Effective::Is(value) => plain(option.kind, value),
            other => panic!("{other:?}"),
        };
        (option.variable().to_lowercase(), value)
    });
    let settings = reading.settings.iter().map(|setting| (setting.name.clone(), setting_value(setting)));
    let refused = reading.outcome() != Outcome::Accepted;
    let mut answer = json!({"outcome": outcome(reading.outcome())});
    if refused {
        answer["faults"] = json!(format!("{:?}", reading.faults));
    } else {
        answer["options"] = options.collect::<Map<_, _>>().into();
        answer["settings"] = settings.collect::<Map<_, _>>().into();
    }
    answer
}

fn plain(kind: ValueKind, value: Told<'_>) -> Value {
    match value {
        Told::Flag => json!(true),
        Told::Switch(on) => json!(on),
        Told::Int(0) if kind == ValueKind::Concurrency => Value::Null,
        Told::Int(number) => json!(number),
        Told::Float(number) => float(number),
        Told::Auto => json!("auto"),
        Told::Range(most, fewest) => json!([most, fewest]),
        Told::Text(name) if kind == ValueKind::LogLevel => json!(match name {
            "DEBUG" => 10,
            "INFO" => 20,
            "WARNING" => 30,
            "ERROR" => 40,
            _ => 50,
        }),
        Told::Text(text) => nonempty(text),
        Told::List(names) => json!(names),
    }
}

fn float(number: f64) -> Value {
    // Python has one not-a-number, with or without a sign.
    let number = if number.is_nan() { f64::NAN } else { number };
    json!(format!("float {:016x}", number.to_bits()))
}

fn nonempty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn setting_value(setting: &Setting<'_>) -> Value {
    let kind = match setting.cast {
        None => setting.row.map(|row| row.kind),
        Some("int") => Some(Type::Int),
        Some("float") => Some(Type::Float),
        Some("bool") => Some(Type::Bool),
        Some("string" | "any") => Some(Type::Text),
        Some(_) => None,
    };
    match kind {
        Some(Type::Text | Type::Any) => nonempty(setting.value),
        Some(Type::Int) => json!(number::int(setting.value).unwrap()),
        Some(Type::Float) => float(number::float(setting.value).unwrap()),
        Some(Type::Bool) => {
            json!(["true", "yes", "on", "1"].contains(&setting.value.to_lowercase().as_str()))
        }
        _ => json!("..."),
    }
}

fn flower_answer(reading: &flower::Reading<'_>) -> Value {
    use options::flower::TornadoType;
    let options = reading.occurrences.iter().map(|occurrence| {
        let name = occurrence.option.name;
        let value = match occurrence.option.kind {
            TornadoType::Bool => json!(reading.bool(name).is().unwrap()),
            TornadoType::Int => json!(reading.int(name).is().unwrap()),
            TornadoType::Float => float(reading.float(name).is().unwrap()),
            TornadoType::Text => nonempty(reading.text(name).is().unwrap()),
            TornadoType::Texts => json!(reading.text(name).is().unwrap().split(',').collect::<Vec<_>>()),
            TornadoType::Floats => {
                let parts = reading.text(name).is().unwrap().split(',');
                json!(parts.map(|part| float(number::float(part).unwrap())).collect::<Vec<_>>())
            }
            TornadoType::Function => panic!("refused"),
        };
        (name.to_owned(), value)
    });
    let mut answer = json!({"outcome": outcome(reading.outcome())});
    if reading.outcome() == Outcome::Accepted {
        answer["options"] = options.collect::<Map<_, _>>().into();
    } else {
        answer["faults"] = json!(format!("{:?}", reading.faults));
    }
    answer
}
