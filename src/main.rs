// SPDX-License-Identifier: Apache-2.0
//! The process.

use std::process::ExitCode;

use celery_operator::cli::{self, Task};
use celery_operator::run;

fn main() -> ExitCode {
    match cli::task() {
        Task::Run(options) => run::main(&options),
        Task::Done(outcome) => outcome,
    }
}
