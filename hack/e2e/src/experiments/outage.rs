// SPDX-License-Identifier: Apache-2.0
//! The operator is killed, upgraded, taken away and installed again under load: workers do not notice.

use std::time::Instant;

use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::sample::{Sample, image};
use crate::stage::{Stage, wait_for};
use crate::{Error, install};

const TASKS: usize = 60;

/// Pods killed, another image, then everything uninstalled and installed.
pub(crate) fn run(stage: &Stage) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let sample = Sample::new(stage, "outage", "redis", 14)?;
    let wanted = [("/spec/beatSpec", Value::Null), ("/spec/workerSpec/concurrency", json!(4))];
    sample.change(&wanted)?;
    sample.ready()?;
    let before = sample.pods()?;
    sample.send(&["slow", &TASKS.to_string(), "--seconds", "1", "10"])?;

    let begin = Instant::now();
    stage.kubectl(&[
        "delete",
        "pods",
        "--namespace",
        install::NAMESPACE,
        "--selector",
        install::SELECTOR,
        "--now",
    ])?;
    install::available(stage, install::NAMESPACE)?;
    outcome.told(format!("both pods killed, serving again after {:.1} s", begin.elapsed().as_secs_f64()));

    let begin = Instant::now();
    install::upgrade(stage)?;
    outcome.told(format!("upgraded to another image after {:.1} s", begin.elapsed().as_secs_f64()));

    install::uninstall(stage)?;
    install::install(stage)?;
    sample.ready()?;
    let all = wait_for("every task", || {
        let done = sample.page("slow")?.done();
        Ok(if done == TASKS { Ok(()) } else { Err(format!("{done} are done")) })
    });
    let page = sample.page("slow")?;
    outcome.held(
        all.is_ok(),
        format!("{} of {TASKS} tasks lost, {} started twice", TASKS - page.done(), page.started_twice()),
    );
    outcome.held(
        sample.pods()? == before,
        "no pod of the application was touched, by a new installation neither",
    );

    // What the new one can do.
    sample.change(&[&wanted[..], &[("/spec/common/image", json!(image(1)))]].concat())?;
    sample.ready()?;
    wait_for("other pods", || {
        let old = sample.pods()?.into_iter().filter(|pod| before.contains(pod)).count();
        Ok(if old == 0 { Ok(()) } else { Err(format!("{old} of before")) })
    })?;
    outcome.held(true, "the new installation replaces pods for another image");
    sample.end()?;
    Ok(outcome)
}
