// SPDX-License-Identifier: Apache-2.0
//! Objects of a control plane, written and read with kubectl.

use std::io;
use std::path::Path;

use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::error::Error;

/// Writes an object, or a list of them.
pub(crate) fn apply(plane: &ControlPlane, object: &Value) -> Result<(), Error> {
    let output = plane
        .kubectl_apply(&object.to_string(), &[])
        .map_err(|error: io::Error| Error::io("run", Path::new("kubectl"))(error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Command { command: "kubectl apply".to_owned(), said })
}

/// An object, or a list of them; what kubectl said where there is none.
pub(crate) fn get(plane: &ControlPlane, what: &[&str]) -> Result<Value, String> {
    let output = plane
        .kubectl()
        .arg("get")
        .args(what)
        .arg("--output=json")
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// Whether a condition of an object is true; otherwise what the object says about it. Objects are read whole: `kubectl
/// wait` fails on one that has no conditions yet.
pub(crate) fn condition(object: &Value, kind: &str) -> Result<(), String> {
    let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    match conditions.find(|condition| condition["type"] == kind) {
        Some(condition) if condition["status"] == "True" => Ok(()),
        Some(condition) => Err(condition["message"].to_string()),
        None => Err(format!("no condition {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::condition;
    use serde_json::json;

    #[test]
    fn a_condition_is_true_or_says_why_not() {
        let object = |status: &str| json!({"status": {"conditions": [{"type": "Ready", "status": status, "message": "why"}]}});
        assert_eq!(condition(&object("True"), "Ready"), Ok(()));
        assert_eq!(condition(&object("False"), "Ready"), Err("\"why\"".to_owned()));
        assert_eq!(condition(&object("True"), "Available"), Err("no condition Available".to_owned()));
        assert!(condition(&json!({"status": {"conditions": null}}), "Ready").is_err());
    }
}
