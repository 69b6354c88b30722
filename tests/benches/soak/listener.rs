//! One who listens to the stream: it reads, is away for a while and reads on, or does not read what it asked for.

use std::{
    io::{self, BufRead as _, BufReader},
    sync::atomic::Ordering,
    thread,
    time::Duration,
};

use super::{TICK, chance::Chance, invariants::Invariants, load::Load, support::Agent};

/// Time in which the agent has to begin its answer.
const SILENCE: Duration = Duration::from_secs(20);

/// What is asked of the stream.
const WISHES: [&str; 3] = ["", "?interval=300ms&fields=load,power", "?gpu=1,2"];

/// Listens for as long as `load` goes on. What is not as it has to be, first of all that nothing comes.
pub(crate) fn listen(agent: &Agent, token: &str, mut chance: Chance, load: &Load) -> Vec<String> {
    let (mut invariants, mut last) = (Invariants::default(), String::new());
    while load.goes_on() {
        let wish = WISHES[chance.below(WISHES.len())];
        let frames = 1 + chance.below(50);
        let pause = Duration::from_millis(if chance.below(3) == 0 { 3_000 } else { 0 });
        let visit = || -> io::Result<Result<(), String>> {
            let mut stream = connect(agent, token, wish, &last)?;
            thread::sleep(pause);
            for _ in 0..frames {
                if load.rests() {
                    return Ok(Ok(()));
                }
                let mut data = String::new();
                loop {
                    let mut line = String::new();
                    if stream.read_line(&mut line)? == 0 {
                        return Ok(Err(format!("stream{wish}: closed by the agent")));
                    }
                    match line.trim_end() {
                        "" if !data.is_empty() => break,
                        line => {
                            if let Some(id) = line.strip_prefix("id: ") {
                                id.clone_into(&mut last);
                            } else if let Some(text) = line.strip_prefix("data: ") {
                                text.clone_into(&mut data);
                            }
                        }
                    }
                }
                load.frames.fetch_add(1, Ordering::Relaxed);
                let looked = match serde_json::from_str(&data) {
                    Ok(body) => invariants.look("/api/v1/stream", &body),
                    Err(error) => Err(format!("stream{wish}: {error} in {data:.80}")),
                };
                if looked.is_err() {
                    return Ok(looked);
                }
            }
            Ok(Ok(()))
        }();
        match visit {
            Ok(Ok(())) => {}
            Ok(Err(wrong)) => return vec![wrong],
            // While the driver is away, or has fewer GPUs, those that are asked for are not there.
            Err(error) if is_not_found(&error) => thread::sleep(TICK),
            Err(error) => return vec![format!("stream{wish}: {error}")],
        }
    }
    Vec::new()
}

fn is_not_found(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(ureq::Error::StatusCode(404)))
}

/// The lines of the stream.
fn connect(agent: &Agent, token: &str, wish: &str, last: &str) -> io::Result<impl io::BufRead + use<>> {
    let client: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .build()
        .into();
    let mut request = client
        .get(agent.url(&format!("/api/v1/stream{wish}")))
        .header("authorization", format!("Bearer {token}"));
    if !last.is_empty() {
        request = request.header("last-event-id", last);
    }
    let answer = request.call().map_err(io::Error::other)?;
    Ok(BufReader::new(answer.into_body().into_reader()))
}
