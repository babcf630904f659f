// SPDX-License-Identifier: Apache-2.0
//! What is converged is left alone: not one write while nothing changes.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::audit;
use crate::rig::shared;
use crate::shop;
use crate::space::Space;
use crate::wait::{until, until_within};

/// This test measures an absence: here the time itself is what is looked at.
const REST: Duration = Duration::from_mins(1);
const CONVERGED_WITHIN: Duration = Duration::from_mins(2);
const OBJECTS: usize = 50;

/// Fields that the API server completes, drops or keeps by keys of their own, in every pod.
const EVERY_ROOM: &str = "spec: {
    common: {
        env: [{name: EMPTY, value: ''}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}],
        envFrom: [{configMapRef: {name: settings, optional: true}}],
        volumes: [{name: data, emptyDir: {}}, {name: keys, secret: {secretName: keys}}],
        volumeMounts: [{name: data, mountPath: /data}, {name: keys, mountPath: /keys, readOnly: true}],
        containerSecurityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}},
        topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}],
        tolerations: [{key: batch, operator: Exists}], serviceAccountName: default, config: {task_acks_late: true},
        metrics: {flowerServiceMonitor: true},
        podTemplate: {spec: {hostAliases: [{ip: 10.0.0.1, hostnames: [cache]}]}}},
    workerSpec: {probes: {liveness: {type: Heartbeat}}, sidecars: [{name: proxy, image: 'proxy:1', ports: [{containerPort: 80}]}, {name: cache, image: 'cache:1'}],
        lifecycle: {preStop: {exec: {command: [sleep, '1']}}}},
    workerPools: [{name: mail, numOfWorkers: 2, queues: [mail]}],
    beatSpec: {persistence: {retain: false}},
    flowerSpec: {persistence: {}, serviceType: LoadBalancer, auth: {basic: {secretRef: {name: flower, key: users}}}, ingress: {}}}";

/// Specs of every shape, in turn, and how many children each has.
fn shapes() -> [(String, usize); 6] {
    let secret = "{url: null, urlSecretRef: {name: broker, key: url}}";
    [
        ("{}".to_owned(), 1),
        ("spec: {flowerSpec: {}}".to_owned(), 3),
        (format!("spec: {{scaleTargetRef: {}}}", shop::CPU), 3),
        (format!("spec: {{common: {{broker: {secret}}}, flowerSpec: {{}}, scaleTargetRef: {}}}", shop::QUEUE), 7),
        // Values that the API server rewrites when it stores them.
        ("spec: {workerSpec: {resources: {requests: {cpu: '0.5', memory: 1024Mi}}, rolloutStrategy: {type: Recreate}}, flowerSpec: {replicas: 0, serviceType: NodePort, auth: {allowUnauthenticated: true}}}".to_owned(), 3),
        (EVERY_ROOM.to_owned(), 11),
    ]
}

#[test]
fn at_rest_nothing_is_written() {
    let rig = shared();
    let space = Space::new(rig, "rest");
    space.create(
        "secrets",
        &json!({"metadata": {"name": "broker"}, "stringData": {"url": "redis://:hush@cache:6379/2"}}),
    );
    let begin = audit::length(rig);
    let shapes = shapes();
    let mut children = 0;
    for index in 0..OBJECTS {
        let (overlay, count) = &shapes[index % shapes.len()];
        space.create("celeries", &shop::named(&format!("shop-{index}"), overlay));
        children += count;
    }
    until_within(CONVERGED_WITHIN, "everything is there and ready", || {
        space.make_pods_ready();
        let ready = space
            .list("celeries")
            .iter()
            .filter(|it| crate::space::condition(it, "Ready")["status"] == "True")
            .count();
        if ready == OBJECTS { Ok(()) } else { Err(format!("{ready} are ready")) }
    });
    // The last status has been written when a while passes without one.
    let mut seen = audit::length(rig);
    until("the writes end", || {
        thread::sleep(Duration::from_secs(3));
        let from = std::mem::replace(&mut seen, audit::length(rig));
        let writes = audit::writes_in(rig, from, &space.name);
        if writes.is_empty() { Ok(()) } else { Err(writes.join("\n")) }
    });
    let made = audit::writes_in(rig, begin, &space.name);
    let events = made.iter().filter(|write| write.contains(" events")).count();
    let statuses = made.iter().filter(|write| write.contains("/status ")).count();
    let creations = made.len() - events - statuses;
    println!(
        "{OBJECTS} objects, {children} children: {creations} writes of children, {statuses} of status, {events} of events"
    );
    assert_eq!(creations, children, "one request for each child: {}", made.join("\n"));
    let begin = audit::length(rig);
    thread::sleep(REST);
    let writes: Vec<String> = audit::writes(rig, begin)
        .into_iter()
        // What others do in namespaces of their own meanwhile is none of this test's business.
        .filter(|write| {
            [format!(" {}/", space.name), " celery-system/".to_owned(), " /".to_owned()]
                .iter()
                .any(|here| write.contains(here))
        })
        .collect();
    assert_eq!(writes, Vec::<String>::new());
    // The log was really written meanwhile.
    assert!(audit::length(rig) > begin);
}

#[test]
fn a_new_object_is_not_asked_after() {
    let rig = shared();
    let space = Space::new(rig, "unasked");
    let begin = audit::length(rig);
    space.create("celeries", &shop::with(EVERY_ROOM));
    space
        .until("celeries", "shop", |it| it["status"]["children"].as_array().is_some_and(|it| it.len() == 11));
    let mut reads = audit::reads_in(rig, begin, &space.name);
    // What pods read at their start is looked at: it belongs to somebody else.
    let others = ["configmaps", "secrets"].map(|kind| format!("get {kind} {}/", space.name));
    reads.retain(|read| read.contains("/shop-") || !others.iter().any(|other| read.starts_with(other)));
    assert_eq!(reads, Vec::<String>::new());
}

#[test]
fn a_new_object_costs_its_children_and_its_statuses() {
    let rig = shared();
    let space = Space::new(rig, "cost");
    let begin = audit::length(rig);
    space.create("celeries", &shop::with("spec: {flowerSpec: {}}"));
    space.until("deployments", "shop-worker", |it| it["status"]["replicas"] == 1);
    space.until("deployments", "shop-flower", |it| it["status"]["replicas"] == 1);
    space.until_ready("shop");
    let writes = until("the last write is logged", || {
        let writes = audit::writes_in(rig, begin, &space.name);
        let statuses = writes.iter().filter(|write| write.contains("/status ")).count();
        if statuses > 0 { Ok(writes) } else { Err(writes.join("\n")) }
    });
    let of = |part: &str| writes.iter().filter(|write| write.contains(part)).count();
    let (statuses, events) = (of("/status "), of(" events"));
    let children = writes.len() - statuses - events;
    println!(
        "a new object with two Deployments and a Service: {children} writes of children, {statuses} of status, {events} of events"
    );
    assert_eq!(children, 3, "{}", writes.join("\n"));
    assert_eq!((of("patch deployments "), of("patch services ")), (2, 1), "{}", writes.join("\n"));
    // One for each thing that happened: observed, pods made, one Deployment ready, the other.
    assert!(statuses <= 12, "{}", writes.join("\n"));
    // Its children, that it is on its way, that it is ready.
    assert!(events <= 3, "{}", writes.join("\n"));
}
