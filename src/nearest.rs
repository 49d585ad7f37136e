//! The known word that an unknown one was probably meant to be.

/// Finds the known word that is nearest to `word`; `None` if none is near.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let (distance, best) = known
        .iter()
        .map(|it| (strsim::damerau_levenshtein(&word, it), *it))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong: `tiemout` is `timeout`, `title` is nothing that we know.
    (distance <= best.chars().count().div_ceil(3)).then_some(best)
}

/// Ends a message about an unknown word: the nearest known one, or all of them.
pub(crate) fn advice(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(it) => format!("did you mean `{it}`?"),
        None => {
            let known: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
            format!("known: {}", known.join(", "))
        }
    }
}
