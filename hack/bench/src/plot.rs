// SPDX-License-Identifier: Apache-2.0
//! One picture, written by hand: the runs of each arm, and each figure as a part of its target.

use std::fmt::Write as _;

use crate::arms::Maker;
use crate::results::{Figure, Results, Target};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = 120.0;
const ROW: f64 = 30.0;
const TOP: f64 = 60.0;
/// The scale of the second panel ends at this multiple of the target.
const MOST: f64 = 1.5;

const STYLE: &str = "text{font:13px sans-serif;fill:#24292f}.head{font-weight:600;font-size:15px}.axis{stroke:#8c959f}\
.operator{fill:#0969da}.same{fill:#1a7f37}.least{fill:#9a6700}.met{fill:#1a7f37}.missed{fill:#cf222e}.note{fill:#57606a}";

/// The picture.
pub(crate) fn svg(results: &Results) -> String {
    let arms = [
        (Maker::Operator, "operator", "operator"),
        (Maker::Same, "same", "bare client, the same requests"),
        (Maker::Least, "least", "bare client, the least"),
    ];
    let longest = arms.iter().flat_map(|(maker, ..)| results.seconds(*maker)).fold(0.0, f64::max);
    let mut body = String::new();
    head(
        &mut body,
        30.0,
        &format!("{} objects until the last is settled, seconds of each run", results.plan().objects),
    );
    let mut y = TOP;
    for (maker, class, title) in arms {
        label(&mut body, y, title);
        for seconds in results.seconds(maker) {
            let x = LEFT + seconds / longest * (WIDTH - LEFT - RIGHT);
            let _ =
                writeln!(body, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="5" opacity="0.7"/>"#);
        }
        y += ROW;
    }
    axis(&mut body, LEFT, TOP - 15.0, y - 15.0);
    note(&mut body, LEFT, y + 2.0, "0");
    note(&mut body, WIDTH - RIGHT, y + 2.0, &format!("{longest:.1} s"));
    y += ROW + 20.0;
    head(&mut body, y, "Each figure as a part of its target (the line): green is met");
    y += ROW;
    let top = y - 15.0;
    for figure in results.figures.iter().filter(|figure| figure.target != Target::None) {
        row(&mut body, y, figure);
        y += ROW;
    }
    axis(&mut body, LEFT, top, y - 15.0);
    axis(&mut body, LEFT + (WIDTH - LEFT - RIGHT) / MOST, top, y - 15.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" width=\"{WIDTH}\">\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn row(body: &mut String, y: f64, figure: &Figure) {
    let short = figure.title.split(": ").last().unwrap_or_default();
    let title =
        if figure.title.starts_with('R') { figure.title.split(':').next().unwrap_or(short) } else { short };
    label(body, y, title);
    let limit = match figure.target {
        Target::AtLeast(limit) | Target::AtMost(limit) => limit,
        Target::None => return,
    };
    let value = figure.estimate.median;
    let part = if limit > 0.0 { value / limit } else { value.min(MOST) };
    let width = part.clamp(0.0, MOST) * (WIDTH - LEFT - RIGHT) / MOST;
    let class = if figure.is_met() { "met" } else { "missed" };
    let _ = writeln!(
        body,
        r#"<rect class="{class}" x="{LEFT}" y="{:.1}" width="{width:.1}" height="16" opacity="0.8"/>"#,
        y - 8.0
    );
    let sign = if matches!(figure.target, Target::AtLeast(_)) { "≥" } else { "≤" };
    note(body, WIDTH - RIGHT + 8.0, y + 5.0, &format!("{value:.2} {sign} {limit:.2} {}", figure.unit));
}

fn head(body: &mut String, y: f64, text: &str) {
    let _ = writeln!(body, r#"<text class="head" x="16" y="{y:.1}">{text}</text>"#);
}

fn label(body: &mut String, y: f64, text: &str) {
    let short: String = text.chars().take(46).collect();
    let _ =
        writeln!(body, r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{short}</text>"#, LEFT - 12.0, y + 5.0);
}

fn note(body: &mut String, x: f64, y: f64, text: &str) {
    let _ = writeln!(body, r#"<text class="note" x="{x:.1}" y="{y:.1}">{text}</text>"#);
}

fn axis(body: &mut String, x: f64, top: f64, bottom: f64) {
    let _ = writeln!(body, r#"<line class="axis" x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}"/>"#);
}
