// SPDX-License-Identifier: Apache-2.0
//! Whatever comes to the webhook port, it is answered or hung up on, and the process lives.

use std::io::{ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{Rig, shared};
use crate::shop;
use crate::webhook::{body, code, connect, connect_tls, exchange, request};

const PATHS: [&str; 2] = ["/mutate/celeries", "/validate/celeries"];

/// A review of the creation of this object.
fn review(object: &Value) -> Value {
    let resource = json!({"group": "celeryproject.org", "version": "v1alpha1", "resource": "celeries"});
    let kind = json!({"group": "celeryproject.org", "version": "v1alpha1", "kind": "Celery"});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "0-1", "kind": kind, "resource": resource, "name": "shop", "namespace": "default",
        "operation": "CREATE", "userInfo": {"username": "somebody"}, "object": object, "dryRun": true,
    }})
}

fn ask(rig: &Rig, method: &str, path: &str, body: &[u8]) -> String {
    exchange(connect_tls(rig).unwrap(), &request(method, path, body))
}

/// A good request is still answered, by the same process.
fn lives(rig: &Rig, pid: u32, after: &str) {
    assert_eq!(rig.operator_pid(), pid, "{after}");
    for path in PATHS {
        let answer = ask(rig, "POST", path, review(&shop::plain()).to_string().as_bytes());
        assert_eq!(code(&answer), Some(200), "after {after}: {answer}");
        assert_eq!(body(&answer)["response"]["allowed"], true, "after {after}: {answer}");
    }
}

#[test]
fn bad_bodies_get_an_error_answer() {
    let rig = shared();
    let pid = rig.operator_pid();
    let mut other = review(&shop::plain());
    other["request"]["resource"] = json!({"group": "", "version": "v1", "resource": "pods"});
    let mut status = review(&shop::plain());
    status["request"]["subResource"] = json!("status");
    let mut no_request = review(&shop::plain());
    no_request.as_object_mut().unwrap().remove("request");
    let bodies: [(&str, Vec<u8>); 10] = [
        ("an empty body", Vec::new()),
        ("no JSON", b"celery: {}".to_vec()),
        ("half a JSON", br#"{"apiVersion": "admission.k8s.io/v1", "#.to_vec()),
        ("bytes that are no text", vec![0xff, 0, 0xfe, 0x80]),
        ("JSON of the wrong kind", br#"{"apiVersion": "v1", "kind": "Pod", "spec": {}}"#.to_vec()),
        ("a list", b"[1, 2]".to_vec()),
        ("a review without a request", no_request.to_string().into_bytes()),
        ("a review of another resource", other.to_string().into_bytes()),
        ("a review of a sub-resource", status.to_string().into_bytes()),
        ("deep nesting", [vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
    ];
    for (what, bytes) in &bodies {
        for path in PATHS {
            let answer = ask(rig, "POST", path, bytes);
            assert_eq!(code(&answer), Some(400), "{what}: {answer}");
        }
        lives(rig, pid, what);
    }
}

#[test]
fn a_deeply_nested_object_is_no_danger() {
    let rig = shared();
    let pid = rig.operator_pid();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = review(&json!({"spec": {"common": "DEEP"}})).to_string().replace("\"DEEP\"", &deep);
    let answer = ask(rig, "POST", PATHS[1], text.as_bytes());
    assert_eq!(code(&answer), Some(400), "{answer}");
    lives(rig, pid, "deep nesting inside of an object");
}

#[test]
fn a_huge_body_is_refused_before_it_is_read() {
    let rig = shared();
    let pid = rig.operator_pid();
    let huge = vec![b' '; 20 * 1024 * 1024];
    for path in PATHS {
        let answer = ask(rig, "POST", path, &huge);
        assert!(matches!(code(&answer), None | Some(413)), "{answer}");
    }
    // The same without saying so beforehand.
    let mut bytes = b"POST /validate/celeries HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..20 {
        bytes.extend_from_slice(b"100000\r\n");
        bytes.extend(std::iter::repeat_n(b' ', 1024 * 1024));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange(connect_tls(rig).unwrap(), &bytes);
    assert!(matches!(code(&answer), None | Some(400 | 413)), "{answer}");
    lives(rig, pid, "20 MiB");
}

#[test]
fn other_methods_paths_and_protocols_get_an_error_or_a_closed_connection() {
    let rig = shared();
    let pid = rig.operator_pid();
    let good = review(&shop::plain()).to_string();
    assert_eq!(code(&ask(rig, "GET", PATHS[0], b"")), Some(405));
    assert_eq!(code(&ask(rig, "DELETE", PATHS[1], b"")), Some(405));
    assert_eq!(code(&ask(rig, "POST", "/", good.as_bytes())), Some(404));
    assert_eq!(code(&ask(rig, "POST", "/mutate/../validate/celeries", good.as_bytes())), Some(404));
    let answer = exchange(connect_tls(rig).unwrap(), b"\x00\x01nonsense\r\n\r\n");
    assert!(matches!(code(&answer), None | Some(400)), "{answer}");
    lives(rig, pid, "other methods and paths");
    // Without TLS: no answer that a program could take for one.
    let answer = exchange(connect(rig), &request("POST", PATHS[1], good.as_bytes()));
    assert_eq!(code(&answer), None, "{answer}");
    let answer = exchange(connect(rig), &vec![0x16; 4096]);
    assert_eq!(code(&answer), None, "{answer}");
    lives(rig, pid, "no TLS");
}

#[test]
fn half_a_request_costs_nothing() {
    let rig = shared();
    let pid = rig.operator_pid();
    let whole = request("POST", PATHS[1], review(&shop::plain()).to_string().as_bytes());
    for _ in 0..50 {
        let mut stream = connect_tls(rig).unwrap();
        stream.write_all(&whole[..whole.len() / 2]).unwrap();
        stream.flush().unwrap();
    }
    // A handshake that stops in its first record, and one that never begins.
    let mut silent = connect(rig);
    silent.write_all(&[0x16, 3, 1, 2, 0, 1]).unwrap();
    let idle = connect(rig);
    lives(rig, pid, "half a request");
    drop((silent, idle));
    // One that dawdles is answered all the same.
    let mut stream = connect_tls(rig).unwrap();
    for part in whole.chunks(whole.len() / 3 + 1) {
        stream.write_all(part).unwrap();
        stream.flush().unwrap();
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(code(&String::from_utf8_lossy(&answer)), Some(200));
}

#[test]
fn who_falls_silent_is_answered_or_hung_up_on() {
    let rig = shared();
    let pid = rig.operator_pid();
    let whole = request("POST", PATHS[1], review(&shop::plain()).to_string().as_bytes());
    // Nothing behind the handshake, and too little to tell one HTTP from another.
    let opened = Instant::now();
    let silent = ["", "POST /"].map(|begin| {
        let mut stream = connect_tls(rig).unwrap();
        stream.write_all(begin.as_bytes()).unwrap();
        stream.flush().unwrap();
        stream
    });
    // All of the head and some of the body: answered before the API server would give up, after 3 s.
    let answer = exchange(connect_tls(rig).unwrap(), &whole[..whole.len() - 10]);
    assert_eq!(code(&answer), Some(408), "{answer}");
    for mut stream in silent {
        let ended = stream.read(&mut [0; 64]);
        let waited = ended.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(!waited && !ended.is_ok_and(|read| read > 0), "after {:?}", opened.elapsed());
    }
    assert!(opened.elapsed() > Duration::from_secs(5), "hung up on after {:?}", opened.elapsed());
    lives(rig, pid, "silence");
}
