// SPDX-License-Identifier: Apache-2.0
//! A whole command line of Celery in the place of the command: which of its words are the command, and where the others
//! belong.

use crate::celery::options::global;
use crate::rules::shell::{self, is_celery};
use crate::rules::subject::Subject;

/// What to write for a command that names the application, or what to start, itself.
pub(super) fn instead(command: &[String], subject: &Subject<'_>) -> String {
    let words: Vec<&str> = command.iter().flat_map(|word| word.split_whitespace()).collect();
    let (program, options) = words.split_at(end(&words).unwrap_or_default());
    let program =
        Some(program).filter(|words| words.len() > 1).and_then(|words| shell::listed(&words.join(" ")));
    let program = program.unwrap_or_else(|| "[celery]".to_owned());
    let (started, options) = started(options);
    if options.is_empty() {
        return format!("write {program}");
    }
    let worker =
        || subject.pools.first().map_or_else(|| "spec.workerSpec".to_owned(), |pool| pool.path.clone());
    let place = match started {
        "beat" => "spec.beatSpec".to_owned(),
        "flower" => "spec.flowerSpec".to_owned(),
        _ => worker(),
    };
    let options = shell::listed(&options.join(" "));
    let options = options.unwrap_or_else(|| format!("the options behind {started}"));
    format!("write {program}, and in {place}.args {options}")
}

/// The words behind the one that is Celery, each with its place: what stands before it belongs to another program
/// (`uv run --package worker celery`). Behind `--` the last word is the program, whatever the ones before it say.
pub(super) fn behind_celery<'w>(
    words: impl Iterator<Item = &'w str>,
) -> impl Iterator<Item = (usize, &'w str)> {
    let words: Vec<&str> = words.collect();
    let ends_with_it = matches!(words.as_slice(), [.., "--", last] if is_celery(last));
    let behind = end(&words).filter(|_| !ends_with_it).unwrap_or(words.len());
    // `-A` is the operator's own.
    let is_valued =
        |word| global::named(word).is_some_and(|it| it.kind.takes_value() && it.name() != "--app");
    let is_value = words.windows(2).map(|pair| is_valued(pair[0]));
    let is_value: Vec<bool> = std::iter::once(false).chain(is_value).collect();
    words.into_iter().enumerate().skip(behind).filter(move |(at, _)| !is_value[*at])
}

/// Where the words end that start Celery: behind the first that is Celery and no value of another program's option
/// (`uv run --extra celery celery`).
fn end(words: &[&str]) -> Option<usize> {
    let is_option = |at: usize| {
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        before.starts_with('-') && !["-m", "--"].contains(&before)
    };
    let mut places = (0..words.len()).filter(|at| is_celery(words[*at]));
    let last = places.clone().next_back();
    places.find(|at| !is_option(*at)).or(last).map(|at| at + 1)
}

/// What a line starts, and the options behind that; the application has a field of its own.
fn started<'w>(words: &[&'w str]) -> (&'w str, Vec<&'w str>) {
    let Some(at) = words.iter().position(|word| shell::STARTED.contains(word)) else {
        return ("", Vec::new());
    };
    let mut options = Vec::new();
    let mut behind = words[at + 1..].iter();
    while let Some(word) = behind.next() {
        match *word {
            "-A" | "--app" => {
                behind.next();
            }
            word if word.starts_with("--app=") || word.starts_with("-A") => {}
            word => options.push(word),
        }
    }
    (words[at], options)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::findings;

    fn told(spec: &str) -> Vec<String> {
        let of_rule =
            findings(&format!("spec: {{{spec}}}")).into_iter().filter(|finding| finding.rule == "C26");
        of_rule.map(|finding| finding.fix).collect()
    }

    #[test]
    fn no_option_of_the_line_is_lost() {
        let worker = "write [celery], and in spec.workerSpec.args";
        for (command, fix) in [
            ("celery, -A, shop, worker", "write [celery]".to_owned()),
            ("celery, worker, -A, shop, --app=shop, -Ashop", "write [celery]".to_owned()),
            (
                "celery, -A, shop, worker, -l, info, -Q, 'a,b', '--autoscale=10,3'",
                format!(r#"{worker} ["-l", "info", "-Q", "a,b", "--autoscale=10,3"]"#),
            ),
            ("'celery -A shop worker -c 4'", format!(r#"{worker} ["-c", "4"]"#)),
            ("celery, worker, -n, 'a@%h'", format!("{worker} the options behind worker")),
            (
                "celery, worker, -c, '4', -a, b, -c, d, -e, f, -g",
                format!("{worker} the options behind worker"),
            ),
            (
                "poetry, run, celery, -A, shop, beat, -S, shop.S",
                r#"write ["poetry", "run", "celery"], and in spec.beatSpec.args ["-S", "shop.S"]"#.to_owned(),
            ),
            (
                "celery, flower, --port=1",
                r#"write [celery], and in spec.flowerSpec.args ["--port=1"]"#.to_owned(),
            ),
            ("celery, worker, '--x=redis://:hush@cache'", format!("{worker} the options behind worker")),
            ("celery, --app, shop", "write [celery]".to_owned()),
        ] {
            assert_eq!(told(&format!("common: {{command: [{command}]}}")), [fix], "{command}");
        }
        let pools = "common: {command: [celery, worker, -E]}, workerSpec: null, workerPools: [{name: a}]";
        assert_eq!(told(pools), [r#"write [celery], and in spec.workerPools[0].args ["-E"]"#]);
    }
}
