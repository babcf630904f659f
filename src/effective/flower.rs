// SPDX-License-Identifier: Apache-2.0
//! What Flower runs with. Its arguments win over its fields, which are words in front of them; a configuration file wins
//! over variables (`FLOWER_URL_PREFIX`, in any spelling that Flower takes), and nobody can look into it from here.

use std::collections::BTreeSet;

use super::{Effective, literal};
use crate::api::{Common, FlowerSpec, Open, ServiceType};
use crate::celery::environment::flower_variable;
use crate::celery::flower::{self, Reading};
use crate::celery::options::flower::Release;
use crate::celery::version::Version;

/// Port of Flower when nobody chooses one.
const PORT: i32 = 5555;

/// Its version, when it is written as one.
#[must_use]
pub fn version(flower: &FlowerSpec) -> Option<Version> {
    flower.version.as_deref()?.parse().ok()
}

/// What the release that is named makes of its arguments, else the newest.
#[must_use]
pub fn reading(flower: &FlowerSpec) -> Reading<'_> {
    flower::reading(&flower.args, version(flower).map_or(Release::NEWEST, Release::of))
}

/// The port of its container and of its Service. A variable never counts: the operator always says the port.
#[must_use]
pub fn port(flower: &FlowerSpec) -> i32 {
    let said = || reading(flower).int("port").is().and_then(|port| i32::try_from(port).ok());
    flower.service_port.or_else(|| said().filter(|port| (1..=65535).contains(port))).unwrap_or(PORT)
}

/// The path under which everything is, without slashes at its ends; absent for the root.
#[must_use]
pub fn url_prefix(flower: &FlowerSpec, common: &Common) -> Effective<String> {
    let said = reading(flower);
    let field = || flower.url_prefix.as_deref().map_or(Effective::Absent, literal);
    let weaker = || match said.last("conf") {
        Some(_) => Effective::Unclear,
        None => variable("url_prefix", flower, common),
    };
    let prefix = said.text("url_prefix").or_else(field).or_else(weaker);
    match prefix.map(|prefix| flower::prefix(prefix).to_owned()) {
        Effective::Is(prefix) if prefix.is_empty() => Effective::Absent,
        prefix => prefix,
    }
}

/// What a variable says of an option, `FLOWER_…`. Several spellings of a name are several variables, of which the order
/// decides; what the container makes of that order is not told here.
#[must_use]
pub fn variable<'a>(option: &str, flower: &'a FlowerSpec, common: &'a Common) -> Effective<&'a str> {
    let release = reading(flower).release;
    let names = flower.env.iter().chain(&common.env).map(|variable| variable.name.as_str());
    let names: BTreeSet<&str> =
        names.filter(|name| flower_variable(name, release).is_some_and(|spec| spec.name == option)).collect();
    let said = names.into_iter().map(|name| super::variable(name, &flower.env, &common.env));
    let mut said = said.filter(Effective::is_written);
    match (said.next(), said.next()) {
        (None, _) => Effective::Absent,
        (Some(one), None) => one,
        (Some(_), Some(_)) => Effective::Unclear,
    }
}

/// How its Service lets people in; inside the cluster where nobody says, or says what no Service is.
#[must_use]
pub fn service_type(flower: &FlowerSpec) -> ServiceType {
    flower.service_type.as_ref().and_then(Open::known).unwrap_or(ServiceType::ClusterIp)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(flower: Value) -> FlowerSpec {
        serde_json::from_value(flower).expect("a Flower")
    }

    #[test]
    fn the_port_is_a_field_or_an_argument() {
        for (flower, expected) in [
            (json!({}), 5555),
            (json!({"servicePort": 80, "args": ["--port=81"]}), 80),
            (json!({"args": ["--port=81"]}), 81),
            (json!({"args": ["--port=$(PORT)"]}), 5555),
            (json!({"args": ["--port=70000"]}), 5555),
            (json!({"env": [{"name": "FLOWER_PORT", "value": "81"}]}), 5555),
        ] {
            assert_eq!(port(&spec(flower.clone())), expected, "{flower}");
        }
    }

    #[test]
    fn the_prefix_comes_from_the_strongest_source() {
        let is = |prefix: &str| Effective::Is(prefix.to_owned());
        let variable = |value: &str| json!([{"name": "FLOWER_URL_PREFIX", "value": value}]);
        let secret = json!([{"name": "FLOWER_URL_PREFIX", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}]);
        for (flower, shared, expected) in [
            (json!({}), json!([]), Effective::Absent),
            (json!({"urlPrefix": "/a/b/"}), json!([]), is("a/b")),
            (json!({"urlPrefix": "a", "args": ["--url-prefix=/b"]}), json!([]), is("b")),
            (json!({"urlPrefix": "a", "args": ["--url_prefix=$(B)"]}), json!([]), Effective::Unclear),
            (json!({"urlPrefix": "a", "args": ["--url_prefix=/"]}), json!([]), Effective::Absent),
            (json!({"urlPrefix": "$(A)"}), json!([]), Effective::Unclear),
            (json!({"env": variable("a")}), variable("b"), is("a")),
            (json!({}), variable("b"), is("b")),
            (json!({}), variable("$(B)"), Effective::Unclear),
            (json!({}), json!([{"name": "FLOWER_url-prefix", "value": "b"}]), is("b")),
            (
                json!({"env": variable("a")}),
                json!([{"name": "FLOWER_url_prefix", "value": "b"}]),
                Effective::Unclear,
            ),
            (json!({"env": variable("a")}), json!([{"name": "FLOWER_url_prefix", "value": ""}]), is("a")),
            (json!({}), json!([{"name": "flower_url_prefix", "value": "b"}]), Effective::Absent),
            (json!({"env": secret}), variable("b"), Effective::Unclear),
            (json!({"urlPrefix": "a"}), variable("b"), is("a")),
            (json!({"args": ["--conf=/etc/flower.py"]}), variable("b"), Effective::Unclear),
            (json!({"urlPrefix": "a", "args": ["--conf=/etc/flower.py"]}), json!([]), is("a")),
        ] {
            let common: Common = serde_json::from_value(json!({ "env": shared })).expect("a common part");
            assert_eq!(url_prefix(&spec(flower.clone()), &common), expected, "{flower} {shared}");
        }
    }

    #[test]
    fn a_version_names_its_release() {
        for (version, expected) in [
            (json!("0.9.7"), Release::V1_2),
            (json!("1.2.0"), Release::V1_2),
            (json!("2.0"), Release::V2_0),
            (json!("2.1"), Release::V2_2),
            (json!("3.0"), Release::V2_2),
            (json!("two"), Release::V2_2),
            (json!(null), Release::V2_2),
        ] {
            assert_eq!(reading(&spec(json!({ "version": version }))).release, expected, "{version}");
        }
    }
}
