//! The page, and the policy that it is served under.

use crate::{Files, PAGE};

/// Where the page's own settings go.
const SETTINGS: &str = "<!-- settings -->";

/// What the page may ask beside the agent that serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Origins of other agents that the fleet view lists.
    pub agents: Vec<String>,
    /// Sources that agents which a user adds may have, as a Content-Security-Policy writes them: `https://*.example:8003`.
    pub allowed: Vec<String>,
    /// Origin of a Prometheus that the fleet view may ask.
    pub prometheus: Option<String>,
}

/// The page as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The document.
    pub html: String,
    /// The value of its `content-security-policy`.
    pub policy: String,
}

impl Page {
    /// The page that may ask these.
    pub fn new(links: &Links) -> Self {
        let template = Files::get(PAGE).map(|file| file.data).unwrap_or_default();
        let template = String::from_utf8_lossy(&template);
        Self {
            html: template.replacen(SETTINGS, &settings(links), 1),
            policy: policy(links),
        }
    }
}

/// Elements that the script reads: a policy without inline scripts leaves no other place in a page.
fn settings(links: &Links) -> String {
    let agents = links.agents.iter().map(|agent| meta("gpulse-agent", agent));
    let allowed = links.allowed.iter().map(|source| meta("gpulse-allowed", source));
    let prometheus = links
        .prometheus
        .iter()
        .map(|origin| meta("gpulse-prometheus", origin));
    let all: Vec<_> = agents.chain(allowed).chain(prometheus).collect();
    all.join("\n  ")
}

fn meta(name: &str, content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    for letter in content.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            letter => escaped.push(letter),
        }
    }
    format!("<meta name=\"{name}\" content=\"{escaped}\">")
}

/// Scripts, styles and data from the agent itself and nowhere else; data also from those that the configuration names.
fn policy(links: &Links) -> String {
    let mut connect = String::from("'self'");
    let others = links.agents.iter().chain(&links.allowed).chain(&links.prometheus);
    // A source with a separator in it would be a directive of its own; the configuration refuses it before.
    for source in others.filter(|source| is_source(source)) {
        connect.push(' ');
        connect.push_str(source);
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src {connect}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Whether `text` can stand in a policy as one source and nothing else: an origin, or one with wildcards.
pub fn is_source(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:*[]_".contains(&byte))
    })
}
