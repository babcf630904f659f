// SPDX-License-Identifier: Apache-2.0
//! Argument lists of workers, as 5.x reads them.

use super::*;
use crate::celery::command::Concurrency;
use crate::celery::reading::{Effective, Outcome};
use crate::celery::settings::command_line::Defect;
use crate::celery::value::Refusal;
use crate::celery::version::Target;

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn of(args: &[String]) -> Reading<'_> {
    Command::Worker.reading(args, Release::NEWEST)
}

fn causes(list: &[&str]) -> Vec<Cause> {
    of(&words(list)).faults.into_iter().map(|fault| fault.cause).collect()
}

#[test]
fn every_spelling_of_an_option_is_seen() {
    for list in [&["-c", "4"][..], &["-c4"], &["--concurrency", "4"], &["--concurrency=4"], &["-BEc4"]] {
        let args = words(list);
        assert_eq!(of(&args).concurrency(), Effective::Is(Concurrency::Of(4)), "{list:?}");
        assert_eq!(of(&args).faults, [], "{list:?}");
    }
    for list in [&["-E"][..], &["--", "-c", "4"], &["--conc=4"], &["--concurrency"], &["-Q", "-c"]] {
        assert_eq!(of(&words(list)).concurrency().is(), None, "{list:?}");
    }
}

#[test]
fn positions_point_at_the_words() {
    let args = words(&["-E", "-Q", "a,b", "--loglevel=info", "-Bc2", "--", "worker.direct=1"]);
    let reading = of(&args);
    let places: Vec<_> = reading.occurrences.iter().map(|o| (o.name, o.at, o.value_at)).collect();
    assert_eq!(places, [("-E", 0, 0), ("-Q", 1, 2), ("--loglevel", 3, 3), ("-B", 4, 4), ("-c", 4, 4)]);
    assert_eq!(reading.separator, Some(5));
    assert_eq!(reading.setting("worker_direct").unwrap().at, 6);
}

#[test]
fn the_last_one_wins_and_only_it_is_judged() {
    let args = words(&["-c", "x", "-c", "2", "-Q", "a", "--queues=b,,b, c"]);
    let reading = of(&args);
    assert_eq!(reading.faults, []);
    assert_eq!(reading.all("-c").count(), 2);
    assert_eq!(reading.queues().unwrap(), ["b", " c"]);
    assert_eq!(reading.list("-Q"), Effective::Is(vec!["b", "", "b", " c"]));
}

#[test]
fn every_fault_is_found() {
    let found =
        causes(&["--foo", "bar", "--loglevel info", "-c=4", "--events=1", "worker", "-A", "shop", "-n"]);
    assert!(
        matches!(
            found.as_slice(),
            [
                Cause::UnknownOption { known: Elsewhere::Nowhere, .. },
                Cause::UnknownOption { known: Elsewhere::Near("--loglevel"), .. },
                Cause::BadValue(_, Refusal::NotAConcurrency),
                Cause::UnexpectedValue(_),
                Cause::BadSetting(Defect::NotASetting),
                Cause::UnknownOption { known: Elsewhere::Global(_), .. },
                Cause::MissingValue(_),
            ]
        ),
        "{found:#?}"
    );
}

#[test]
fn what_expands_later_is_not_judged() {
    let args = words(&["-c", "$(N)", "--loglevel=$(LEVEL)", "$(MORE)", "--$(X)=1", "-$(Y)", "-c$(N)"]);
    let reading = of(&args);
    assert_eq!(reading.faults, []);
    assert_eq!(reading.opaque, [3, 4, 5]);
    assert_eq!(reading.concurrency(), Effective::Unclear);
    assert!(reading.log_level().is_written());
    assert_eq!(causes(&["-c", "$$(N)"]).len(), 1);
}

#[test]
fn a_word_behind_a_variable_may_be_a_value() {
    let faults = |list: &[&str]| of(&words(list)).faults.iter().map(|fault| fault.at).collect::<Vec<_>>();
    assert!(faults(&["$(OPTION)", "value", "-E"]).is_empty());
    assert!(faults(&["--$(OPTION)", "value"]).is_empty());
    assert_eq!(faults(&["$(OPTION)", "value", "other"]), [2]);
    assert_eq!(faults(&["--$(OPTION)=1", "value"]), [1]);
    assert_eq!(faults(&["--", "$(OPTION)", "value"]), [2]);
}

#[test]
fn help_comes_before_values_and_after_grammar() {
    assert_eq!(of(&words(&["--help", "-c", "x"])).outcome(), Outcome::Help);
    assert_eq!(of(&words(&["--help", "--foo"])).outcome(), Outcome::Refused);
    assert_eq!(of(&words(&["-c", "x"])).outcome(), Outcome::Refused);
    // Only celery itself has it.
    assert_eq!(of(&words(&["--version"])).outcome(), Outcome::Refused);
}

#[test]
fn without_a_version_only_what_all_refuse_is_refused() {
    let faults = |list: &[&str]| Command::Worker.agreed(&words(list), Target::Any).faults.len();
    assert_eq!(faults(&["--disable-prefetch", "-c", "auto", "--optimization=fair"]), 0);
    assert_eq!(faults(&["--disable-prefetch", "-c", "abc"]), 1);
    // 5.7 refuses the number, all others the option.
    assert_eq!(faults(&["--pool-start-method=spawn", "-c", "-1"]), 1);
}
