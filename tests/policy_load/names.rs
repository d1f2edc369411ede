//! Names of repositories: two spellings of one repository are equal, and what is not a name is an error.

use bulla::oci::Reference;
use bulla::oci::RepositoryName;
use bulla::oci::RepositoryNameError;

fn normalised(text: &str) -> String {
    RepositoryName::normalised(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

#[test]
fn names_of_one_repository_are_equal() {
    for (text, name) in [
        ("registry.example/app", "registry.example/app"),
        ("Registry.EXAMPLE/team/app", "registry.example/team/app"),
        ("registry.example:443/app", "registry.example/app"),
        ("registry.example:0443/app", "registry.example/app"),
        ("registry.example:5000/app", "registry.example:5000/app"),
        ("registry.example:05000/app", "registry.example:5000/app"),
        ("registry.example:80/app", "registry.example:80/app"),
        ("localhost/app", "localhost/app"),
        ("LOCALHOST:443/app", "localhost/app"),
        ("registry:443/app", "registry:443/app"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000/app"),
        ("[0:0:0:0:0:0:0:1]:5000/app", "[::1]:5000/app"),
        ("[2001:DB8::1]/app", "[2001:db8::1]/app"),
        ("[::1]:443/app", "[::1]/app"),
        ("docker.io/alpine", "docker.io/library/alpine"),
        ("Docker.IO:443/alpine", "docker.io/library/alpine"),
        ("index.docker.io/alpine", "docker.io/library/alpine"),
        ("registry-1.docker.io/library/alpine", "docker.io/library/alpine"),
        ("index.docker.io/example/app", "docker.io/example/app"),
        ("index.docker.io:5000/app", "index.docker.io:5000/app"),
        ("docker.io.example/app", "docker.io.example/app"),
    ] {
        assert_eq!(normalised(text), name, "{text}");
        assert_eq!(normalised(name), name, "normalised twice: {text}");
        // The reference that is typed leads to the same name.
        let Reference::Registry(reference) = format!("{text}:v1").parse().unwrap() else { panic!("{text}") };
        assert_eq!(RepositoryName::of(&reference).to_string(), name, "{text}:v1");
    }
}

#[test]
fn what_is_not_a_name_is_an_error() {
    type Is = fn(&RepositoryNameError) -> bool;
    let no_host: Is = |error| matches!(error, RepositoryNameError::NoHost(_));
    let form: Is = |error| matches!(error, RepositoryNameError::Form { .. });
    let tag: Is = |error| matches!(error, RepositoryNameError::Tag(_));
    let digest: Is = |error| matches!(error, RepositoryNameError::Digest(_));
    let digits = "0".repeat(64);
    let long = format!("registry.example/{}", "a/".repeat(150));
    for (text, is) in [
        ("", no_host),
        ("app", no_host),
        ("registry.example", no_host),
        ("team/app", no_host),
        ("/app", no_host),
        ("registry.example/", form),
        ("registry.example//app", form),
        ("registry.example/app/", form),
        ("registry.example/App", form),
        ("registry.example/../app", form),
        ("registry.example/a b", form),
        ("registry.example/app\n", form),
        ("registry.example/*", form),
        ("registry.example./app", form),
        ("-registry.example/app", form),
        ("registry.example:99999/app", form),
        ("registry.example:/app", form),
        ("https://registry.example/app", form),
        // Other spellings of 127.0.0.1, which is one server.
        ("127.1/app", form),
        ("127.1:5000/app", form),
        ("2130706433:5000/app", form),
        ("0x7f.1/app", form),
        ("0177.0.0.1/app", form),
        ("[::ffff:127.0.0.1]:5000/app", form),
        ("b\u{fc}ro.example/app", form),
        ("registry.example/app:v1", tag),
        (&format!("registry.example/app@sha256:{digits}"), digest),
        ("user@registry.example/app", digest),
        (long.trim_end_matches('/'), form),
    ] {
        let error = RepositoryName::normalised(text).expect_err(text);
        assert!(is(&error), "{text:?}: {error:?}");
    }
}
