// SPDX-License-Identifier: Apache-2.0
//! Admissions at a steady rate, whatever becomes of those before.
//!
//! The loop is open: each admission has its moment, and its time is counted from that moment on, so that a stall shows
//! in all admissions that fell into it and not in one. Whether the machine kept the rate is part of the tally.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::Error;
use crate::admission::Verdict;
use crate::outcome::{Outcome, count, largest, quantile};
use crate::stage::Stage;

/// Every so many admissions one has to be refused: an API server that asks nobody would be found out.
const REFUSED_EVERY: usize = 10;
/// An admission that was sent later than this after its moment has missed it.
const LATE: Duration = Duration::from_millis(100);
/// Failures that are told in words.
const TOLD: usize = 5;

/// One admission.
#[derive(Clone, Debug)]
struct Sample {
    /// Its moment, since the begin.
    due: Duration,
    /// From its moment to its being sent.
    late: Duration,
    /// From its moment to its answer.
    took: Duration,
    failure: Option<String>,
}

/// Admissions that are going on.
pub(crate) struct Load {
    begin: Instant,
    rate: u32,
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Load {
    /// Begins with so many admissions per second.
    pub(crate) fn begin(stage: &Stage, rate: u32) -> Self {
        let begin = Instant::now();
        let samples = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = watch::channel(false);
        let task = stage.runtime.spawn(send(stage.admin.clone(), begin, rate, samples.clone(), stopped));
        Self { begin, rate, samples, stop, task }
    }

    /// How long it has been going on.
    pub(crate) fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// The last answer of an admission that failed and whose moment was at or after `from`.
    pub(crate) fn last_failure(&self, from: Duration) -> Option<Duration> {
        let samples = lock(&self.samples);
        let failed = samples.iter().filter(|sample| sample.due >= from && sample.failure.is_some());
        failed.map(|sample| sample.due + sample.took).max()
    }

    /// The 99th percentile of the admissions whose moment was at or after `from`, in milliseconds.
    pub(crate) fn p99(&self, from: Duration) -> f64 {
        quantile(&milliseconds(lock(&self.samples).iter().filter(|sample| sample.due >= from)), 0.99)
    }

    /// Sends no more, waits for all answers and counts.
    ///
    /// # Errors
    /// When the admissions themselves have ended early.
    pub(crate) fn end(self, stage: &Stage) -> Result<Tally, Error> {
        let seconds = self.begin.elapsed().as_secs_f64();
        self.stop.send_replace(true);
        stage.runtime.block_on(self.task)?;
        let samples = std::mem::take(&mut *lock(&self.samples));
        Ok(Tally { rate: self.rate, seconds, samples })
    }
}

async fn send(
    client: Client,
    begin: Instant,
    rate: u32,
    samples: Arc<Mutex<Vec<Sample>>>,
    mut stopped: watch::Receiver<bool>,
) {
    let period = Duration::from_secs(1) / rate;
    let mut ticks = tokio::time::interval_at(begin.into(), period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = JoinSet::new();
    let mut number = 0;
    loop {
        let due = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => break,
            due = ticks.tick() => due.into_std().duration_since(begin),
        };
        while asked.try_join_next().is_some() {}
        let (client, samples) = (client.clone(), samples.clone());
        number += 1;
        let verdict = if number % REFUSED_EVERY == 0 { Verdict::Refused } else { Verdict::Admitted };
        asked.spawn(async move {
            let late = begin.elapsed().saturating_sub(due);
            let failure = verdict.ask(&client).await.err();
            let took = begin.elapsed().saturating_sub(due);
            lock(&samples).push(Sample { due, late, took, failure });
        });
    }
    asked.join_all().await;
}

/// What became of the admissions.
pub(crate) struct Tally {
    rate: u32,
    seconds: f64,
    samples: Vec<Sample>,
}

impl Tally {
    /// How many failed.
    pub(crate) fn failed(&self) -> usize {
        self.samples.iter().filter(|sample| sample.failure.is_some()).count()
    }

    /// The 99th percentile, in milliseconds.
    pub(crate) fn p99(&self) -> f64 {
        quantile(&milliseconds(&self.samples), 0.99)
    }

    /// Puts the counts and times into an outcome; none may have failed.
    pub(crate) fn tell(&self, outcome: &mut Outcome) {
        outcome.limited("failed admissions", count(self.failed()), "", 0.0);
        self.tell_times(outcome);
        let failures = self.samples.iter().filter_map(|sample| Some((sample, sample.failure.as_ref()?)));
        outcome.remarks.extend(failures.take(TOLD).map(|(sample, failure)| {
            format!(
                "at {:.2} s, after {:.2} s: {failure}",
                sample.due.as_secs_f64(),
                sample.took.as_secs_f64()
            )
        }));
    }

    /// The same where failures are looked at by somebody else.
    pub(crate) fn tell_times(&self, outcome: &mut Outcome) {
        let times = milliseconds(&self.samples);
        let late = self.samples.iter().filter(|sample| sample.late > LATE).count();
        outcome.told("admissions", count(self.samples.len()), "");
        outcome.told(
            format!("admissions per second, of {} wanted", self.rate),
            count(self.samples.len()) / self.seconds,
            "",
        );
        outcome.told("admissions sent late by more than 100 ms", count(late), "");
        outcome.told("median admission", quantile(&times, 0.5), "ms");
        outcome.told("p99 admission", quantile(&times, 0.99), "ms");
        outcome.told("longest admission", largest(&times), "ms");
    }
}

fn milliseconds<'s>(samples: impl IntoIterator<Item = &'s Sample>) -> Vec<f64> {
    samples.into_iter().map(|sample| sample.took.as_secs_f64() * 1000.0).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
