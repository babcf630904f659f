// SPDX-License-Identifier: Apache-2.0
//! What the rules say to an argument list, held against what Celery says: nothing is refused that Celery takes and that
//! works in a pod, and nothing is let through that every release in question refuses.

use std::collections::BTreeMap;
use std::thread;

use celery_operator::celery::command::Command;
use celery_operator::rules::{self, Facts, Severity};
use serde_json::{Value, json};

use crate::argv::{judged, lists, seed};
use crate::venv::{self, Pins};

/// How many lists.
const LISTS: usize = 3000;

/// Rules that refuse what Celery's command line takes, since a worker started like that cannot work in a pod or loses
/// work.
const REFUSED_ALL_THE_SAME: &[(&str, &str)] = &[
    ("W01", "two words in one become the name of a queue, or a value with a blank that nobody meant"),
    ("W06", "in the background the container ends at once"),
    ("W07", "with --help the container ends at once"),
    ("W08", "a pid file on a volume keeps the next pod from starting"),
    ("W11", "with gevent and eventlet the scheduler crashes after the command line was read"),
    ("W13", "every start of a pod deletes the waiting tasks"),
    ("W14", "of an option that is there twice the first value is lost without a word"),
    ("W15", "up to 5.6 a number of children below zero is read, and the pool crashes"),
    ("W18", "the pool custom crashes without its class"),
    ("W25", "a queue with a blank or a quote at its end is another queue"),
    ("W26", "a worker without any queue is idle for ever"),
    ("W30", "a child that may run no task crashes the pool"),
    ("W43", "a word for a shell is passed as it is"),
];

/// What the rules deny of a list.
fn denials(list: &[String], version: Option<&str>) -> BTreeMap<String, String> {
    let mut common = json!({"image": "shop:1", "celeryApp": "shop", "broker": {"url": "redis://cache"}});
    if let Some(version) = version {
        common["celeryVersion"] = json!(version);
    }
    let object =
        json!({"metadata": {"name": "shop"}, "spec": {"common": common, "workerSpec": {"args": list}}});
    let findings = rules::check(&object, None, &Facts::default()).unwrap();
    let denied = findings.into_iter().filter(|finding| finding.severity == Severity::Deny);
    denied.map(|finding| (finding.rule.to_owned(), finding.to_string())).collect()
}

/// The lists and, for every release, whether it takes them.
fn answers(lists: &[Vec<String>]) -> Vec<(&'static Pins, Vec<bool>)> {
    thread::scope(|scope| {
        let asked: Vec<_> = venv::RELEASES
            .iter()
            .filter_map(|pins| Some((pins, venv::site(pins)?)))
            .map(|(pins, site)| {
                let answers = scope.spawn(move || judged(&site, "worker", lists));
                (pins, answers)
            })
            .collect();
        let takes = |answer: &Value| answer["outcome"] != "refused";
        asked
            .into_iter()
            .map(|(pins, answers)| (pins, answers.join().unwrap().iter().map(takes).collect()))
            .collect()
    })
}

#[test]
fn rules_refuse_what_celery_refuses_and_little_else() {
    let mut dice = lists::Dice(seed());
    let mut lists: Vec<_> = (0..LISTS).map(|_| lists::celery(Command::Worker, &mut dice)).collect();
    // Behind --help Celery looks at nothing any more; the rules go on, so that every mistake is told at once.
    lists.retain(|list| !list.iter().any(|word| word == "--help"));
    let answers = answers(&lists);
    if answers.is_empty() {
        return;
    }
    let mut wrong = Vec::new();
    let mut refusals: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, list) in lists.iter().enumerate() {
        for (pins, taken) in &answers {
            let denied = denials(list, Some(pins.version));
            let own = |id: &&String| REFUSED_ALL_THE_SAME.iter().any(|(known, _)| known == id);
            match (taken[index], denied.is_empty()) {
                (true, _) if !denied.keys().all(|id| own(&id)) => {
                    wrong.push(format!("{} takes {list:?}, denied by {denied:#?}", pins.version));
                }
                (false, true) => {
                    wrong.push(format!("{} refuses {list:?}, which is let through", pins.version));
                }
                _ => {}
            }
            for (id, _) in
                REFUSED_ALL_THE_SAME.iter().filter(|(id, _)| taken[index] && denied.contains_key(*id))
            {
                *refusals.entry(*id).or_default() += 1;
            }
        }
        // With no version written, one release that takes a list is enough.
        let denied = denials(list, None);
        let refused_by_all = answers.iter().all(|(_, taken)| !taken[index]);
        if refused_by_all && denied.is_empty() {
            wrong.push(format!("every release refuses {list:?}, which is let through"));
        }
        let own = |id: &String| REFUSED_ALL_THE_SAME.iter().any(|(known, _)| known == id);
        if !refused_by_all && !denied.keys().all(own) {
            wrong.push(format!("a release takes {list:?}, denied by {denied:#?}"));
        }
    }
    crate::say(&format!("{} lists, refused although Celery takes them: {refusals:?}", lists.len()));
    assert!(
        wrong.is_empty(),
        "{} wrong verdicts (CELERY_JUDGE_SEED={}):\n{}",
        wrong.len(),
        seed(),
        wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
}
