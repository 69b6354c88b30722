//! The screens of `gpulse top` over an agent of three lines, with a fault: they panic, so that tests see the terminal after it.

use std::{process::ExitCode, time::Duration};

use gpulse_terminal::{Colors, Options, Signaller, Source, Target, run};
use serde_json::{Value, json};

/// Panics at the third look where the thread that asks is to panic.
struct Agent {
    looks: u32,
    panics: bool,
}

impl Source for Agent {
    fn get(&mut self, path: &str) -> Result<Value, String> {
        match path.split('?').next() {
            Some("/api/v1/host") => {
                self.looks += 1;
                assert!(!self.panics || self.looks < 3, "on purpose");
                Ok(json!({"driver": {"status": "ready"}}))
            }
            Some("/api/v1/gpus") => {
                Ok(json!({"generation": self.looks, "gpus": [{"index": 0, "state": "ok"}]}))
            }
            Some("/api/v1/processes") => Ok(json!({"processes": [{"pid": 1, "gpu_index": 0}]})),
            Some("/api/v1/events") => Ok(json!({"events": []})),
            _ => Err("there is no such route".to_owned()),
        }
    }
}

/// Panics in the thread that draws.
struct Faulty;

impl Signaller for Faulty {
    fn hold(&mut self, _: &Target) -> Result<(), String> {
        panic!("on purpose")
    }

    fn send(&mut self, _: bool) -> Result<(), String> {
        Ok(())
    }
}

fn main() -> ExitCode {
    let agent = Agent {
        looks: 0,
        panics: std::env::args().any(|argument| argument == "asking"),
    };
    let options = Options {
        place: "a faulty agent".to_owned(),
        interval: Duration::from_secs(1),
        colors: Colors::True,
        ascii: false,
        mouse: true,
        local: false,
        signaller: Ok(Box::new(Faulty)),
    };
    match run(Box::new(agent), options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("terminal-panics: {error}");
            ExitCode::FAILURE
        }
    }
}
