// SPDX-License-Identifier: Apache-2.0
//! Users that must not be root and are: what pods and containers say together, with what templates lay over them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::walk::Told;
use crate::api::limits;
use crate::rules::finding::Kind;
use crate::rules::path;
use crate::rules::subject::Component;

/// What is said of such a user.
const IS_ROOT: (&str, &str) = (
    "is root, which runAsNonRoot bars: kubelet starts no container",
    "use another user, or remove runAsNonRoot",
);

/// The field of pods and containers that names the user.
const CONTEXT: &str = "securityContext";

/// What is said of users in one place after the other; the last one wins.
#[derive(Clone, Debug, Default)]
struct Layers<'a>(Vec<(String, &'a Value)>);

/// A container and its layers.
type Named<'a> = (&'a str, Layers<'a>);

impl<'a> Layers<'a> {
    /// Lays the context of security of a holder, which stands at this path, over the rest.
    fn lay(&mut self, holder: &str, field: &str, item: Option<&'a Value>) {
        let Some(context) = item.and_then(|item| item.get(field)) else { return };
        // Both take away what is below.
        if context.is_null() || context.get("$patch").is_some() {
            self.0.clear();
        }
        self.0.push((format!("{holder}.{field}"), context));
    }

    /// A field and where it is written. One that is null is gone.
    fn said(&self, field: &str) -> Option<(String, &'a Value)> {
        let mut written = self.0.iter().rev().filter_map(|(at, it)| Some((at, it.get(field)?)));
        let (at, value) = written.next().filter(|(_, value)| !value.is_null())?;
        Some((format!("{at}.{field}"), value))
    }
}

/// Tells of each of them once, in the place of the user.
pub(super) fn judged(raw: &Value, components: &[Component<'_>], told: &mut Told) {
    let common = &raw["spec"]["common"];
    let paths: Vec<&str> = components.iter().map(|component| component.path.as_str()).collect();
    let own = components.iter().map(|component| component.part.own_container());
    let mut pods: Vec<(&str, Option<&str>)> = paths.into_iter().zip(own.map(Some)).collect();
    if pods.is_empty() {
        pods.push(("", None));
    }
    let mut places: BTreeSet<String> = BTreeSet::new();
    for (at, own) in pods {
        let component = path::at(raw, at).filter(|_| !at.is_empty());
        let templates = [("spec.common", Some(common)), (at, component)].map(|(at, holder)| {
            (format!("{at}.podTemplate.spec"), holder.and_then(|holder| holder.pointer("/podTemplate/spec")))
        });
        let mut pod = Layers::default();
        pod.lay("spec.common", CONTEXT, Some(common));
        for (at, spec) in &templates {
            pod.lay(at, CONTEXT, *spec);
        }
        for (_, container) in containers(common, (at, component), own.unwrap_or_default(), &templates) {
            let said = |field: &str| container.said(field).or_else(|| pod.said(field));
            if let (Some((place, user)), Some((_, barred))) = (said("runAsUser"), said("runAsNonRoot"))
                && user.as_i64() == Some(0)
                && *barred == Value::Bool(true)
            {
                places.insert(place);
            }
        }
    }
    for place in places {
        told.add(Kind::Invalid, place, IS_ROOT.0, IS_ROOT.1);
    }
}

/// The containers of the pods of a component: the operator's own, those that users describe, and those of templates.
fn containers<'a>(
    common: &'a Value,
    (at, component): (&str, Option<&'a Value>),
    own: &'a str,
    templates: &[(String, Option<&'a Value>); 2],
) -> Vec<Named<'a>> {
    let mut first = Layers::default();
    first.lay("spec.common", "containerSecurityContext", Some(common));
    let mut found: Vec<Named<'a>> = vec![(own, first)];
    let lists = [
        ("spec.common".to_owned(), "initContainers", Some(common)),
        (at.to_owned(), "sidecars", component),
        (templates[0].0.clone(), "initContainers", templates[0].1),
        (templates[0].0.clone(), "containers", templates[0].1),
        (templates[1].0.clone(), "initContainers", templates[1].1),
        (templates[1].0.clone(), "containers", templates[1].1),
    ];
    for (at, list, holder) in lists {
        let items = holder.and_then(|holder| holder.get(list)).and_then(Value::as_array);
        for (index, item) in items.into_iter().flatten().enumerate().take(limits::ITEMS) {
            let Some(name) = item["name"].as_str() else { continue };
            if item.get("$patch").is_some() {
                found.retain(|(known, _)| *known != name);
                continue;
            }
            let place = format!("{at}.{list}[{index}]");
            let at = found.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                found.push((name, Layers::default()));
                found.len() - 1
            });
            found[at].1.lay(&place, CONTEXT, Some(item));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    fn told(spec: &str) -> Vec<String> {
        let found =
            findings(&format!("spec: {{{spec}}}")).into_iter().filter(|finding| finding.rule == "C37");
        found.map(|finding| finding.path).collect()
    }

    #[test]
    fn nobody_who_must_not_be_root_is_root() {
        let (pod, container) = ("securityContext", "containerSecurityContext");
        let at = |context: &str| vec![format!("spec.common.{context}.runAsUser")];
        for (common, context) in [
            ("securityContext: {runAsNonRoot: true, runAsUser: 0}", pod),
            ("containerSecurityContext: {runAsNonRoot: true, runAsUser: 0}", container),
            ("securityContext: {runAsNonRoot: true}, containerSecurityContext: {runAsUser: 0}", container),
            ("securityContext: {runAsUser: 0}, containerSecurityContext: {runAsNonRoot: true}", pod),
            (
                "securityContext: {runAsNonRoot: true, runAsUser: 0}, containerSecurityContext: {runAsUser: 5}, initContainers: [{name: a, image: 'a:1'}]",
                pod,
            ),
        ] {
            assert_eq!(told(&format!("common: {{{common}}}")), at(context), "{common}");
        }
        for common in [
            "securityContext: {runAsNonRoot: true, runAsUser: 1000}",
            "securityContext: {runAsNonRoot: true, runAsUser: 0}, containerSecurityContext: {runAsUser: 1000}",
            "securityContext: {runAsNonRoot: true, runAsUser: 0}, podTemplate: {spec: {containers: [{name: celery, securityContext: {runAsUser: 5}}]}}",
            "securityContext: {runAsNonRoot: false, runAsUser: 0}",
            "securityContext: {runAsNonRoot: true, runAsUser: 0}, podTemplate: {spec: {securityContext: {runAsNonRoot: null}}}",
            "securityContext: {runAsNonRoot: true, runAsUser: 0}, podTemplate: {spec: {securityContext: null}}",
        ] {
            assert_eq!(told(&format!("common: {{{common}}}")), [] as [String; 0], "{common}");
        }
        let sidecar = "{name: log, image: 'log:1', securityContext: {runAsNonRoot: true, runAsUser: 0}}";
        assert_eq!(
            told(&format!("workerSpec: {{sidecars: [{sidecar}]}}")),
            ["spec.workerSpec.sidecars[0].securityContext.runAsUser"]
        );
    }

    #[test]
    fn a_container_is_judged_with_the_pod_around_it() {
        let barred = "securityContext: {runAsNonRoot: true}";
        let root = "image: 'a:1', securityContext: {runAsUser: 0}";
        let own = "securityContext: {runAsUser: 5}";
        let of_celery = |context: &str| {
            format!(
                "podTemplate: {{spec: {{containers: [{{name: celery, securityContext: {{{context}}}}}]}}}}"
            )
        };
        for (spec, at) in [
            (
                format!("common: {{{barred}, initContainers: [{{name: a, {root}}}]}}"),
                "spec.common.initContainers[0].securityContext.runAsUser",
            ),
            (
                format!("common: {{{barred}}}, workerSpec: {{sidecars: [{{name: a, {root}}}]}}"),
                "spec.workerSpec.sidecars[0].securityContext.runAsUser",
            ),
            (
                format!("common: {{{barred}}}, workerSpec: {{{}}}", of_celery("runAsUser: 0")),
                "spec.workerSpec.podTemplate.spec.containers[0].securityContext.runAsUser",
            ),
            (
                format!(
                    "workerSpec: {{podTemplate: {{spec: {{{barred}, initContainers: [{{name: a, {root}}}]}}}}}}"
                ),
                "spec.workerSpec.podTemplate.spec.initContainers[0].securityContext.runAsUser",
            ),
            (
                format!(
                    "common: {{securityContext: {{runAsNonRoot: true, runAsUser: 0}}}}, beatSpec: {{}}, workerSpec: {{{}}}",
                    of_celery("runAsUser: 5")
                ),
                "spec.common.securityContext.runAsUser",
            ),
        ] {
            assert_eq!(told(&spec), [at], "{spec}");
        }
        for spec in [
            format!("common: {{{barred}, initContainers: [{{name: a, image: 'a:1', {own}}}]}}"),
            format!(
                "common: {{{barred}, initContainers: [{{name: a, image: 'a:1', securityContext: {{runAsUser: 0, runAsNonRoot: false}}}}]}}"
            ),
            format!(
                "common: {{{barred}, initContainers: [{{name: a, {root}}}]}}, workerSpec: {{podTemplate: {{spec: {{initContainers: [{{name: a, $patch: delete}}]}}}}}}"
            ),
        ] {
            assert_eq!(told(&spec), [""; 0], "{spec}");
        }
    }
}
