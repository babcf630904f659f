// SPDX-License-Identifier: Apache-2.0
//! Users, groups, privileges and profiles.

use std::collections::HashSet;

use serde_json::Value;

use super::form::{Form, Item, Must, field};
use super::text::INNER_PATH;
use super::walk::Told;
use crate::rules::finding::Kind;

/// Ids of users and groups.
const ID: Must = Must::Between(0, 2_147_483_647);
const ESCALATION: &str = "allowPrivilegeEscalation";
const PROFILES: Must = Must::Word(&["Localhost", "RuntimeDefault", "Unconfined"]);

/// Of a pod.
pub(super) static POD: Form = Form::of(&[
    field("runAsUser", ID),
    field("runAsGroup", ID),
    field("fsGroup", ID),
    field("fsGroupChangePolicy", Must::Word(&["Always", "OnRootMismatch"])),
    field("supplementalGroupsPolicy", Must::Word(&["Merge", "Strict"])),
    field("seLinuxChangePolicy", Must::Word(&["Recursive", "MountOption"])),
    field("seccompProfile", Must::Be(&PROFILE)),
    field("appArmorProfile", Must::Be(&PROFILE)),
])
.whole(pod);

/// Of a container.
pub(super) static CONTAINER: Form = Form::of(&[
    field("runAsUser", ID),
    field("runAsGroup", ID),
    field("procMount", Must::Word(&["Default", "Unmasked"])),
    field("seccompProfile", Must::Be(&PROFILE)),
    field("appArmorProfile", Must::Be(&PROFILE)),
])
.whole(privileges);

static PROFILE: Form =
    Form::of(&[field("type", PROFILES), field("localhostProfile", Must::Read(&INNER_PATH))])
        .needs(&[("type", "use RuntimeDefault, Localhost or Unconfined")])
        .whole(profile);

fn profile(item: &Item<'_>, told: &mut Told) {
    let path = item.at("localhostProfile");
    let file = item.effective("localhostProfile");
    match item.effective("type").and_then(Value::as_str) {
        Some("Localhost") if !item.unseen && file.is_none_or(|file| file == "") => {
            told.add(Kind::Required, path, "Localhost needs a file of the node", "name it");
        }
        Some("RuntimeDefault" | "Unconfined") if file.is_some() => {
            told.add(Kind::Forbidden, path, "is for the type Localhost", "remove it, or use Localhost");
        }
        _ => {}
    }
}

fn pod(item: &Item<'_>, told: &mut Told) {
    for (index, group) in item.list("supplementalGroups").iter().enumerate() {
        let message = match group.as_i64() {
            Some(group) if group < 0 => "is lower than 0",
            Some(group) if group > 2_147_483_647 => "is greater than 2147483647",
            _ => continue,
        };
        let path = format!("{}[{index}]", item.at("supplementalGroups"));
        told.add(Kind::Invalid, path, message, "use 0 to 2147483647");
    }
    let mut names = HashSet::new();
    for (index, setting) in item.list("sysctls").iter().enumerate() {
        let name = setting["name"].as_str().unwrap_or_default();
        let path = format!("{}[{index}].name", item.at("sysctls"));
        if !is_setting(name) {
            told.add(
                Kind::Forbidden,
                path,
                "is not a name of a kernel setting",
                "use one such as net.core.somaxconn",
            );
        } else if !names.insert(name) {
            told.add(Kind::Duplicate, path, "is set twice", "remove one of the two");
        }
    }
}

/// Parts of lower-case letters, digits and inner dashes, parted by dots or slashes.
fn is_setting(name: &str) -> bool {
    let is_part = |part: &str| {
        let ends = [part.bytes().next(), part.bytes().last()];
        ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    };
    name.len() <= 253 && name.split(['.', '/']).all(is_part)
}

/// Privileges and their denial do not go together.
fn privileges(item: &Item<'_>, told: &mut Told) {
    let said = ["privileged", "capabilities"].map(|name| item.effective(name));
    // What was there before is told there.
    let is_new = ["privileged", "capabilities", ESCALATION].iter().any(|name| item.get(name).is_some());
    if let Some(what) = privilege(said).filter(|_| is_new)
        && item.effective(ESCALATION) == Some(&Value::Bool(false))
    {
        let message = format!("{what} is set too, which needs it");
        let fix = "set it to true, or remove one of the two";
        told.add(Kind::Forbidden, item.at(ESCALATION), message, fix);
    }
}

/// The same for what a template lays over the operator's container, to which the operator denies escalation by itself.
pub(super) fn escalates(container: &Item<'_>, told: &mut Told) {
    let Some(Value::Object(fields)) = container.get("securityContext") else { return };
    let below = container.below.map(|layer| layer?.get("securityContext"));
    let is_said = below.iter().flatten().any(|layer| layer[ESCALATION].is_boolean());
    let written = ["privileged", "capabilities"].map(|name| fields.get(name));
    if let Some(what) = privilege(written)
        && !is_said
        && !fields.contains_key(ESCALATION)
        && below[0].is_none_or(is_denied)
    {
        let path = container.at("securityContext.allowPrivilegeEscalation");
        told.add(
            Kind::Required,
            path,
            format!("{what} needs it, and it is false otherwise"),
            "set it to true",
        );
    }
}

/// Whether the operator denies escalation to a container with these settings.
fn is_denied(shared: &Value) -> bool {
    let administers = shared["capabilities"]["add"]
        .as_array()
        .is_some_and(|added| added.iter().any(|name| name == "SYS_ADMIN"));
    !administers && privilege([shared.get("privileged"), shared.get("capabilities")]).is_none()
}

/// What gives all privileges, of the fields `privileged` and `capabilities`.
fn privilege([privileged, capabilities]: [Option<&Value>; 2]) -> Option<&'static str> {
    if privileged == Some(&Value::Bool(true)) {
        return Some("privileged");
    }
    // The name without CAP_ is as good for a runtime, and the API server does not know it.
    let added = capabilities.and_then(|capabilities| capabilities["add"].as_array());
    added.is_some_and(|added| added.iter().any(|name| name == "CAP_SYS_ADMIN")).then_some("CAP_SYS_ADMIN")
}
