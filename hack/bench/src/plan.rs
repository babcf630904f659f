// SPDX-License-Identifier: Apache-2.0
//! How much is measured.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use std::{env, fmt};

use serde::Serialize;

use crate::Error;

/// How much is measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Plan {
    /// Celery objects of each arm.
    pub(crate) objects: usize,
    /// How often each arm is run.
    pub(crate) blocks: usize,
    /// How long nothing is asked of the operator while its requests are counted.
    #[serde(skip)]
    pub(crate) rest: Duration,
    /// Spec changes whose way to the Deployment is timed.
    pub(crate) changes: usize,
    /// Creates of each admission arm.
    pub(crate) creates: usize,
    /// Where the results go; `docs/benchmarks` unless given.
    #[serde(skip)]
    pub(crate) output: Option<PathBuf>,
}

impl Plan {
    /// From `N`, `BLOCKS`, `REST_MINUTES`, `CHANGES`, `CREATES` and `OUT`; `QUICK=1` lowers what is not given.
    ///
    /// # Errors
    /// When one of them is no number, or 0 of what is measured.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        let quick = env::var_os("QUICK").is_some_and(|quick| !quick.is_empty() && quick != "0");
        let or = |full: usize, low: usize| if quick { low } else { full };
        let plan = Self {
            objects: number("N", or(1000, 200))?,
            blocks: number("BLOCKS", or(5, 3))?,
            rest: Duration::from_mins(number("REST_MINUTES", if quick { 1 } else { 10 })?),
            changes: number("CHANGES", or(200, 50))?,
            creates: number("CREATES", or(300, 100))?,
            output: env::var_os("OUT").filter(|out| !out.is_empty()).map(PathBuf::from),
        };
        if [plan.objects, plan.blocks, plan.changes, plan.creates].contains(&0) {
            return Err("N, BLOCKS, CHANGES and CREATES have to be at least 1".into());
        }
        Ok(plan)
    }
}

fn number<T: FromStr>(name: &str, default: T) -> Result<T, Error>
where
    T::Err: fmt::Display,
{
    match env::var(name) {
        Ok(text) if !text.is_empty() => {
            text.parse().map_err(|error| format!("{name}={text} is no number: {error}").into())
        }
        _ => Ok(default),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} objects, {} blocks, {} s of rest, {} changes, {} creates of each kind",
            self.objects,
            self.blocks,
            self.rest.as_secs(),
            self.changes,
            self.creates
        )
    }
}
