// SPDX-License-Identifier: Apache-2.0
//! Which fields take the place of what stands in a Deployment of Celery that was made by hand.

use std::fmt::Write as _;

use crate::markdown::{block, code, table};

/// What stands in a Deployment, and the fields that say the same.
const PLACES: &[(&str, &[&str])] = &[
    ("replicas", &["spec.workerSpec.numOfWorkers"]),
    ("image", &["spec.common.image"]),
    ("what starts Celery, such as poetry run celery", &["spec.common.command"]),
    ("-A, --app", &["spec.common.celeryApp"]),
    ("-b, CELERY_BROKER_URL, from a Secret", &["spec.common.broker.urlSecretRef"]),
    ("--result-backend, CELERY_RESULT_BACKEND, from a Secret", &["spec.common.resultBackend.urlSecretRef"]),
    ("env, envFrom", &["spec.common.env", "spec.common.envFrom"]),
    ("-Q, --queues", &["spec.workerSpec.queues"]),
    ("-c, --concurrency", &["spec.workerSpec.concurrency"]),
    ("--autoscale, processes in each pod", &["spec.workerSpec.args"]),
    ("an autoscaler of pods", &["spec.scaleTargetRef"]),
    ("-l, --loglevel", &["spec.workerSpec.logLevel"]),
    ("--time-limit, --soft-time-limit", &["spec.workerSpec.timeLimit", "spec.workerSpec.softTimeLimit"]),
    ("any other option of the worker", &["spec.workerSpec.args"]),
    ("resources", &["spec.workerSpec.resources"]),
    ("terminationGracePeriodSeconds", &["spec.workerSpec.gracefulShutdown"]),
    ("startupProbe, readinessProbe, livenessProbe with exec", &["spec.workerSpec.probes"]),
    ("volumes, volumeMounts", &["spec.common.volumes", "spec.common.volumeMounts"]),
    (
        "nodeSelector, tolerations, affinity",
        &["spec.common.nodeSelector", "spec.common.tolerations", "spec.common.affinity"],
    ),
    ("any other field of the pod", &["spec.workerSpec.podTemplate"]),
];

/// A worker that was made by hand.
const BEFORE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: old-worker
spec:
  replicas: 3
  selector:
    matchLabels: {app: old-worker}
  template:
    metadata:
      labels: {app: old-worker}
    spec:
      terminationGracePeriodSeconds: 300
      containers:
        - name: worker
          image: registry.example.com/shop:1.0
          command: [celery, -A, shop.tasks, worker, -l, INFO, -Q, 'mail,orders', '--autoscale=8,2']
          env:
            - name: CELERY_BROKER_URL
              valueFrom: {secretKeyRef: {name: shop-broker, key: url}}
          envFrom:
            - secretRef: {name: shop-env}
          livenessProbe:
            exec: {command: [python, -m, shop.alive]}
            periodSeconds: 60
";

/// The same worker as a Celery.
const AFTER: &str = "\
apiVersion: celeryproject.org/v1alpha1
kind: Celery
metadata:
  name: shop
spec:
  common:
    image: registry.example.com/shop:1.0
    celeryApp: shop.tasks
    broker:
      urlSecretRef: {name: shop-broker, key: url}
      scheme: redis
    envFrom:
      - secretRef: {name: shop-env}
  workerSpec:
    numOfWorkers: 3
    logLevel: INFO
    queues: [mail, orders]
    args: ['--autoscale=8,2']
    gracefulShutdown: {timeoutSeconds: 300}
    probes:
      liveness: {type: Custom, command: [python, -m, shop.alive], periodSeconds: 60}
";

/// The table, and an example.
pub(crate) fn text() -> String {
    let mut text = "### What becomes of its fields\n\n".to_owned();
    let rows = PLACES.iter().map(|(before, fields)| {
        let fields: Vec<String> = fields.iter().map(|field| code(field)).collect();
        vec![(*before).to_owned(), fields.join(", ")]
    });
    text.push_str(&table(&["In the Deployment", "In the Celery"], &rows.collect::<Vec<_>>()));
    let _ = write!(
        text,
        "\nOf several Deployments that share the image each becomes an item of {}, with the same fields.\n\nThis\n\n{}\n\
         becomes this:\n\n{}",
        code("spec.workerPools"),
        block("yaml", BEFORE),
        block("yaml", AFTER)
    );
    text
}

#[cfg(test)]
mod tests {
    use celery_operator::api::crd;
    use celery_operator::rules::{Facts, check, schema};
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_example_is_free_of_findings() {
        let object: Value = serde_saphyr::from_str(AFTER).unwrap();
        let reading = schema::reading(&object, &|_| None);
        let found = check(&reading.object, None, &Facts::default()).unwrap();
        assert_eq!(reading.with(found), []);
    }

    #[test]
    fn every_field_of_the_table_exists() {
        let definition = serde_json::to_value(crd::definition()).unwrap();
        let root = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        for field in PLACES.iter().flat_map(|(_, fields)| *fields) {
            let pointer = format!("/properties/{}", field.replace('.', "/properties/"));
            assert!(root.pointer(&pointer).is_some(), "{field}");
        }
    }
}
