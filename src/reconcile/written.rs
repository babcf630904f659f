// SPDX-License-Identifier: Apache-2.0
//! Our own last status writes, for as long as the watch has not shown them: a reconcile that runs in between would
//! compare with an older status and write it once more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::ResourceExt as _;
use kube::core::DynamicObject;

use crate::index::version;

/// Status writes that the watch has not shown.
#[derive(Default)]
pub(super) struct Written(Mutex<Content>);

#[derive(Default)]
struct Content {
    /// By UID.
    own: HashMap<String, DynamicObject>,
    /// The newest version that the watch has shown, by UID.
    seen: HashMap<String, u64>,
}

impl Written {
    /// Takes in what a write returned.
    pub(super) fn put(&self, object: DynamicObject) {
        let uid = object.uid().unwrap_or_default();
        let mut content = self.lock();
        // The watch may be faster than the answer.
        if content.seen.get(&uid).is_none_or(|seen| *seen < version(&object)) {
            content.own.insert(uid, object);
        }
    }

    /// Notes what the watch has shown.
    pub(super) fn see(&self, uid: &str, version_seen: u64) {
        let mut content = self.lock();
        content.seen.insert(uid.to_owned(), version_seen);
        if content.own.get(uid).is_some_and(|own| version(own) <= version_seen) {
            content.own.remove(uid);
        }
    }

    /// The object of this UID as the watch has shown it by now, or what our own last write returned, whichever is newer.
    ///
    /// What we wrote is looked for before `shown` is asked: if it has just been dropped, the watch has it already.
    /// The other way round an object from before the write would be found, and be written once more.
    pub(super) fn newest(&self, uid: &str, shown: impl FnOnce() -> DynamicObject) -> DynamicObject {
        let own = self.lock().own.get(uid).cloned();
        let shown = shown();
        own.filter(|own| version(own) > version(&shown)).unwrap_or(shown)
    }

    /// Drops what was noted of an object.
    pub(super) fn forget(&self, uid: &str) {
        let mut content = self.lock();
        content.own.remove(uid);
        content.seen.remove(uid);
    }

    /// Drops what was noted of the objects that are not to be kept.
    pub(super) fn retain(&self, is_kept: impl Fn(&str) -> bool) {
        let mut content = self.lock();
        content.own.retain(|uid, _| is_kept(uid));
        content.seen.retain(|uid, _| is_kept(uid));
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: u64) -> DynamicObject {
        let metadata = json!({"name": "shop", "uid": "u", "resourceVersion": version.to_string()});
        serde_json::from_value(json!({ "metadata": metadata })).expect("an object")
    }

    fn newest(written: &Written, seen: u64) -> u64 {
        version(&written.newest("u", || object(seen)))
    }

    #[test]
    fn a_write_counts_until_the_watch_has_shown_it() {
        let written = Written::default();
        written.see("u", 5);
        assert_eq!(newest(&written, 5), 5);
        written.put(object(7));
        assert_eq!((newest(&written, 5), newest(&written, 9)), (7, 9));
        written.see("u", 6);
        assert_eq!(newest(&written, 6), 7);
        written.see("u", 7);
        assert!(written.lock().own.is_empty());
    }

    #[test]
    fn a_write_that_the_watch_shows_at_this_moment_is_not_lost() {
        let written = Written::default();
        written.put(object(7));
        let shown = || {
            written.see("u", 7);
            object(5)
        };
        assert_eq!(version(&written.newest("u", shown)), 7);
    }

    /// Nothing is kept that nobody will ever take out.
    #[test]
    fn an_answer_that_comes_after_the_watch_is_not_kept() {
        let written = Written::default();
        written.see("u", 7);
        written.put(object(7));
        assert!(written.lock().own.is_empty());
        let drops: [fn(&Written); 2] =
            [|written| written.forget("u"), |written| written.retain(|uid| uid != "u")];
        for drops in drops {
            written.see("u", 7);
            written.put(object(8));
            drops(&written);
            let content = written.lock();
            assert!(content.own.is_empty() && content.seen.is_empty());
        }
    }
}
