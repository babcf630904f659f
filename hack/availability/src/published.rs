// SPDX-License-Identifier: Apache-2.0
//! The certificates of the operator as everybody else sees them: in the Secret, in the configurations, on the ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::SystemTime;

use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};
use webhook_certs::plan::{Step, plan};
use webhook_certs::state::{Entries, Pair, State};
use webhook_certs::{Lifetimes, Names, verify, verify_shown};

use crate::Error;
use crate::stage::{CONFIGURATIONS, Replica, Stage};

/// Where Secrets of the operator are.
pub(crate) const SECRETS: &str = "/api/v1/namespaces/celery-system/secrets";
/// Where the operator keeps its certificates.
pub(crate) const SECRET: &str = "/api/v1/namespaces/celery-system/secrets/celery-operator-webhook-cert";
/// The names by which the port is called.
pub(crate) const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// What the Secret holds; nothing when there is none.
///
/// # Errors
/// When the API server does not answer as it should.
pub(crate) fn entries(stage: &Stage) -> Result<Option<Entries>, Error> {
    let Some(secret) = stage.find(SECRET)? else { return Ok(None) };
    let mut entries = Entries::new();
    for (name, value) in secret["data"].as_object().into_iter().flatten() {
        let ByteString(bytes) = serde_json::from_value(value.clone())?;
        entries.insert(name.clone(), bytes);
    }
    Ok(Some(entries))
}

/// Changes what the Secret holds: these keys to these values, and no key beside them.
///
/// # Errors
/// When there is no Secret, or the API server refuses.
pub(crate) fn replace(stage: &Stage, entries: &Entries) -> Result<(), Error> {
    let mut data: Map<String, Value> =
        self::entries(stage)?.unwrap_or_default().into_keys().map(|name| (name, Value::Null)).collect();
    for (name, value) in entries {
        data.insert(name.clone(), json!(ByteString(value.clone())));
    }
    stage.send("PATCH", SECRET, Some(&json!({ "data": data }))).map(drop)
}

/// The bundle of a configuration.
fn bundle(configuration: &Value) -> Result<String, Error> {
    let bundle = &configuration["webhooks"][0]["clientConfig"]["caBundle"];
    if bundle.is_null() {
        return Ok(String::new());
    }
    let ByteString(bytes) = serde_json::from_value(bundle.clone())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The pair that the Secret holds, when all is well with it: it needs no renewal, every configuration has its bundle,
/// and every replica shows its leaf.
///
/// # Errors
/// What is not well yet.
pub(crate) fn sound(stage: &Stage, replicas: &[Replica], lifetimes: &Lifetimes) -> Result<Pair, Error> {
    let entries = entries(stage)?;
    let held = State::of(entries.as_ref());
    match plan(&held, &Names::parse(NAMES)?, lifetimes, SystemTime::now()) {
        Step::Nothing { .. } => {}
        Step::IssueAll { why } | Step::RenewLeaf { why } => return Err(format!("the Secret: {why}").into()),
        _ => return Err("the Secret needs something".into()),
    }
    let State::Pair(pair) = held else { return Err("the Secret holds no pair".into()) };
    for configuration in CONFIGURATIONS {
        if bundle(&stage.configuration(configuration)?)? != pair.bundle() {
            return Err(format!("{configuration} has another bundle").into());
        }
    }
    for replica in replicas {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, replica.launch.webhook_port));
        stage.runtime.block_on(async {
            verify(address, NAMES[0], &pair.bundle()).await?;
            verify_shown(address, NAMES[0], &pair.leaf.certificate).await
        })?;
    }
    Ok(pair)
}
