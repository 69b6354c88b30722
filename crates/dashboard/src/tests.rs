//! The files fit together, nothing is inline, no data becomes markup, and the policy allows nothing unsafe.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that goes wrong"
)]
mod words;

use std::collections::BTreeSet;

use super::{Asset, Links, Page, asset, is_source, paths};

fn text(asset: Asset) -> String {
    String::from_utf8(asset.bytes.into_owned()).unwrap()
}

/// What stands between `before` and the next quote, each time.
fn quoted<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

/// The path that a module names, seen from the module at `from`.
fn resolved(from: &str, named: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in named.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn whatever_a_file_names_is_there_and_whatever_is_there_is_named() {
    let html = Page::new(&Links::default()).html;
    let mut named: BTreeSet<String> = quoted(&html, "=\"ui/")
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    for path in paths().filter(|path| path.ends_with(".js") && !path.starts_with("lib/")) {
        let script = text(asset(&path).unwrap());
        for import in quoted(&script, " from \"") {
            named.insert(resolved(&path, import));
        }
    }
    for path in &named {
        assert!(asset(path).is_some(), "{path} is named and not there");
    }
    let there: BTreeSet<String> = paths()
        .filter(|path| !path.ends_with(".txt"))
        .map(|path| path.into_owned())
        .collect();
    assert_eq!(there, named);
}

#[test]
fn all_modules_are_announced_so_that_they_load_at_once() {
    let html = Page::new(&Links::default()).html;
    for path in paths().filter(|path| path.ends_with(".js") && !path.starts_with("lib/") && path != "main.js")
    {
        let link = format!("<link rel=\"modulepreload\" href=\"ui/{path}\">");
        assert!(html.contains(&link), "{path} is not announced");
    }
}

#[test]
fn nothing_of_the_page_lies_elsewhere_or_is_inline() {
    let html = Page::new(&Links::default()).html;
    for forbidden in ["//", "<style", " style=", " onclick", "javascript:"] {
        assert!(!html.contains(forbidden), "{forbidden} in the page");
    }
    assert_eq!(
        html.matches("<script").count(),
        html.matches("<script src=\"ui/").count() + html.matches("<script type=\"module\" src=\"ui/").count()
    );
}

#[test]
fn no_data_becomes_markup() {
    for path in paths().filter(|path| path.ends_with(".js") && !path.starts_with("lib/")) {
        let script = text(asset(&path).unwrap());
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setAttribute(\"style\"",
        ] {
            assert!(!script.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn the_policy_names_every_directive_and_allows_nothing_unsafe() {
    let policy = Page::new(&Links::default()).policy;
    let directives: Vec<&str> = policy.split("; ").collect();
    assert_eq!(
        directives,
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    );
    assert!(!policy.contains("unsafe"));
}

#[test]
fn other_agents_are_in_the_policy_and_in_the_page() {
    let page = Page::new(&Links {
        agents: vec!["https://gpu-2.example:8003".to_owned()],
        allowed: vec!["https://*.example:8003".to_owned()],
        prometheus: Some("https://prometheus.example".to_owned()),
    });
    assert!(
        page.policy.contains(
            "connect-src 'self' https://gpu-2.example:8003 https://*.example:8003 https://prometheus.example;"
        ),
        "{}",
        page.policy
    );
    for meta in [
        "<meta name=\"gpulse-agent\" content=\"https://gpu-2.example:8003\">",
        "<meta name=\"gpulse-allowed\" content=\"https://*.example:8003\">",
        "<meta name=\"gpulse-prometheus\" content=\"https://prometheus.example\">",
    ] {
        assert!(page.html.contains(meta), "{meta}");
    }
}

#[test]
fn no_setting_can_widen_the_policy_or_the_page() {
    let hostile = "https://a; script-src *";
    assert!(!is_source(hostile));
    let page = Page::new(&Links {
        agents: vec![hostile.to_owned(), "https://\"><script>".to_owned()],
        ..Links::default()
    });
    assert!(page.policy.contains("connect-src 'self';"), "{}", page.policy);
    assert!(!page.html.contains("\"><script>\""), "{}", page.html);
    for fine in [
        "https://a",
        "http://10.0.0.1:8003",
        "https://[::1]:8003",
        "https://*.a-b.example",
    ] {
        assert!(is_source(fine), "{fine}");
    }
    for wrong in [
        "",
        "https://",
        "*",
        "data:",
        "https://a/b",
        "https://a b",
        "'unsafe-inline'",
    ] {
        assert!(!is_source(wrong), "{wrong}");
    }
}

#[test]
fn a_tag_names_the_content() {
    let one = asset("main.js").unwrap();
    let other = asset("core/dom.js").unwrap();
    assert_eq!(one.etag.len(), 32);
    assert_ne!(one.etag, other.etag);
    assert_eq!(asset("main.js").unwrap(), one);
}

#[test]
fn what_is_no_file_of_the_dashboard_is_not_found() {
    for path in [
        "",
        "index.html",
        "../Cargo.toml",
        "core",
        "core/",
        "main",
        "/main.js",
        "core/../main.js",
    ] {
        assert!(asset(path).is_none(), "{path}");
    }
}
