//! The query of a request: each parameter known, and there once.

use std::time::Duration;

use actix_web::{HttpRequest, web::Query};

use super::selection::{Selection, Word};
use crate::problem::Mistake;

/// The parameters of a query, if they are all among `known`.
///
/// # Errors
///
/// If the query cannot be read, or a parameter is not known or stands there twice.
pub(crate) fn pairs(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Mistake> {
    pairs_with(query, known, &[])
}

/// The same, where some parameters may stand there several times.
///
/// # Errors
///
/// As [`pairs`].
pub(crate) fn pairs_with(
    query: &str,
    known: &[&str],
    several: &[&str],
) -> Result<Vec<(String, String)>, Mistake> {
    let pairs = parsed(query)?;
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(Mistake {
            kind: "extra_forbidden",
            parameter: "query",
            message: format!("there is no such parameter; there {}", listed(known)),
            input: name.clone(),
        });
    }
    single(&pairs, several)?;
    Ok(pairs)
}

/// The parameters of a query that are among `known`; others are passed over.
///
/// # Errors
///
/// If one of them stands there twice. What cannot be read at all has none of them.
pub(crate) fn pairs_among(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Mistake> {
    let mut pairs = parsed(query).unwrap_or_default();
    pairs.retain(|(name, _)| known.contains(&name.as_str()));
    single(&pairs, &[])?;
    Ok(pairs)
}

fn parsed(query: &str) -> Result<Vec<(String, String)>, Mistake> {
    let pairs = Query::<Vec<(String, String)>>::from_query(query).map_err(|error| Mistake {
        kind: "query_parsing",
        parameter: "query",
        message: format!("the query cannot be read: {error}"),
        input: query.to_owned(),
    })?;
    Ok(pairs.into_inner())
}

/// That each parameter stands there once, but for those of which there may be `several`.
fn single(pairs: &[(String, String)], several: &[&str]) -> Result<(), Mistake> {
    for (place, (name, value)) in pairs.iter().enumerate() {
        let is_there = pairs[..place].iter().any(|(earlier, _)| earlier == name);
        if is_there && !several.contains(&name.as_str()) {
            return Err(Mistake {
                kind: "duplicate",
                parameter: "query",
                message: format!("`{name}` stands there twice"),
                input: value.clone(),
            });
        }
    }
    Ok(())
}

/// A whole number between `least` and `most`, of digits only.
///
/// # Errors
///
/// If it is none.
pub(crate) fn number(parameter: &'static str, text: &str, least: u64, most: u64) -> Result<u64, Mistake> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| digits && (least..=most).contains(number));
    number.ok_or_else(|| Mistake {
        kind: "int_parsing",
        parameter,
        message: format!("`{parameter}` is to be a whole number from {least} to {most}"),
        input: text.to_owned(),
    })
}

/// A time of at most `longest`, such as `250ms`.
///
/// # Errors
///
/// If it is none, or is longer.
pub(crate) fn duration(parameter: &'static str, text: &str, longest: Duration) -> Result<Duration, Mistake> {
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| *time <= longest).ok_or_else(|| Mistake {
        kind: "duration_parsing",
        parameter,
        message: format!(
            "`{parameter}` is to be a time with its unit, such as `250ms`, `1s` or `1m`, and at most {}",
            humantime::format_duration(longest)
        ),
        input: text.to_owned(),
    })
}

/// `true` or `false`.
///
/// # Errors
///
/// If it is neither.
pub(crate) fn boolean(parameter: &'static str, text: &str) -> Result<bool, Mistake> {
    text.parse().map_err(|_| Mistake {
        kind: "bool_parsing",
        parameter,
        message: format!("`{parameter}` is to be `true` or `false`"),
        input: text.to_owned(),
    })
}

/// What the client selects with `fields`; nothing if it does not, and wants all.
///
/// # Errors
///
/// If `fields` names what is not among `words`, or there is another parameter.
pub(crate) fn fields(request: &HttpRequest, words: &'static [Word]) -> Result<Option<Selection>, Mistake> {
    fields_beside(&[], request, words)
}

/// The same, where there may be `other` parameters as well.
///
/// # Errors
///
/// As [`fields`].
pub(crate) fn fields_beside(
    other: &[&str],
    request: &HttpRequest,
    words: &'static [Word],
) -> Result<Option<Selection>, Mistake> {
    if request.query_string().is_empty() {
        return Ok(None);
    }
    let known = [&["fields"], other].concat();
    let pairs = pairs(request.query_string(), &known)?;
    let fields = pairs.iter().find(|(name, _)| name == "fields");
    fields.map(|(_, text)| Selection::parse(text, words)).transpose()
}

/// `is `a``, or `are `a`, `b` and `c``.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "is none".to_owned(),
        Some((last, [])) => format!("is {last}"),
        Some((last, rest)) => format!("are {} and {last}", rest.join(", ")),
    }
}
