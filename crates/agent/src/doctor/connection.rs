//! Whether the agent that is to be asked answers: what an agent elsewhere does not say nobody here can look at.

use super::{check::Check, probe::Answers};
use crate::client::ClientError;

const NAME: &str = "connection";

/// Why no agent says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silence {
    /// For the checks that it would have answered.
    pub(super) why: String,
    /// What to do about it; nothing where another check says so.
    pub(super) fix: Option<String>,
}

impl Silence {
    /// The configuration keeps an agent of this command's own from starting, of which `configuration` tells.
    pub(super) fn of_configuration() -> Self {
        Self {
            why: "the configuration cannot be used, so that no agent can look".to_owned(),
            fix: None,
        }
    }

    /// The agent at `connect`, or one of this command's own, could not be asked.
    pub(super) fn of_error(connect: Option<&str>, error: &anyhow::Error) -> Self {
        let fix = match (connect, error.downcast_ref::<ClientError>()) {
            (None, _) => "gpulse serve --log-level debug says how far an agent gets here".to_owned(),
            (Some(url), Some(ClientError::Forbidden { .. })) => {
                format!("gpulse doctor --connect {url} --token-file FILE, with a token that may read")
            }
            (Some(_), Some(ClientError::NoAgent { .. })) => {
                "name the address where an agent serves: --connect http://HOST:8003".to_owned()
            }
            (Some(url), _) if url.starts_with("unix:") => {
                "start the agent (sudo systemctl start gpulse), or name the socket of its http.unix_socket"
                    .to_owned()
            }
            (Some(_), _) => "look whether the address is right; on that machine `systemctl status gpulse` says whether the agent runs, \
                             and `gpulse config` where it serves: other machines reach it only where `bind` says so"
                .to_owned(),
        };
        Self {
            why: format!("no agent could be asked: {error:#}"),
            fix: Some(fix),
        }
    }
}

/// What became of asking. An agent of this command's own that answers is no news.
pub(super) fn check(connect: Option<&str>, asked: &Result<Answers, Silence>) -> Option<Check> {
    match (connect, asked) {
        (None, Ok(_)) => None,
        (Some(url), Ok(answers)) => {
            let about = &answers.host["agent"];
            let id = about["id"].as_str().unwrap_or("of unknown name");
            Some(Check::ok(NAME, format!("{url}, the agent {id}")))
        }
        (connect, Err(silence)) => {
            let place = connect.unwrap_or("an agent of this command's own");
            let what = "what only an agent can tell was not looked at";
            let fix = silence.fix.as_ref()?;
            Some(Check::fail(NAME, place, format!("{}; {what}", silence.why), fix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Status;

    #[test]
    fn an_agent_that_is_silent_is_wrong_and_each_cause_has_its_fix() {
        let place = || "http://a:1".to_owned();
        let problem = || "it is so".to_owned();
        for (url, error, fix) in [
            (
                "http://a:1",
                ClientError::Connection {
                    place: place(),
                    problem: problem(),
                },
                "systemctl status gpulse",
            ),
            (
                "unix:/run/x",
                ClientError::Connection {
                    place: place(),
                    problem: problem(),
                },
                "http.unix_socket",
            ),
            (
                "http://a:1",
                ClientError::Forbidden {
                    place: place(),
                    problem: problem(),
                },
                "--token-file",
            ),
            (
                "http://a:1",
                ClientError::NoAgent {
                    place: place(),
                    path: String::new(),
                    problem: problem(),
                },
                "--connect http://HOST:8003",
            ),
        ] {
            let silence = Silence::of_error(Some(url), &error.into());
            let check = check(Some(url), &Err(silence)).unwrap();
            assert_eq!(check.status, Status::Fail, "{check:?}");
            assert!(
                check.fix.as_ref().is_some_and(|said| said.contains(fix)),
                "{check:?}"
            );
            assert!(
                check.why.as_ref().is_some_and(|said| said.contains("it is so")),
                "{check:?}"
            );
        }
    }

    #[test]
    fn a_configuration_that_is_wrong_is_told_elsewhere() {
        assert_eq!(check(None, &Err(Silence::of_configuration())), None);
    }
}
