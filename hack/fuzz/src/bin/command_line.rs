// SPDX-License-Identifier: Apache-2.0
//! Any words may stand in `args`, in a URL or in a setting: the readers of Celery's own languages take them all, in
//! every release, and lose none.
#![no_main]

use celery_operator::celery::command::Command;
use celery_operator::celery::options;
use celery_operator::celery::version::Release;
use celery_operator::celery::{backend_url, broker_url, flower, settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let words: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for release in Release::ALL {
        for command in [Command::Worker, Command::Beat] {
            let reading = command.reading(&words, release);
            assert!(reading.faults.iter().all(|fault| fault.at < words.len()));
            let _ = (reading.outcome(), reading.queues(), reading.concurrency(), reading.pool());
        }
        for word in &words {
            let _ = settings::reading(word, release);
        }
    }
    let _ = flower::reading(&words, options::flower::Release::NEWEST).outcome();
    for word in &words {
        for endpoint in broker_url::parse(word).into_iter().flatten() {
            let _ = (endpoint.database(), endpoint.effective_port(), endpoint.virtual_host().len());
        }
        let _ = broker_url::masked(word);
        let _ = backend_url::parse(word);
    }
});
