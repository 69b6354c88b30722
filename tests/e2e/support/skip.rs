//! Tests that cannot run here say so.

use std::io::{Write as _, stderr};

/// Says what is skipped and why, to whoever runs the tests: what is printed in the usual way is kept from them as long as
/// the test passes.
pub(crate) fn skipped(why: &str) {
    // Nobody to tell is no reason to fail.
    let _ = writeln!(stderr(), "SKIPPED: {why}");
}
