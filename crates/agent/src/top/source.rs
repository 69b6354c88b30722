//! The client as the screens want it: a body, or a sentence that says why there is none.

use gpulse_terminal::Source;
use serde_json::Value;

use crate::client::Client;

/// The agent that a client asks.
pub(super) struct AskedAgent(pub(super) Client);

impl Source for AskedAgent {
    fn get(&mut self, path: &str) -> Result<Value, String> {
        let answer = self.0.get(path).map_err(|error| error.to_string())?;
        match answer.status {
            200 => Ok(answer.json),
            status => Err(refusal(self.0.place(), status, &answer.json)),
        }
    }
}

/// What a body that is no success says.
fn refusal(place: &str, status: u16, body: &Value) -> String {
    let detail = &body["detail"];
    let said = detail.as_str().or_else(|| detail[0]["msg"].as_str());
    match said {
        Some(said) => format!("{place}: {said}"),
        None => format!("{place} answers {status}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::refusal;

    #[test]
    fn a_refusal_is_told_in_its_own_words() {
        let said = |body| refusal("http://a:1", 422, &body);
        assert_eq!(said(json!({"detail": "no such GPU"})), "http://a:1: no such GPU");
        assert_eq!(
            said(json!({"detail": [{"msg": "no such field"}]})),
            "http://a:1: no such field"
        );
        assert_eq!(said(json!([])), "http://a:1 answers 422");
    }
}
