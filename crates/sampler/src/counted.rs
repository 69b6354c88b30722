//! Counts a call of the driver where it is made: how long it took, and what of its outcome is an error.

use gpulse_aggregator::Calls;
use gpulse_models::Reason;
use nvml_wrapper::error::{NvmlError, NvmlErrorWithSource};

use crate::convert;

/// What a call came to.
pub(crate) trait Outcome {
    /// The error that it is counted as.
    fn error(&self) -> Option<Reason>;
}

/// Makes a call that goes by this name, and counts it.
pub(crate) fn counted<T: Outcome>(calls: &Calls, name: &'static str, make: impl FnOnce() -> T) -> T {
    let under_way = calls.begin(name);
    let outcome = make();
    under_way.finish(outcome.error());
    outcome
}

impl<T> Outcome for Result<T, NvmlError> {
    fn error(&self) -> Option<Reason> {
        self.as_ref().err().map(convert::reason)
    }
}

impl<T> Outcome for Result<T, NvmlErrorWithSource> {
    fn error(&self) -> Option<Reason> {
        self.as_ref().err().map(|error| convert::reason(&error.error))
    }
}

/// Several answers of one call, which failed if it brought nothing but errors.
impl<T> Outcome for Vec<Result<T, NvmlError>> {
    fn error(&self) -> Option<Reason> {
        let all_failed = self.iter().all(Result::is_err);
        self.first().filter(|_| all_failed).and_then(Outcome::error)
    }
}

/// A call that cannot fail.
impl Outcome for () {
    fn error(&self) -> Option<Reason> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_of_several_is_enough() {
        let failed = || Err(NvmlError::NoPermission);
        let error = |answers: Vec<Result<u32, NvmlError>>| answers.error();
        assert_eq!(error(vec![failed(), Ok(1)]), None);
        assert_eq!(
            error(vec![failed(), Err(NvmlError::Unknown)]),
            Some(Reason::NoPermission)
        );
        assert_eq!(error(vec![]), None);
    }
}
