// SPDX-License-Identifier: Apache-2.0
//! What is said offline about the schema is what the API server says.

use celery_operator::rules::schema;

use crate::rig::bare;
use crate::shop;
use crate::space::Space;

/// Mistakes and their cures, each with what stands right beside it.
const OBJECTS: &[&str] = &[
    "spec: {workerSpec: {numOfWorker: 3}}",
    "spec: {workerSpec: {numOfWorkers: three}}",
    "spec: {workerSpec: {numOfWorkers: '3'}}",
    "spec: {workerSpec: {numOfWorkers: 1.5}}",
    "spec: {workerSpec: {numOfWorkers: 3000000000}}",
    "spec: {workerSpec: {numOfWorkers: -1}}",
    "spec: {workerSpec: {numOfWorkers: 3}}",
    "spec: {workerSpec: {args: -c}}",
    "spec: {workerSpec: {args: [1]}}",
    "spec: {workerSpec: {args: [null]}}",
    "spec: {workerSpec: [1]}",
    "spec: {workerSpec: {resources: {requests: {cpu: 1, memory: 1Gi}}}}",
    "spec: {workerSpec: {resources: {requests: {cpu: 0.5}}}}",
    "spec: {workerSpec: {resources: {request: {cpu: 1}}}}",
    "spec: {workerSpec: {resources: {requests: {cpu: [1]}}}}",
    "spec: {common: {celeryVersion: 5.1}}",
    "spec: {common: {volumes: [{emptyDir: {}}]}}",
    "spec: {common: {volumes: [{name: a, emptyDir: {}, emptydir: {}}]}}",
    "spec: {common: {volumes: {name: a}}}",
    "spec: {common: {appName: A}}",
    "spec: {common: {image: 3}}",
    "spec: {flowerSpec: {serviceType: Foo}}",
    "spec: {flowerSpec: {servicePort: 0}}",
    "spec: {flowerSpec: {servicePort: true}}",
    "spec: {scaleTargetRef: []}",
    "spec: {scaleTargetRef: [null]}",
    "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: []}]}",
    "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu}]}]}",
    "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}]}]}",
    "spec: {scaleTargetRef: [{kind: worker, maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: true}}]}]}",
    "metadata: {labels: {tier: 1}}",
    "metadata: {annotations: {a: b}}",
    "metadata: {labels: [a]}",
    "metadata: {nam: b}",
    "metadata: {name: Shop}",
    "metadata: {name: null}",
    "metadata: {creationTimestamp: null}",
    "{status: {replicas: 3}}",
    "{spce: {}}",
    "{spec: 3}",
];

#[test]
fn what_the_schema_refuses_is_found_offline_and_nothing_else() {
    let space = Space::new(bare(), "schema");
    let mut wrong = Vec::new();
    for overlay in OBJECTS {
        let object = shop::with(overlay);
        let findings = schema::reading(&object, &|_| None).findings;
        let answer = space.post("celeries", "?fieldValidation=Strict&dryRun=All", &object);
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        if answer.is_success() != told.is_empty() {
            wrong.push(format!("{overlay}: {} {}\n  offline: {told:?}", answer.code, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
