use std::collections::HashSet;
use std::io;

use runtime_testing_models::{DataFinding, FindingKind};

/// How many findings of one kind are told one by one.
const SHOWN: u64 = 5;

/// Findings alike: the first few, the first damage, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    shown: Vec<DataFinding>,
    /// The first that is damage and comes behind those.
    damage: Option<DataFinding>,
    count: u64,
}

impl Findings {
    /// Adds one that is no damage. The finding is made only if it is told.
    pub(crate) fn push(&mut self, finding: impl FnOnce() -> DataFinding) {
        self.count += 1;
        if self.count <= SHOWN {
            self.shown.push(finding());
        }
    }

    /// Adds one of any kind.
    pub(crate) fn add(&mut self, finding: DataFinding) {
        self.count += 1;
        if self.count <= SHOWN {
            self.shown.push(finding);
        } else if finding.kind == FindingKind::Damaged {
            self.damage.get_or_insert(finding);
        }
    }

    /// Adds those of a text that follows so many lines.
    pub(crate) fn append(&mut self, next: Self, lines: u64) {
        let count = self.count + next.count;
        for finding in next.shown.into_iter().chain(next.damage) {
            self.add(after_lines(finding, lines));
        }
        self.count = count;
    }

    /// The findings, the last of which counts those that are not told: `2 more rows with …`.
    pub(crate) fn into_list(self, more_of_them: &str) -> Vec<DataFinding> {
        let mut list = self.shown;
        list.extend(self.damage);
        let more = self.count - list.len() as u64;
        if more > 0 {
            list.push(unreadable(format!("{more} more {more_of_them}")));
        }
        list
    }
}

/// A file as a whole is something that others may be able to read.
pub(crate) fn unreadable(message: impl Into<String>) -> DataFinding {
    DataFinding::unreadable(message, None)
}

/// A line is something that others may be able to read.
pub(crate) fn unreadable_on(line: u64, message: impl Into<String>) -> DataFinding {
    DataFinding::unreadable(message, Some(line))
}

/// A file as a whole is broken, whoever reads it.
pub(crate) fn damaged(message: impl Into<String>) -> DataFinding {
    DataFinding::damaged(message, None)
}

/// A file is broken from a line on, whoever reads it.
pub(crate) fn damaged_on(line: u64, message: impl Into<String>) -> DataFinding {
    DataFinding::damaged(message, Some(line))
}

/// A finding on a text that follows so many lines.
pub(crate) fn after_lines(mut finding: DataFinding, lines: u64) -> DataFinding {
    finding.line = finding.line.map(|line| lines + line);
    finding
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

/// A finding for each name that more than one column has.
pub(crate) fn duplicate_names<'a>(
    names: impl Iterator<Item = &'a str>,
    finding: impl Fn(String) -> DataFinding,
) -> Vec<DataFinding> {
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    let mut findings = Findings::default();
    for name in names {
        if !seen.insert(name) && told.insert(name) {
            findings.push(|| finding(format!("duplicate column name `{name}`")));
        }
    }
    findings.into_list("duplicate column names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_are_told_and_the_rest_counted() {
        let mut findings = Findings::default();
        for line in 1..=7 {
            findings.push(|| unreadable_on(line, "bad"));
        }
        let list = findings.into_list("bad lines");
        assert_eq!(list.len(), 6);
        assert_eq!(list[4].to_string(), "line 5: bad");
        assert_eq!(list[5].to_string(), "2 more bad lines");
    }

    #[test]
    fn damage_is_told_however_many_there_are() {
        let told = |findings: Findings| {
            findings.into_list("bad lines").iter().map(DataFinding::to_string).collect::<Vec<_>>()
        };
        let mut findings = Findings::default();
        (1..=7).for_each(|line| findings.push(|| unreadable_on(line, "bad")));
        findings.add(damaged_on(8, "cut off"));
        findings.add(damaged_on(9, "cut off"));
        assert_eq!(told(findings)[4..], ["line 5: bad", "line 8: cut off", "3 more bad lines"]);
        let mut findings = Findings::default();
        (1..=5).for_each(|line| findings.push(|| unreadable_on(line, "bad")));
        let mut next = Findings::default();
        next.add(damaged_on(1, "cut off"));
        findings.append(next, 5);
        assert_eq!(told(findings)[4..], ["line 5: bad", "line 6: cut off"]);
    }

    #[test]
    fn those_of_a_later_text_follow() {
        let some = |count: u64| {
            let mut findings = Findings::default();
            (1..=count).for_each(|line| findings.push(|| unreadable_on(line, "bad")));
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
