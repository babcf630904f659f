// SPDX-License-Identifier: Apache-2.0
//! Specs that look random and are the same for the same seed. Most are valid; who refuses the others is the webhook.

#[path = "../../chance/mod.rs"]
mod chance;

use serde_json::{Map, Value, json};

use crate::shop;
use chance::Chance;

/// Draws of parts of specs.
pub(crate) struct Dice(Chance);

impl Dice {
    /// The draws of a seed.
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(Chance::of(seed))
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0.below(limit)
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// Each of these fields with a probability of one in so many, as one object.
    fn some(&mut self, one_in: u64, fields: &[&[&'static str]]) -> Value {
        let mut all = json!({});
        for values in fields {
            if self.below(one_in) == 0 {
                json_patch::merge(&mut all, &shop::yaml(self.of(values)));
            }
        }
        all
    }
}

/// The Secrets that brokers and Flower refer to.
pub(crate) const SECRETS: [(&str, &[(&str, &str)]); 4] = [
    ("redis-url", &[("url", "redis://app:hush@cache:6379/2")]),
    ("amqp-url", &[("url", "amqp://app:hush@mq:5672/shop;amqp://app:hush@mq-2:5672/shop")]),
    ("parts", &[("user", "app"), ("password", "hu#sh/1")]),
    ("flower", &[("users", "me:hush"), ("management", "http://app:hush@mq:15672/api/")]),
];

const BROKERS: &[&str] = &[
    "url: redis://cache:6379/0",
    "url: amqp://mq:5672//",
    "url: pyamqp://guest@mq-1//;pyamqp://guest@mq-2//",
    "urlSecretRef: {name: redis-url, key: url}",
    "urlSecretRef: {name: amqp-url, key: url}",
    "redis: {host: cache, db: 1}",
    "redis: {host: cache, username: app, passwordSecretRef: {name: parts, key: password}}",
    "redis: {host: cache, tls: {caSecretRef: {name: authority, key: ca.pem}}}",
    "redis: {keyPrefix: 'shop:', sentinel: {masterName: main, addresses: [s1, 's2:26380'], passwordSecretRef: {name: parts, key: password}}}",
    "rabbitmq: {host: mq, vhost: shop, usernameSecretRef: {name: parts, key: user}, passwordSecretRef: {name: parts, key: password}}",
    "rabbitmq: {host: mq, tls: {certReqs: none, caSecretRef: {name: authority, key: ca.pem}}, managementUrl: 'https://mq:15671/api/'}",
    "sqs: {region: eu-west-1, accountId: '123456789012', queueNamePrefix: shop-}",
    "sqs: {region: eu-west-1, accountId: '123456789012', credentialsSecretName: parts}",
];

const SHARED: &[&[&str]] = &[
    &["image: 'registry.example.com/shop:1.1'", "image: 'shop:2'", "image: 'shop'"],
    &["imagePullPolicy: Always", "imagePullPolicy: Never"],
    &["imagePullSecrets: [{name: registry}]"],
    &["celeryVersion: '5.4'", "celeryVersion: '5.2.7'", "celeryVersion: '5.7'"],
    &["celeryApp: shop.other", "celeryApp: 'shop.tasks:app'"],
    &[
        "resultBackend: {url: 'redis://cache:6379/3'}",
        "resultBackend: {urlSecretRef: {name: redis-url, key: url}}",
    ],
    &["config: {task_acks_late: true}", "config: {task_default_queue: mail, accept_content: [json]}"],
    &[
        "env: [{name: REGION, value: eu}, {name: EMPTY, value: ''}]",
        "env: [{name: REGION, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]",
        "env: [{name: ZONE, value: a}, {name: REGION, value: us}]",
    ],
    &["envFrom: [{configMapRef: {name: shop, optional: true}}]"],
    &["serviceAccountName: shop"],
    &["podLabels: {team: web}", "podLabels: {team: mail, tier: back}"],
    &["podAnnotations: {example.com/scrape: 'false'}"],
    &["nodeSelector: {disk: ssd}"],
    &["tolerations: [{key: batch, operator: Exists}]"],
    &["topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]"],
    &["priorityClassName: batch"],
    &["securityContext: {runAsNonRoot: true, runAsUser: 1000}", "securityContext: {fsGroup: 2000}"],
    &["containerSecurityContext: {readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}"],
    &["initContainers: [{name: migrate, image: 'shop:1', command: [shop, migrate]}]"],
    &["dnsConfig: {options: [{name: ndots, value: '2'}]}"],
    &[
        "{volumes: [{name: data, emptyDir: {}}], volumeMounts: [{name: data, mountPath: /data}]}",
        "{volumes: [{name: data, emptyDir: {sizeLimit: 1024Mi}}, {name: keys, secret: {secretName: keys}}], volumeMounts: [{name: data, mountPath: /data}, {name: keys, mountPath: /keys, readOnly: true}]}",
    ],
    &[
        "podTemplate: {spec: {hostAliases: [{ip: 10.0.0.1, hostnames: [cache]}]}}",
        "podTemplate: {metadata: {annotations: {example.com/a: b}}, spec: {schedulerName: own}}",
    ],
    &["command: [opentelemetry-instrument, celery]"],
];

const WORKERS: &[&[&str]] = &[
    &[
        "args: ['-E']",
        "args: ['-Q', 'mail,celery', '--max-tasks-per-child=9']",
        "args: ['-c', '3', '-n', 'own@%h']",
    ],
    &["queues: [mail]", "queues: [celery, reports]"],
    &["concurrency: 2", "concurrency: auto", "concurrency: 5"],
    &["prefetchMultiplier: 2", "prefetchMultiplier: 1"],
    &["logLevel: debug", "logLevel: WARNING"],
    &["pool: threads", "pool: solo", "pool: prefork"],
    &["timeLimit: 300", "{timeLimit: 90, softTimeLimit: 60}"],
    &["{gossip: true, mingle: true}", "heartbeatInterval: 5", "taskEvents: true"],
    &["image: 'shop-worker:1'"],
    &[
        "rolloutStrategy: {type: Recreate}",
        "rolloutStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 2}}",
        "rolloutStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: '50%'}}",
    ],
    &[
        "resources: {requests: {cpu: '0.5', memory: 1024Mi}}",
        "resources: {requests: {cpu: 250m}, limits: {cpu: 1, memory: 1Gi}}",
        "resources: {limits: {memory: 2G, ephemeral-storage: 1Gi}}",
    ],
    &[
        "probes: {startup: {type: None}}",
        "probes: {liveness: {type: Ping, periodSeconds: 120, timeoutSeconds: 60}}",
        "probes: {readiness: {type: Custom, command: ['true']}}",
    ],
    &[
        "podDisruptionBudget: {minAvailable: 1}",
        "podDisruptionBudget: {maxUnavailable: '50%'}",
        "podDisruptionBudget: {maxUnavailable: 2}",
    ],
    &["env: [{name: REGION, value: ap}]"],
    &[
        "sidecars: [{name: proxy, image: 'proxy:1', ports: [{containerPort: 80}]}]",
        "sidecars: [{name: logs, image: 'logs:1'}, {name: proxy, image: 'proxy:2'}]",
    ],
    &["lifecycle: {preStop: {exec: {command: [sleep, '5']}}}"],
    &["{minReadySeconds: 5, revisionHistoryLimit: 2}", "progressDeadlineSeconds: 900"],
    &[
        "gracefulShutdown: {timeoutSeconds: 120}",
        "gracefulShutdown: {mode: Soft, timeoutSeconds: 120, softTimeoutSeconds: 60}",
    ],
    &[
        "podTemplate: {spec: {containers: [{name: celery, stdin: true}]}}",
        "podTemplate: {spec: {containers: [{name: extra, image: 'extra:1'}]}}",
    ],
];

const BEATS: &[&[&str]] = &[
    &["maxInterval: 60", "maxInterval: 5"],
    &["logLevel: DEBUG"],
    &["scheduler: 'django_celery_beat.schedulers:DatabaseScheduler'", "scheduleFile: /tmp/schedule"],
    &[
        "resources: {requests: {cpu: 50m}}",
        "resources: {requests: {cpu: '0.05', memory: 64Mi}, limits: {memory: 128Mi}}",
    ],
    &["env: [{name: REGION, value: none}]"],
    &["podTemplate: {spec: {priorityClassName: single}}"],
];

const FLOWERS: &[&[&str]] = &[
    &["replicas: 0"],
    &["servicePort: 8080", "servicePort: 80"],
    &[
        "{serviceType: NodePort, auth: {allowUnauthenticated: true}}",
        "{serviceType: LoadBalancer, auth: {basic: {secretRef: {name: flower, key: users}}}, loadBalancerSourceRanges: [10.0.0.0/8]}",
        "serviceType: ClusterIP",
    ],
    &["sessionAffinity: ClientIP"],
    &["serviceAnnotations: {example.com/internal: 'true'}"],
    &[
        "{ingress: {host: flower.example.com}, auth: {basic: {secretRef: {name: flower, key: users}}}}",
        "{ingress: {className: nginx, host: f.example.com, path: /flower, tlsSecretName: web}, urlPrefix: flower, auth: {basic: {secretRef: {name: flower, key: users}}}}",
    ],
    &["urlPrefix: flower"],
    &["maxTasks: 500", "{maxTasks: 500, maxWorkers: 10}"],
    &["resources: {requests: {cpu: 100m, memory: 256Mi}}"],
    &["args: ['--max_tasks=20000']"],
    &["tls: {secretName: web}"],
    &["env: [{name: FLOWER_NATURAL_TIME, value: 'true'}]"],
    &["podTemplate: {spec: {containers: [{name: flower, workingDir: /srv}]}}"],
];

const SCALERS: &[&str] = &[
    "{maxReplicas: 3, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 500m}}]}",
    "{minReplicas: 2, maxReplicas: 3, metrics: [{name: memory, target: {type: AverageValue, averageValue: 1024Mi}}, {name: cpu, target: {type: AverageValue, averageValue: '0.5'}}]}",
    "{maxReplicas: 2, metrics: [{name: cpu, target: {type: Utilization, averageUtilization: 80}}]}",
    "{maxReplicas: 3, behavior: {scaleDown: {stabilizationWindowSeconds: 30}}, metrics: [{name: cpu, target: {type: AverageValue, averageValue: 1}}]}",
];

const QUEUES: &[&str] = &[
    "{minReplicas: 0, maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 10}}]}",
    "{maxReplicas: 2, pollingInterval: 5, cooldownPeriod: 60, metrics: [{name: task_queue_length, target: {type: Average Value, averageValue: '20'}}]}",
    "{maxReplicas: 3, queues: [mail], includeUnacked: true, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}",
    "{maxReplicas: 3, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}, {name: cpu, target: {type: AverageValue, averageValue: 500m}}]}",
    "{maxReplicas: 3, fallback: {failureThreshold: 3, replicas: 2}, metrics: [{name: task_queue_length, target: {type: AverageValue, averageValue: 5}}]}",
];

/// Names of the pools; the first is the one of `workerSpec`.
const POOLS: [&str; 3] = ["default", "mail", "slow"];

/// A spec in parts, each of which is thrown for by itself.
#[derive(Clone)]
pub(crate) struct Draft {
    shared: Value,
    broker: Value,
    pools: [Option<Value>; 3],
    beat: Option<Value>,
    flower: Option<Value>,
    /// Of the pools, and of Flower.
    scalers: [Option<Value>; 4],
}

impl Draft {
    /// The smallest one.
    pub(crate) fn new() -> Self {
        Self {
            shared: json!({}),
            broker: shop::yaml(BROKERS[0]),
            pools: [Some(json!({})), None, None],
            beat: None,
            flower: None,
            scalers: [None, None, None, None],
        }
    }

    /// The same with one to three parts thrown anew.
    pub(crate) fn changed(&self, dice: &mut Dice) -> Self {
        let mut draft = self.clone();
        for _ in 0..=dice.below(3) {
            match dice.below(12) {
                0 | 1 => draft.shared = dice.some(6, SHARED),
                2 | 3 => draft.broker = shop::yaml(dice.of(BROKERS)),
                4 => draft.beat = (dice.below(3) > 0).then(|| dice.some(3, BEATS)),
                5 | 6 => draft.flower = (dice.below(4) > 0).then(|| dice.some(3, FLOWERS)),
                7..=9 => {
                    let at = usize::try_from(dice.below(3)).unwrap();
                    draft.pools[at] = (dice.below(4) > 0).then(|| worker(dice));
                }
                _ => {
                    let at = usize::try_from(dice.below(4)).unwrap();
                    draft.scalers[at] = scaler(dice, at < POOLS.len());
                }
            }
        }
        draft
    }

    /// As a spec.
    pub(crate) fn spec(&self) -> Value {
        let mut common = json!({"image": "registry.example.com/shop:1.0", "celeryApp": "shop.tasks"});
        json_patch::merge(&mut common, &self.shared);
        common["broker"] = self.broker.clone();
        let mut spec = json!({"common": common});
        let mut scalers = Vec::new();
        let mut pools = Vec::new();
        for ((name, pool), scaler) in POOLS.into_iter().zip(&self.pools).zip(&self.scalers) {
            let Some(mut pool) = pool.clone() else { continue };
            if let Some(scaler) = scaler {
                pool.as_object_mut().unwrap().remove("numOfWorkers");
                scalers.push(of("worker", name, scaler));
            }
            if name == POOLS[0] {
                spec["workerSpec"] = pool;
            } else {
                pool["name"] = json!(name);
                pools.push(pool);
            }
        }
        if !pools.is_empty() {
            spec["workerPools"] = json!(pools);
        }
        if let Some(beat) = &self.beat {
            spec["beatSpec"] = beat.clone();
        }
        if let Some(flower) = &self.flower {
            spec["flowerSpec"] = flower.clone();
            scalers.extend(self.scalers[POOLS.len()].as_ref().map(|scaler| {
                let mut scaler = scaler.clone();
                scaler["kind"] = json!("flower");
                scaler
            }));
        }
        if !scalers.is_empty() {
            spec["scaleTargetRef"] = json!(scalers);
        }
        spec
    }
}

/// A pool; its number of workers is mostly written.
fn worker(dice: &mut Dice) -> Value {
    let mut worker = dice.some(4, WORKERS);
    if dice.below(5) > 0 {
        worker["numOfWorkers"] = json!(dice.below(2));
    }
    worker
}

fn scaler(dice: &mut Dice, has_queues: bool) -> Option<Value> {
    match dice.below(6) {
        0 | 1 => None,
        2 | 3 if has_queues => Some(shop::yaml(dice.of(QUEUES))),
        _ => Some(shop::yaml(dice.of(SCALERS))),
    }
}

fn of(kind: &str, pool: &str, scaler: &Value) -> Value {
    let own = [("kind", json!(kind)), ("pool", json!(pool))].map(|(key, value)| (key.to_owned(), value));
    let mut target = Map::from_iter(own);
    target.extend(scaler.as_object().unwrap().clone());
    Value::Object(target)
}
