// SPDX-License-Identifier: Apache-2.0
//! The URLs of broker and result backend as containers get them: from a field, a variable or a setting, with the variables
//! in them filled in where what they hold is written.

use std::borrow::Cow;

use super::{Component, Part, Subject};
use crate::celery::expansion::expands;
use crate::celery::version::Target;
use crate::rules::path::{BACKEND_URL, BROKER_URL};
use crate::rules::variables::{self, Reaching, names_backend, names_broker, reaching};

/// A URL and where it stands. The text may hold a password, so `Debug` shows the place alone.
#[derive(Clone)]
pub(super) struct Url<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) place: Cow<'static, str>,
}

impl std::fmt::Debug for Url<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Url").field(&self.place).finish()
    }
}

/// The broker's.
pub(super) fn of_broker<'a>(subject: &Subject<'a>) -> Option<Url<'a>> {
    let common = subject.common();
    let setting = || Some((common.config.get("broker_url")?.0.as_str()?, "spec.common.config.broker_url"));
    let names = |name: &str, celery: Target| {
        // What only reads or only writes is none of the others' business.
        !["CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"].contains(&name) && names_broker(name, celery)
    };
    match &common.broker {
        Some(broker) => Some(filled(subject, broker.url.as_deref()?, BROKER_URL)),
        None => of_variable(subject, names).or_else(|| setting().map(|(url, at)| filled(subject, url, at))),
    }
}

/// The result backend's.
pub(super) fn of_backend<'a>(subject: &Subject<'a>) -> Option<Url<'a>> {
    let common = subject.common();
    let setting =
        || Some((common.config.get("result_backend")?.0.as_str()?, "spec.common.config.result_backend"));
    match &common.result_backend {
        Some(backend) => Some(filled(subject, backend.url.as_deref()?, BACKEND_URL)),
        None => of_variable(subject, names_backend)
            .or_else(|| setting().map(|(url, at)| filled(subject, url, at))),
    }
}

/// Workers and beat, which ask the broker.
fn askers<'a>(subject: &Subject<'a>) -> impl Iterator<Item = Component<'a>> {
    subject.components().into_iter().filter(|component| !matches!(component.part, Part::Flower(_)))
}

/// What a variable of the first component says that has one, which wins over the setting.
fn of_variable<'a>(subject: &Subject<'a>, names: impl Fn(&str, Target) -> bool) -> Option<Url<'a>> {
    let is_one = |one: &Reaching| names(&one.name, subject.celery);
    askers(subject).find_map(|component| {
        let one = reaching(subject, &component).into_iter().find(is_one)?;
        let place = one.value_path();
        let text = one.text.filter(|text| !text.is_empty())?;
        Some(Url { text: text.into(), place: place.into() })
    })
}

/// A text with its variables, where every component fills them in alike; else the text as it is.
fn filled<'a>(subject: &Subject<'a>, text: &'a str, place: &'static str) -> Url<'a> {
    let in_one = |component: Component<'_>| variables::filled(text, &reaching(subject, &component));
    let mut texts = if expands(text) { askers(subject).map(in_one).collect() } else { Vec::new() };
    texts.dedup();
    let text = match texts.pop() {
        Some(Some(filled)) if texts.is_empty() => filled.into(),
        _ => text.into(),
    };
    Url { text, place: place.into() }
}
