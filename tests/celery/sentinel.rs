// SPDX-License-Identifier: Apache-2.0
//! Workers with encrypted connections to Sentinel and to the server it names: the rendered command line against a real
//! Redis. Where there is none, a test says so and passes.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use celery_operator::api::Celery;
use celery_operator::resolve::{self, Sources};
use serde_json::json;

use crate::venv;

const DEADLINE: Duration = Duration::from_mins(1);
/// The file of the authority in a pod.
const AUTHORITY: &str = "/etc/celery-operator/broker/ca.crt";

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody listens on.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An encrypted Redis and a Sentinel that knows it as `main`; the Sentinel's port.
fn servers(folder: &Path) -> Option<([Running; 2], u16)> {
    let certificate = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "ca.pem",
        ])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    let has_redis = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
    if !certificate.is_ok_and(|status| status.success()) || has_redis.is_err() {
        crate::say("not judged by Sentinel: there is no redis-server, or no openssl");
        return None;
    }
    let (of_server, of_sentinel) = (port(), port());
    let tls = "tls-cert-file ca.pem\ntls-key-file key.pem\ntls-ca-cert-file ca.pem\ntls-auth-clients no\n\
               tls-replication yes\nbind 127.0.0.1\nport 0\n";
    let start = |name: &str, rest: String, mode: &[&str]| {
        fs::write(folder.join(name), format!("{tls}{rest}")).unwrap();
        let log = File::create(folder.join(format!("{name}.log"))).unwrap();
        let server =
            Command::new("redis-server").arg(name).args(mode).current_dir(folder).stdout(log).spawn();
        Running(server.unwrap())
    };
    let server = start("server", format!("tls-port {of_server}\nsave \"\"\n"), &[]);
    let monitor = format!("tls-port {of_sentinel}\nsentinel monitor main 127.0.0.1 {of_server} 1\n");
    Some(([server, start("sentinel", monitor, &["--sentinel"])], of_sentinel))
}

#[test]
fn a_worker_reaches_an_encrypted_server_through_encrypted_sentinels() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_servers, sentinel)) = servers(folder.path()) else { return };
    let redis = json!({
        "sentinel": {"masterName": "main", "addresses": [format!("localhost:{sentinel}")]},
        "tls": {"caSecretRef": {"name": "authority", "key": "ca.pem"}},
    });
    let celery: Celery = serde_json::from_value(json!({
        "apiVersion": "celeryproject.org/v1alpha1", "kind": "Celery", "metadata": {"name": "shop", "namespace": "a"},
        "spec": {"common": {"image": "shop:1", "celeryApp": "shop", "broker": {"redis": redis}}, "workerSpec": {}},
    }))
    .unwrap();
    let resolved = resolve::resolved(&celery, &Sources::default());
    let url = &resolved.broker.as_ref().unwrap().secret.as_ref().unwrap()["url"];
    let authority = folder.path().join("ca.pem");
    let in_place = |word: &String| word.replace("$$", "$").replace(AUTHORITY, authority.to_str().unwrap());
    let args: Vec<String> = resolved.pools[0].args.iter().map(in_place).collect();
    fs::write(folder.path().join("shop.py"), "from celery import Celery\napp = Celery('shop')\n").unwrap();
    for pins in venv::RELEASES {
        let (Some(site), Some(clients)) = (venv::site(pins), venv::site(&venv::CLIENTS)) else { continue };
        let log = folder.path().join(format!("worker-{}", pins.version));
        let output = File::create(&log).unwrap();
        let worker = venv::python_beside(&site, &clients)
            .args(["-m", "celery"])
            .args(&args)
            .current_dir(folder.path())
            .env("CELERY_BROKER_URL", url)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        let mut worker = Running(worker.unwrap());
        let deadline = Instant::now() + DEADLINE;
        loop {
            let words = fs::read_to_string(&log).unwrap();
            if words.contains("ready.") {
                break;
            }
            let ended = worker.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{}: {ended:?}\n{words}", pins.version);
            thread::sleep(Duration::from_millis(100));
        }
    }
}
