// SPDX-License-Identifier: Apache-2.0
//! Celery as it is: what its command line and its URL parsers make of a text. Knows no Kubernetes.
//!
//! Every table and every reading here was compared with real Celery (5.2 to 5.7) and kombu; where a reading surprises,
//! the comment says what Celery does.

pub mod app;
pub mod backend_url;
pub mod broker_url;
pub mod options;
mod python;
pub mod queues;
pub mod settings;
pub mod sqs;
mod url;
