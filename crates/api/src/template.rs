//! The template of a path: the name under which a request is counted, so that no client makes up names.

use crate::app::TEMPLATES;

/// The place in the table of routes of the one that answers `path`; nothing if none does.
pub(crate) fn place(path: &str) -> Option<usize> {
    TEMPLATES.iter().position(|template| fits(template, path))
}

/// Whether `path` is one of `template`, in which `{…}` stands for one part of it, as for the router.
fn fits(template: &str, path: &str) -> bool {
    let Some((literal, rest)) = template.split_once('{') else {
        return template == path;
    };
    let Some(variable) = path.strip_prefix(literal) else {
        return false;
    };
    let (Some((_, template)), end) = (rest.split_once('}'), variable.find('/').unwrap_or(variable.len()))
    else {
        return false;
    };
    end > 0 && fits(template, &variable[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_one_part_of_a_path_that_is_not_empty() {
        for (template, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/ab", false),
            ("/a/{b}", "/a/x", true),
            ("/a/{b}", "/a/", false),
            ("/a/{b}", "/a", false),
            ("/a/{b}", "/a/x/", false),
            ("/a/{b}", "/a/x/y", false),
            ("/a/{b}/c", "/a/x/c", true),
            ("/a/{b}/c", "/a/x", false),
            ("/a/{b}/c", "/a//c", false),
            ("/a/{b}/c", "/a/x/cc", false),
            ("/a/{b}/{c}", "/a/x/y", true),
        ] {
            assert_eq!(fits(template, path), expected, "{template} and {path}");
        }
    }

    #[test]
    fn a_path_that_no_route_answers_has_no_place() {
        assert_eq!(place("/gpu/metrics"), Some(0));
        for path in ["", "/nowhere", "/gpu", "/gpu/metrics/0/1", "//", "/api/v1/gpus/"] {
            assert_eq!(place(path), None, "{path}");
        }
    }
}
