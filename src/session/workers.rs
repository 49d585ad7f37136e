//! Several things at once, each in a thread that waits for it. It says what begins and when nothing begins any more, and
//! nothing of what is done.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard};
use std::thread;

use anyhow::Result;

/// Does work on each item, in order, on so many at once. After a break or an error nothing further begins; what has begun goes
/// to its end. Gives the items that never began, or the first error.
pub(super) fn side_by_side<T: Send>(
    items: impl IntoIterator<Item = T>,
    n_at_once: NonZeroUsize,
    work: impl Fn(T) -> Result<ControlFlow<()>> + Sync,
) -> Result<Vec<T>> {
    struct State<T> {
        waiting: VecDeque<T>,
        /// What never begins.
        rest: VecDeque<T>,
        res: Result<()>,
    }
    let state = Mutex::new(State {
        waiting: items.into_iter().collect(),
        rest: VecDeque::new(),
        res: Ok(()),
    });
    let n_workers = n_at_once.get().min(lock(&state).waiting.len());
    let worker = || {
        loop {
            let Some(item) = lock(&state).waiting.pop_front() else {
                return;
            };
            let res = work(item);
            if let Ok(ControlFlow::Continue(())) = res {
                continue;
            }
            let mut state = lock(&state);
            let rest = std::mem::take(&mut state.waiting);
            state.rest.extend(rest);
            if state.res.is_ok() {
                state.res = res.map(|_| ());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..n_workers {
            scope.spawn(worker);
        }
    });
    let state = state.into_inner().unwrap_or_else(|it| it.into_inner());
    state.res.map(|()| state.rest.into())
}

/// A panic in one thread is told when all are joined, and is no reason for another one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|it| it.into_inner())
}
