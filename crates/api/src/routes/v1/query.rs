//! The query of a request: each parameter known, and there once.

use actix_web::{HttpRequest, web::Query};

use super::selection::{Selection, Word};
use crate::problem::Mistake;

/// The parameters of a query, if they are all among `known`.
///
/// # Errors
///
/// If the query cannot be read, or a parameter is not known or stands there twice.
pub(crate) fn pairs(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Mistake> {
    let pairs = Query::<Vec<(String, String)>>::from_query(query).map_err(|error| Mistake {
        kind: "query_parsing",
        parameter: "query",
        message: format!("the query cannot be read: {error}"),
        input: query.to_owned(),
    })?;
    let pairs = pairs.into_inner();
    for (place, (name, value)) in pairs.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(Mistake {
                kind: "extra_forbidden",
                parameter: "query",
                message: format!("there is no such parameter; there {}", listed(known)),
                input: name.clone(),
            });
        }
        if pairs[..place].iter().any(|(earlier, _)| earlier == name) {
            return Err(Mistake {
                kind: "duplicate",
                parameter: "query",
                message: format!("`{name}` stands there twice"),
                input: value.clone(),
            });
        }
    }
    Ok(pairs)
}

/// What the client selects with `fields`; nothing if it does not, and wants all.
///
/// # Errors
///
/// If `fields` names what is not among `words`, or there is another parameter.
pub(crate) fn fields(request: &HttpRequest, words: &'static [Word]) -> Result<Option<Selection>, Mistake> {
    if request.query_string().is_empty() {
        return Ok(None);
    }
    let pairs = pairs(request.query_string(), &["fields"])?;
    let selected = pairs.first().map(|(_, text)| Selection::parse(text, words));
    selected.transpose()
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
