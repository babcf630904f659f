// SPDX-License-Identifier: Apache-2.0
//! Events on Celery objects (`events.k8s.io`).
//!
//! They are told to a writer of its own, so that no reconcile waits for one or fails over one. What is told again within
//! a while becomes a series of one event, and each object has a budget: something that goes back and forth all day fills
//! neither the store of the cluster nor our memory.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::debug;

use super::{Error, is_missing, limited};
use crate::api::API_VERSION;
use crate::resolve::Owner;
use crate::status::{Importance, News};

/// Who reports.
const REPORTER: &str = "celeryproject.org/celery-operator";
/// Events that may wait to be written.
const WAITING: usize = 1024;
/// What is told again within this time belongs to the same series.
const SERIES: Duration = Duration::from_mins(6);
/// Events of one object at once, and after how long it may have one more.
const BURST: u32 = 25;
const REFILL: Duration = Duration::from_mins(1);
/// Objects and series that are remembered.
const REMEMBERED: usize = 4096;
/// How long what waits may be written when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Where events are told.
#[derive(Clone, Debug)]
pub struct Teller(mpsc::Sender<(Owner, News)>);

impl Teller {
    /// Tells news of an object. Returns whether they will be written: where too many wait, they are dropped.
    #[must_use]
    pub fn tell(&self, owner: &Owner, news: News) -> bool {
        self.0.try_send((owner.clone(), news)).is_ok()
    }
}

/// Who writes them.
pub struct Writer {
    client: Client,
    told: mpsc::Receiver<(Owner, News)>,
    memory: Memory,
}

/// A teller and its writer. `instance` says which replica reports.
#[must_use]
pub fn events(client: Client, instance: &str) -> (Teller, Writer) {
    let (sender, told) = mpsc::channel(WAITING);
    (Teller(sender), Writer { client, told, memory: Memory::new(instance) })
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was written.
    Written,
    /// The API server did not take it.
    Failed,
    /// Its object has had too many.
    Dropped,
}

impl Fate {
    /// One word for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl Writer {
    /// Writes what is told until `end`, then what still waits.
    pub async fn run(mut self, end: impl Future<Output = ()>, noted: impl Fn(Fate)) {
        tokio::pin!(end);
        loop {
            tokio::select! {
                told = self.told.recv() => match told {
                    Some((owner, news)) => noted(self.write(&owner, &news).await),
                    None => return,
                },
                () = &mut end => break,
            }
        }
        self.told.close();
        let rest = async {
            while let Some((owner, news)) = self.told.recv().await {
                noted(self.write(&owner, &news).await);
            }
        };
        // Whoever asks a process to end does not wait for its events.
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    }

    async fn write(&mut self, owner: &Owner, news: &News) -> Fate {
        let Some(request) = self.memory.request(owner, news, Instant::now(), Timestamp::now()) else {
            return Fate::Dropped;
        };
        let api: Api<Event> = Api::namespaced(self.client.clone(), &owner.namespace);
        let sent = match &request {
            Request::Create(event) => create(&api, event).await,
            Request::Repeat { name, series, event } => match repeat(&api, name, series).await {
                // Events live for an hour, and anybody may delete them.
                Err(Error::Api(error)) if is_missing(&error) => create(&api, event).await,
                sent => sent,
            },
        };
        match sent {
            Ok(()) => Fate::Written,
            Err(error) => {
                debug!(%error, reason = news.reason, "an event was not written");
                self.memory.forget(owner, news);
                Fate::Failed
            }
        }
    }
}

/// Without what waits.
impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("waiting", &self.told.len()).finish_non_exhaustive()
    }
}

async fn create(api: &Api<Event>, event: &Event) -> Result<(), Error> {
    limited(api.create(&PostParams::default(), event)).await.map(drop)
}

async fn repeat(api: &Api<Event>, name: &str, series: &EventSeries) -> Result<(), Error> {
    let patch = json!({ "series": series });
    limited(api.patch(name, &PatchParams::default(), &Patch::Merge(&patch))).await.map(drop)
}

/// What is sent.
#[derive(Debug)]
enum Request {
    Create(Box<Event>),
    Repeat { name: String, series: EventSeries, event: Box<Event> },
}

/// What was told lately.
struct Memory {
    instance: String,
    series: HashMap<Key, Series>,
    budgets: HashMap<String, Budget>,
}

/// What makes two events one: the object, and all that is told.
type Key = (String, News);

struct Series {
    name: String,
    count: i32,
    last: Instant,
}

struct Budget {
    left: u32,
    filled: Instant,
}

impl Memory {
    fn new(instance: &str) -> Self {
        Self { instance: instance.to_owned(), series: HashMap::new(), budgets: HashMap::new() }
    }

    /// The request that tells the news; `None` when the object has used up its budget.
    fn request(&mut self, owner: &Owner, news: &News, now: Instant, time: Timestamp) -> Option<Request> {
        self.sweep(now);
        if !self.budgets.entry(owner.uid.clone()).or_insert(Budget { left: BURST, filled: now }).spend(now) {
            return None;
        }
        let key = (owner.uid.clone(), news.clone());
        let event = || Box::new(self.event(owner, news, time));
        if let Some(known) = self.series.get(&key) {
            let (name, count) = (known.name.clone(), known.count.saturating_add(1));
            let event = event();
            self.series.insert(key, Series { name: name.clone(), count, last: now });
            let series = EventSeries { count, last_observed_time: MicroTime(time) };
            return Some(Request::Repeat { name, series, event });
        }
        let event = event();
        let name = event.metadata.name.clone().unwrap_or_default();
        self.series.insert(key, Series { name, count: 1, last: now });
        Some(Request::Create(event))
    }

    fn forget(&mut self, owner: &Owner, news: &News) {
        self.series.remove(&(owner.uid.clone(), news.clone()));
    }

    fn sweep(&mut self, now: Instant) {
        self.series.retain(|_, series| now.saturating_duration_since(series.last) < SERIES);
        if self.series.len() >= REMEMBERED {
            self.series.clear();
        }
        if self.budgets.len() >= REMEMBERED {
            self.budgets.retain(|_, budget| !budget.is_full(now));
        }
        if self.budgets.len() >= REMEMBERED {
            self.budgets.clear();
        }
    }

    fn event(&self, owner: &Owner, news: &News, time: Timestamp) -> Event {
        Event {
            metadata: ObjectMeta {
                namespace: Some(owner.namespace.clone()),
                // The names of one object's events differ by the moment, as those of other reporters do.
                name: Some(format!("{}.{:x}", owner.name, time.as_nanosecond())),
                ..ObjectMeta::default()
            },
            action: Some(news.action.to_owned()),
            reason: Some(news.reason.clone()),
            note: Some(news.note.clone()),
            type_: Some(
                match news.importance {
                    Importance::Normal => "Normal",
                    Importance::Warning => "Warning",
                }
                .to_owned(),
            ),
            event_time: Some(MicroTime(time)),
            reporting_controller: Some(REPORTER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            regarding: Some(ObjectReference {
                api_version: Some(API_VERSION.to_owned()),
                kind: Some("Celery".to_owned()),
                name: Some(owner.name.clone()),
                namespace: Some(owner.namespace.clone()),
                uid: Some(owner.uid.clone()),
                ..ObjectReference::default()
            }),
            ..Event::default()
        }
    }
}

impl Budget {
    fn refilled(&self, now: Instant) -> (u32, Instant) {
        let passed = now.saturating_duration_since(self.filled);
        let more = u32::try_from(passed.as_secs() / REFILL.as_secs()).unwrap_or(u32::MAX);
        let left = self.left.saturating_add(more).min(BURST);
        (left, if more > 0 { self.filled + REFILL * more.min(BURST) } else { self.filled })
    }

    fn is_full(&self, now: Instant) -> bool {
        self.refilled(now).0 == BURST
    }

    fn spend(&mut self, now: Instant) -> bool {
        let (left, filled) = self.refilled(now);
        self.filled = if left == BURST { now } else { filled };
        self.left = left.saturating_sub(1);
        left > 0
    }
}

/// Which replica this is: the name of its pod.
#[must_use]
pub fn instance() -> Arc<str> {
    let name = std::env::var("HOSTNAME").ok().filter(|name| (1..=128).contains(&name.len()));
    name.map_or_else(|| Arc::from("celery-operator"), Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str) -> Owner {
        Owner { name: "shop".to_owned(), namespace: "web".to_owned(), uid: uid.to_owned(), generation: None }
    }

    fn news(note: &str) -> News {
        News {
            importance: Importance::Normal,
            reason: "Ready".to_owned(),
            note: note.to_owned(),
            action: "Reconcile",
        }
    }

    struct Story(Memory, Instant, Timestamp);

    impl Story {
        fn begin() -> Self {
            Self(Memory::new("pod-1"), Instant::now(), Timestamp::UNIX_EPOCH)
        }

        /// How the news would be sent: `new`, the count of a series, or nothing.
        fn tell(&mut self, uid: &str, note: &str) -> Option<String> {
            self.2 += Duration::from_millis(1);
            self.0.request(&owner(uid), &news(note), self.1, self.2).map(|request| match request {
                Request::Create(_) => "new".to_owned(),
                Request::Repeat { series, .. } => series.count.to_string(),
            })
        }
    }

    #[test]
    fn what_is_told_again_is_a_series() {
        let mut story = Story::begin();
        assert_eq!(story.tell("u", "a").as_deref(), Some("new"));
        assert_eq!(story.tell("u", "a").as_deref(), Some("2"));
        assert_eq!(story.tell("u", "b").as_deref(), Some("new"));
        assert_eq!(story.tell("v", "a").as_deref(), Some("new"));
        assert_eq!(story.tell("u", "a").as_deref(), Some("3"));
        story.1 += SERIES;
        assert_eq!(story.tell("u", "a").as_deref(), Some("new"));
        story.0.forget(&owner("u"), &news("a"));
        assert_eq!(story.tell("u", "a").as_deref(), Some("new"));
    }

    #[test]
    fn each_object_has_a_budget() {
        let mut story = Story::begin();
        let written = |story: &mut Story, uid: &str| {
            (0..100).filter(|number| story.tell(uid, &number.to_string()).is_some()).count()
        };
        assert_eq!(written(&mut story, "u"), BURST as usize);
        assert_eq!(written(&mut story, "v"), BURST as usize);
        assert_eq!(written(&mut story, "u"), 0);
        story.1 += REFILL * 3;
        assert_eq!(written(&mut story, "u"), 3);
        story.1 += REFILL * 1000;
        assert_eq!(written(&mut story, "u"), BURST as usize);
    }

    #[test]
    fn memory_has_an_end() {
        let mut story = Story::begin();
        for number in 0..3 * REMEMBERED {
            story.tell(&number.to_string(), "a");
        }
        assert!(story.0.series.len() <= REMEMBERED && story.0.budgets.len() <= REMEMBERED);
    }

    #[test]
    fn an_event_says_whom_it_is_about_and_who_says_it() {
        let event = Memory::new("pod-1").event(&owner("u"), &news("a"), Timestamp::UNIX_EPOCH);
        let regarding = event.regarding.expect("an object");
        assert_eq!((regarding.kind.as_deref(), regarding.uid.as_deref()), (Some("Celery"), Some("u")));
        assert_eq!(event.reporting_instance.as_deref(), Some("pod-1"));
        assert!(event.event_time.is_some() && event.type_.as_deref() == Some("Normal"));
        assert_eq!(event.metadata.name.as_deref(), Some("shop.0"));
    }
}
