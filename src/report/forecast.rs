//! What the terminal says of a check that is not run: which exercises it would run, and how long that should take.

use std::time::Duration;

use crate::report::{FAINT, STRONG, paint, push};
use crate::run::Subject;
use crate::schedule::{Load, Shard, Takes, estimates};

/// A line for each exercise, in the order of `subjects`, which are those of the shard.
pub fn forecast(subjects: &[&Subject], loads: &[Load], shard: Option<Shard>) -> String {
    let of_shard = shard.map_or(String::new(), |it| format!(" in shard {it}"));
    if subjects.is_empty() {
        return format!("no exercise{of_shard}\n");
    }
    let mut text = String::new();
    let estimates = estimates(loads);
    for ((subject, load), estimate) in subjects.iter().zip(loads).zip(&estimates) {
        let about = match load.takes {
            Takes::Recorded(_) => in_words(*estimate),
            Takes::Unknown => "not recorded".to_owned(),
            Takes::Nothing => "no step of it runs".to_owned(),
        };
        let chapter = paint(STRONG, &subject.exercise.chapter);
        let about = paint(FAINT, &format!("({}): {about}", subject.exercise.id));
        push(&mut text, format_args!("{chapter} {about}\n"));
    }
    let (n, sum) = (subjects.len(), estimates.iter().sum());
    let word = if n == 1 { "exercise" } else { "exercises" };
    let sum = in_words(sum);
    push(
        &mut text,
        format_args!("{n} {word}{of_shard}, one after the other {sum}\n"),
    );
    text
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("about {seconds} s"),
        seconds => format!("about {} min", (seconds + 30) / 60),
    }
}
