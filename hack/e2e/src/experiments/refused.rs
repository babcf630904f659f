// SPDX-License-Identifier: Apache-2.0
//! Mistakes that show hours later without the operator are refused when they are applied. What is said to each is kept in
//! `refused.txt`; `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::outcome::Outcome;
use crate::sample::celery;
use crate::stage::Stage;

/// A mistake, and the places of it.
type Mistake = (&'static str, Vec<(&'static str, Value)>);

fn mistakes() -> [Mistake; 10] {
    [
        ("a broker that is no URL", vec![("/spec/common/broker", json!({ "url": "cache:6379" }))]),
        ("an image that nobody can pull", vec![("/spec/common/image", json!("Shop/Web:1.0"))]),
        ("several words in one argument", vec![("/spec/workerSpec/args", json!(["-Q a,b -c 1"]))]),
        ("queues with a blank", vec![("/spec/workerSpec/args", json!(["-Q", "a, b"]))]),
        ("an option that no worker has", vec![("/spec/workerSpec/args", json!(["--concurency=4"]))]),
        (
            "an option that Flower would ignore, and with it the password",
            vec![("/spec/flowerSpec", json!({ "args": ["--basic_auht=u:p"] }))],
        ),
        (
            "a setting that Celery does not know",
            vec![("/spec/common/config", json!({ "task_ack_late": true }))],
        ),
        (
            "an autoscaler of a metric that does not exist",
            vec![(
                "/spec/scaleTargetRef",
                json!([{
                    "kind": "worker", "maxReplicas": 5,
                    "metrics": [{
                        "name": "message_queue", "target": { "type": "AverageValue", "averageValue": 10 },
                    }],
                }]),
            )],
        ),
        ("an application beside the application", vec![("/spec/workerSpec/args", json!(["-A", "other"]))]),
        (
            "a mount of a volume that is not there",
            vec![("/spec/common/volumeMounts", json!([{ "name": "models", "mountPath": "/models" }]))],
        ),
    ]
}

/// Applies each.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let (mut said, mut refused) = (String::new(), 0);
    let mistakes = mistakes();
    for (mistake, changes) in &mistakes {
        let answer = stage.apply(&celery(changes)?.to_string(), &["--dry-run=server"]);
        let answer = match answer {
            Ok(admitted) => admitted,
            Err(message) => {
                refused += 1;
                message.to_string()
            }
        };
        writeln!(said, "# {mistake}\n{}\n", answer.trim())?;
    }
    let mut outcome = Outcome::default();
    outcome.held(refused == mistakes.len(), format!("{refused} of {} bad specs refused", mistakes.len()));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("refused.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &said)?;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let same = said == expected;
    if !same {
        eprintln!("e2e: not what refused.txt has:\n{said}");
    }
    outcome.held(same, "what is said is what refused.txt has");
    Ok(outcome)
}
