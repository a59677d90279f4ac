use std::io;

use runtime_testing_models::DataFinding;

/// How many findings of one kind are told one by one.
const SHOWN: u64 = 5;

/// Findings of one kind: the first few, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    shown: Vec<DataFinding>,
    count: u64,
}

impl Findings {
    /// Adds one. The finding is made only if it is told.
    pub(crate) fn push(&mut self, finding: impl FnOnce() -> DataFinding) {
        self.count += 1;
        if self.count <= SHOWN {
            self.shown.push(finding());
        }
    }

    /// Adds those of a text that follows so many lines.
    pub(crate) fn append(&mut self, next: Self, lines: u64) {
        let room = SHOWN.saturating_sub(self.count) as usize;
        self.count += next.count;
        let later =
            |finding: DataFinding| DataFinding { line: finding.line.map(|line| lines + line), ..finding };
        self.shown.extend(next.shown.into_iter().take(room).map(later));
    }

    /// The findings, the last of which counts those that are not told: `2 more rows with …`.
    pub(crate) fn into_list(self, more_of_them: &str) -> Vec<DataFinding> {
        let mut list = self.shown;
        if self.count > SHOWN {
            list.push(finding(format!("{} more {more_of_them}", self.count - SHOWN)));
        }
        list
    }
}

/// A finding about a file as a whole.
pub(crate) fn finding(message: impl Into<String>) -> DataFinding {
    DataFinding::unreadable(message, None)
}

/// A finding on a line.
pub(crate) fn finding_on(line: u64, message: impl Into<String>) -> DataFinding {
    DataFinding::unreadable(message, Some(line))
}

/// Why a reader stops before the end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The file cannot be read.
    Io(io::Error),
    /// What was read cannot be understood.
    Bad(DataFinding),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Stop {
    /// The finding; an error of the operating system is none.
    pub(crate) fn into_finding(self) -> io::Result<DataFinding> {
        match self {
            Self::Io(error) => Err(error),
            Self::Bad(finding) => Ok(finding),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_are_told_and_the_rest_counted() {
        let mut findings = Findings::default();
        for line in 1..=7 {
            findings.push(|| finding_on(line, "bad"));
        }
        let list = findings.into_list("bad lines");
        assert_eq!(list.len(), 6);
        assert_eq!(list[4].to_string(), "line 5: bad");
        assert_eq!(list[5].to_string(), "2 more bad lines");
    }

    #[test]
    fn those_of_a_later_text_follow() {
        let some = |count: u64| {
            let mut findings = Findings::default();
            (1..=count).for_each(|line| findings.push(|| finding_on(line, "bad")));
            findings
        };
        let mut findings = some(3);
        findings.append(some(7), 10);
        findings.append(some(1), 20);
        let list: Vec<String> = findings.into_list("bad lines").iter().map(DataFinding::to_string).collect();
        let told = ["line 1: bad", "line 2: bad", "line 3: bad", "line 11: bad", "line 12: bad"];
        assert_eq!(list[..5], told);
        assert_eq!(list[5], "6 more bad lines");
    }
}
