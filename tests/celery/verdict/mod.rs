// SPDX-License-Identifier: Apache-2.0
//! What the rules say, held against what Celery says: nothing is refused that Celery takes and that works in a pod, and
//! nothing is let through that every release in question refuses.

mod args;
mod opaque;
mod urls;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use celery_operator::rules::{self, Facts, Severity, catalogue};
use serde_json::Value;

use crate::dice::seed;

/// Something that is judged, in the object in which it stands.
struct Input {
    /// It alone, for messages.
    text: String,
    /// The object, without the version of anything.
    object: Value,
    /// Whether what is taken is something else than what was meant.
    is_astray: bool,
}

/// A rule that refuses what the release takes.
struct Refusal {
    id: &'static str,
    /// Why it does.
    why: &'static str,
    /// Which inputs it may refuse so.
    when: fn(&Input) -> bool,
}

/// Wherever it is told.
const fn always(id: &'static str, why: &'static str) -> Refusal {
    Refusal { id, why, when: |_| true }
}

/// Where the comparison of the parts knows that something else is meant.
const fn astray(id: &'static str, why: &'static str) -> Refusal {
    Refusal { id, why, when: |input| input.is_astray }
}

/// What is known to differ.
struct Known {
    /// Refused although a release takes it, since it cannot work in a pod, or loses work.
    refused: &'static [&'static [Refusal]],
    /// Only warned about although every release refuses it: the id, and why.
    warned: &'static [(&'static str, &'static str)],
}

/// What the rules say to one object.
struct Verdict {
    denied: BTreeMap<&'static str, String>,
    warned: BTreeSet<&'static str>,
}

fn verdict(object: &Value) -> Verdict {
    let findings = rules::check(object, None, &Facts::default()).unwrap();
    let (denied, warned): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Deny);
    Verdict {
        denied: denied.into_iter().map(|finding| (finding.rule, finding.to_string())).collect(),
        warned: warned.into_iter().map(|finding| finding.rule).collect(),
    }
}

/// The same object for one release.
fn pinned(object: &Value, path: &str, version: &str) -> Value {
    let mut object = object.clone();
    let (parent, field) = path.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[field] = version.into();
    object
}

/// Who took what: for every release its version and whether it takes each input.
type Taken = Vec<(&'static str, Vec<bool>)>;

/// Panics with the first verdicts that are wrong, unless there are none.
///
/// `path` is where the object names its release.
fn assert_right(what: &str, inputs: &[Input], taken: &Taken, path: &str, known: &Known) {
    let mut bench = Court { known, wrong: Vec::new(), refused: BTreeMap::new(), warned: BTreeMap::new() };
    let releases = taken.len();
    for (index, input) in inputs.iter().enumerate() {
        // Where all releases agree, one of them is heard, each in its turn.
        let agree = taken.iter().all(|(_, answers)| answers[index] == taken[0].1[index]);
        for (turn, (version, taken)) in taken.iter().enumerate() {
            if !agree || turn == index % releases {
                let object = pinned(&input.object, path, version);
                bench.hear(input, &verdict(&object), taken[index], version);
            }
        }
        // With no version written, one release that takes it is enough.
        let any = taken.iter().any(|(_, taken)| taken[index]);
        bench.hear(input, &verdict(&input.object), any, "any release");
    }
    let Court { wrong, refused, warned, .. } = bench;
    crate::say(&format!(
        "{what}: {} judged, refused although taken: {refused:?}, only warned about: {warned:?}",
        inputs.len()
    ));
    assert!(
        wrong.is_empty(),
        "{} wrong verdicts on {what} (CELERY_JUDGE_SEED={}):\n{}",
        wrong.len(),
        seed(),
        wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
    );
    // A judge that says the same to everything judges nothing.
    for (version, taken) in taken {
        let count = taken.iter().filter(|taken| **taken).count();
        assert!(count * 20 > taken.len() && count * 20 < taken.len() * 19, "{version}: {count}");
    }
    for Refusal { id, why, .. } in known.refused.iter().copied().flatten() {
        assert!(refused.contains_key(id), "{id} is listed and never needed: {why}");
        let rule = catalogue::entries().find(|rule| rule.id == *id);
        assert!(rule.is_some_and(|rule| rule.severity == Severity::Deny), "{id} denies nothing");
    }
    for (id, why) in known.warned {
        assert!(warned.contains_key(id), "{id} is listed and never needed: {why}");
    }
}

/// What was said so far.
struct Court<'a> {
    known: &'a Known,
    wrong: Vec<String>,
    refused: BTreeMap<&'static str, usize>,
    warned: BTreeMap<&'static str, usize>,
}

impl Court<'_> {
    fn hear(&mut self, input: &Input, verdict: &Verdict, taken: bool, by: &str) {
        let text = &input.text;
        if taken {
            for (id, words) in &verdict.denied {
                let known = self.known.refused.iter().copied().flatten().find(|known| known.id == *id);
                match known.filter(|known| (known.when)(input)) {
                    Some(known) => *self.refused.entry(known.id).or_default() += 1,
                    None => self.wrong.push(format!("{by} takes {text:?}, denied by {words}")),
                }
            }
        } else if verdict.denied.is_empty() {
            let known = self.known.warned.iter().find(|(id, _)| verdict.warned.contains(id));
            match known {
                Some((id, _)) => *self.warned.entry(id).or_default() += 1,
                None => self.wrong.push(format!("{by} refuses {text:?}, which is let through")),
            }
        }
    }
}
