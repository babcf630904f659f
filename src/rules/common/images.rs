// SPDX-License-Identifier: Apache-2.0
//! Rules about images and when they are pulled.

use super::main_container::meant;
use crate::api::image::{self, pull_policy};
use crate::api::{ImagePullPolicy, Open, Word as _};
use crate::rules::finding::{Kind, Report, Severity};
use crate::rules::rule::{Check, Example, Rule};
use crate::rules::subject::Subject;

#[rustfmt::skip] // A table: one rule, one block.
pub(in crate::rules) const RULES: &[Rule] = &[
    Rule {
        id: "C04", severity: Severity::Deny, schema: false, since: "0.1",
        title: "image is a reference that a container runtime can pull",
        consequence: "The API server accepts nearly any text; the pods wait for ever in InvalidImageName.",
        check: Check::field(
            &["spec.common.image", "spec.workerSpec.image", "spec.workerPools[].image", "spec.flowerSpec.image"],
            "use registry/name:tag in lower-case letters",
        ).and(c04),
        example: Example { bad: "spec: {common: {image: My/App}}", at: "spec.common.image", good: "spec: {common: {image: 'registry.example.com/my/app:1.0'}}", old: None },
    },
    Rule {
        id: "C05", severity: Severity::Warn, schema: false, since: "0.1",
        title: "a tag that moves is pulled at every start",
        consequence: "Each node keeps what it pulled first, so that replicas run different code.",
        check: Check::object(c05),
        example: Example {
            bad: "spec: {common: {image: 'registry.example.com/shop:latest', imagePullPolicy: IfNotPresent}}",
            at: "spec.common.imagePullPolicy",
            good: "spec: {common: {image: 'registry.example.com/shop:latest'}}",
            old: None,
        },
    },
    Rule {
        id: "C06", severity: Severity::Deny, schema: true, since: "0.1",
        title: "imagePullPolicy is one of three words",
        consequence: "The API server refuses the Deployment, and the error stays in the operator's log.",
        check: Check::object(c06),
        example: Example { bad: "spec: {common: {imagePullPolicy: always}}", at: "spec.common.imagePullPolicy", good: "spec: {common: {imagePullPolicy: Always}}", old: None },
    },
    Rule {
        id: "C07", severity: Severity::Warn, schema: false, since: "0.1",
        title: "images can be pulled",
        consequence: "On every node without the image the pod ends in ErrImageNeverPull.",
        check: Check::object(c07),
        example: Example { bad: "spec: {common: {imagePullPolicy: Never}}", at: "spec.common.imagePullPolicy", good: "spec: {common: {imagePullPolicy: IfNotPresent}}", old: None },
    },
];

/// The images of containers that users describe as a whole.
fn c04(subject: &Subject<'_>, report: &mut Report<'_>) {
    let fix = "use registry/name:tag in lower-case letters";
    let own = subject.containers().map(|(path, container)| (path, container, true));
    let laid_under = subject.laid_under();
    let laid_over = subject.laid_over.iter().map(|laid| {
        // One that means the operator's own is told with its name.
        let stands_alone =
            !laid_under.contains(laid.container.name.as_str()) && meant(subject, laid).is_none();
        (laid.path.clone(), &laid.container, stands_alone)
    });
    for (path, container, stands_alone) in own.chain(laid_over) {
        let path = format!("{path}.image");
        match container.image.as_deref().filter(|image| !image.trim().is_empty()) {
            None if container.image.is_none() && !stands_alone => {}
            None => report.add(Kind::Required, path, "no container image is set", fix),
            Some(text) => {
                if let Err(message) = image::check(text) {
                    report.add(Kind::Invalid, path, message, fix);
                }
            }
        }
    }
}

fn c05(subject: &Subject<'_>, report: &mut Report<'_>) {
    if !has_policy(subject, ImagePullPolicy::IfNotPresent) {
        return;
    }
    let common = subject.common();
    let flower = subject.object.spec.flower_spec.as_ref();
    let own = subject.pools.iter().filter_map(|pool| pool.spec.image.as_ref());
    let mut images = common.image.iter().chain(own).chain(flower.and_then(|flower| flower.image.as_ref()));
    if images.any(|image| pull_policy(image) == ImagePullPolicy::Always) {
        report.add(
            Kind::Forbidden,
            "spec.common.imagePullPolicy",
            "nodes would keep old builds of the tag \"latest\"",
            "use Always or a fixed tag",
        );
    }
}

fn c06(subject: &Subject<'_>, report: &mut Report<'_>) {
    let policy = subject.common().image_pull_policy.as_ref();
    if policy.is_some_and(|policy| policy.known().is_none()) {
        report.add(
            Kind::Unsupported,
            "spec.common.imagePullPolicy",
            "is not a pull policy",
            format!("use one of {}", ImagePullPolicy::supported()),
        );
    }
}

fn c07(subject: &Subject<'_>, report: &mut Report<'_>) {
    if has_policy(subject, ImagePullPolicy::Never) {
        report.add(
            Kind::Invalid,
            "spec.common.imagePullPolicy",
            "works only on nodes that were given the image by hand",
            "use IfNotPresent",
        );
    }
}

fn has_policy(subject: &Subject<'_>, policy: ImagePullPolicy) -> bool {
    subject.common().image_pull_policy.as_ref().and_then(Open::known) == Some(policy)
}
