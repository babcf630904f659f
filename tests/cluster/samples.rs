// SPDX-License-Identifier: Apache-2.0
//! Every sample and every YAML of the documentation, applied as a user would.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::rig::shared;
use crate::space::Space;
use crate::wait::until;

/// Plural and name of each.
type Children = &'static [(&'static str, &'static str)];

/// The Celery of each sample and everything that is created for it.
const SAMPLES: &[(&str, &str, Children)] = &[
    ("smallest.yaml", "shop", &[("deployments", "shop-worker")]),
    (
        "everything.yaml",
        "shop-everything",
        &[
            ("deployments", "everything-flower"),
            ("deployments", "everything-worker"),
            ("poddisruptionbudgets", "everything-worker"),
            ("horizontalpodautoscalers", "everything-flower"),
            ("scaledobjects", "everything-worker"),
            ("secrets", "everything-celery-broker"),
            ("services", "everything-flower"),
            ("triggerauthentications", "everything-worker"),
        ],
    ),
    (
        "flower-exposed.yaml",
        "shop-monitor",
        &[("deployments", "shop-monitor-flower"), ("services", "shop-monitor-flower")],
    ),
    (
        "flower-ingress.yaml",
        "shop-page",
        &[
            ("deployments", "shop-page-flower"),
            ("ingresses", "shop-page-flower"),
            ("services", "shop-page-flower"),
        ],
    ),
    (
        "pools-and-beat.yaml",
        "shop-pools",
        &[
            ("deployments", "shop-pools-beat"),
            ("deployments", "shop-pools-worker"),
            ("deployments", "shop-pools-worker-exports"),
            ("deployments", "shop-pools-worker-mail"),
            ("poddisruptionbudgets", "shop-pools-worker"),
            ("secrets", "shop-pools-celery-broker"),
        ],
    ),
    (
        "autoscale-cpu.yaml",
        "shop-busy",
        &[
            ("deployments", "shop-busy-worker"),
            ("poddisruptionbudgets", "shop-busy-worker"),
            ("horizontalpodautoscalers", "shop-busy-worker"),
        ],
    ),
    (
        "autoscale-redis.yaml",
        "shop-queues",
        &[
            ("deployments", "shop-queues-worker"),
            ("poddisruptionbudgets", "shop-queues-worker"),
            ("scaledobjects", "shop-queues-worker"),
            ("secrets", "shop-queues-celery-keda"),
            ("triggerauthentications", "shop-queues-worker"),
        ],
    ),
    (
        "autoscale-rabbitmq.yaml",
        "shop-rabbit",
        &[
            ("deployments", "shop-rabbit-worker"),
            ("poddisruptionbudgets", "shop-rabbit-worker"),
            ("scaledobjects", "shop-rabbit-worker"),
            ("secrets", "shop-rabbit-celery-broker"),
            ("triggerauthentications", "shop-rabbit-worker"),
        ],
    ),
    (
        "autoscale-sqs.yaml",
        "shop-sqs",
        &[
            ("deployments", "shop-sqs-worker"),
            ("poddisruptionbudgets", "shop-sqs-worker"),
            ("scaledobjects", "shop-sqs-worker"),
            ("triggerauthentications", "shop-sqs-worker"),
        ],
    ),
    (
        "restricted.yaml",
        "shop-restricted",
        &[
            ("deployments", "shop-restricted-beat"),
            ("deployments", "shop-restricted-flower"),
            ("deployments", "shop-restricted-worker"),
            ("secrets", "shop-restricted-celery-broker"),
            ("services", "shop-restricted-flower"),
        ],
    ),
    (
        "app/celery.yaml",
        "shop-app",
        &[
            ("deployments", "shop-app-beat"),
            ("deployments", "shop-app-flower"),
            ("deployments", "shop-app-worker"),
            ("poddisruptionbudgets", "shop-app-worker"),
            ("services", "shop-app-flower"),
        ],
    ),
    (
        // Its claims have no owner.
        "volumes-and-heartbeat.yaml",
        "shop-kept",
        &[
            ("configmaps", "shop-kept-celery-probe"),
            ("deployments", "shop-kept-beat"),
            ("deployments", "shop-kept-flower"),
            ("deployments", "shop-kept-worker"),
            ("services", "shop-kept-flower"),
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every sample, by its path in the folder: also what runs the sample application, which has its sources beside it.
pub(crate) fn files() -> Vec<String> {
    let folder = root().join("config/samples");
    let listed = |within: &str| -> Vec<String> {
        let entries = fs::read_dir(folder.join(within)).unwrap();
        let names = entries.map(|entry| within.to_owned() + entry.unwrap().file_name().to_str().unwrap());
        names
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml"))
            .collect()
    };
    let mut files = [listed(""), listed("app/")].concat();
    files.sort();
    files
}

#[test]
fn every_sample_gets_its_children_and_no_warning() {
    let space = Space::new(shared(), "samples");
    let folder = root().join("config/samples");
    let there: BTreeSet<String> = files().into_iter().collect();
    let known: BTreeSet<String> = SAMPLES.iter().map(|(file, ..)| (*file).to_owned()).collect();
    assert_eq!(there, known, "a sample without an expectation, or the other way round");
    for (file, name, children) in SAMPLES {
        let yaml = fs::read_to_string(folder.join(file)).unwrap();
        assert!(
            yaml.starts_with("# SPDX-License-Identifier: Apache-2.0\n# "),
            "{file} does not say what it shows"
        );
        let output = space.kubectl(&["apply", "-f", "-"], &yaml);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{file}: {said}");
        let expected: BTreeSet<(String, String)> =
            children.iter().map(|(plural, name)| ((*plural).to_owned(), (*name).to_owned())).collect();
        until(&format!("the children of {file}"), || {
            let seen: BTreeSet<(String, String)> = space.children(name).into_iter().collect();
            if seen == expected { Ok(()) } else { Err(format!("{seen:?}")) }
        });
        // What is applied twice changes nothing, although kubectl says "configured" where the schema has filled in
        // something inside a list.
        let generation = || space.get("celeries", name).unwrap()["metadata"]["generation"].clone();
        let before = generation();
        space.succeed(&["apply", "-f", "-"], &yaml);
        assert_eq!(generation(), before, "{file}");
    }
}

/// What the sample says of Pod Security is so: where `restricted` is enforced its pods are made, and those of the
/// smallest one are not.
#[test]
fn the_sample_of_a_restricted_namespace_gets_its_pods() {
    let space = Space::new(shared(), "restricted");
    let label = "pod-security.kubernetes.io/enforce=restricted";
    space.succeed(&["label", "namespace", &space.name, label], "");
    let sample = |file: &str| fs::read_to_string(root().join("config/samples").join(file)).unwrap();
    space.succeed(&["apply", "-f", "-"], &sample("restricted.yaml"));
    space.succeed(&["apply", "-f", "-"], &sample("smallest.yaml"));
    for part in ["worker", "beat", "flower"] {
        space
            .until("deployments", &format!("shop-restricted-{part}"), |live| live["status"]["replicas"] == 1);
    }
    let refused = |live: &Value| {
        let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
        let mut messages = conditions.filter_map(|condition| condition["message"].as_str());
        messages.any(|message| message.contains("violates PodSecurity \"restricted:latest\""))
    };
    space.until("deployments", "shop-worker", refused);
}

#[test]
fn every_yaml_of_the_documentation_is_accepted() {
    let space = Space::new(shared(), "docs");
    let mut seen = BTreeMap::new();
    for page in ["README.md", "CONTRIBUTING.md", "docs/tasks.md", "docs/reference/children.md"] {
        for yaml in blocks(&fs::read_to_string(root().join(page)).unwrap()) {
            let output = space.kubectl(&["apply", "--dry-run=server", "-f", "-"], &yaml);
            assert!(output.status.success(), "{page}: {}\n{yaml}", String::from_utf8_lossy(&output.stderr));
            *seen.entry(page).or_insert(0) += 1;
        }
    }
    assert_eq!((seen.get("docs/tasks.md"), seen.get("docs/reference/children.md")), (Some(&1), Some(&2)));
    assert_eq!(seen.get("README.md"), Some(&1), "the reader of pages found something else: {seen:?}");
}

/// What the README shows as a refusal is what kubectl prints.
#[test]
fn the_refusal_of_the_readme_is_the_real_one() {
    let space = Space::new(shared(), "readme");
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let shown: Vec<&str> = page.lines().filter(|line| line.starts_with("* spec.")).collect();
    let object = "{apiVersion: celeryproject.org/v1alpha1, kind: Celery, metadata: {name: shop}, spec: {
        common: {image: 'Shop/Web:1.0', celeryApp: shop.tasks, broker: {url: 'cache:6379'}}, workerSpec: {},
        scaleTargetRef: [{kind: worker, maxReplicas: 5, metrics: [
            {name: message_queue, target: {type: AverageValue, averageValue: 10}}]}]}}";
    let output = space.kubectl(&["apply", "-f", "-"], object);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    let said: Vec<&str> = printed.lines().filter(|line| line.starts_with("* spec.")).collect();
    assert_eq!(shown, said);
}

/// The YAML blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    let parts = page.split("```yaml\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}
