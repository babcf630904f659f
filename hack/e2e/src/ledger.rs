// SPDX-License-Identifier: Apache-2.0
//! What the sample application has written down: which tasks ran, where and when, and which workers were asked to end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::brokers::Redis;

/// Of a run that begins so close to the moment in which its worker is asked to end, Celery may know nothing: what it has
/// handed to a child process that has not said yet that it began goes back to the queue (`asynpool.flush`), and runs
/// twice. It is milliseconds on a node that has nothing else to do.
const AT_STOP: Duration = Duration::from_millis(500);

/// One start of a task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Run {
    id: String,
    /// The worker.
    on: String,
    /// Seconds of Unix time.
    at: f64,
}

/// A worker that was asked to end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Stop {
    on: String,
    /// Seconds of Unix time.
    at: f64,
}

/// All runs of the tasks of a name, the ids of those that have ended well, and all stops of workers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    runs: Vec<Run>,
    done: Vec<String>,
    stops: Vec<Stop>,
}

impl Page {
    /// Reads a database of the ledger.
    ///
    /// # Errors
    /// When the ledger does not answer, or holds what the application does not write.
    pub(crate) fn read(ledger: &Redis, database: u8, task: &str) -> Result<Self, Error> {
        let list = |list: &str| ledger.ask(&["-n", &database.to_string(), "LRANGE", list, "0", "-1"]);
        Ok(Self {
            runs: lines(&list(&format!("shop.{task}:started"))?)?,
            done: list(&format!("shop.{task}:done"))?,
            stops: lines(&list("stops")?)?,
        })
    }

    /// How many tasks have ended well, each counted once.
    pub(crate) fn done(&self) -> usize {
        self.done.iter().collect::<BTreeSet<_>>().len()
    }

    /// How many tasks have started, each counted once.
    pub(crate) fn started(&self) -> usize {
        self.by_task().len()
    }

    /// How many tasks have started and not ended well, so far.
    pub(crate) fn running(&self) -> usize {
        let done: BTreeSet<&str> = self.done.iter().map(String::as_str).collect();
        self.by_task().keys().filter(|id| !done.contains(**id)).count()
    }

    /// How often a task ended well that had done so before.
    pub(crate) fn done_twice(&self) -> usize {
        self.done.len() - self.done()
    }

    /// How many tasks have started more than once.
    pub(crate) fn started_twice(&self) -> usize {
        self.by_task().values().filter(|runs| runs.len() > 1).count()
    }

    /// How many tasks have started more than once although no more than one of their runs began outside of the moment in
    /// which its worker was asked to end.
    pub(crate) fn started_twice_by_chance(&self) -> usize {
        self.started_twice() - self.started_twice_without_reason()
    }

    /// How many tasks have started more than once and are to be blamed on somebody.
    pub(crate) fn started_twice_without_reason(&self) -> usize {
        let calm = |runs: &&Vec<&Run>| runs.iter().filter(|run| !self.is_at_stop(run)).count() > 1;
        self.by_task().values().filter(calm).count()
    }

    fn is_at_stop(&self, run: &Run) -> bool {
        let mut stops = self.stops.iter().filter(|stop| stop.on == run.on);
        stops.any(|stop| (run.at - stop.at).abs() <= AT_STOP.as_secs_f64())
    }

    fn by_task(&self) -> BTreeMap<&str, Vec<&Run>> {
        let mut tasks: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            tasks.entry(&run.id).or_default().push(run);
        }
        tasks
    }
}

/// A value in each line.
fn lines<T: DeserializeOwned>(lines: &[String]) -> Result<Vec<T>, Error> {
    let read = |line: &String| {
        serde_json::from_str(line).map_err(|error| format!("the ledger has {line}: {error}").into())
    };
    lines.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page(runs: &[(&str, &str, f64)], done: &[&str], stops: &[(&str, f64)]) -> Page {
        Page {
            runs: runs
                .iter()
                .map(|(id, on, at)| Run { id: (*id).into(), on: (*on).into(), at: *at })
                .collect(),
            done: done.iter().copied().map(str::to_owned).collect(),
            stops: stops.iter().map(|(on, at)| Stop { on: (*on).into(), at: *at }).collect(),
        }
    }

    #[test]
    fn lost_and_repeated_tasks_are_told_apart() {
        let runs = [("a", "w", 1.0), ("b", "w", 2.0), ("a", "v", 3.0), ("c", "w", 4.0)];
        let page = page(&runs, &["a", "b", "a"], &[]);
        assert_eq!((page.started(), page.started_twice()), (3, 1));
        assert_eq!((page.done(), page.done_twice()), (2, 1));
        assert_eq!(page.running(), 1);
    }

    #[test]
    fn a_run_that_begins_as_its_worker_is_asked_to_end_may_be_repeated() {
        let stops = [("w", 10.0)];
        for (runs, by_chance, without_reason) in [
            (&[("a", "w", 10.003), ("a", "v", 12.0)][..], 1, 0),
            (&[("a", "w", 9.6), ("a", "v", 12.0)], 1, 0),
            // Another worker was asked.
            (&[("a", "v", 10.003), ("a", "x", 12.0)], 0, 1),
            // Long before.
            (&[("a", "w", 9.4), ("a", "v", 12.0)], 0, 1),
            // And a third time, which that does not explain.
            (&[("a", "w", 10.0), ("a", "v", 12.0), ("a", "v", 14.0)], 0, 1),
            (&[("a", "w", 10.0)], 0, 0),
        ] {
            let page = page(runs, &[], &stops);
            let found = (page.started_twice_by_chance(), page.started_twice_without_reason());
            assert_eq!(found, (by_chance, without_reason), "{runs:?}");
        }
    }

    #[test]
    fn what_the_application_writes_is_read() {
        let line = r#"{"id": "a", "on": "celery@w", "at": 1764000000.25}"#.to_owned();
        let run = Run { id: "a".into(), on: "celery@w".into(), at: 1_764_000_000.25 };
        assert_eq!(lines::<Run>(std::slice::from_ref(&line)).unwrap(), [run]);
        assert!(lines::<Stop>(&["a".to_owned()]).unwrap_err().to_string().contains("has a:"));
    }
}
