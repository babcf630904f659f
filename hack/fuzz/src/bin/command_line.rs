// SPDX-License-Identifier: Apache-2.0
//! Any words may stand in `args`, in a URL or in a setting: the readers of Celery's own languages take them all.
#![no_main]

use celery_operator::celery::broker_url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = broker_url::parse(text);
    let _ = broker_url::masked(text);
});
