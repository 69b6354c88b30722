//! An agent elsewhere: asked, lost, and found again.

use rustix::process::Signal;

use super::{agent, connected, frozen, started, terminal::Terminal};
use crate::support::AgentBuilder;

#[test]
fn a_lost_agent_is_told_and_found_again() {
    let simulator = frozen();
    let first = agent(simulator.library_path()).start();
    first.wait_until_ready();
    let address = first.address().to_string();
    let Some(terminal) = started(&connected(&format!("http://{address}")), 100, 30) else {
        return;
    };
    terminal.press(&["2"]);
    terminal.until("a GPU is there", |shown| shown.contains("GPU 0 of 8"));
    drop(first.end(Signal::TERM));
    // While the agent ends it may say something else first.
    let lost = terminal.until("it is lost, with the reason", |shown| {
        shown.contains("LOST for") && shown.contains("next try in") && shown.contains("nobody listens there")
    });
    // What was seen stays.
    assert!(lost.contains("GPU 0 of 8"), "{lost}");
    terminal.keep("lost");
    let second = agent(simulator.library_path()).bind(&address).start();
    second.wait_until_ready();
    terminal.until("it is found again", |shown| shown.contains("● live"));
}

#[test]
fn an_agent_that_is_not_there_yet_is_waited_for() {
    let simulator = frozen();
    let probe = agent(simulator.library_path()).start();
    let address = probe.address().to_string();
    drop(probe.end(Signal::TERM));
    let Some(terminal) = Terminal::open(100, 30) else {
        return;
    };
    terminal.run(&connected(&format!("http://{address}")));
    terminal.until("it says what is wrong", |shown| {
        shown.contains("The agent does not answer")
    });
    let late = agent(simulator.library_path()).bind(&address).start();
    late.wait_until_ready();
    terminal.until("the overview is live", |shown| shown.contains("8 GPUs 8 ok"));
}

#[test]
fn a_host_without_a_driver_says_so() {
    let Some(terminal) = Terminal::open(100, 30) else {
        return;
    };
    let agent = AgentBuilder::over(std::path::Path::new("/nonexistent/libnvidia-ml.so.1")).start();
    agent.wait_until_ready();
    terminal.run(&connected(&agent.url("")));
    terminal.until("it says so", |shown| shown.contains("NVML cannot be used"));
    terminal.until("it names the command that helps", |shown| {
        shown.contains("gpulse doctor")
    });
    terminal.keep("no-driver");
}

#[test]
fn without_a_terminal_it_names_the_command_that_needs_none() {
    let output = AgentBuilder::default().command("top").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("gpulse snapshot"), "{error}");
    assert!(output.stdout.is_empty());
}
