// SPDX-License-Identifier: Apache-2.0
//! The tables of options, which the lists are made of too: an option that is missing here would be asked by nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command as Process;

use celery_operator::celery::command::Command;
use celery_operator::celery::options::flower::{OPTIONS, TornadoType};
use serde_json::{Map, Value};

use super::{flower_release, release};
use crate::venv;

/// What a line of Python prints.
fn printed(mut python: Process, script: &str) -> Map<String, Value> {
    let output = python.args(["-c", script]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}"))
}

#[test]
fn every_celery_has_these_options() {
    let script = "import json\n\
        from celery.bin.beat import beat\n\
        from celery.bin.worker import worker\n\
        names = lambda c: [n for p in c.params for n in p.opts + p.secondary_opts]\n\
        print(json.dumps({'worker': names(worker), 'beat': names(beat)}))";
    for pins in venv::RELEASES {
        let Some(site) = venv::site(pins) else { continue };
        let there = printed(site.python(), script);
        for (name, command) in [("worker", Command::Worker), ("beat", Command::Beat)] {
            let here: BTreeSet<&str> = command.options().names(release(pins)).collect();
            let there: BTreeSet<&str> =
                there[name].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(here, there, "{name} of {}", pins.version);
        }
    }
}

#[test]
fn every_flower_has_these_options() {
    for pins in venv::FLOWERS {
        let Some(site) = venv::site(pins) else { continue };
        let script = "import json, flower.command as c\n\
            print(json.dumps({o.name.replace('-', '_'): o.multiple for o in c.options._options.values()}))";
        let there = printed(site.python(), script);
        let release = flower_release(pins);
        let here: BTreeMap<&str, bool> = OPTIONS
            .iter()
            .filter(|option| option.is_in(release))
            .map(|option| (option.name, matches!(option.kind, TornadoType::Texts | TornadoType::Floats)))
            .collect();
        let there: BTreeMap<&str, bool> =
            there.iter().map(|(name, many)| (name.as_str(), *many == true)).collect();
        assert_eq!(here, there, "{}", pins.version);
    }
}
