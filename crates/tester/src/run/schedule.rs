//! Which run may start next: a state machine without threads, clocks or I/O.

use std::collections::BinaryHeap;

/// The state of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// It waits for this many tasks.
    Waiting(usize),
    /// It may start.
    Ready,
    /// It was handed out and is not finished.
    Running,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It will never start: these tasks, which did not succeed themselves, are the cause.
    Blocked(Vec<usize>),
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskOutcome {
    /// What waits for it may go on.
    Succeeded,
    /// What waits for it is blocked.
    Failed,
}

/// Hands out tasks, each when all it waits for has succeeded: the one with the longest way still before it first, by the
/// time that tasks are expected to take, then in the order of their numbers.
#[derive(Debug)]
pub(crate) struct Schedule {
    states: Vec<TaskState>,
    /// How many of them there were from the beginning. What is added later waits for nothing.
    planned: usize,
    dependencies: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    /// The time that the longest way from a task to an end is expected to take, itself included.
    remaining: Vec<u64>,
    /// Ordered by remaining way, then by the lower number.
    ready: BinaryHeap<(u64, std::cmp::Reverse<usize>)>,
    unsettled: usize,
}

impl Schedule {
    /// A schedule of as many tasks as there are lists of what each waits for. There is no cycle among them. `expected` is
    /// the time that each is expected to take, in any unit.
    pub(crate) fn new(dependencies: Vec<Vec<usize>>, expected: &[u64]) -> Self {
        let count = dependencies.len();
        let mut dependents = vec![Vec::new(); count];
        for (task, before) in dependencies.iter().enumerate() {
            before.iter().for_each(|before| dependents[*before].push(task));
        }
        let mut schedule = Self {
            states: (0..count).map(|task| TaskState::Waiting(dependencies[task].len())).collect(),
            planned: count,
            remaining: remaining_ways(&dependencies, &dependents, expected),
            dependencies,
            dependents,
            ready: BinaryHeap::new(),
            unsettled: count,
        };
        for task in 0..count {
            if schedule.states[task] == TaskState::Waiting(0) {
                schedule.change(task, TaskState::Ready);
            }
        }
        schedule
    }

    /// Hands out the next task that may start, if there is one now.
    pub(crate) fn next_ready(&mut self) -> Option<usize> {
        let (_, std::cmp::Reverse(task)) = self.ready.pop()?;
        self.change(task, TaskState::Running);
        Some(task)
    }

    /// Takes note of how a task that was handed out ended. Returns the tasks that are blocked by it, in order.
    pub(crate) fn finish(&mut self, task: usize, outcome: TaskOutcome) -> Vec<usize> {
        assert_eq!(self.states[task], TaskState::Running, "task {task} was not handed out");
        match outcome {
            TaskOutcome::Succeeded => {
                self.change(task, TaskState::Succeeded);
                for at in 0..self.dependents_of(task).len() {
                    let dependent = self.dependents_of(task)[at];
                    if let TaskState::Waiting(count) = self.states[dependent] {
                        let state = if count == 1 { TaskState::Ready } else { TaskState::Waiting(count - 1) };
                        self.change(dependent, state);
                    }
                }
                Vec::new()
            }
            TaskOutcome::Failed => {
                self.change(task, TaskState::Failed);
                self.block_dependents(task)
            }
        }
    }

    /// Adds a task that may start at once and that nothing waits for. Returns its number, the next one.
    pub(crate) fn add(&mut self, expected: u64) -> usize {
        let task = self.states.len();
        self.states.push(TaskState::Waiting(0));
        self.remaining.push(expected);
        self.unsettled += 1;
        self.change(task, TaskState::Ready);
        task
    }

    /// The tasks that wait for a task, of which one that was added has none.
    fn dependents_of(&self, task: usize) -> &[usize] {
        if task < self.planned { &self.dependents[task] } else { &[] }
    }

    /// Whether every task is settled. While it is not, a task is ready or running.
    pub(crate) fn is_done(&self) -> bool {
        self.unsettled == 0
    }

    /// The state of a task.
    pub(crate) fn state(&self, task: usize) -> &TaskState {
        &self.states[task]
    }

    fn block_dependents(&mut self, failed: usize) -> Vec<usize> {
        let mut blocked = Vec::new();
        let mut stack = vec![failed];
        let mut seen = vec![false; self.states.len()];
        while let Some(task) = stack.pop() {
            for at in 0..self.dependents_of(task).len() {
                let dependent = self.dependents_of(task)[at];
                if !std::mem::replace(&mut seen[dependent], true) {
                    let newly = matches!(self.states[dependent], TaskState::Waiting(_));
                    let mut causes: Vec<usize> = self.dependencies[dependent]
                        .iter()
                        .flat_map(|dependency| match &self.states[*dependency] {
                            TaskState::Failed => vec![*dependency],
                            TaskState::Blocked(causes) => causes.clone(),
                            _ => Vec::new(),
                        })
                        .collect();
                    // A task further up is looked at later where two ways lead here; the cause is known already.
                    causes.push(failed);
                    causes.sort_unstable();
                    causes.dedup();
                    self.change(dependent, TaskState::Blocked(causes));
                    if newly {
                        blocked.push(dependent);
                    }
                    stack.push(dependent);
                }
            }
        }
        blocked.sort_unstable();
        blocked
    }

    /// The one place where a state changes.
    fn change(&mut self, task: usize, state: TaskState) {
        let settled = |state: &TaskState| {
            matches!(state, TaskState::Succeeded | TaskState::Failed | TaskState::Blocked(_))
        };
        match (&self.states[task], &state) {
            (TaskState::Waiting(_), TaskState::Waiting(_) | TaskState::Ready | TaskState::Blocked(_))
            | (TaskState::Ready, TaskState::Running)
            | (TaskState::Running, TaskState::Succeeded | TaskState::Failed)
            | (TaskState::Blocked(_), TaskState::Blocked(_)) => {}
            (from, to) => unreachable!("task {task} cannot go from {from:?} to {to:?}"),
        }
        if settled(&state) && !settled(&self.states[task]) {
            self.unsettled -= 1;
        }
        if state == TaskState::Ready {
            self.ready.push((self.remaining[task], std::cmp::Reverse(task)));
        }
        self.states[task] = state;
    }
}

fn remaining_ways(dependencies: &[Vec<usize>], dependents: &[Vec<usize>], expected: &[u64]) -> Vec<u64> {
    let mut open: Vec<usize> = (0..expected.len()).map(|task| dependents[task].len()).collect();
    let mut remaining = expected.to_vec();
    let mut stack: Vec<usize> = (0..open.len()).filter(|task| open[*task] == 0).collect();
    while let Some(task) = stack.pop() {
        for dependency in &dependencies[task] {
            remaining[*dependency] =
                remaining[*dependency].max(remaining[task].saturating_add(expected[*dependency]));
            open[*dependency] -= 1;
            if open[*dependency] == 0 {
                stack.push(*dependency);
            }
        }
    }
    remaining
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs everything one at a time; tasks in `failing` fail. Returns the order of starts.
    fn run(dependencies: &[&[usize]], failing: &[usize]) -> (Vec<usize>, Schedule) {
        let expected = vec![1; dependencies.len()];
        run_expecting(&expected, dependencies, failing)
    }

    fn run_expecting(
        expected: &[u64],
        dependencies: &[&[usize]],
        failing: &[usize],
    ) -> (Vec<usize>, Schedule) {
        let dependencies = dependencies.iter().map(|list| list.to_vec()).collect();
        let mut schedule = Schedule::new(dependencies, expected);
        let mut order = Vec::new();
        while let Some(task) = schedule.next_ready() {
            order.push(task);
            let failed = failing.contains(&task);
            schedule.finish(task, if failed { TaskOutcome::Failed } else { TaskOutcome::Succeeded });
        }
        assert!(schedule.is_done());
        (order, schedule)
    }

    #[track_caller]
    fn check_order(dependencies: &[&[usize]], failing: &[usize], expected: &[usize]) {
        assert_eq!(run(dependencies, failing).0, expected);
    }

    #[test]
    fn the_longest_way_goes_first() {
        check_order(&[&[], &[], &[1]], &[], &[1, 0, 2]);
        check_order(&[&[], &[], &[]], &[], &[0, 1, 2]);
        check_order(&[&[], &[0], &[0], &[1, 2]], &[], &[0, 1, 2, 3]);
        check_order(&[], &[], &[]);
    }

    #[test]
    fn the_longest_way_is_told_by_time() {
        assert_eq!(run_expecting(&[1, 1, 1, 9], &[&[], &[0], &[1], &[]], &[]).0, [3, 0, 1, 2]);
        assert_eq!(run_expecting(&[1, 1, 9, 9], &[&[], &[0], &[1], &[]], &[]).0, [0, 1, 2, 3]);
        assert_eq!(run_expecting(&[u64::MAX, u64::MAX], &[&[], &[0]], &[]).0, [0, 1]);
    }

    #[test]
    fn a_failure_blocks_what_hangs_on_it_and_nothing_else() {
        let (order, schedule) = run(&[&[], &[0], &[1], &[], &[3, 1]], &[1]);
        assert_eq!(order, [0, 1, 3]);
        assert_eq!(schedule.state(2), &TaskState::Blocked(vec![1]));
        assert_eq!(schedule.state(4), &TaskState::Blocked(vec![1]));
        let (_, schedule) = run(&[&[], &[], &[0, 1], &[2]], &[0, 1]);
        assert_eq!(schedule.state(2), &TaskState::Blocked(vec![0, 1]));
        assert_eq!(schedule.state(3), &TaskState::Blocked(vec![0, 1]));
    }

    #[test]
    fn what_is_added_may_start_at_once_and_blocks_nothing() {
        let mut schedule = Schedule::new(vec![vec![], vec![0]], &[1, 1]);
        assert_eq!(schedule.next_ready(), Some(0));
        assert_eq!((schedule.add(3), schedule.add(5)), (2, 3));
        assert_eq!(
            (schedule.next_ready(), schedule.next_ready(), schedule.next_ready()),
            (Some(3), Some(2), None)
        );
        assert_eq!(schedule.finish(3, TaskOutcome::Failed), [0; 0]);
        assert_eq!(schedule.finish(0, TaskOutcome::Failed), [1]);
        assert!(!schedule.is_done());
        schedule.finish(2, TaskOutcome::Succeeded);
        assert!(schedule.is_done());
    }

    fn any_tasks() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<bool>, Vec<usize>)> {
        (1..14_usize).prop_flat_map(|count| {
            let dependencies = (0..count)
                .map(|task| {
                    prop::collection::btree_set(0..task.max(1), 0..=task.min(4)).prop_map(move |set| {
                        set.into_iter().filter(|dependency| *dependency < task).collect::<Vec<_>>()
                    })
                })
                .collect::<Vec<_>>();
            (
                dependencies,
                prop::collection::vec(prop::bool::weighted(0.2), count),
                prop::collection::vec(0..100_usize, count),
            )
        })
    }

    proptest! {
        /// Several tasks at once, finished in any order, against what plain recursion says.
        #[test]
        fn agrees_with_the_oracle(
            (dependencies, fails, picks) in any_tasks(),
            jobs in 1..5_usize,
            expected in prop::collection::vec(0..9_u64, 14),
        ) {
            fn ancestor_fails(task: usize, dependencies: &[Vec<usize>], fails: &[bool]) -> bool {
                dependencies[task].iter().any(|up| fails[*up] || ancestor_fails(*up, dependencies, fails))
            }
            let mut schedule = Schedule::new(dependencies.clone(), &expected[..dependencies.len()]);
            let (mut running, mut done) = (Vec::new(), Vec::new());
            let mut pick = picks.into_iter().cycle();
            loop {
                while running.len() < jobs {
                    let Some(task) = schedule.next_ready() else { break };
                    prop_assert!(dependencies[task].iter().all(|up| done.contains(up) && !fails[*up]));
                    running.push(task);
                }
                if running.is_empty() { break }
                let task = running.swap_remove(pick.next().unwrap_or(0) % running.len());
                prop_assert!(!done.contains(&task), "settled twice");
                done.push(task);
                schedule.finish(task, if fails[task] { TaskOutcome::Failed } else { TaskOutcome::Succeeded });
            }
            prop_assert!(schedule.is_done());
            for task in 0..dependencies.len() {
                let blocked = ancestor_fails(task, &dependencies, &fails);
                prop_assert_eq!(matches!(schedule.state(task), TaskState::Blocked(_)), blocked);
                prop_assert_eq!(done.contains(&task), !blocked);
                if let TaskState::Blocked(causes) = schedule.state(task) {
                    prop_assert!(!causes.is_empty() && causes.iter().all(|cause| fails[*cause] && done.contains(cause)));
                }
            }
        }
    }
}
