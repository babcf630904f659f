// SPDX-License-Identifier: Apache-2.0
//! Broker URLs and result backends: texts that are mostly good, and what the comparisons of both have in common.

pub(crate) mod backends;
pub(crate) mod brokers;
mod parts;

use std::thread;

use parts::{HOSTS, PATHS, PORTS, QUERIES, USERS};
use serde_json::Value;

use crate::ask::answers;
use crate::dice::Dice;
use crate::venv::{self, Pins};

/// Questions about URLs, and what every release that can be had answers; its first answer is its versions.
fn asked(questions: &[Value]) -> Vec<(&'static Pins, Vec<Value>)> {
    let Some(clients) = venv::site(&venv::CLIENTS) else { return Vec::new() };
    thread::scope(|scope| {
        let clients = &clients;
        let asking: Vec<_> = venv::RELEASES
            .iter()
            .filter_map(|pins| Some((pins, venv::site(pins)?)))
            .map(|(pins, site)| {
                let python = venv::python_beside(&site, clients);
                (pins, scope.spawn(move || answers(python, &["urls.py"], questions)))
            })
            .collect();
        asking.into_iter().map(|(pins, asking)| (pins, asking.join().unwrap())).collect()
    })
}

/// Panics with the first differences, unless there are none.
fn assert_none(pins: &Pins, differences: &[String]) {
    assert!(
        differences.is_empty(),
        "{}: {}\n{}",
        pins.version,
        differences.len(),
        differences.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
}

/// Something like a URL: mostly good parts in the right order.
fn url(dice: &mut Dice, schemes: &[&str]) -> String {
    let scheme = dice.of(schemes);
    // Most of the time no more than one part of a URL is out of the ordinary.
    let odd = dice.below(6);
    let mut pick = |index: usize, all: &[&'static str]| -> &'static str {
        if odd == index || odd == 5 { dice.of(all) } else { dice.of(&all[..4]) }
    };
    let (login, host) = (pick(0, USERS), pick(1, HOSTS));
    let (port, path, query) = (pick(2, PORTS), pick(3, PATHS), pick(4, QUERIES));
    let mut text = format!("{scheme}://{login}{host}{port}{path}{query}");
    if dice.one_in(12) {
        let at = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect::<Vec<_>>();
        text.insert_str(at[dice.below(at.len())], &dice.garbage(3));
    }
    if dice.one_in(25) {
        text = text.replacen("://", dice.of(&[":/", "//", ":", "", ":///"]), 1);
    }
    if dice.one_in(40) {
        let blank = dice.of(&[" ", "\n", "\t", "\u{a0}", "\0"]);
        let at = [0, text.len()][dice.below(2)];
        text.insert_str(at, blank);
    }
    text
}

fn text(dice: &mut Dice, schemes: &[&str]) -> String {
    match dice.below(40) {
        0 => dice.garbage(30),
        1 => format!("{}://{}", dice.of(schemes), dice.garbage(12)),
        2 => format!("{}://cache/{}", dice.of(schemes), "9".repeat(dice.below(3000))),
        3..=7 => {
            let list: Vec<String> = (0..2 + dice.below(2)).map(|_| url(dice, schemes)).collect();
            list.join(dice.of(&[";", ";", ";", ";;", ","])) + dice.of(&["", "", "", ";"])
        }
        _ => url(dice, schemes),
    }
}

/// An optional text of an answer; empty counts as absent, as everywhere in kombu.
fn said<'a>(answer: &'a Value, part: &str) -> Option<&'a str> {
    answer[part].as_str().filter(|text| !text.is_empty())
}

fn port(answer: &Value) -> Option<u64> {
    answer["port"].as_u64().filter(|port| *port != 0)
}

fn difference(parts: Vec<(&str, Value, Value)>) -> Option<String> {
    let differing = parts.into_iter().find(|(_, here, there)| here != there);
    differing.map(|(part, here, there)| format!("{part}: {here} here, {there} there"))
}

/// Whether a database is one that only Python's reading of numbers could make of the text, or none that Redis has.
fn strange(answer: &Value, text: &str) -> bool {
    let usual = answer["db"].as_u64().is_some_and(|number| u32::try_from(number).is_ok());
    !usual || text.contains(['_', '%']) || !text.is_ascii()
}
