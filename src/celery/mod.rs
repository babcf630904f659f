// SPDX-License-Identifier: Apache-2.0
//! Celery as it is: what its command line and its URL parsers make of a text. Knows no Kubernetes.
//!
//! Every table and every reading here was compared with real Celery (5.2 to 5.7) and kombu; where a reading surprises,
//! the comment says what Celery does.
//!
//! A command line is read in three steps, all of them pure:
//!
//! - [`options`] are tables: names, kind of value, first and last release. [`value`] and [`number`] say what a release
//!   makes of one value.
//! - `click` (5.x) and `argparse` (4.x) take an argument list apart: [`command::Command::reading`] gives a
//!   [`reading::Reading`] with every option and its position, every setting, and every fault, where Celery itself
//!   would stop at the first. [`flower`] does the same for tornado's rules.
//! - [`version::Target`] says who will read: one release, one newer than the tables, or nobody knows; then
//!   [`command::Command::agreed`] keeps only what every release of 5.x refuses.
//!
//! A word with `$(NAME)` in it is not final ([`expansion`]): its option counts, its value is never judged.
//! [`environment`] tells which variables are options in disguise, [`scheduler`] which scheduler of beat a name is.
//!
//! [`broker_url`] and [`backend_url`] read URLs, on the common ground of `url`; [`settings`] knows the settings, reads
//! the words that set them and makes such words. [`shell`] reads what a shell makes of a command in front of all that.

pub mod app;
mod argparse;
pub mod backend_url;
pub mod broker_url;
mod click;
pub mod closest;
pub mod command;
pub mod environment;
pub mod expansion;
pub mod flower;
pub mod number;
pub mod options;
pub mod queues;
pub mod reading;
pub mod scheduler;
pub mod settings;
pub mod shell;
pub mod sqs;
pub mod url;
pub mod value;
pub mod version;
