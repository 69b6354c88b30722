//! What is the matter with GPUs that are not `ok`, in a line for each.

use serde_json::Value;

use super::text::visible;

/// What has to be asked for of each GPU.
pub(crate) const FIELDS: [&str; 3] = ["state", "state_since", "last_error"];

/// What is the matter with a GPU; nothing if it is `ok`.
pub(crate) fn trouble(gpu: &Value) -> Option<String> {
    let text = |value: &Value| visible(value.as_str().unwrap_or_default()).into_owned();
    let state = gpu["state"].as_str().filter(|state| *state != "ok")?;
    let mut line = format!("! GPU {} is {}", gpu["index"], visible(state));
    if let Some(since) = gpu["state_since"].as_str() {
        line += &format!(" since {}", visible(since));
    }
    let error = &gpu["last_error"];
    if error.is_object() {
        let (call, message) = (text(&error["call"]), text(&error["message"]));
        // Some messages begin with the call themselves.
        line += &match message.starts_with(&call) {
            true => format!(": {message}"),
            false => format!(": {call}: {message}"),
        };
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_named_once() {
        let hung = json!({ "index": 2, "state": "hung",
            "last_error": { "call": "nvmlDeviceGetName", "message": "nvmlDeviceGetName has not returned for 2s" } });
        assert_eq!(
            trouble(&hung).unwrap(),
            "! GPU 2 is hung: nvmlDeviceGetName has not returned for 2s"
        );
        assert_eq!(trouble(&json!({ "index": 2, "state": "ok" })), None);
    }
}
