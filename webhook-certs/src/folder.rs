// SPDX-License-Identifier: Apache-2.0
//! Certificates that somebody else puts into a folder: cert-manager, a mounted Secret, an administrator.
//!
//! Kubernetes replaces a mounted Secret as a whole, by a symbolic link; others write file after file. So a change is
//! only a reason to look, and what does not belong together is passed over: the last good certificate is kept.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures::stream::{self, BoxStream, StreamExt as _};
use time::OffsetDateTime;

use crate::candidate::Candidate;
use crate::config::Files;
use crate::inspect::Certificate;
use crate::state::{CA, Entries, Fault, LEAF, LEAF_KEY};

/// How often the files are read. They are small and mostly in memory; watching a folder through symbolic links that
/// are swapped takes more code and misses what network file systems do.
const POLL: Duration = Duration::from_secs(2);
/// Longest file: a Secret holds no more altogether.
const LONGEST: u64 = 1024 * 1024;

/// A folder and what was found in it.
#[derive(Debug)]
pub(crate) struct Folder {
    files: Files,
    good: Option<Candidate>,
    fault: Option<Fault>,
    age: Age,
}

/// How much time a certificate has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    /// It has lived nine tenths of its life. Whoever keeps it renews much earlier, cert-manager at two thirds.
    Ending,
    Ended,
}

impl Folder {
    pub(crate) fn new(files: Files) -> Self {
        Self { files, good: None, fault: None, age: Age::Fresh }
    }

    /// What is to be served: what the folder holds, or what it held when it was last of use.
    pub(crate) async fn candidate(&mut self, now: SystemTime) -> Option<Candidate> {
        let found = read(&self.files.folder).await.and_then(|entries| Candidate::of_files(&entries, now));
        self.take(found, now);
        self.good.clone()
    }

    /// Keeps what was found if it is better than what is there, and says what there is to say, once.
    fn take(&mut self, found: Result<Candidate, Fault>, now: SystemTime) {
        let folder = self.files.folder.display();
        match found.and_then(|found| self.improvement(found, now)) {
            Ok(found) => {
                let ends = OffsetDateTime::from(found.leaf.certificate.not_after);
                if self.good.as_ref() != Some(&found) {
                    tracing::info!(%folder, %ends, "found a certificate");
                    if let Some(lacking) = self.lacking(&found) {
                        tracing::warn!(%folder, "{lacking}: nobody can call the webhooks by them");
                    }
                    self.age = Age::Fresh;
                } else if self.fault.is_some() {
                    tracing::info!(%folder, %ends, "the certificate can be used again");
                }
                (self.good, self.fault) = (Some(found), None);
            }
            Err(fault) => {
                if self.fault.as_ref() != Some(&fault) {
                    let kept =
                        if self.good.is_some() { "the former one is served on" } else { "none is served" };
                    tracing::warn!(%folder, reason = fault.reason(), "{fault}: {kept}");
                }
                self.fault = Some(fault);
            }
        }
        self.tell_age(now);
    }

    /// Says once that the certificate nears its end, and once that it is there.
    fn tell_age(&mut self, now: SystemTime) {
        let folder = self.files.folder.display();
        let age = self.good.as_ref().map_or(Age::Fresh, |good| Age::of(&good.leaf.certificate, now));
        if age != self.age {
            match age {
                Age::Fresh => {}
                Age::Ending => tracing::warn!(%folder, "the certificate ends soon and nobody has renewed it"),
                Age::Ended => {
                    tracing::error!(%folder, "the certificate has ended: webhooks cannot be called");
                }
            }
            self.age = age;
        }
    }

    /// `found`, unless what is there is to be preferred.
    fn improvement(&self, found: Candidate, now: SystemTime) -> Result<Candidate, Fault> {
        let Some(good) = &self.good else {
            return Ok(found);
        };
        // Without its CA a certificate is served at once, although nobody may trust it yet. What has ended nobody trusts.
        let nothing_is_lost = !good.is_current(now) && found.is_current(now);
        if found.anchor.is_none() && good.anchor.is_some() && !nothing_is_lost {
            return Err(Fault::Missing(CA));
        }
        if good.is_current(now) && !found.is_current(now) {
            return Err(Fault::OutOfDate);
        }
        if good.is_current(now)
            && self.lacking(good).is_none()
            && let Some(lacking) = self.lacking(&found)
        {
            return Err(lacking);
        }
        Ok(found)
    }

    /// The names that a candidate lacks, as what is wrong with it.
    fn lacking(&self, candidate: &Candidate) -> Option<Fault> {
        let lacking = candidate.lacks(self.files.names.as_ref()?);
        (!lacking.is_empty()).then(|| Fault::Names(lacking.into_iter().cloned().collect()))
    }
}

impl Age {
    fn of(certificate: &Certificate, now: SystemTime) -> Self {
        let life = certificate.not_after.duration_since(certificate.not_before).unwrap_or_default();
        match certificate.not_after.duration_since(now) {
            Ok(left) if left > life / 10 => Self::Fresh,
            Ok(left) if !left.is_zero() => Self::Ending,
            _ => Self::Ended,
        }
    }
}

/// An item for each time that the files are not what they were; never ends.
pub(crate) fn changes(path: PathBuf) -> BoxStream<'static, ()> {
    stream::unfold(None, move |last| {
        let path = path.clone();
        async move {
            loop {
                tokio::time::sleep(POLL).await;
                let now = Some(read(&path).await);
                if now != last {
                    return Some(((), now));
                }
            }
        }
    })
    .boxed()
}

/// The files there are.
async fn read(folder: &Path) -> Result<Entries, Fault> {
    let folder = folder.to_owned();
    // A disk may keep one waiting.
    let reading = tokio::task::spawn_blocking(move || {
        let mut entries = Entries::new();
        for name in [LEAF, LEAF_KEY, CA] {
            match content(&folder.join(name)) {
                Ok(bytes) => drop(entries.insert(name.to_owned(), bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Fault::Unreadable(name, error.kind())),
            }
        }
        Ok(entries)
    });
    reading.await.unwrap_or(Err(Fault::Unreadable(LEAF, io::ErrorKind::Interrupted)))
}

/// The content of a file. What is none, a pipe for instance, might never end.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
