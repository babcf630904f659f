// SPDX-License-Identifier: Apache-2.0
//! How many pods the workers of the sample are asked to be, look by look, beside what their tasks have written down.

use std::fmt::{self, Display, Formatter};

use crate::Error;
use crate::sample::Sample;
use crate::stage::{PATIENCE, wait_for};

/// The Deployment of the sample's workers.
const DEPLOYMENT: &str = "shop-app-worker";

/// What looks have seen.
pub(crate) struct Replicas<'e> {
    sample: &'e Sample<'e>,
    /// The task whose pages are read.
    task: &'static str,
    last: u64,
    most: u64,
    taken_at_work: u64,
    none_at_work: bool,
}

/// One look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Pods that are asked for.
    pub(crate) asked: u64,
    /// Pods that are there and not on their way out.
    pub(crate) there: u64,
    /// Pods that are ready.
    pub(crate) ready: u64,
    /// Tasks that have started and not ended.
    pub(crate) running: usize,
    /// Tasks that have ended.
    pub(crate) done: usize,
}

impl Display for Look {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { asked, there, ready, running, done } = self;
        write!(
            f,
            "{asked} pods asked for, {there} there, {ready} ready, {running} tasks run, {done} are done"
        )
    }
}

impl<'e> Replicas<'e> {
    pub(crate) fn of(sample: &'e Sample<'e>, task: &'static str) -> Self {
        Self { sample, task, last: 0, most: 0, taken_at_work: 0, none_at_work: false }
    }

    /// Looks once.
    ///
    /// # Errors
    /// When ledger or API server do not answer.
    pub(crate) fn look(&mut self) -> Result<Look, Error> {
        // The pages first: tasks that end in between are held against nobody.
        let page = self.sample.page(self.task)?;
        let deployment = self.sample.get(&["deployment", DEPLOYMENT])?;
        let number = |place: &str| deployment.pointer(place).and_then(serde_json::Value::as_u64);
        let look = Look {
            asked: number("/spec/replicas").ok_or("a Deployment without a number of pods")?,
            there: number("/status/replicas").unwrap_or_default(),
            ready: number("/status/readyReplicas").unwrap_or_default(),
            running: page.running(),
            done: page.done(),
        };
        self.note(look);
        Ok(look)
    }

    fn note(&mut self, look: Look) {
        if look.running > 0 {
            self.taken_at_work += self.last.saturating_sub(look.asked);
            self.none_at_work |= look.asked == 0;
        }
        self.last = look.asked;
        self.most = self.most.max(look.asked);
    }

    /// Looks until it is as wanted.
    ///
    /// # Errors
    /// When it does not become so in time: what was seen last.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&Look) -> bool) -> Result<Look, Error> {
        wait_for(what, || {
            let look = self.look()?;
            Ok(if wanted(&look) { Ok(look) } else { Err(look.to_string()) })
        })
    }

    /// Looks until so many tasks have ended; gives up when none has for a while.
    ///
    /// # Errors
    /// When they do not: what was seen last.
    pub(crate) fn until_done(&mut self, count: usize) -> Result<(), Error> {
        let mut before = self.look()?.done;
        while before < count {
            let more = self.until("another task that is done", |look| look.done > before);
            before = more.map_err(|error| format!("{error} (given up after {} s)", PATIENCE.as_secs()))?.done;
        }
        Ok(())
    }

    /// The most pods that were asked for.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Pods that were taken away while tasks ran, not necessarily theirs.
    pub(crate) fn taken_at_work(&self) -> u64 {
        self.taken_at_work
    }

    /// Whether no pod was asked for while tasks ran.
    pub(crate) fn none_at_work(&self) -> bool {
        self.none_at_work
    }
}
