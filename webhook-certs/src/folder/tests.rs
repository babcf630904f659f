// SPDX-License-Identifier: Apache-2.0
//! Folders as kubelets and people change them: what is served of them, and when a change is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::fs;
use std::os::unix::fs::symlink;

use futures::FutureExt as _;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::fixtures::{DAY, leaf, noon, pair};
use crate::issue::{self, SystemKeys, Validity};
use crate::names::Names;
use crate::state::{CA_KEY, Pair};

/// A folder as the kubelet keeps it: files are links through `..data`, which is replaced in one step.
struct Mounted {
    dir: TempDir,
    generation: u32,
}

impl Mounted {
    fn new(pair: &Pair) -> Self {
        let mut mounted = Self { dir: TempDir::new().unwrap(), generation: 0 };
        mounted.replace(pair);
        for name in [LEAF, LEAF_KEY, CA] {
            symlink(Path::new("..data").join(name), mounted.dir.path().join(name)).unwrap();
        }
        mounted
    }

    fn replace(&mut self, pair: &Pair) {
        self.generation += 1;
        let (at, name) = (self.dir.path(), format!("..{}", self.generation));
        fs::create_dir(at.join(&name)).unwrap();
        for (file, value) in pair.entries().into_iter().filter(|(file, _)| file != CA_KEY) {
            fs::write(at.join(&name).join(file), value).unwrap();
        }
        symlink(&name, at.join("..next")).unwrap();
        fs::rename(at.join("..next"), at.join("..data")).unwrap();
    }

    fn folder(&self) -> Folder {
        Folder::new(Files::new(self.dir.path()))
    }
}

async fn served(folder: &mut Folder, now: SystemTime) -> Option<Certificate> {
    folder.candidate(now).await.map(|found| found.leaf.certificate)
}

#[tokio::test]
async fn a_swapped_link_is_a_new_certificate() {
    let (first, second) = (pair(noon()), pair(noon()));
    let mut mounted = Mounted::new(&first);
    let mut folder = mounted.folder();
    let found = folder.candidate(noon()).await;
    assert_eq!(found, Some(first.into()));
    mounted.replace(&second);
    assert_eq!(folder.candidate(noon()).await, Some(second.into()));
}

#[tokio::test]
async fn what_is_of_no_use_leaves_the_last_good_one() {
    let (first, second) = (pair(noon()), pair(noon()));
    let mounted = Mounted::new(&first);
    let mut folder = mounted.folder();
    let kept = Some(first.leaf.certificate.clone());
    assert_eq!(served(&mut folder, noon()).await, kept);
    let file = |name: &str| mounted.dir.path().join(name);
    // File by file, as somebody writes who knows no better.
    for (name, value) in [(LEAF, second.leaf.certificate.pem()), (LEAF_KEY, second.leaf.key.pem().to_owned())]
    {
        fs::write(file(name), value).unwrap();
        assert_eq!(served(&mut folder, noon()).await, kept, "{name}");
    }
    assert_eq!(folder.fault, Some(Fault::Untrusted));
    fs::remove_file(file(CA)).unwrap();
    assert_eq!(served(&mut folder, noon()).await, kept);
    assert_eq!(folder.fault, Some(Fault::Missing(CA)), "it was there before");
    fs::write(file(CA), second.ca.certificate.pem()).unwrap();
    assert_eq!(served(&mut folder, noon()).await, Some(second.leaf.certificate.clone()));
    assert_eq!(folder.fault, None);
    // Neither a pipe, which would never end, nor a folder, nor nothing at all.
    fs::remove_file(file(LEAF_KEY)).unwrap();
    fs::create_dir(file(LEAF_KEY)).unwrap();
    assert_eq!(served(&mut folder, noon()).await, Some(second.leaf.certificate.clone()));
    assert_eq!(folder.fault, Some(Fault::Unreadable(LEAF_KEY, io::ErrorKind::InvalidInput)));
    drop(mounted);
    assert_eq!(served(&mut folder, noon()).await, Some(second.leaf.certificate));
    assert_eq!(folder.fault, Some(Fault::Missing(LEAF)));
}

#[tokio::test]
async fn an_expired_certificate_is_better_than_none_and_worse_than_another() {
    let fresh = pair(noon());
    let old = Pair { leaf: leaf(&fresh.ca, noon() - 3 * DAY, DAY), ..fresh.clone() };
    let mut mounted = Mounted::new(&old);
    let mut folder = mounted.folder();
    assert_eq!(served(&mut folder, noon()).await, Some(old.leaf.certificate.clone()));
    assert_eq!(folder.age, Age::Ended);
    mounted.replace(&fresh);
    assert_eq!(served(&mut folder, noon()).await, Some(fresh.leaf.certificate.clone()));
    assert_eq!(folder.age, Age::Fresh);
    mounted.replace(&old);
    assert_eq!(served(&mut folder, noon()).await, Some(fresh.leaf.certificate));
    assert_eq!(folder.fault, Some(Fault::OutOfDate));
    served(&mut folder, noon() + 85 * DAY).await;
    assert_eq!(folder.age, Age::Ending);
    served(&mut folder, noon() + 91 * DAY).await;
    assert_eq!(folder.age, Age::Ended);
}

/// Whoever renews it has begun to leave the CA to others.
#[tokio::test]
async fn a_certificate_without_its_ca_takes_the_place_of_one_that_has_ended() {
    let (first, later) = (pair(noon()), noon() + 90 * DAY);
    let mounted = Mounted::new(&first);
    let mut folder = mounted.folder();
    assert_eq!(served(&mut folder, noon()).await, Some(first.leaf.certificate.clone()));
    fs::remove_file(mounted.dir.path().join(CA)).unwrap();
    let second = pair(later - 30 * DAY);
    for (name, value) in [(LEAF, second.leaf.certificate.pem()), (LEAF_KEY, second.leaf.key.pem().to_owned())]
    {
        fs::write(mounted.dir.path().join(name), value).unwrap();
    }
    let before = later - Duration::from_secs(1);
    assert_eq!(served(&mut folder, before).await, Some(first.leaf.certificate.clone()));
    assert_eq!(folder.fault, Some(Fault::Missing(CA)));
    // One that has ended itself is no better.
    let both_have_ended = later + 61 * DAY;
    assert_eq!(served(&mut folder, both_have_ended).await, Some(first.leaf.certificate));
    assert_eq!(served(&mut folder, later).await, Some(second.leaf.certificate));
    assert_eq!(folder.fault, None);
}

#[tokio::test]
async fn names_that_are_needed_are_not_given_up_for_a_certificate_that_lacks_them() {
    let named = pair(noon());
    let validity = Validity::starting(noon(), DAY).unwrap();
    let other = Names::parse(["other.example.org"]).unwrap();
    let lacking =
        Pair { leaf: issue::leaf(&SystemKeys, &named.ca, &other, validity).unwrap(), ..named.clone() };
    let mut mounted = Mounted::new(&lacking);
    let called = Names::parse(["webhook.celery.svc"]).unwrap();
    let mut folder = Folder::new(Files { names: Some(called.clone()), ..Files::new(mounted.dir.path()) });
    assert_eq!(
        served(&mut folder, noon()).await,
        Some(lacking.leaf.certificate.clone()),
        "there is no other"
    );
    mounted.replace(&named);
    assert_eq!(served(&mut folder, noon()).await, Some(named.leaf.certificate.clone()));
    mounted.replace(&lacking);
    assert_eq!(served(&mut folder, noon()).await, Some(named.leaf.certificate));
    assert_eq!(folder.fault, Some(Fault::Names(called.iter().cloned().collect())));
    // Once it has ended even that one is better.
    let validity = Validity::starting(noon() + 90 * DAY, DAY).unwrap();
    let lacking = Pair { leaf: issue::leaf(&SystemKeys, &named.ca, &other, validity).unwrap(), ..lacking };
    mounted.replace(&lacking);
    assert_eq!(served(&mut folder, noon() + 90 * DAY).await, Some(lacking.leaf.certificate));
}

#[tokio::test]
async fn an_empty_folder_serves_nothing_until_it_is_filled() {
    let dir = TempDir::new().unwrap();
    let mut folder = Folder::new(Files::new(dir.path().join("later")));
    assert_eq!(served(&mut folder, noon()).await, None);
    let pair = pair(noon());
    fs::create_dir(dir.path().join("later")).unwrap();
    for (name, value) in pair.entries() {
        fs::write(dir.path().join("later").join(name), value).unwrap();
    }
    assert_eq!(served(&mut folder, noon()).await, Some(pair.leaf.certificate));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_and_rest_is_not() {
    let mut mounted = Mounted::new(&pair(noon()));
    let mut changes = changes(mounted.dir.path().to_owned());
    changes.next().await.unwrap();
    let polls = tokio::time::timeout(10 * POLL, changes.next()).await;
    assert!(polls.is_err(), "nothing has changed");
    mounted.replace(&pair(noon()));
    let begin = Instant::now();
    changes.next().await.unwrap();
    assert!(begin.elapsed() <= POLL);
    assert!(changes.next().now_or_never().is_none());
}
