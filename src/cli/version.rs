//! `--version`: the commit, features and target of this build, and whether it contains network code.

/// The text of `--version` after the name. `-V` prints the version number alone.
pub(super) fn long() -> String {
    let modified = match env!("BULLA_MODIFIED") {
        "no" => "",
        "yes" => ", modified",
        _ => ", perhaps modified",
    };
    let network = match cfg!(feature = "registry") {
        true => "speaks to the registries that are named on the command line",
        false => "signer build: no network code",
    };
    let features: Vec<&str> = FEATURES.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
    format!(
        "{}\ncommit    {}{modified}\ndate      {}\nfeatures  {}\ntarget    {}\nnetwork   {network}",
        env!("CARGO_PKG_VERSION"),
        env!("BULLA_COMMIT"),
        env!("BULLA_COMMIT_DATE"),
        features.join(", "),
        env!("BULLA_TARGET"),
    )
}

/// The features that change what the program can do.
const FEATURES: [(&str, bool); 3] =
    [("cli", cfg!(feature = "cli")), ("pkcs11", cfg!(feature = "pkcs11")), ("registry", cfg!(feature = "registry"))];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_says_whether_the_build_has_network_code() {
        let long = long();
        assert_eq!(long.contains("signer build: no network code"), !cfg!(feature = "registry"), "{long}");
        assert_eq!(long.contains("registry\n"), cfg!(feature = "registry"), "{long}");
        assert_eq!(long.contains("pkcs11"), cfg!(feature = "pkcs11"), "{long}");
    }

    /// The commit is one of this repository, with its own date, or it is reported as unknown.
    #[test]
    fn the_commit_and_its_date_are_those_of_the_repository() {
        let (commit, date) = (env!("BULLA_COMMIT"), env!("BULLA_COMMIT_DATE"));
        let git = std::process::Command::new("git").args(["log", "-1", "--format=%H %ct", commit]).output();
        let found = git.ok().filter(|found| found.status.success() && std::path::Path::new(".git").exists());
        let Some(found) = found.map(|found| String::from_utf8(found.stdout).unwrap()) else {
            assert!(commit == "unknown" || commit.len() >= 40 && date == "unknown", "{commit} {date}");
            return;
        };
        let (named, seconds) = found.trim().split_once(' ').unwrap();
        let time = bulla::time::Time::from_unix(seconds.parse().unwrap()).unwrap();
        assert_eq!((commit, date), (named, time.to_string().as_str()));
    }
}
