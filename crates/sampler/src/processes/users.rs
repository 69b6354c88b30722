//! Names of users, from `/etc/passwd`, which is read again when it changed.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use gpulse_models::User;

/// The users of a password file.
#[derive(Debug)]
pub(super) struct Users {
    file: PathBuf,
    /// When the file was written and how long it was, as far as it could be looked at.
    version: Option<(SystemTime, u64)>,
    names: HashMap<u32, String>,
}

impl Users {
    /// Nobody has a name before the first look.
    pub(super) fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            version: None,
            names: HashMap::new(),
        }
    }

    /// Looks whether the file changed, and if so reads it. Returns whether names may have changed.
    pub(super) fn refresh(&mut self) -> bool {
        let version = fs::metadata(&self.file)
            .and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
            .ok();
        if version == self.version {
            return false;
        }
        self.version = version;
        // Without a file there are no names: a user is then a number.
        self.names = fs::read(&self.file)
            .map(|bytes| parse(&String::from_utf8_lossy(&bytes)))
            .unwrap_or_default();
        true
    }

    pub(super) fn user(&self, uid: u32) -> User {
        User {
            uid,
            name: self.names.get(&uid).cloned(),
        }
    }
}

/// Names by number. Of several names of a number the first counts, as it does for the system itself.
fn parse(text: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        let (Some(name), Some(uid)) = (fields.next(), fields.nth(1)) else {
            continue;
        };
        if let (false, Ok(uid)) = (name.is_empty() || name.starts_with('#'), uid.parse()) {
            names.entry(uid).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_name_of_a_number_counts_and_bad_lines_do_not() {
        let names = parse(
            "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\nbroken\n+::::::\nada:x:1000:1000:Ada:/home/ada:\n#eve:x:7:\n",
        );
        assert_eq!(names.len(), 2);
        assert_eq!((names[&0].as_str(), names[&1_000].as_str()), ("root", "ada"));
    }

    #[test]
    fn a_file_that_changes_is_read_again_and_only_then() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passwd");
        let mut users = Users::of(&file);
        assert!(!users.refresh(), "there is no file yet");
        fs::write(&file, "ada:x:1000:\n").unwrap();
        assert!(users.refresh() && !users.refresh());
        assert_eq!(users.user(1_000).label(), "ada");
        assert_eq!(users.user(1_001).label(), "1001");
        fs::write(&file, "ada:x:1000:\ngrace:x:1001:\n").unwrap();
        assert!(users.refresh());
        assert_eq!(users.user(1_001).label(), "grace");
        fs::remove_file(&file).unwrap();
        assert!(users.refresh());
        assert_eq!(users.user(1_000).name, None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            parse(&text);
        }
    }
}
