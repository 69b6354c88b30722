//! Asks NVML one thing at a time and remembers what it will never answer.

use std::collections::{HashMap, HashSet};

use gpulse_models::{Failure, Reading, Reason, Timestamp, microseconds};
use nvml_wrapper::error::NvmlError;

use crate::{convert, counted::Outcome, port::CurrentCall};

/// What is asked: the call, with its argument where it is called with several, and the link, fan or instance concerned.
pub(crate) type Question = (&'static str, u32);

/// The item of a question that concerns the GPU as a whole.
pub(crate) const WHOLE: u32 = u32::MAX;

/// Asks NVML one thing at a time, as long as the GPU is there.
pub(crate) struct Asker {
    call: CurrentCall,
    /// What this GPU answered that it does not have, before it ever answered otherwise. It is not asked for again.
    refused: HashMap<Question, Reason>,
    /// What it answered before: a refusal is taken for this time only.
    answered: HashSet<Question>,
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
            refused: HashMap::new(),
            answered: HashSet::new(),
            round: Round::default(),
        }
    }

    /// Asks one thing about the GPU as a whole. `key` names the call, with its argument where it is called with several.
    pub(crate) fn ask<R, T>(
        &mut self,
        key: &'static str,
        question: impl FnOnce() -> Result<R, NvmlError>,
        convert: impl FnOnce(R) -> Result<T, Reason>,
    ) -> Reading<T> {
        self.ask_of(key, WHOLE, question, convert)
    }

    /// Asks one thing that is not about the GPU: an answer says nothing of how the GPU is doing.
    pub(crate) fn ask_host<R, T>(
        &mut self,
        key: &'static str,
        question: impl FnOnce() -> Result<R, NvmlError>,
        convert: impl FnOnce(R) -> Result<T, Reason>,
    ) -> Reading<T> {
        let (values, trouble, lost) = (self.round.values, self.round.trouble.take(), self.round.lost);
        let reading = self.ask(key, question, convert);
        self.round = Round {
            values,
            trouble,
            lost,
        };
        reading
    }

    /// Asks one thing about one link, fan or instance.
    pub(crate) fn ask_of<R, T>(
        &mut self,
        key: &'static str,
        item: u32,
        question: impl FnOnce() -> Result<R, NvmlError>,
        convert: impl FnOnce(R) -> Result<T, Reason>,
    ) -> Reading<T> {
        if let Some(reason) = self.forbidden((key, item)) {
            return Reading::Unavailable(reason);
        }
        let answer = self.call.during(key, question);
        self.judge((key, item), answer, convert)
    }

    /// Why something is not asked; nothing if it may be.
    pub(crate) fn forbidden(&self, question: Question) -> Option<Reason> {
        if self.round.lost {
            return Some(Reason::GpuLost);
        }
        if self.call.is_abandoned() {
            return Some(Reason::Timeout);
        }
        self.refused.get(&question).copied()
    }

    /// Makes a call that several questions go with, or that needs a look at its answer. Each is then to be judged.
    pub(crate) fn make<T: Outcome>(&self, call: &'static str, make: impl FnOnce() -> T) -> T {
        self.call.during(call, make)
    }

    /// Makes a reading of an answer, and remembers what it says of the GPU.
    pub(crate) fn judge<R, T>(
        &mut self,
        question: Question,
        answer: Result<R, NvmlError>,
        convert: impl FnOnce(R) -> Result<T, Reason>,
    ) -> Reading<T> {
        match answer {
            Ok(raw) => {
                self.round.values += 1;
                self.answered.insert(question);
                convert(raw).into()
            }
            Err(error) => self.refusal(question, &error),
        }
    }

    fn refusal<T>(&mut self, question: Question, error: &NvmlError) -> Reading<T> {
        let reason = convert::reason(error);
        if reason.is_permanent() {
            if !self.answered.contains(&question) {
                self.refused.insert(question, reason);
            }
            return Reading::Unavailable(reason);
        }
        self.round.lost |= reason == Reason::GpuLost;
        if self.round.trouble.is_none() || self.round.lost {
            self.round.trouble = Some((question.0, convert::reason_of_return(error), error.to_string()));
        }
        Reading::Unavailable(reason)
    }

    /// Asks for everything again: the GPU is not what it was, for instance because MIG was switched on or off.
    pub(crate) fn forget(&mut self) {
        self.refused.clear();
        self.answered.clear();
    }

    /// Whether another reader has taken the place of this one.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.call.is_abandoned()
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
    use std::sync::Arc;

    use super::*;

    fn asker() -> Asker {
        Asker::new(CurrentCall::new(Arc::default()))
    }

    fn fails(asker: &mut Asker, key: &'static str, error: NvmlError) -> Reading<u32> {
        asker.ask(key, || Err::<u32, _>(error), Ok)
    }

    fn answers(asker: &mut Asker, key: &'static str) -> Reading<u32> {
        asker.ask(key, || Ok(1), Ok)
    }

    #[test]
    fn what_was_refused_from_the_first_is_not_asked_again() {
        let mut asker = asker();
        fails(&mut asker, "a", NvmlError::NotSupported);
        answers(&mut asker, "b");
        asker.finish().unwrap();
        let again = asker.ask("a", || panic!("asked again"), |raw: u32| Ok(raw));
        assert_eq!(again, Reading::Unavailable(Reason::NotSupported));
        asker.forget();
        assert_eq!(answers(&mut asker, "a"), Reading::Value(1));
    }

    #[test]
    fn what_one_link_does_not_have_another_may() {
        let mut asker = asker();
        let mut of = |link, answer: Result<u32, NvmlError>| asker.ask_of("a", link, || answer, Ok);
        assert_eq!(
            of(0, Err(NvmlError::NotSupported)),
            Reading::Unavailable(Reason::NotSupported)
        );
        assert_eq!(of(1, Ok(5)), Reading::Value(5));
        assert_eq!(of(0, Ok(5)), Reading::Unavailable(Reason::NotSupported));
    }

    #[test]
    fn an_abandoned_reader_asks_nothing() {
        let call = CurrentCall::new(Arc::default());
        let mut asker = Asker::new(call.clone());
        call.abandon();
        let reading = asker.ask("a", || panic!("asked"), |raw: u32| Ok(raw));
        assert_eq!(reading, Reading::Unavailable(Reason::Timeout));
    }

    #[test]
    fn a_refusal_of_what_was_answered_before_is_asked_again() {
        let mut asker = asker();
        answers(&mut asker, "a");
        asker.finish().unwrap();
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
    fn what_the_host_answers_says_nothing_of_the_gpu() {
        let mut asker = asker();
        fails(&mut asker, "a", NvmlError::Unknown);
        assert_eq!(asker.ask_host("system", || Ok(1), Ok), Reading::Value(1));
        assert_eq!(asker.finish().unwrap_err().call.as_ref(), "a");
        answers(&mut asker, "a");
        asker.ask_host("system", || Err::<u32, _>(NvmlError::Unknown), Ok);
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
