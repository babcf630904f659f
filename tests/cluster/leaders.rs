// SPDX-License-Identifier: Apache-2.0
//! Several replicas: every one knows what there is, one writes, and another takes over when that one dies, is asked to
//! end, or wakes up too late.

use std::time::Duration;

use testbed::{Operator, Process};

use crate::audit;
use crate::rig::{Rig, Setup};
use crate::shop;
use crate::space::Space;
use crate::wait::until;

/// One that reconciles and serves no webhooks.
struct Replica {
    launch: Operator,
    process: Process,
}

impl Replica {
    fn start(rig: &Rig, name: &str) -> Self {
        let mut launch = rig.launch.replica(name).unwrap();
        launch.arguments = vec!["--role=controller".to_owned()];
        let process = launch.start().unwrap();
        Self { launch, process }
    }

    fn until_it_says(&self, word: &str) {
        until(word, || {
            let answer = self.launch.ask("/readyz").unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "leadership is no readiness: {answer}");
            if answer.contains(word) { Ok(()) } else { Err(answer) }
        });
    }

    fn until_it_writes(&self) {
        self.until_it_says("] this replica writes");
        let metrics = self.launch.ask("/metrics").unwrap();
        assert!(metrics.contains("celery_operator_leader 1"), "{metrics}");
    }

    fn until_it_stands_by(&self) {
        self.until_it_says("] another replica writes");
    }

    /// What its requests say of it.
    fn is(&self, agent: &str) -> bool {
        agent.contains(&format!("_{}_", self.process.id()))
    }
}

fn follows(space: &Space<'_>, image: &str) {
    space.edit("celeries", "shop", &format!("spec: {{common: {{image: '{image}'}}}}"));
    space.until("deployments", "shop-worker", |it| {
        it["spec"]["template"]["spec"]["containers"][0]["image"] == image
    });
}

/// One story on one rig, whose own process serves the webhooks and nothing else.
#[test]
fn one_replica_writes_and_another_takes_over() {
    let rig = Rig::start(Setup { keda: false, arguments: &["--role=webhook"], ..Setup::default() });
    let space = Space::new(&rig, "leaders");
    space.create("celeries", &shop::plain());
    let first = Replica::start(&rig, "first");
    first.until_it_writes();
    space.until_there("deployments", "shop-worker");
    let second = Replica::start(&rig, "second");
    second.until_it_stands_by();
    follows(&space, "shop:2");

    // It sleeps for longer than it is waited for, and finds on waking that somebody else writes.
    first.process.stop().unwrap();
    second.until_it_writes();
    let asleep = audit::length(&rig);
    follows(&space, "shop:3");
    space.delete("deployments", "shop-worker").success();
    first.process.cont().unwrap();
    first.until_it_stands_by();
    space.until_there("deployments", "shop-worker");
    follows(&space, "shop:4");
    let writers = audit::writers(&rig, asleep);
    assert!(writers.iter().any(|agent| second.is(agent)), "{writers:?}");
    assert!(!writers.iter().any(|agent| first.is(agent)), "its lease had lapsed: {writers:?}");

    // It dies.
    second.process.kill().unwrap();
    first.until_it_writes();
    follows(&space, "shop:5");

    // It is asked to end, and does not make the next one wait.
    let mut third = Replica::start(&rig, "third");
    third.until_it_stands_by();
    let mut first = first.process;
    first.terminate().unwrap();
    assert_eq!(first.wait(Duration::from_secs(30)).expect("ends").code(), Some(0));
    third.until_it_writes();
    follows(&space, "shop:6");
    let log = std::fs::read_to_string(first.log()).unwrap();
    assert!(log.contains("gave the Lease back"), "{log}");
    third.process.terminate().unwrap();
    assert_eq!(third.process.wait(Duration::from_secs(30)).expect("ends").code(), Some(0));
}
