// SPDX-License-Identifier: Apache-2.0
//! Shows commands and what they print.

use std::error::Error;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use testbed::ControlPlane;

/// How long something may take to come true.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const POLL: Duration = Duration::from_millis(100);

/// A headline.
pub(crate) fn say(text: &str) {
    println!("\n== {text}\n");
}

/// A command as it is typed, an object from stdin included, and everything it printed.
pub(crate) fn show(
    plane: &ControlPlane,
    arguments: &[&str],
    object: Option<&str>,
) -> Result<Output, Box<dyn Error>> {
    let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
    println!("$ kubectl {}{}", words.join(" "), if object.is_some() { " <<EOF" } else { "" });
    if let Some(object) = object {
        println!("{object}EOF");
    }
    let output = run(plane, arguments, object)?;
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!();
    Ok(output)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=:".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

/// The same in silence.
pub(crate) fn run(
    plane: &ControlPlane,
    arguments: &[&str],
    object: Option<&str>,
) -> Result<Output, Box<dyn Error>> {
    match object {
        // `apply -f -` is what kubectl_apply runs.
        Some(object) => Ok(plane.kubectl_apply(object, &arguments[3..])?),
        None => Ok(plane.kubectl().args(arguments).output()?),
    }
}

/// Fails unless the command succeeded and printed each of these.
pub(crate) fn expect(output: &Output, success: bool, texts: &[&str]) -> Result<(), Box<dyn Error>> {
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() != success {
        return Err(
            format!("kubectl ended with {}, which is not what it should:\n{printed}", output.status).into()
        );
    }
    match texts.iter().find(|text| !printed.contains(**text)) {
        Some(missing) => Err(format!("{missing:?} should have been printed").into()),
        None => Ok(()),
    }
}

/// Waits until a command prints each of these.
pub(crate) fn wait(plane: &ControlPlane, arguments: &[&str], texts: &[&str]) -> Result<(), Box<dyn Error>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = expect(&run(plane, arguments, None)?, true, texts);
        match seen {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(format!("kubectl {}: {error}, waited for it in vain", arguments.join(" ")).into());
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}
