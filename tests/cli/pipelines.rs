//! The pipelines in `docs/ci`, run: each file is read as its CI system reads it, and the shell steps of its jobs are run
//! without a terminal, with the secrets in the environment that the file gives them.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::test_directory::Ran;
use super::test_directory::TestDirectory;
use super::test_directory::files;
use super::test_directory::testdata;

type Env = BTreeMap<String, String>;

/// A CI system, by the file that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Azure,
    GitHub,
    GitLab,
    Jenkins,
}

/// The variables and secrets that the operator has set in the CI system.
#[derive(Clone, Default)]
struct Given {
    /// Variables, inputs and parameters, which anybody may see.
    open: Env,
    /// Secrets, by the name of the variable that a command reads.
    secret: Env,
}

/// The shell steps of a job, each with its environment, and the files that are kept whatever became of them.
struct Job {
    artifacts: Vec<String>,
    steps: Vec<(Env, String)>,
}

/// A registry outside and one inside, an image that was pushed, and everything that the pipelines expect.
struct Ci {
    given: Given,
    directory: TestDirectory,
    system: System,
}

const PASSPHRASE: &str = "canary-passphrase-of-ci";
const PASSWORD: &str = "canary-password-of-ci";

macro_rules! on_every_system {
    ($($name:ident),* $(,)?) => {
        mod azure { $(#[test] fn $name() { super::$name(super::System::Azure); })* }
        mod github { $(#[test] fn $name() { super::$name(super::System::GitHub); })* }
        mod gitlab { $(#[test] fn $name() { super::$name(super::System::GitLab); })* }
        mod jenkins { $(#[test] fn $name() { super::$name(super::System::Jenkins); })* }
    };
}

on_every_system! {
    what_is_signed_is_deployed_and_imported,
    a_refused_image_stops_the_job,
    an_image_of_which_it_cannot_be_told_stops_the_job_with_another_code,
    a_shipment_of_another_version_is_not_imported,
    a_missing_secret_ends_the_job_and_asks_nobody,
    no_secret_stands_in_a_script_and_no_address_in_a_file,
}

fn what_is_signed_is_deployed_and_imported(system: System) {
    let ci = Ci::new(system);
    let signed = ci.run("sign", 0);
    assert_eq!(ci.report("sign.json")["results"][0]["signatures"][0]["alreadySigned"], false, "{}", signed.stderr);
    ci.run("deploy", 0);
    assert_eq!(ci.report("verify.json")["results"][0]["verdict"], "verified");
    let deployed = fs::read_to_string(ci.directory.work().join("deployed")).unwrap();
    assert_eq!(deployed.trim(), format!("{}@{}", ci.given.open["REPOSITORY"], ci.given.open["DIGEST"]));
    ci.run("import", 0);
    assert_eq!(ci.report("import.json")["results"][0]["verdict"], "verified");
    let inside = format!("bulla verify {}:1.0 --key release.pub", ci.given.open["INSIDE"]);
    assert_eq!(ci.logged_in(&inside).code, 0);
    ci.run("sign", 0);
    assert_eq!(ci.report("sign.json")["results"][0]["signatures"][0]["alreadySigned"], true);
}

fn a_refused_image_stops_the_job(system: System) {
    let ci = Ci::new(system);
    let ran = ci.run("deploy", 1);
    assert!(!ci.directory.work().join("deployed").exists(), "an image that nobody signed was deployed");
    assert_eq!(ci.report("verify.json")["results"][0]["verdict"], "refused");
    ci.says(&ran, "refused");
}

fn an_image_of_which_it_cannot_be_told_stops_the_job_with_another_code(system: System) {
    let mut ci = Ci::new(system);
    ci.given.open.insert("DIGEST".to_owned(), format!("sha256:{}", "0".repeat(64)));
    let ran = ci.run("deploy", 2);
    assert!(!ci.directory.work().join("deployed").exists(), "nobody could tell about what was deployed");
    assert_eq!(ci.report("verify.json")["results"][0]["verdict"], "unknown");
    ci.says(&ran, "could not tell");
}

fn a_shipment_of_another_version_is_not_imported(system: System) {
    let mut ci = Ci::new(system);
    ci.run("sign", 0);
    ci.given.open.insert("VERSION".to_owned(), "2.0".to_owned());
    let ran = ci.run("import", 1);
    ci.says(&ran, "refused");
    assert_eq!(ci.report("import.json")["results"][0]["verdict"], "refused");
    let inside = format!("bulla verify {}:2.0 --key release.pub", ci.given.open["INSIDE"]);
    assert_eq!(ci.logged_in(&inside).code, 2, "it is inside");
}

fn a_missing_secret_ends_the_job_and_asks_nobody(system: System) {
    for missing in ["BULLA_PASSWORD", "RELEASE_KEY"] {
        let mut ci = Ci::new(system);
        // The value of a secret that is not set, or that this branch may not read.
        ci.given.secret.insert(missing.to_owned(), String::new());
        ci.run("sign", 2);
        ci.run("deploy", 1);
    }
}

/// A secret that the CI system puts into the text of a script is in the process list and, with `set -x`, in the log; any
/// other value there is code of whoever chose it.
fn no_secret_stands_in_a_script_and_no_address_in_a_file(system: System) {
    let page = page(system);
    assert!(!page.contains("://"), "where bulla comes from is for the operator to say");
    let given = Ci::new(system).given;
    for name in ["sign", "deploy", "import"] {
        let job = job(system, name, &given);
        assert!(!job.steps.is_empty(), "{name} has no step");
        assert!(!job.artifacts.is_empty(), "{name} keeps no report");
        for (_, script) in &job.steps {
            for insertion in ["${{", "$(", "`"] {
                assert!(!script.contains(insertion), "{name}: {insertion} in {script}");
            }
        }
        // The private key is where it signs, and nowhere else.
        let sees = |step: &(Env, String)| step.0.contains_key("RELEASE_KEY") || step.0.contains_key("BULLA_PASSWORD");
        assert_eq!(name == "sign", job.steps.iter().any(sees), "{name}: the private key");
    }
    if system == System::GitLab {
        let page: Value = serde_yaml_ng::from_str(&page).unwrap();
        for name in ["deploy", "import"] {
            assert_eq!(page[name]["retry"]["exit_codes"], 2, "{name}: only could-not-tell may be tried again");
        }
    }
}

impl Ci {
    fn new(system: System) -> Self {
        let directory = TestDirectory::new(&Env::new());
        let user = format!("user=ci:{PASSWORD}");
        for registry in ["outside", "inside"] {
            directory.start_registry(registry, &["auth=basic", "anonymous=nothing", &user]);
        }
        directory.set_up("image app:v1 1");
        directory.set_up(&format!("BULLA_PASSWORD={PASSPHRASE} bulla key new -o release > /dev/null"));
        directory.set_up("printf '#!/bin/sh\\necho \"$1\" > deployed\\n' > deploy.sh && chmod +x deploy.sh");
        let key = directory.work().join("release.key");
        let (outside, inside) = (directory.address("outside"), directory.address("inside"));
        let auth = STANDARD.encode(format!("ci:{PASSWORD}"));
        let auth = format!(r#"{{"auths":{{"{outside}":{{"auth":"{auth}"}},"{inside}":{{"auth":"{auth}"}}}}}}"#);
        let open = [
            ("DIGEST", directory.expand("{digest app:v1}")),
            ("INSIDE", format!("{inside}/app")),
            ("REPOSITORY", format!("{outside}/app")),
            ("SHIPMENT", "shipment.tar".to_owned()),
            ("VERSION", "1.0".to_owned()),
        ];
        let secret = [
            ("BULLA_PASSWORD", PASSPHRASE.to_owned()),
            ("DOCKER_AUTH_CONFIG", auth),
            ("RELEASE_KEY", fs::read_to_string(&key).unwrap()),
        ];
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        let given = Given { open: open.map(named).into(), secret: secret.map(named).into() };
        fs::remove_file(key).unwrap();
        let ci = Self { given, directory, system };
        assert_eq!(ci.logged_in(&format!("bulla copy oci:app:v1 {outside}/app:build")).code, 0);
        ci
    }

    /// A command of the person who looks at it, not of the pipeline.
    fn logged_in(&self, command: &str) -> Ran {
        let env = [("DOCKER_AUTH_CONFIG".to_owned(), self.given.secret["DOCKER_AUTH_CONFIG"].clone())];
        self.directory.run_job(command, &env.into())
    }

    /// Runs a job as the CI system does: step by step, up to the first that fails. Everything that is to be kept has to
    /// be there then, and no secret in what was printed or written.
    #[track_caller]
    fn run(&self, name: &str, code: i32) -> Ran {
        let job = job(self.system, name, &self.given);
        let mut whole = Ran { code: 0, stdout: String::new(), stderr: String::new() };
        for (env, script) in &job.steps {
            let ran = self.directory.run_job(script, env);
            whole.stdout.push_str(&ran.stdout);
            whole.stderr.push_str(&ran.stderr);
            whole.code = ran.code;
            if ran.code != 0 {
                break;
            }
        }
        let output = format!("{}{}", whole.stdout, whole.stderr);
        assert_eq!(whole.code, code, "{:?} {name}\n{output}", self.system);
        self.no_secret(&output, "the log");
        for (path, bytes) in files(&self.directory.work()) {
            self.no_secret(&String::from_utf8_lossy(&bytes), &path.display().to_string());
        }
        let report = job.artifacts.first().unwrap();
        assert!(self.directory.work().join(report).is_file(), "{report} is not there to be kept");
        if code == 0 {
            for artifact in &job.artifacts {
                assert!(self.directory.work().join(artifact).is_file(), "{artifact} is not there to be kept");
            }
        }
        whole
    }

    #[track_caller]
    fn no_secret(&self, text: &str, place: &str) {
        let auth = STANDARD.encode(format!("ci:{PASSWORD}"));
        let key = self.given.secret["RELEASE_KEY"].lines().filter(|line| line.len() > 20 && !line.starts_with('-'));
        for secret in [PASSPHRASE, PASSWORD, auth.as_str()].into_iter().chain(key) {
            assert!(!text.contains(secret), "a secret in {place}");
        }
    }

    fn report(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.directory.work().join(name)).unwrap()).unwrap()
    }

    /// The messages in the job log: of the script, of bulla, or of Groovy after it.
    #[track_caller]
    fn says(&self, ran: &Ran, what: &str) {
        let output = match self.system {
            System::Jenkins => page(self.system),
            _ => format!("{}{}", ran.stdout, ran.stderr),
        };
        assert!(output.contains(what), "{output}");
    }
}

fn page(system: System) -> String {
    let name = match system {
        System::Azure => "azure-pipelines.yml",
        System::GitHub => "github.yml",
        System::GitLab => "gitlab-ci.yml",
        System::Jenkins => "Jenkinsfile",
    };
    fs::read_to_string(testdata("../docs/ci").join(name)).unwrap()
}

fn job(system: System, name: &str, given: &Given) -> Job {
    let page = page(system);
    if system == System::Jenkins {
        return jenkins(&page, name, given);
    }
    let page: Value = serde_yaml_ng::from_str(&page).unwrap();
    match system {
        System::Azure => azure(&page, name, given),
        System::GitHub => github(&page, name, given),
        System::GitLab | System::Jenkins => gitlab(&page, name, given),
    }
}

/// Only what a step names reaches its environment.
fn github(page: &Value, name: &str, given: &Given) -> Job {
    let secrets = [
        ("RELEASE_KEY", "RELEASE_KEY"),
        ("RELEASE_PASSPHRASE", "BULLA_PASSWORD"),
        ("REGISTRY_AUTH", "DOCKER_AUTH_CONFIG"),
    ];
    let value = |text: &str| {
        let inside = text.strip_prefix("${{ ").and_then(|text| text.strip_suffix(" }}")).unwrap();
        match inside.split_once('.').unwrap() {
            ("secrets", name) => given.secret[secrets.iter().find(|(there, _)| *there == name).unwrap().1].clone(),
            ("inputs" | "vars", name) => given.open[&name.to_uppercase()].clone(),
            other => panic!("{other:?}"),
        }
    };
    let job = &page["jobs"][name];
    let mut found = Job { artifacts: Vec::new(), steps: Vec::new() };
    for step in job["steps"].as_array().unwrap() {
        if let Some(script) = step["run"].as_str() {
            let env = [&page["env"], &job["env"], &step["env"]].into_iter().flat_map(|env| mapping(env, value));
            found.steps.push((env.collect(), script.to_owned()));
        } else if step["uses"].as_str().unwrap().starts_with("actions/upload-artifact@") {
            assert_eq!(step["if"], "always()", "{name}: what went wrong is to be seen afterwards");
            found.artifacts.extend(step["with"]["path"].as_str().unwrap().lines().map(str::to_owned));
        }
    }
    found
}

/// The lines of one script. Every variable of the project is there, but for those with the scope of an environment.
fn gitlab(page: &Value, name: &str, given: &Given) -> Job {
    let job = &page[name];
    let lines = |list: &Value| list.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect();
    let script: Vec<String> = lines(&job["script"]);
    assert_eq!(job["artifacts"]["when"], "always", "{name}: what went wrong is to be seen afterwards");
    let in_scope = |name: &str| name == "DOCKER_AUTH_CONFIG" || job["environment"]["name"] == "release";
    let secret = given.secret.iter().filter(|(name, _)| in_scope(name));
    let env = given.open.iter().chain(secret).map(|(name, value)| (name.clone(), value.clone())).collect();
    Job { artifacts: lines(&job["artifacts"]["paths"]), steps: vec![(env, script.join("\n"))] }
}

/// Variables of the pipeline are there; secret ones only where a step names them.
fn azure(page: &Value, name: &str, given: &Given) -> Job {
    let secrets = [
        ("$(RELEASE_KEY)", "RELEASE_KEY"),
        ("$(RELEASE_PASSPHRASE)", "BULLA_PASSWORD"),
        ("$(REGISTRY_AUTH)", "DOCKER_AUTH_CONFIG"),
    ];
    let secret = |text: &str| given.secret[secrets.iter().find(|(there, _)| *there == text).unwrap().1].clone();
    let parameter = |text: &str| {
        let inside = text.strip_prefix("${{ parameters.").and_then(|text| text.strip_suffix(" }}")).unwrap();
        given.open[&inside.to_uppercase()].clone()
    };
    let jobs = page["jobs"].as_array().unwrap();
    let job = jobs.iter().find(|job| job["job"] == name).unwrap();
    let mut found = Job { artifacts: Vec::new(), steps: Vec::new() };
    for step in job["steps"].as_array().unwrap() {
        if let Some(script) = step["script"].as_str() {
            let set = ["REPOSITORY", "INSIDE"].map(|name| (name.to_owned(), given.open[name].clone()));
            let env =
                set.into_iter().chain(mapping(&page["variables"], parameter)).chain(mapping(&step["env"], secret));
            found.steps.push((env.collect(), script.to_owned()));
        } else {
            let file = step["publish"].as_str().unwrap();
            let report = file.ends_with(".json");
            assert!(!report || step["condition"] == "always()", "{file}: what went wrong is to be seen afterwards");
            found.artifacts.push(file.to_owned());
        }
    }
    found
}

/// Parameters are there, and the credentials that the stage names. No Groovy is run: what follows a script that returns
/// its status has to end the build.
fn jenkins(page: &str, name: &str, given: &Given) -> Job {
    let secrets = [
        ("release-key", "RELEASE_KEY"),
        ("release-passphrase", "BULLA_PASSWORD"),
        ("registry-auth", "DOCKER_AUTH_CONFIG"),
    ];
    assert!(!page.contains(" sh \"") && !page.contains("\"\"\""), "Groovy puts values into texts in double quotes");
    let (_, stage) = page.split_once(&format!("stage('{name}')")).unwrap();
    let stage = stage.split("stage('").next().unwrap();
    let mut env = given.open.clone();
    for line in stage.lines().filter(|line| line.contains("credentials('")) {
        let (variable, id) = line.trim().split_once(" = credentials('").unwrap();
        let (_, which) = secrets.iter().find(|(there, _)| *there == id.trim_end_matches("')")).unwrap();
        assert_eq!(variable, *which);
        env.insert(variable.to_owned(), given.secret[*which].clone());
    }
    let parts: Vec<&str> = stage.split("'''").collect();
    let mut steps = Vec::new();
    for pair in parts.chunks(2) {
        let [before, script] = pair else { break };
        assert!(before.trim_end().ends_with("sh") || before.trim_end().ends_with("sh returnStatus: true, script:"));
        steps.push((env.clone(), (*script).to_owned()));
    }
    for after in stage.split("returnStatus: true").skip(1) {
        let (_, after) = after.split("'''").nth(2).map(|after| ((), after)).unwrap();
        let (one, other) = (after.find("if (status == 1) { error '"), after.find("if (status != 0) { error '"));
        assert!(one.is_some() && one < other, "{name}: a status that nobody looks at");
    }
    let (_, kept) = stage.split_once("post { always { archiveArtifacts artifacts: '").unwrap();
    Job { artifacts: kept.split('\'').next().unwrap().split(", ").map(str::to_owned).collect(), steps }
}

fn mapping(env: &Value, value: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let entries = env.as_object().into_iter().flatten();
    entries.map(|(name, text)| (name.clone(), value(text.as_str().unwrap()))).collect()
}
