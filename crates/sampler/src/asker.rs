//! Asks NVML one thing at a time and remembers what it will never answer.

use gpulse_models::{Failure, Reading, Reason, Timestamp, microseconds};
use nvml_wrapper::error::NvmlError;

use crate::{convert, port::CurrentCall};

/// Asks NVML one thing at a time, as long as the GPU is there.
pub(crate) struct Asker {
    call: CurrentCall,
    /// What this GPU answered at its first read that it does not have. It is not asked for again.
    refused: Vec<(&'static str, Reason)>,
    /// Whether this is the first read, in which refusals are believed for good.
    probing: bool,
    round: Round,
}

/// What one round of questions came to.
#[derive(Default)]
struct Round {
    values: usize,
    /// The first refusal that another round may not meet, and the driver's words.
    trouble: Option<(&'static str, Reason, String)>,
    lost: bool,
}

impl Asker {
    pub(crate) fn new(call: CurrentCall) -> Self {
        Self {
            call,
            refused: Vec::new(),
            probing: true,
            round: Round::default(),
        }
    }

    /// Asks one thing. `key` names the call, with its argument where it is called with several.
    pub(crate) fn ask<R, T>(
        &mut self,
        key: &'static str,
        question: impl FnOnce() -> Result<R, NvmlError>,
        convert: impl FnOnce(R) -> Result<T, Reason>,
    ) -> Reading<T> {
        if self.round.lost {
            return Reading::Unavailable(Reason::GpuLost);
        }
        if let Some((_, reason)) = self.refused.iter().find(|(refused, _)| *refused == key) {
            return Reading::Unavailable(*reason);
        }
        self.call.set(key);
        match question() {
            Ok(raw) => {
                self.round.values += 1;
                convert(raw).into()
            }
            Err(error) => self.refusal(key, &error),
        }
    }

    fn refusal<T>(&mut self, key: &'static str, error: &NvmlError) -> Reading<T> {
        let reason = convert::reason(error);
        if reason.is_permanent() {
            if self.probing {
                self.refused.push((key, reason));
            }
            return Reading::Unavailable(reason);
        }
        self.round.lost |= reason == Reason::GpuLost;
        if self.round.trouble.is_none() || self.round.lost {
            self.round.trouble = Some((key, convert::reason_of_return(error), error.to_string()));
        }
        Reading::Unavailable(reason)
    }

    /// Ends a round: a failure if the GPU is lost, or if trouble is all that it gave.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let round = std::mem::take(&mut self.round);
        match round.trouble {
            Some((call, reason, words)) if round.lost || round.values == 0 => {
                Err(failure(call, reason, &words))
            }
            _ => Ok(()),
        }
    }

    /// Ends the first read: from here on a refusal is taken for this time only.
    pub(crate) fn end_probe(&mut self) {
        self.probing = false;
    }
}

/// A failure of `call`, in the driver's words.
pub(crate) fn failure(call: &'static str, reason: Reason, words: &str) -> Failure {
    Failure {
        reason,
        call: call.into(),
        message: format!("{call}: {words}"),
        at: microseconds(Timestamp::now()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker() -> Asker {
        Asker::new(CurrentCall::new())
    }

    fn fails(asker: &mut Asker, key: &'static str, error: NvmlError) -> Reading<u32> {
        asker.ask(key, || Err::<u32, _>(error), Ok)
    }

    fn answers(asker: &mut Asker, key: &'static str) -> Reading<u32> {
        asker.ask(key, || Ok(1), Ok)
    }

    #[test]
    fn what_was_refused_at_the_first_read_is_not_asked_again() {
        let mut asker = asker();
        fails(&mut asker, "a", NvmlError::NotSupported);
        answers(&mut asker, "b");
        asker.finish().unwrap();
        asker.end_probe();
        let again = asker.ask("a", || panic!("asked again"), |raw: u32| Ok(raw));
        assert_eq!(again, Reading::Unavailable(Reason::NotSupported));
    }

    #[test]
    fn a_refusal_after_the_first_read_is_asked_again() {
        let mut asker = asker();
        answers(&mut asker, "a");
        asker.finish().unwrap();
        asker.end_probe();
        fails(&mut asker, "a", NvmlError::NotSupported);
        asker.finish().unwrap();
        assert_eq!(answers(&mut asker, "a"), Reading::Value(1));
    }

    #[test]
    fn one_failed_question_does_not_fail_the_round() {
        let mut asker = asker();
        fails(&mut asker, "a", NvmlError::Unknown);
        answers(&mut asker, "b");
        assert!(asker.finish().is_ok());
    }

    #[test]
    fn a_round_of_nothing_but_trouble_fails_with_the_first() {
        let mut asker = asker();
        fails(&mut asker, "a", NvmlError::Unknown);
        fails(&mut asker, "b", NvmlError::InvalidArg);
        let failure = asker.finish().unwrap_err();
        assert_eq!((failure.call.as_ref(), failure.reason), ("a", Reason::Error));
    }

    #[test]
    fn a_lost_gpu_fails_the_round_and_is_asked_nothing_more() {
        let mut asker = asker();
        answers(&mut asker, "a");
        fails(&mut asker, "b", NvmlError::GpuLost);
        let after = asker.ask("c", || panic!("asked a lost GPU"), |raw: u32| Ok(raw));
        assert_eq!(after, Reading::Unavailable(Reason::GpuLost));
        assert_eq!(asker.finish().unwrap_err().reason, Reason::GpuLost);
        assert_eq!(answers(&mut asker, "a"), Reading::Value(1));
    }

    #[test]
    fn a_gpu_that_has_nothing_at_all_is_no_failure() {
        let mut asker = asker();
        fails(&mut asker, "a", NvmlError::NotSupported);
        assert!(asker.finish().is_ok());
    }
}
