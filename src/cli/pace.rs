//! How many exercises run at once, and whether they go on when one went wrong.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

/// How exercises follow one another.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Pace {
    /// How many exercises run at once; without it, one for each core and each GiB of memory of the engine's machine, whichever
    /// are fewer
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Begin no further exercise once one went wrong; those that have begun go to their end
    #[arg(long)]
    fail_fast: bool,
}

/// How an exercise ended, for what it was run for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Well,
    Wrong,
}

impl Pace {
    /// Whether another exercise may begin after one that ended so.
    pub(crate) fn after(self, ending: Ending) -> ControlFlow<()> {
        match ending {
            Ending::Wrong if self.fail_fast => ControlFlow::Break(()),
            Ending::Wrong | Ending::Well => ControlFlow::Continue(()),
        }
    }
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "write a number, at least 1".to_owned())
}
