// SPDX-License-Identifier: Apache-2.0
//! A spec that came about in many steps has the children of one that was written at once: nothing of an earlier spec
//! stays, whatever the order of the changes, and whenever the operator dies.

mod draft;
mod expected;

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use celery_operator::build::ChildKind;
use serde_json::{Value, json};

use crate::http::JSON;
use crate::rig::{Rig, Setup, shared};
use crate::shop;
use crate::space::{Space, collection};
use crate::wait::{until, until_within};
use draft::{Dice, Draft, SECRETS};
use expected::{Known, Objects, anonymous, difference, expected, present};

const OBJECTS: u64 = 10;
/// Changes of each object; where the operator is killed, it is killed amid each of them.
const CHANGES: usize = 30;
/// A failed attempt is repeated within a minute, and several objects are changed at once, on few cores.
const CONVERGED_WITHIN: Duration = Duration::from_mins(2);

/// The same seed gives the same changes; `SEQUENCE_SEED` gives others.
fn seed() -> u64 {
    let seed = env::var("SEQUENCE_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    println!("SEQUENCE_SEED={seed}");
    seed
}

/// A Celery that is changed again and again.
struct Subject<'a> {
    space: Space<'a>,
    empty: &'a Space<'a>,
    dice: Dice,
    draft: Draft,
    known: Known,
    /// What was taken and what was refused.
    taken: usize,
    refused: usize,
}

impl<'a> Subject<'a> {
    fn new(rig: &'a Rig, empty: &'a Space<'a>, word: &str, seed: u64) -> Self {
        let space = Space::new(rig, word);
        furnish(&space);
        let draft = Draft::new();
        space.create("celeries", &celery(&draft.spec()));
        Self { space, empty, dice: Dice::of_seed(seed), draft, known: Known::new(), taken: 0, refused: 0 }
    }

    /// Changes the spec; a draft that is refused, or changes nothing, gives way to another.
    fn change(&mut self) {
        loop {
            let draft = self.draft.changed(&mut self.dice);
            match self.write(&draft.spec()) {
                Written::Another => {
                    self.draft = draft;
                    self.taken += 1;
                    return;
                }
                Written::Same => {}
                Written::Refused => self.refused += 1,
            }
        }
    }

    /// Replaces the spec. Where the operator is away just now, it is waited for.
    fn write(&self, spec: &Value) -> Written {
        until("the operator answers", || {
            let mut stored = self.stored();
            let generation = stored["metadata"]["generation"].clone();
            stored["spec"] = spec.clone();
            let path = format!("{}/shop", collection("celeries", &self.space.name));
            let answer = self.space.rig.send("PUT", &path, JSON, Some(&stored));
            match answer.code {
                200 if answer.body()["metadata"]["generation"] == generation => Ok(Written::Same),
                200 => Ok(Written::Another),
                422 => Ok(Written::Refused),
                // A conflict with a status, or no webhook.
                _ => Err(answer.text),
            }
        })
    }

    fn stored(&self) -> Value {
        self.space.get("celeries", "shop").unwrap()
    }

    /// Waits until the newest spec was followed and its children are exactly those that it should have.
    fn converged(&mut self) -> Objects {
        let stored = self.stored();
        let wanted = expected(self.empty, &stored, &mut self.known);
        let what = format!(
            "change {} of {} leads to the children of {}",
            self.taken, self.space.name, stored["spec"]
        );
        until_within(CONVERGED_WITHIN, &what, || {
            // What pods read goes with the last of those that read it.
            self.space.make_pods_ready();
            let status = &self.stored()["status"];
            if status["observedGeneration"] != stored["metadata"]["generation"] {
                return Err(format!("the status speaks of {}", status["observedGeneration"]));
            }
            match difference(&wanted, &present(self.space.rig, &self.space.name, &wanted)) {
                None => Ok(wanted.clone()),
                Some(difference) => Err(difference),
            }
        })
    }

    /// Holds the object against another of the same spec that never had any other.
    fn held_against_a_fresh_one(&mut self) {
        let wanted = self.converged();
        let old = present(self.space.rig, &self.space.name, &wanted);
        let space = Space::new(self.space.rig, "fresh");
        furnish(&space);
        space.create("celeries", &celery(&self.stored()["spec"]));
        let mut fresh = Subject {
            space,
            empty: self.empty,
            dice: Dice::of_seed(0),
            draft: self.draft.clone(),
            known: Known::new(),
            taken: 0,
            refused: 0,
        };
        let wanted = fresh.converged();
        let new = present(fresh.space.rig, &fresh.space.name, &wanted);
        let (old, new) = (anonymous(old.clone(), &new), anonymous(new, &old));
        if let Some(difference) = difference(&new, &old) {
            panic!("{} is not what a fresh object is: {difference}", self.space.name);
        }
    }
}

enum Written {
    Another,
    Same,
    Refused,
}

fn celery(spec: &Value) -> Value {
    json!({"apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "metadata": {"name": "shop"}, "spec": spec})
}

/// Puts there what drafts refer to: where pods are refused, no rollout ends, and what the old ones read stays.
fn furnish(space: &Space<'_>) {
    for (name, entries) in SECRETS {
        let data: std::collections::BTreeMap<_, _> = entries.iter().copied().collect();
        space.create("secrets", &json!({"metadata": {"name": name}, "stringData": data}));
    }
    space.create("serviceaccounts", &json!({"metadata": {"name": "shop"}}));
    for name in ["batch", "single"] {
        let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                           "metadata": {"name": name}, "value": 1});
        let answer = space.rig.send("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", JSON, Some(&class));
        // Those are the whole cluster's.
        assert!([201, 409].contains(&answer.code), "{}", answer.text);
    }
}

/// Does the same with all subjects, several at once: others use the same control plane.
fn each<'a>(subjects: &mut [Subject<'a>], work: impl Fn(&mut Subject<'a>) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for few in subjects.chunks_mut(3) {
            scope.spawn(move || few.iter_mut().for_each(work));
        }
    });
}

fn told(subjects: &[Subject<'_>], since: Instant) {
    let taken: usize = subjects.iter().map(|subject| subject.taken).sum();
    let refused: usize = subjects.iter().map(|subject| subject.refused).sum();
    println!("{taken} changes, {refused} refused, in {:?}", since.elapsed());
    // Drafts that nobody takes are no changes.
    assert!(taken > refused, "{taken} taken, {refused} refused");
}

#[test]
fn changed_step_by_step_is_the_same_as_written_at_once() {
    let rig = shared();
    let empty = Space::new(rig, "empty");
    let (seed, begin) = (seed(), Instant::now());
    let new = |index: u64| Subject::new(rig, &empty, "sequence", seed.wrapping_mul(1000) + index);
    let mut subjects: Vec<Subject<'_>> = (0..OBJECTS).map(new).collect();
    each(&mut subjects, |subject| {
        for _ in 0..CHANGES {
            subject.change();
            subject.converged();
        }
        subject.held_against_a_fresh_one();
    });
    told(&subjects, begin);
}

#[test]
fn an_operator_that_dies_again_and_again_leaves_nothing_half_done() {
    let rig = Rig::start(Setup::default());
    let empty = Space::new(&rig, "empty");
    let (seed, begin) = (seed(), Instant::now());
    let new = |index: u64| Subject::new(&rig, &empty, "mortal", seed.wrapping_mul(2000) + index);
    let mut subjects: Vec<Subject<'_>> = (0..OBJECTS).map(new).collect();
    let mut dice = Dice::of_seed(seed);
    for _ in 0..CHANGES {
        thread::scope(|scope| {
            scope.spawn(|| each(&mut subjects, Subject::change));
            // The moment is the matter here: before, amid or after what the changes cause.
            thread::sleep(Duration::from_millis(dice.below(600)));
            kill(&rig);
            rig.start_operator();
        });
        each(&mut subjects, |subject| drop(subject.converged()));
    }
    each(&mut subjects, Subject::held_against_a_fresh_one);
    told(&subjects, begin);
}

fn kill(rig: &Rig) {
    let mut operator = rig.operator();
    let mut process = operator.take().unwrap();
    process.kill().unwrap();
    assert!(process.wait(Duration::from_secs(10)).is_some());
}

/// The API server writes the account under two names, and reads the second where the first is missing.
#[test]
fn a_service_account_that_is_taken_out_of_the_spec_leaves_the_pods() {
    let space = Space::new(shared(), "account");
    let overlay = |name: &str| {
        format!(
            "spec: {{common: {{serviceAccountName: {name}}}, beatSpec: {{podTemplate: {{spec: {{serviceAccountName: {name}}}}}}}}}"
        )
    };
    space.create("celeries", &shop::with(&overlay("shop")));
    for (written, expected) in [("shop", json!("shop")), ("other", json!("other")), ("null", Value::Null)] {
        space.edit("celeries", "shop", &overlay(written));
        for name in ["shop-worker", "shop-beat"] {
            space.until("deployments", name, |it| {
                let pod = &it["spec"]["template"]["spec"];
                pod["serviceAccountName"] == expected && pod["serviceAccount"] == expected
            });
        }
    }
}

#[test]
fn a_difference_is_seen() {
    let key = |name: &str| (ChildKind::Deployment, name.to_owned());
    let one = |image: &str| Objects::from([(key("a"), json!({"spec": {"image": image, "args": ["x"]}}))]);
    assert_eq!(difference(&one("shop:1"), &one("shop:1")), None);
    assert_eq!(
        difference(&one("1"), &one("2")).unwrap(),
        r#"Deployment a /spec/image is "2" instead of "1""#
    );
    assert_eq!(difference(&one("1"), &Objects::new()).unwrap(), "Deployment a is missing");
    assert_eq!(difference(&Objects::new(), &one("1")).unwrap(), "Deployment a should not be there");
}
