// SPDX-License-Identifier: Apache-2.0
//! What an operator costs that has its objects: memory, requests at rest, the way of a change, admission.

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::audit;

use crate::admission::{self, Admission};
use crate::latency::{self, Latency};
use crate::process::{self, Memory};
use crate::recording::Recording;
use crate::settled::Watch;
use crate::stage::Stage;
use crate::{Error, Plan, arms};

const NAMESPACE: &str = "bench-standing";
/// How long the operator is given to put away what it worked with.
const PAUSE: Duration = Duration::from_secs(5);

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Before the first object.
    pub(crate) empty: Memory,
    /// With all objects of the plan.
    pub(crate) full: Memory,
    /// With twice as many.
    pub(crate) double: Memory,
    /// Of an operator that was started beside twice as many.
    pub(crate) restarted: Memory,
    /// Requests at rest by verb and kind.
    pub(crate) rest: BTreeMap<String, usize>,
    /// Those of them that write.
    pub(crate) mutating: usize,
    pub(crate) latency: Latency,
    pub(crate) admission: Admission,
}

/// Measures all of it.
///
/// # Errors
/// When the operator or the API server do not do what they should.
pub(crate) async fn run(stage: &Stage, recording: &Recording, plan: &Plan) -> Result<Standing, Error> {
    stage.space(NAMESPACE).await?;
    let operator = stage.start_operator().await?;
    let look = async || {
        tokio::time::sleep(PAUSE).await;
        process::memory(operator.id())
    };
    let empty = look().await?;
    let mut watch = Watch::open(&stage.admin, NAMESPACE).await?;
    arms::create(&stage.admin, NAMESPACE, 0..plan.objects, None).await?;
    watch.until(plan.objects).await?;
    let full = look().await?;
    println!("{} objects: {} KiB, {} KiB before", plan.objects, full.resident, empty.resident);
    let begin = audit::length(&stage.audit_log)?;
    println!("rest for {} s", plan.rest.as_secs());
    tokio::time::sleep(plan.rest).await;
    let requests = audit::requests(&stage.audit_log, begin)?;
    let mutating = requests.iter().filter(|event| event.is_mutating()).count();
    let rest = audit::counted(&requests);
    println!("requests at rest: {rest:?}");
    let latency = latency::measure(stage, recording, NAMESPACE, plan).await?;
    let admission = admission::measure(stage, NAMESPACE, plan).await?;
    arms::create(&stage.admin, NAMESPACE, plan.objects..2 * plan.objects, None).await?;
    watch.until(2 * plan.objects).await?;
    let double = look().await?;
    println!("{} objects: {} KiB", 2 * plan.objects, double.resident);
    drop(operator);
    let operator = stage.start_operator().await?;
    tokio::time::sleep(PAUSE).await;
    let restarted = process::memory(operator.id())?;
    Ok(Standing { empty, full, double, restarted, rest, mutating, latency, admission })
}
