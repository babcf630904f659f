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
        if group.as_i64().is_some_and(|group| !(0..=2_147_483_647).contains(&group)) {
            let path = format!("{}[{index}]", item.at("supplementalGroups"));
            told.add(Kind::Invalid, path, "is not in the range of this field", "use 0 to 2147483647");
        }
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
    // Of the shared ones both contexts are looked at together.
    if item.path != "spec.common.containerSecurityContext" {
        is_root(item, told);
    }
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

/// What is said of a user who must not be root and is.
const IS_ROOT: (&str, &str) = (
    "is root, which runAsNonRoot bars: kubelet starts no container",
    "use another user, or remove runAsNonRoot",
);

/// The user of the operator's own container, where both contexts together make root of it; the container's wins.
pub(super) fn root(common: &Value, told: &mut Told) {
    let said = |name: &str| {
        let contexts = ["containerSecurityContext", "securityContext"].into_iter();
        let mut written = contexts.map(|context| (context, &common[context][name]));
        written.find(|(_, value)| !value.is_null())
    };
    if let (Some((context, user)), Some((_, barred))) = (said("runAsUser"), said("runAsNonRoot"))
        && user.as_i64() == Some(0)
        && *barred == Value::Bool(true)
    {
        told.add(Kind::Invalid, format!("spec.common.{context}.runAsUser"), IS_ROOT.0, IS_ROOT.1);
    }
}

/// The same of a container that somebody describes, in one place.
fn is_root(item: &Item<'_>, told: &mut Told) {
    let is_new = ["runAsUser", "runAsNonRoot"].iter().any(|name| item.get(name).is_some());
    let user = item.effective("runAsUser").and_then(Value::as_i64);
    if is_new && user == Some(0) && item.effective("runAsNonRoot") == Some(&Value::Bool(true)) {
        let at = if item.get("runAsUser").is_some() { "runAsUser" } else { "runAsNonRoot" };
        told.add(Kind::Invalid, item.at(at), IS_ROOT.0, IS_ROOT.1);
    }
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

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    #[test]
    fn nobody_who_must_not_be_root_is_root() {
        let told = |spec: &str| {
            let found =
                findings(&format!("spec: {{{spec}}}")).into_iter().filter(|finding| finding.rule == "C37");
            found.map(|finding| finding.path).collect::<Vec<_>>()
        };
        let (pod, container) = ("securityContext", "containerSecurityContext");
        let at = |context: &str| vec![format!("spec.common.{context}.runAsUser")];
        for (common, context) in [
            ("securityContext: {runAsNonRoot: true, runAsUser: 0}", pod),
            ("containerSecurityContext: {runAsNonRoot: true, runAsUser: 0}", container),
            ("securityContext: {runAsNonRoot: true}, containerSecurityContext: {runAsUser: 0}", container),
            ("securityContext: {runAsUser: 0}, containerSecurityContext: {runAsNonRoot: true}", pod),
        ] {
            assert_eq!(told(&format!("common: {{{common}}}")), at(context), "{common}");
        }
        for common in [
            "securityContext: {runAsNonRoot: true, runAsUser: 1000}",
            "securityContext: {runAsNonRoot: true, runAsUser: 0}, containerSecurityContext: {runAsUser: 1000}",
            "securityContext: {runAsNonRoot: true, runAsUser: 0}, podTemplate: {spec: {containers: [{name: celery, securityContext: {runAsUser: 5}}]}}",
            "securityContext: {runAsNonRoot: false, runAsUser: 0}",
        ] {
            assert_eq!(told(&format!("common: {{{common}}}")), [] as [String; 0], "{common}");
        }
        let sidecar = "{name: log, image: 'log:1', securityContext: {runAsNonRoot: true, runAsUser: 0}}";
        assert_eq!(
            told(&format!("workerSpec: {{sidecars: [{sidecar}]}}")),
            ["spec.workerSpec.sidecars[0].securityContext.runAsUser"]
        );
    }
}
