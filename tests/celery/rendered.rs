// SPDX-License-Identifier: Apache-2.0
//! Every container of every golden file, started by the real thing up to the moment before its work begins: the words
//! of its command line with the variables of its environment. And every probe that is a command of Celery.

#[path = "../render/golden.rs"]
mod golden;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ask;
use crate::venv::{self, Pins, Site};

/// A command line of Celery in a golden file.
struct Line {
    place: String,
    /// The release that the case is written for, if it is written for one.
    version: Option<String>,
    flower: bool,
    question: Value,
}

/// Every command line of every golden file.
fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for case in golden::golden() {
        let version = case.celery["spec"]["common"]["celeryVersion"].as_str();
        let user_options = user_options(&case.celery["spec"]);
        for child in &case.children {
            let containers = child.pointer("/spec/template/spec/containers").and_then(Value::as_array);
            for container in containers.into_iter().flatten() {
                let name = container["name"].as_str().unwrap();
                if !["celery", "beat", "flower"].contains(&name) {
                    continue;
                }
                let place = format!("{}: {} of {}", case.name, name, child["metadata"]["name"]);
                let environment = environment(container);
                let mut line = |place: String, words: Vec<String>| {
                    let question =
                        json!({"words": words, "environment": environment, "userOptions": user_options});
                    let version = version.map(str::to_owned);
                    lines.push(Line { place, version, flower: name == "flower", question });
                };
                line(place.clone(), of_celery(&words(container), &place));
                for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                    if let Some(words) = shell_words(&container[probe]) {
                        let place = format!("{place}, its {probe}");
                        line(place.clone(), of_celery(&words, &place));
                    }
                }
            }
        }
    }
    lines
}

/// Options that the image of a case brings itself.
fn user_options(spec: &Value) -> Vec<Value> {
    let pools = spec["workerPools"].as_array().into_iter().flatten();
    let specs = pools.chain([&spec["workerSpec"]]);
    specs.filter_map(|spec| spec["userOptions"].as_array()).flatten().cloned().collect()
}

fn words(container: &Value) -> Vec<String> {
    let texts = ["command", "args"].map(|key| container[key].as_array().cloned().unwrap_or_default());
    texts.concat().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// The command of a probe as its shell splits it; nothing for a probe of another kind.
fn shell_words(probe: &Value) -> Option<Vec<String>> {
    let command = probe.pointer("/exec/command")?.as_array()?;
    let [sh, flag, text] = command.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?[..] else {
        return None;
    };
    let text = text.strip_prefix("unset APP CELERY_APP; exec ").unwrap_or(text);
    let is_celery = (sh, flag) == ("sh", "-c") && text.split(' ').any(|word| word == "celery");
    assert!(!is_celery || !text.contains(['\'', '"', '\\', ';']), "no shell is at hand: {text}");
    is_celery.then(|| text.split(' ').map(|word| word.replace("$HOSTNAME", "pod-1")).collect())
}

/// What follows the program, whatever starts it.
fn of_celery(words: &[String], place: &str) -> Vec<String> {
    let program = words.iter().position(|word| word == "celery");
    words[program.unwrap_or_else(|| panic!("{place} does not start Celery: {words:?}")) + 1..].to_vec()
}

/// The variables as a kubelet sets them; what comes from elsewhere has a value that fits its name.
fn environment(container: &Value) -> BTreeMap<&str, String> {
    let mut environment = BTreeMap::from([("HOSTNAME", "pod-1".to_owned())]);
    for variable in container["env"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().unwrap();
        let mut value = match variable["value"].as_str() {
            Some(value) => value.to_owned(),
            None if variable.get("valueFrom").is_some() => brought(name).to_owned(),
            None => String::new(),
        };
        for (known, text) in &environment {
            value = value.replace(&format!("$({known})"), text);
        }
        environment.insert(name, value);
    }
    environment
}

/// What a Secret would bring.
fn brought(name: &str) -> &'static str {
    match name {
        "CELERY_BROKER_URL" | "CELERY_RESULT_BACKEND" => "redis://cache:6379/0",
        "FLOWER_BROKER_API" => "http://guest:guest@mq:15672/api/",
        "FLOWER_BASIC_AUTH" => "me:words",
        _ => "words",
    }
}

/// What is refused.
fn judged(site: &Site, lines: &[&Line]) -> Vec<String> {
    let questions: Vec<Value> = lines.iter().map(|line| line.question.clone()).collect();
    let answers = ask::answers(site.python(), &["rendered.py"], &questions);
    let refusals = lines.iter().zip(&answers[1..]).filter_map(|(line, answer)| {
        let reason = answer.get("refused")?;
        Some(format!("{}: {}\n  {}", line.place, reason, line.question))
    });
    refusals.collect()
}

/// Whether a release may judge a line: it is written for this one, or for none that is at hand.
fn concerns(pins: &Pins, line: &Line) -> bool {
    let minor = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let wanted = line.version.as_deref().map(minor);
    let known = venv::RELEASES.iter().any(|pins| Some(minor(pins.version)) == wanted);
    !known || wanted == Some(minor(pins.version))
}

#[test]
fn celery_and_flower_start_with_every_golden_container() {
    let lines = lines();
    let mut wrong = Vec::new();
    for pins in venv::RELEASES.iter().chain(venv::FLOWERS.last()) {
        let Some(site) = venv::site(pins) else { continue };
        let is_flower = pins.project == "flower";
        let mine: Vec<&Line> = lines
            .iter()
            .filter(|line| line.flower == is_flower && (is_flower || concerns(pins, line)))
            .collect();
        assert!(mine.len() >= 10, "{} lines for {} {}", mine.len(), pins.project, pins.version);
        let refused = judged(&site, &mine);
        crate::say(&format!(
            "{} {} starts with {} of {} containers and probes",
            pins.project,
            pins.version,
            mine.len() - refused.len(),
            mine.len()
        ));
        let by = |refused: String| format!("{} {}: {refused}", pins.project, pins.version);
        wrong.extend(refused.into_iter().map(by));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A judge that takes everything judges nothing.
#[test]
fn a_word_or_a_variable_that_nobody_knows_is_refused() {
    let line = |flower: bool, words: &[&str], variable: (&str, &str)| Line {
        place: format!("{words:?} {variable:?}"),
        version: None,
        flower,
        question: json!({"words": words, "environment": {variable.0: variable.1}, "userOptions": []}),
    };
    let none = ("A", "b");
    let bad = [
        line(false, &["-A", "shop", "worker", "--consurrency=2"], none),
        line(false, &["-A", "shop", "worker", "-c", "many"], none),
        line(false, &["-A", "shop", "worker", "--", "worker.nobody_knows=1"], none),
        line(false, &["-A", "shop", "worker"], ("CELERY_WORKER_CONCURRENCY", "many")),
        line(false, &["-A", "shop", "beat", "--max-interval=never"], none),
        line(false, &["inspect", "pong"], none),
        line(true, &["flower", "--max_tasks=many"], none),
        line(true, &["flower", "--nobody_knows=1"], none),
        line(true, &["flower"], ("FLOWER_NOBODY_KNOWS", "1")),
        line(true, &["flower"], ("FLOWER_MAX_TASKS", "many")),
    ];
    let newest = venv::RELEASES.last().unwrap();
    for (pins, flower) in [(newest, false), (venv::FLOWERS.last().unwrap(), true)] {
        let Some(site) = venv::site(pins) else { continue };
        let mine: Vec<&Line> = bad.iter().filter(|line| line.flower == flower).collect();
        let refused = judged(&site, &mine);
        assert_eq!(refused.len(), mine.len(), "{}", refused.join("\n"));
    }
}
