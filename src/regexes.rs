//! Regular expressions that are written in the code.

use regex::Regex;

/// Compiles one. Every one of them is compiled in the tests, so a wrong one does not get out.
pub(crate) fn known(regex: &str) -> Regex {
    Regex::new(regex).expect("it is written in the code and compiled in the tests")
}
