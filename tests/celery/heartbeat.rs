// SPDX-License-Identifier: Apache-2.0
//! The probe of the type `Heartbeat` with real Celery: what is rendered for a pod is run as kubelet would run it, with
//! folders of its own in place of the mounted ones.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use celery_operator::build::{self, Capabilities, ChildKind, Children};
use celery_operator::defaults::{self, Moment};
use celery_operator::resolve::{self, PROBE_FILES, PROBE_STATE, Sources};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::venv::{self, Site};

/// Oldest age in the test, in seconds: a worker sends a heartbeat every two.
const MAX_AGE: u64 = 5;
/// For a start on a busy machine.
const DEADLINE: Duration = Duration::from_mins(2);

/// An application, a module that it does not know, and a scheduler of its own.
const APP: &str = "from celery import Celery\napp = Celery('shop')\n";
const EXTRA: &str = "import pathlib\npathlib.Path(__file__).with_suffix('.loaded').touch()\n";
const SCHEDULER: &str = "from celery.beat import Scheduler\n\n\nclass Own(Scheduler):\n    pass\n";

/// A container as kubelet would run it.
struct Container {
    folder: TempDir,
    command: Vec<String>,
    probes: Value,
    environment: Vec<(String, String)>,
}

impl Container {
    /// The container of a Deployment, its files in place.
    fn new(children: &Children, deployment: &str) -> Self {
        let object = |kind: ChildKind| {
            let found = children.manifests.iter().find(|manifest| {
                manifest.kind == kind && [deployment, "shop-celery-probe"].contains(&&*manifest.name)
            });
            &found.unwrap().body
        };
        let folder = tempfile::tempdir().unwrap();
        for name in ["files", "state", "app"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (name, text) in [("shop.py", APP), ("extra.py", EXTRA), ("scheduling.py", SCHEDULER)] {
            fs::write(folder.path().join("app").join(name), text).unwrap();
        }
        for (name, text) in object(ChildKind::ConfigMap)["data"].as_object().unwrap() {
            // Beat's look at its schedule, which nobody waits half a minute for.
            let text = text.as_str().unwrap().replace("LONGEST_SLEEP = 30", "LONGEST_SLEEP = 1");
            fs::write(folder.path().join("files").join(name), in_place(&text, folder.path())).unwrap();
        }
        let container = &object(ChildKind::Deployment)["spec"]["template"]["spec"]["containers"][0];
        let words = |list: &Value| -> Vec<String> {
            let words = list.as_array().unwrap().iter().map(|word| word.as_str().unwrap());
            words.map(|word| in_place(&word.replace("$$", "$"), folder.path())).collect()
        };
        let environment = container["env"].as_array().unwrap().iter().map(|variable| {
            (variable["name"].as_str().unwrap().to_owned(), variable["value"].as_str().unwrap().to_owned())
        });
        Self {
            command: [words(&container["command"]), words(&container["args"])].concat(),
            probes: json!({
                "ready": words(&container["readinessProbe"]["exec"]["command"]),
                "alive": words(&container["livenessProbe"]["exec"]["command"]),
            }),
            environment: environment.collect(),
            folder,
        }
    }

    fn start(&self, site: &Site) -> Running<'_> {
        let log = self.folder.path().join("log");
        let output = File::create(&log).unwrap();
        // What the image says of the search path stays in force: Celery and the application are found there.
        let python = site.python();
        let path = python.get_envs().find(|(name, _)| *name == "PYTHONPATH").unwrap().1.unwrap();
        let path = std::env::join_paths([PathBuf::from(path), self.folder.path().join("app")]).unwrap();
        let child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .current_dir(self.folder.path())
            .envs(self.environment.iter().cloned())
            .env("PYTHONPATH", path)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Running { container: self, child, log }
    }

    /// Whether a probe succeeds.
    fn passes(&self, probe: &str) -> bool {
        let words: Vec<&str> =
            self.probes[probe].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        output.status.success()
    }
}

/// A container that runs; it ends with the test.
struct Running<'a> {
    container: &'a Container,
    child: Child,
    log: PathBuf,
}

impl Running<'_> {
    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    fn words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until a probe passes, or no longer does.
    fn until(&mut self, probe: &str, passes: bool, when: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.container.passes(probe) != passes {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{when}: {ended:?}\n{}", self.words());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The whole life: a start, work, a standstill, work again, an end.
    fn live(mut self) -> String {
        self.until("ready", true, "it starts");
        assert!(self.container.passes("alive"));
        // Longer than any sign of life may be old: it must have been renewed.
        thread::sleep(Duration::from_secs(MAX_AGE + 2));
        assert!(self.container.passes("alive") && self.container.passes("ready"), "{}", self.words());
        self.signal("-STOP");
        self.until("alive", false, "it stands still");
        assert!(!self.container.passes("ready"));
        self.signal("-CONT");
        self.until("ready", true, "it goes on");
        assert!(self.container.passes("alive"));
        self.end()
    }

    /// The end that kubelet asks for, and what was said until then.
    fn end(mut self) -> String {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}\n{}", self.words());
        self.words()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn in_place(text: &str, folder: &Path) -> String {
    let folder = folder.to_str().unwrap();
    text.replace(PROBE_FILES, &format!("{folder}/files")).replace(PROBE_STATE, &format!("{folder}/state"))
}

fn children(part: &Value) -> Children {
    let mut object = json!({
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "metadata": {"name": "shop", "namespace": "a"},
        "spec": {"common": {
            "image": "shop:1", "celeryApp": "shop", "broker": {"url": "memory://"}, "command": ["python3", "-m", "celery"],
        }},
    });
    json_patch::merge(&mut object["spec"], part);
    let additions = defaults::absent(&object, Moment::Creation);
    let celery = serde_json::from_value(defaults::defaulted(object, &additions)).unwrap();
    build::children(&resolve::resolved(&celery, &Sources::default()), Capabilities::default())
}

fn probes() -> Value {
    let probe = json!({"type": "Heartbeat", "maxAgeSeconds": MAX_AGE});
    json!({"startup": probe, "readiness": probe, "liveness": probe})
}

/// Runs a life with every release, all at once.
fn with_every_release(life: impl Fn(&Site, &str) + Sync) {
    thread::scope(|scope| {
        for pins in venv::RELEASES {
            let Some(site) = venv::site(pins) else { continue };
            let life = &life;
            scope.spawn(move || life(&site, pins.version));
        }
    });
}

#[test]
fn a_worker_shows_that_it_lives_and_that_it_hangs() {
    with_every_release(|site, version| {
        let newest = venv::RELEASES.last().is_some_and(|newest| newest.version == version);
        // How tasks run makes a difference to the main process, and none between releases.
        let pools: &[&str] = if newest { &["prefork", "solo", "threads"] } else { &["prefork"] };
        for pool in pools {
            let worker = json!({"concurrency": 1, "pool": pool, "args": ["-I", "extra"], "probes": probes()});
            let children = children(&json!({ "workerSpec": worker }));
            let container = Container::new(&children, "shop-worker");
            assert!(!container.passes("ready") && !container.passes("alive"), "nothing runs yet");
            let words = container.start(site).live();
            assert!(!container.passes("ready"), "{version} {pool}: it has ended\n{words}");
            // What the user's own arguments load is loaded too.
            assert!(container.folder.path().join("app/extra.loaded").exists(), "{version} {pool}: {words}");
        }
    });
}

#[test]
fn beat_shows_that_it_lives_and_that_it_hangs() {
    with_every_release(|site, version| {
        let beat = json!({"scheduleFile": "schedule", "probes": probes()});
        let container = Container::new(&children(&json!({ "beatSpec": beat })), "shop-beat");
        let words = container.start(site).live();
        assert!(words.contains("scheduler -> celery.beat.PersistentScheduler"), "{version}: {words}");
    });
}

#[test]
fn beat_keeps_the_scheduler_that_is_asked_for() {
    let own = "scheduling:Own";
    with_every_release(|site, version| {
        for beat in [
            json!({ "scheduler": own }),
            json!({"scheduler": "nowhere:None", "args": ["-S", own]}),
            json!({"env": [{"name": "CELERY_BEAT_SCHEDULER", "value": own}]}),
        ] {
            let mut written = json!({ "probes": probes() });
            json_patch::merge(&mut written, &beat);
            let container = Container::new(&children(&json!({ "beatSpec": written })), "shop-beat");
            let mut running = container.start(site);
            running.until("ready", true, "it starts");
            let words = running.end();
            assert!(words.contains("scheduler -> scheduling.Own"), "{version} {beat}: {words}");
        }
    });
}
