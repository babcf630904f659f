// SPDX-License-Identifier: Apache-2.0
//! Argument lists, read by the model and by the real thing: both have to end up alike, with the same values.

mod flower;
mod lists;
mod tables;
mod told;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::thread;

use celery_operator::celery::command::Command;
use celery_operator::celery::environment::flower_variable;
use celery_operator::celery::flower as model;
use celery_operator::celery::options::flower::Release as FlowerRelease;
use celery_operator::celery::reading::Cause;
use celery_operator::celery::version::{Release, Target, Version};
use serde_json::{Map, Value, json};

use crate::ask::answers;
use crate::dice::{Dice, seed};
use crate::venv::{self, Pins};

/// How many lists; those of workers and beat are read by every release.
const WORKERS: usize = 3000;
const BEATS: usize = 1200;
const FLOWERS: usize = 1500;
/// How many variables of Flower.
const VARIABLES: usize = 600;

/// Differences that are known and meant: the words, and why.
const EXEMPT: &[(&[&str], &str)] = &[];

/// Questions of one kind, and the answer of every release that can be had, in the same order.
pub(crate) struct Asked<T> {
    pub(crate) questions: Vec<T>,
    pub(crate) answers: Vec<(&'static Pins, Vec<Value>)>,
}

/// An environment variable and its value.
pub(crate) type Variable = (String, String);

/// Argument lists of workers. Each kind is asked once, whichever test wants to know first.
pub(crate) fn workers() -> &'static Asked<Vec<String>> {
    static ASKED: OnceLock<Asked<Vec<String>>> = OnceLock::new();
    ASKED.get_or_init(|| celery(Command::Worker, "worker", WORKERS))
}

/// Argument lists of beat.
pub(crate) fn beats() -> &'static Asked<Vec<String>> {
    static ASKED: OnceLock<Asked<Vec<String>>> = OnceLock::new();
    ASKED.get_or_init(|| celery(Command::Beat, "beat", BEATS))
}

/// Argument lists of Flower.
pub(crate) fn flowers() -> &'static Asked<Vec<String>> {
    static ASKED: OnceLock<Asked<Vec<String>>> = OnceLock::new();
    ASKED.get_or_init(|| {
        let mut dice = Dice::new("arguments of Flower");
        let rare = ["--persistent=true", "--db=/history/flower"].map(str::to_owned).to_vec();
        let lists = (0..FLOWERS).map(|_| flower::list(&mut dice)).chain([rare]).collect();
        asked("flower", venv::FLOWERS, lists, |list| json!({ "args": list }))
    })
}

/// Variables of Flower, one at a time.
pub(crate) fn variables() -> &'static Asked<Variable> {
    static ASKED: OnceLock<Asked<Variable>> = OnceLock::new();
    ASKED.get_or_init(|| {
        let mut dice = Dice::new("variables of Flower");
        let variables = (0..VARIABLES).map(|_| flower::variable(&mut dice)).collect();
        asked("flower", venv::FLOWERS, variables, |(name, value)| json!({"env": {name: value}}))
    })
}

fn celery(command: Command, name: &str, count: usize) -> Asked<Vec<String>> {
    let mut dice = Dice::new(&format!("arguments of {name}"));
    let rare = vocabulary::LISTS.iter().map(|list| list.iter().map(|word| (*word).to_owned()).collect());
    let lists = (0..count).map(|_| lists::list(command, &mut dice)).chain(rare).collect();
    asked(name, venv::RELEASES, lists, |list| json!({ "args": list }))
}

fn asked<T>(name: &str, releases: &'static [Pins], questions: Vec<T>, line: fn(&T) -> Value) -> Asked<T> {
    let lines: Vec<Value> = questions.iter().map(line).collect();
    let answers = thread::scope(|scope| {
        let lines = &lines;
        let asking: Vec<_> = releases
            .iter()
            .filter_map(|pins| Some((pins, venv::site(pins)?)))
            .map(|(pins, site)| {
                (pins, scope.spawn(move || answers(site.python(), &["argv.py", name], lines)))
            })
            .collect();
        asking
            .into_iter()
            .map(|(pins, asking)| {
                let mut answers = asking.join().unwrap();
                assert_eq!(answers.remove(0)["release"], pins.version);
                (pins, answers)
            })
            .collect()
    });
    Asked { questions, answers }
}

#[test]
fn workers_read_their_arguments_alike() {
    every_release(Command::Worker, "worker", workers());
}

#[test]
fn beat_reads_its_arguments_alike() {
    every_release(Command::Beat, "beat", beats());
}

#[test]
fn flower_reads_its_arguments_alike() {
    let asked = flowers();
    for (pins, answers) in &asked.answers {
        let release = flower_release(pins);
        compare(pins, "flower", &asked.questions, answers, |list| {
            let mut told = told::of_flower(&model::reading(list, release));
            // The help of tornado crashes over a default of an older Flower. It ends either way.
            let of_click = list.iter().take_while(|word| *word != "--").any(|word| word == "--help");
            if release < FlowerRelease::V2_2 && told["outcome"] == "help" && !of_click {
                told["outcome"] = json!("refused");
            }
            told
        });
    }
}

/// Which names are read: every option in every spelling, and nothing else.
#[test]
fn flower_reads_its_variables_alike() {
    let asked = variables();
    for (pins, answers) in &asked.answers {
        let mut differences = Vec::new();
        let mut read = 0;
        for ((name, value), answer) in asked.questions.iter().zip(answers) {
            let here = flower_variable(name, flower_release(pins));
            // A value that ends Flower is one that it has read.
            let set = answer["options"].as_object().map(|options| options.keys().next());
            let alike = match (set, here) {
                (None, here) => here.is_some(),
                (Some(set), here) => set.map(String::as_str) == here.map(|option| option.name),
            };
            read += usize::from(set.flatten().is_some());
            if !alike {
                differences.push(format!("{name}={value}: {here:?} here, {answer} there"));
            }
        }
        crate::say(&format!("flower {}: {} variables", pins.version, answers.len()));
        assert!(read * 4 > answers.len() && read * 5 < answers.len() * 4, "{read}");
        assert!(differences.is_empty(), "{} {}", pins.version, differences.join("\n"));
    }
}

/// Needs no judge: whatever is written and whoever reads it, no word gets lost.
#[test]
fn every_word_is_accounted_for() {
    let mut dice = Dice::new("words of both");
    for _ in 0..BEATS / 2 {
        let mut list = lists::list(Command::Worker, &mut dice);
        list.extend(flower::list(&mut dice));
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
        let reading = model::reading(&list, FlowerRelease::NEWEST);
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

fn every_release(command: Command, name: &str, asked: &Asked<Vec<String>>) {
    for (pins, answers) in &asked.answers {
        let release = release(pins);
        compare(pins, name, &asked.questions, answers, |list| {
            told::of_celery(&command.reading(list, release))
        });
    }
}

fn release(pins: &Pins) -> Release {
    let version: Version = pins.version.parse().unwrap();
    match Target::try_from(version) {
        Ok(Target::Known(release)) => release,
        other => panic!("{other:?}"),
    }
}

fn flower_release(pins: &Pins) -> FlowerRelease {
    match pins.version {
        "1.2.0" => FlowerRelease::V1_2,
        "2.0.1" => FlowerRelease::V2_0,
        "2.2.0" => FlowerRelease::V2_2,
        other => panic!("{other} has no table"),
    }
}

/// Panics with the first differences, unless there are none.
fn compare(
    pins: &Pins,
    name: &str,
    lists: &[Vec<String>],
    answers: &[Value],
    model: impl Fn(&[String]) -> Value,
) {
    let mut ends = BTreeMap::new();
    let mut differences = Vec::new();
    for (list, answer) in lists.iter().zip(answers) {
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
