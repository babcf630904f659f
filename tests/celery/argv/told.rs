// SPDX-License-Identifier: Apache-2.0
//! What the model makes of argument lists, in the form of the answers.

use celery_operator::celery::options::ValueKind;
use celery_operator::celery::options::flower::TornadoType;
use celery_operator::celery::reading::{Effective, Outcome, Reading};
use celery_operator::celery::settings::command_line::{Setting, Type};
use celery_operator::celery::value::Value as Told;
use celery_operator::celery::{flower, number};
use serde_json::{Map, Value, json};

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Help => "help",
        Outcome::Refused => "refused",
    }
}

/// What the model makes of an argument list of a worker or of beat.
pub(super) fn of_celery(reading: &Reading<'_>) -> Value {
    let options = reading.occurrences.iter().map(|occurrence| {
        let option = occurrence.option;
        let value = match reading.effective(option.names[0]) {
            Effective::Is(_) if option.kind == ValueKind::NodeName => json!("..."),
            // Celery falls back to the setting.
            Effective::Is(Told::Int(0)) if option.name() == "--prefetch-multiplier" => Value::Null,
            Effective::Is(value) => plain(option.kind, value),
            other => panic!("{other:?}"),
        };
        (option.variable().to_lowercase(), value)
    });
    let settings = reading.settings.iter().map(|setting| (setting.name.clone(), setting_value(setting)));
    let refused = reading.outcome() != Outcome::Accepted;
    let mut answer = json!({"outcome": outcome(reading.outcome())});
    if refused {
        answer["faults"] = json!(format!("{:?}", reading.faults));
    } else {
        answer["options"] = options.collect::<Map<_, _>>().into();
        answer["settings"] = settings.collect::<Map<_, _>>().into();
    }
    answer
}

fn plain(kind: ValueKind, value: Told<'_>) -> Value {
    match value {
        Told::Flag => json!(true),
        Told::Switch(on) => json!(on),
        Told::Int(0) if kind == ValueKind::Concurrency => Value::Null,
        Told::Int(number) => json!(number),
        Told::Float(number) => float(number),
        Told::Auto => json!("auto"),
        Told::Range(most, fewest) => json!([most, fewest]),
        Told::Text(name) if kind == ValueKind::LogLevel => json!(match name {
            "DEBUG" => 10,
            "INFO" => 20,
            "WARNING" => 30,
            "ERROR" => 40,
            _ => 50,
        }),
        Told::Text(text) => nonempty(text),
        Told::List(names) => json!(names),
    }
}

fn float(number: f64) -> Value {
    // Python has one not-a-number, with or without a sign.
    let number = if number.is_nan() { f64::NAN } else { number };
    json!(format!("float {:016x}", number.to_bits()))
}

fn nonempty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

fn setting_value(setting: &Setting<'_>) -> Value {
    let kind = match setting.cast {
        None => setting.row.map(|row| row.kind),
        Some("int") => Some(Type::Int),
        Some("float") => Some(Type::Float),
        Some("bool") => Some(Type::Bool),
        Some("string" | "any") => Some(Type::Text),
        Some(_) => None,
    };
    match kind {
        Some(Type::Text | Type::Any) => nonempty(setting.value),
        Some(Type::Int) => json!(number::int(setting.value).unwrap()),
        Some(Type::Float) => float(number::float(setting.value).unwrap()),
        Some(Type::Bool) => {
            json!(["true", "yes", "on", "1"].contains(&setting.value.to_lowercase().as_str()))
        }
        _ => json!("..."),
    }
}

/// What the model makes of an argument list of Flower.
pub(super) fn of_flower(reading: &flower::Reading<'_>) -> Value {
    let options = reading.occurrences.iter().map(|occurrence| {
        let name = occurrence.option.name;
        let value = match occurrence.option.kind {
            TornadoType::Bool => json!(reading.bool(name).is().unwrap()),
            TornadoType::Int => json!(reading.int(name).is().unwrap()),
            TornadoType::Float => float(reading.float(name).is().unwrap()),
            TornadoType::Text => nonempty(reading.text(name).is().unwrap()),
            TornadoType::Texts => json!(reading.text(name).is().unwrap().split(',').collect::<Vec<_>>()),
            TornadoType::Floats => {
                let parts = reading.text(name).is().unwrap().split(',');
                json!(parts.map(|part| float(number::float(part).unwrap())).collect::<Vec<_>>())
            }
            TornadoType::Function => panic!("refused"),
        };
        (name.to_owned(), value)
    });
    let mut answer = json!({"outcome": outcome(reading.outcome())});
    if reading.outcome() == Outcome::Accepted {
        answer["options"] = options.collect::<Map<_, _>>().into();
    } else {
        answer["faults"] = json!(format!("{:?}", reading.faults));
    }
    answer
}
