// SPDX-License-Identifier: Apache-2.0
//! The fields that are written into an object when they are absent.
//!
//! Only constants and the object's identity: a guess that derives from another field is made anew at every reconcile
//! and shown in `status.effective`, since a frozen guess goes stale. A present value is never touched, and nothing is
//! added inside list items (the schema does that), so that two appliers never conflict.

use serde_json::{Value, json};

use crate::api::{DEFAULT_POOL, is_dns_label};

/// At which moment of its life an object is defaulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It does not exist yet.
    Creation,
    /// It is stored: who scales owns the number of workers now.
    Later,
}

/// A field to add.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    /// Where, by field names from the root.
    pub path: Vec<&'static str>,
    /// What.
    pub value: Value,
}

/// The fields to add to an object, parents before children. Adding them twice adds nothing.
#[must_use]
pub fn absent(object: &Value, moment: Moment) -> Vec<Addition> {
    let mut additions = Vec::new();
    let mut add = |path: &[&'static str], value: Value| {
        let Some((name, parents)) = path.split_last() else {
            return;
        };
        let parent = parents.iter().try_fold(object, |value, name| value.get(name));
        if parent.is_some_and(|parent| parent.is_object() && parent.get(name).is_none_or(Value::is_null)) {
            additions.push(Addition { path: path.to_vec(), value });
        }
    };
    if let Some(name) = object["metadata"]["name"].as_str().filter(|name| is_dns_label(name)) {
        add(&["spec", "common", "appName"], json!(name));
    }
    add(&["spec", "common", "broker", "redis", "db"], json!(0));
    add(&["spec", "common", "broker", "rabbitmq", "vhost"], json!("/"));
    if moment == Moment::Creation && !default_pool_is_autoscaled(object) {
        add(&["spec", "workerSpec", "numOfWorkers"], json!(1));
    }
    add(&["spec", "flowerSpec", "replicas"], json!(1));
    add(&["spec", "flowerSpec", "serviceType"], json!("Default"));
    additions
}

/// The object with the additions made.
#[must_use]
pub fn defaulted(mut object: Value, additions: &[Addition]) -> Value {
    for Addition { path, value } in additions {
        let Some((name, parents)) = path.split_last() else {
            continue;
        };
        let parent = parents.iter().try_fold(&mut object, |value, name| value.get_mut(name));
        if let Some(parent) = parent.and_then(Value::as_object_mut) {
            parent.insert((*name).to_owned(), value.clone());
        }
    }
    object
}

fn default_pool_is_autoscaled(object: &Value) -> bool {
    let targets = object["spec"]["scaleTargetRef"].as_array();
    targets.into_iter().flatten().any(|target| {
        target["kind"] == "worker" && target["pool"].as_str().unwrap_or(DEFAULT_POOL) == DEFAULT_POOL
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(object: Value, moment: Moment) -> Value {
        let additions = absent(&object, moment);
        defaulted(object, &additions)
    }

    fn smallest() -> Value {
        json!({"metadata": {"name": "shop"}, "spec": {
            "common": {"image": "shop:1"}, "workerSpec": {}, "flowerSpec": {}
        }})
    }

    #[test]
    fn constants_and_identity_are_added() {
        let spec = after(smallest(), Moment::Creation)["spec"].clone();
        assert_eq!(spec["common"], json!({"image": "shop:1", "appName": "shop"}));
        assert_eq!(spec["workerSpec"], json!({"numOfWorkers": 1}));
        assert_eq!(spec["flowerSpec"], json!({"replicas": 1, "serviceType": "Default"}));
    }

    #[test]
    fn doing_it_twice_adds_nothing() {
        for moment in [Moment::Creation, Moment::Later] {
            assert_eq!(absent(&after(smallest(), moment), moment), []);
        }
    }

    #[test]
    fn a_present_value_is_never_touched() {
        let mut object = smallest();
        object["spec"]["common"]["appName"] = json!("");
        object["spec"]["workerSpec"]["numOfWorkers"] = json!("three");
        object["spec"]["flowerSpec"] = json!({"replicas": 0, "serviceType": "Foo"});
        assert_eq!(absent(&object, Moment::Creation), []);
    }

    #[test]
    fn who_scales_owns_the_number_of_workers() {
        let mut object = smallest();
        assert!(after(object.clone(), Moment::Later)["spec"]["workerSpec"].get("numOfWorkers").is_none());
        object["spec"]["scaleTargetRef"] = json!([{"kind": "worker"}]);
        assert!(after(object.clone(), Moment::Creation)["spec"]["workerSpec"].get("numOfWorkers").is_none());
        object["spec"]["scaleTargetRef"] = json!([{"kind": "worker", "pool": "mail"}, {"kind": "flower"}]);
        assert_eq!(after(object, Moment::Creation)["spec"]["workerSpec"]["numOfWorkers"], 1);
    }

    #[test]
    fn a_name_that_cannot_be_a_prefix_is_not_used() {
        for name in [json!("my.app"), json!("9app"), json!(""), json!(null), json!(7)] {
            let object = json!({"metadata": {"name": name}, "spec": {"common": {}}});
            assert_eq!(absent(&object, Moment::Creation), []);
        }
    }

    #[test]
    fn any_json_is_survived() {
        for object in [
            json!(null),
            json!(1),
            json!([]),
            json!({"spec": []}),
            json!({"spec": {"workerSpec": 3, "flowerSpec": null}}),
        ] {
            assert_eq!(absent(&object, Moment::Creation), []);
        }
    }
}
