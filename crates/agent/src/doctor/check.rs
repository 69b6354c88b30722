//! What one check came to.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It could not be looked at, or is of no concern here; `why` says so.
    Skipped,
    /// Something works less well than it could.
    Warn,
    /// Something does not work.
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What it is about, one word.
    pub(super) name: &'static str,
    pub(super) status: Status,
    /// What was found.
    pub(super) found: Option<String>,
    /// Why that is no good, or why nothing was looked at.
    pub(super) why: Option<String>,
    /// The command that mends it, or what to do where there is none.
    pub(super) fix: Option<String>,
}

/// Checks that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) checks: Vec<Check>,
}

impl Check {
    /// As it should be.
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        let found = Some(found.into());
        Self {
            name,
            status: Status::Ok,
            found,
            why: None,
            fix: None,
        }
    }

    /// Not looked at.
    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self {
            name,
            status: Status::Skipped,
            found: None,
            why: Some(why.into()),
            fix: None,
        }
    }

    /// Worse than it could be.
    pub(super) fn warn(
        name: &'static str,
        found: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (found, why, fix) = (Some(found.into()), Some(why.into()), Some(fix.into()));
        Self {
            name,
            status: Status::Warn,
            found,
            why,
            fix,
        }
    }

    /// It does not work.
    pub(super) fn fail(
        name: &'static str,
        found: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Fail,
            ..Self::warn(name, found, why, fix)
        }
    }
}
