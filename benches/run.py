#!/usr/bin/env python3
"""Times bulla, and other tools beside it, against a registry on loopback. Python 3.11 or later, nothing else.

    cargo build --release --locked && cargo build --release --locked --package quirk-registry
    python3 benches/run.py                      # the workloads that take seconds
    python3 benches/run.py -n 15 start sign-50
    python3 benches/run.py --all                # also those that move gigabytes
    python3 benches/run.py --peers ROOT         # beside cosign, notation and oras in a root folder of their own
"""

import argparse
import base64
import contextlib
import hashlib
import http.client
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent.parent
PASSPHRASE = "bench"
MIB = 1 << 20
OCI = "application/vnd.oci.image."
SBOM = "application/spdx+json"
GNU_TIME = Path("/usr/bin/time")
BUSY = 1.0


# ---------------------------------------------------------------- running and measuring


@dataclass
class Contender:
    """A command to be timed. `fresh` is called before every run, outside the clock, and gives the words to replace."""

    tool: str
    args: list[str]
    fresh: Callable[[], dict[str, str]] = dict
    after: Callable[[], None] = lambda: None

    @property
    def program(self) -> str:
        """What `tool` says before its remarks."""
        return self.tool.split(",")[0]


@dataclass
class Row:
    """What was measured of one contender."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: int = 0


class Bench:
    """The work folder, the programs, and how they are run."""

    def __init__(self, options: argparse.Namespace, work: Path):
        self.bulla = options.bulla.resolve()
        self.registry_program = options.registry.resolve()
        self.root = options.peers.resolve() if options.peers else None
        self.vectors = options.vectors.resolve()
        self.work = work
        (work / "home").mkdir()
        self.keys: list[str] = []

    def inside(self, path: Path) -> str:
        """A path as the peers see it, whose root is another one."""
        return str(path) if self.root is None else "/" + str(path.relative_to(self.root))

    def has(self, tool: str) -> bool:
        """Whether a peer is to be run beside bulla."""
        if self.root is None:
            return False
        return any((self.root / folder / tool).exists() for folder in ("usr/bin", "usr/local/bin", "bin"))

    def environment(self, tool: str) -> dict[str, str]:
        home = self.work / "home"
        path = "/usr/local/bin:/usr/bin:/bin"
        home = str(home) if tool == "bulla" else self.inside(home)
        return {"HOME": home, "PATH": path, "COSIGN_PASSWORD": PASSPHRASE}

    def start(self, tool: str, args: list[str], wrapper: list[str]) -> tuple[int, float, float]:
        """Starts a program; returns its process id, and what it had used and when it was when it became that program."""
        args = [str(self.bulla)] + args if tool == "bulla" else args
        chroot = tool != "bulla"
        if wrapper and chroot:
            args = wrapper + [shutil.which("chroot") or "/usr/sbin/chroot", str(self.root)] + args
            chroot = False
        else:
            args = wrapper + args
        env = self.environment(tool)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                out = os.open(self.work / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(out, 1)
                os.dup2(out, 2)
                if chroot:
                    os.chroot(self.root)
                os.chdir("/")
                # Said by the child: on a busy machine a short program has ended before its parent is woken.
                os.write(writer, struct.pack("dd", used(), now()))
                os.execvpe(args[0], args, env)
            except OSError as error:
                os.write(2, f"{args[0]}: {error}\n".encode())
            finally:
                os._exit(127)
        os.close(writer)
        said = os.read(reader, struct.calcsize("dd"))
        os.close(reader)
        return child, *(struct.unpack("dd", said) if said else (0.0, now()))

    def wait(self, tool: str, args: list[str], wrapper: list[str]) -> tuple[int, float, float, int]:
        """Runs a program to its end: exit code, wall seconds, user and system seconds with its children, peak KiB."""
        child, before, began = self.start(tool, args, wrapper)
        _, status, usage = os.wait4(child, 0)
        wall = now() - began
        return os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime - before, usage.ru_maxrss

    def run(self, tool: str, args: list[str], wrapper: list[str] | None = None) -> tuple[float, float, int]:
        """The same for a program that has to succeed, without the exit code."""
        code, *figures = self.wait(tool, args, wrapper or [])
        if code != 0:
            said = (self.work / "out").read_text(errors="replace")[-2000:]
            raise SystemExit(f"{tool} {' '.join(args)[:300]}\nended with {code}:\n{said}")
        return tuple(figures)

    def must_refuse(self, contender: Contender, reference: str) -> None:
        """A verifier that accepts an image that nobody signed has nothing to be timed."""
        args = [arg for arg in contender.args if "@sha256:" not in arg]
        code, *_ = self.wait(contender.program, [*args, reference], [])
        if code == 0:
            raise SystemExit(f"{contender.tool} accepts an image that nobody signed")

    def peak(self, tool: str, args: list[str]) -> int:
        """The peak KiB of a run of its own. What wait4 says has the size of this process as its floor."""
        if not GNU_TIME.exists():
            return self.run(tool, args)[2]
        note = self.work / "peak"
        self.run(tool, args, [str(GNU_TIME), "-f", "%M", "-o", str(note)])
        return int(note.read_text().split()[-1])

    def measure(self, contenders: list[Contender], runs: int) -> dict[str, Row]:
        """One run of each for the peak, which also warms up; then the timed runs, one of each in turn."""
        rows = {contender.tool: Row() for contender in contenders}
        for number in range(runs + 1):
            for contender in contenders:
                words = contender.fresh()
                args = [word for arg in contender.args for word in expand(arg, words)]
                row = rows[contender.tool]
                if number == 0:
                    row.peak = self.peak(contender.program, args)
                else:
                    wall, cpu, _ = self.run(contender.program, args)
                    row.wall.append(wall)
                    row.cpu.append(cpu)
                contender.after()
        return rows

    def made_keys(self, count: int) -> list[str]:
        """The names of as many keys: PREFIX.key, encrypted as cosign does it, and PREFIX.pub."""
        while len(self.keys) < count:
            prefix = self.work / f"key{len(self.keys)}"
            self.run("bulla", ["key", "new", "--type", "p256", "-o", str(prefix)])
            self.keys.append(str(prefix))
        return self.keys[:count]

    def key(self, number: int = 0) -> str:
        return self.made_keys(number + 1)[number]

    def key_inside(self, number: int = 0) -> str:
        return self.inside(Path(self.key(number)))

    def sign(self, references: list[str], keys: int = 1):
        """Signs through bulla, which is not timed here."""
        args = [word for key in self.made_keys(keys) for word in ("--key", key + ".key")]
        for at in range(0, len(references), 500):
            self.run("bulla", ["sign", *args, *references[at : at + 500]])


def expand(arg: str, words: dict[str, str]) -> list[str]:
    """`{refs}` becomes many arguments; other words are replaced inside theirs."""
    if arg == "{refs}":
        return words["refs"].split()
    for word, value in words.items():
        arg = arg.replace("{" + word + "}", value)
    return [arg]


def now() -> float:
    """Seconds of a clock that all processes share."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def used() -> float:
    """The user and system seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# ---------------------------------------------------------------- the registry


class Registry:
    """The quirk registry in its polite form, or with these quirks, in a process and a folder of its own."""

    def __init__(self, bench: Bench, *quirks: str):
        self.folder = Path(tempfile.mkdtemp(prefix="registry-", dir=bench.work))
        command = [str(bench.registry_program), "--dir", str(self.folder)]
        command += [word for quirk in quirks for word in ("--quirk", quirk)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise SystemExit(f"{bench.registry_program}: it does not say where it listens: {line!r}")
        self.address = line.split()[-1]
        self.connection = http.client.HTTPConnection(self.address)

    def close(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, method: str, path: str, wanted: int, body=None, headers=None) -> http.client.HTTPResponse:
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != wanted:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return answer

    def push_blob(self, repository: str, digest: str, size: int, body) -> None:
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/", 202, headers={"Content-Length": "0"})
        place = answer.headers["Location"].removeprefix("http://").removeprefix(self.address)
        place += ("&" if "?" in place else "?") + "digest=" + digest
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        self.ask("PUT", place, 201, body, headers)

    def push_bytes(self, repository: str, data: bytes, media_type: str) -> dict:
        described = descriptor(data, media_type)
        self.push_blob(repository, described["digest"], len(data), data)
        return described

    def push_manifest(self, repository: str, manifest: dict, tag: str | None = None) -> dict:
        return self.put_manifest(repository, json.dumps(manifest).encode(), manifest["mediaType"], tag)

    def put_manifest(self, repository: str, data: bytes, media_type: str, tag: str | None = None) -> dict:
        described = descriptor(data, media_type)
        name = tag or described["digest"]
        self.ask("PUT", f"/v2/{repository}/manifests/{name}", 201, data, {"Content-Type": media_type})
        return described

    def push_images(self, repository: str, count: int) -> list[str]:
        """That many small images, each with a config and a layer of its own; their references by digest."""
        references = []
        for number in range(count):
            config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
                                 "number": number, "repository": repository})
            layer = f"{repository} {number}".encode() * 10
            image = manifest_of(
                self.push_bytes(repository, config.encode(), OCI + "config.v1+json"),
                [self.push_bytes(repository, layer, OCI + "layer.v1.tar")],
            )
            digest = self.push_manifest(repository, image, f"v{number}")["digest"]
            references.append(f"{self.address}/{repository}@{digest}")
        return references


def descriptor(data: bytes, media_type: str) -> dict:
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}


def manifest_of(config: dict, layers: list[dict], **more) -> dict:
    return {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": layers} | more


def referrer_of(config: dict, layer: dict, subject: dict, kind: str) -> dict:
    return manifest_of(config, [layer], artifactType=kind, subject=subject)


EMPTY = ("application/vnd.oci.empty.v1+json", b"{}")
KEYLESS = ("https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml"
           "@refs/tags/v1.10.0")


# ---------------------------------------------------------------- big images, as layouts


class Layout:
    """An OCI image layout that is written here, with a layer size and nothing that compresses."""

    def __init__(self, folder: Path, layers: int, layer_bytes: int):
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        listed = [self.layer(layer_bytes) for _ in range(layers)]
        config = self.blob(json.dumps({"architecture": "amd64", "os": "linux"}).encode(), OCI + "config.v1+json")
        self.image = self.blob(json.dumps(manifest_of(config, listed)).encode(), OCI + "manifest.v1+json")
        self.blobs = [config, *listed]
        named = self.image | {"annotations": {"org.opencontainers.image.ref.name": "v1"}}
        index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [named]}
        (folder / "index.json").write_text(json.dumps(index))

    def path(self, described: dict) -> Path:
        return self.folder / "blobs/sha256" / described["digest"].removeprefix("sha256:")

    def blob(self, data: bytes, media_type: str) -> dict:
        described = descriptor(data, media_type)
        self.path(described).write_bytes(data)
        return described

    def layer(self, size: int) -> dict:
        digest, left = hashlib.sha256(), size
        scratch = self.folder / "scratch"
        with scratch.open("wb") as file:
            while left:
                data = os.urandom(min(MIB, left))
                digest.update(data)
                file.write(data)
                left -= len(data)
        described = {"mediaType": OCI + "layer.v1.tar", "digest": "sha256:" + digest.hexdigest(), "size": size}
        scratch.rename(self.path(described))
        return described

    def push(self, registry: Registry, repository: str) -> None:
        """Into a registry, with three referrers of the sort that are found in the world: two SBOMs and a report."""
        for described in self.blobs:
            with self.path(described).open("rb") as file:
                registry.push_blob(repository, described["digest"], described["size"], file)
        image = json.loads(self.path(self.image).read_bytes())
        registry.push_manifest(repository, image, "v1")
        empty = registry.push_bytes(repository, EMPTY[1], EMPTY[0])
        for number, size in enumerate((MIB, MIB // 4, 4096)):
            layer = registry.push_bytes(repository, os.urandom(size), SBOM)
            registry.push_manifest(repository, referrer_of(empty, layer, self.image, f"{SBOM};n={number}"))


# ---------------------------------------------------------------- certificates


class Authority:
    """A certificate authority, and a timestamp authority, made by openssl: root, intermediate, certificate, P-256."""

    CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    CHAINS = {
        "root": (None, 3650, CA),
        "middle": ("root", 3650, CA),
        "leaf": ("middle", 30, "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"),
        "tsa-root": (None, 3650, CA),
        "tsa": ("tsa-root", 3650, "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"),
    }

    def __init__(self, bench: Bench):
        self.bench = bench
        self.folder = bench.work / "authority"
        if not self.folder.exists():
            self.folder.mkdir()
            self.make()
        self.options = ["--ca-roots", self.path("root.pem"), "--certificate-identity", "bench=CN=leaf,O=Bench"]

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def openssl(self, *args: str) -> bytes:
        done = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True)
        if done.returncode != 0:
            raise SystemExit(f"openssl {' '.join(args)}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def make(self) -> None:
        for name, (issuer, days, extensions) in self.CHAINS.items():
            ids = "subjectKeyIdentifier=hash\n" + ("authorityKeyIdentifier=keyid\n" if issuer else "")
            (self.folder / f"{name}.cnf").write_text(
                f"[req]\nprompt=no\ndistinguished_name=dn\n[dn]\nCN={name}\n[ext]\n{ids}{extensions}")
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
            by = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"] if issuer else []
            self.openssl("req", "-x509", "-new", "-days", str(days), "-config", f"{name}.cnf", "-extensions", "ext",
                         "-subj", f"/C=US/ST=WA/O=Bench/CN={name}", "-key", f"{name}.key", "-out", f"{name}.pem", *by)
        chain = [(self.folder / f"{name}.pem").read_text() for name in ("leaf", "middle", "root")]
        (self.folder / "chain.pem").write_text("".join(chain))
        (self.folder / "crls").mkdir()
        for name in ("root", "middle", "tsa-root"):
            (self.folder / "index").write_text("")
            (self.folder / "number").write_text("01")
            (self.folder / "crl.cnf").write_text(
                f"[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\n"
                f"certificate={name}.pem\nprivate_key={name}.key\ndefault_crl_days=365\ncrl_extensions=e\n"
                f"[e]\nauthorityKeyIdentifier=keyid\n")
            self.openssl("ca", "-gencrl", "-config", "crl.cnf", "-out", f"crls/{name}.crl")

    def sign(self, references: list[str]) -> None:
        self.bench.run("bulla", ["sign", "--format", "notary-jws", "--key", self.path("leaf.key"), "--cert-chain",
                                 self.path("chain.pem"), *references])

    def stamp(self, layout: Path) -> None:
        """Puts a timestamp into the one signature of a layout, and writes the layout anew."""
        blobs = layout / "blobs/sha256"
        found = None
        for blob in blobs.iterdir():
            if blob.stat().st_size < 100_000 and blob.read_bytes().startswith(b'{"payload":'):
                found = blob
        envelope = json.loads(found.read_bytes())
        (self.folder / "signature").write_bytes(base64.urlsafe_b64decode(envelope["signature"] + "=="))
        (self.folder / "ts.cnf").write_text(
            "[a]\nserial=ts-serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\n"
            "default_policy=1.2.3.4.1\ndigests=sha256\ness_cert_id_alg=sha256\n")
        (self.folder / "ts-serial").write_text("2a")
        self.openssl("ts", "-query", "-data", "signature", "-sha256", "-cert", "-no_nonce", "-out", "query")
        self.openssl("ts", "-reply", "-section", "a", "-config", "ts.cnf", "-queryfile", "query", "-token_out",
                     "-out", "token")
        token = base64.b64encode((self.folder / "token").read_bytes()).decode()
        envelope["header"]["io.cncf.notary.timestampSignature"] = token
        changed = {found.name: json.dumps(envelope).encode()}
        # What names a changed blob changes too, up to the index.
        while changed:
            name, data = changed.popitem()
            new = descriptor(data, "")
            (blobs / new["digest"].removeprefix("sha256:")).write_bytes(data)
            size = (blobs / name).stat().st_size
            (blobs / name).unlink()
            for file in [*blobs.iterdir(), layout / "index.json"]:
                text = file.read_bytes() if file.stat().st_size < 100_000 else b""
                if name.encode() not in text:
                    continue
                document = replace(json.loads(text), f"sha256:{name}", size, new)
                written = json.dumps(document).encode()
                if file.name == "index.json":
                    file.write_bytes(written)
                else:
                    changed[file.name] = written


def replace(value, digest: str, size: int, new: dict):
    """A JSON document with another descriptor instead of that of `digest`."""
    if isinstance(value, list):
        return [replace(one, digest, size, new) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("digest") == digest:
        value = value | {"digest": new["digest"], "size": new["size"]}
    return {key: replace(one, digest, size, new) for key, one in value.items()}


# ---------------------------------------------------------------- the peers


def cosign_verify(bench: Bench, keys: int = 1) -> list[str]:
    return ["cosign", "verify", "--key", bench.key_inside(keys - 1) + ".pub", "--insecure-ignore-tlog=true",
            "--allow-http-registry"]


def set_up_notation(bench: Bench) -> None:
    """A key with a certificate two below its root, and a policy that trusts that root and nothing else."""
    if (bench.work / "policy.json").exists():
        return
    authority = Authority(bench)
    policy = {"version": "1.0", "trustPolicies": [
        {"name": "bench", "registryScopes": ["*"], "signatureVerification": {"level": "strict"},
         "trustStores": ["ca:bench"], "trustedIdentities": ["*"]}]}
    (bench.work / "policy.json").write_text(json.dumps(policy))
    config = bench.work / "home/.config/notation"
    config.mkdir(parents=True)
    key = {"name": "bench", "keyPath": bench.inside(authority.folder / "leaf.key"),
           "certPath": bench.inside(authority.folder / "chain.pem")}
    (config / "signingkeys.json").write_text(json.dumps({"default": "bench", "keys": [key]}))
    bench.run("notation", ["notation", "cert", "add", "--type", "ca", "--store", "bench",
                           bench.inside(authority.folder / "root.pem")])
    bench.run("notation", ["notation", "policy", "import", "--force", bench.inside(bench.work / "policy.json")])


def one_by_one(bench: Bench, references: list[str], command: list[str]) -> list[str]:
    """For a tool that takes one reference: as many processes at a time as there are processors."""
    file = bench.work / f"references-{len(list(bench.work.glob('references-*')))}"
    file.write_text("\n".join(references) + "\n")
    return ["xargs", "-a", bench.inside(file), f"-P{os.cpu_count()}", "-n1", *command]


# ---------------------------------------------------------------- the workloads: each yields its contenders, once


@contextlib.contextmanager
def start(bench: Bench):
    contenders = [Contender("bulla", ["--version"])]
    contenders += [Contender(tool, [tool, "version"]) for tool in ("cosign", "notation", "oras") if bench.has(tool)]
    yield contenders


@contextlib.contextmanager
def verify_few(bench: Bench, count: int):
    with Registry(bench) as registry:
        references = registry.push_images("bench/few", count)
        bench.sign(references)
        contenders = [Contender("bulla", ["verify", "--key", bench.key() + ".pub", *references])]
        if bench.has("cosign"):
            contenders.append(Contender("cosign", [*cosign_verify(bench), *references]))
        if bench.has("notation"):
            set_up_notation(bench)
            others = registry.push_images("bench/notation", count)
            bench.run("notation", one_by_one(bench, others, ["notation", "sign", "--insecure-registry"]))
            command = ["notation", "verify", "--insecure-registry"]
            many = count > 1
            args = one_by_one(bench, others, command) if many else [*command, *others]
            contenders.append(Contender("notation, one process each" if many else "notation", args))
        unsigned = registry.push_images("bench/unsigned", 1)[0]
        for contender in contenders:
            if contender.args[0] != "xargs":  # it is asked where it verifies one image
                bench.must_refuse(contender, unsigned)
        yield contenders


@contextlib.contextmanager
def verify_notary(bench: Bench, count: int):
    """Signatures of the Notary Project, by a certificate two below its root. notation makes them if it is there."""
    authority = Authority(bench)
    with Registry(bench) as registry:
        references = registry.push_images("bench/notary", count)
        if bench.has("notation"):
            set_up_notation(bench)
            bench.run("notation", one_by_one(bench, references, ["notation", "sign", "--insecure-registry"]))
        else:
            authority.sign(references)
        contenders = [Contender("bulla", ["verify", *authority.options, *references])]
        if bench.has("notation"):
            command = ["notation", "verify", "--insecure-registry"]
            many = count > 1
            args = one_by_one(bench, references, command) if many else [*command, *references]
            contenders.append(Contender("notation, one process each" if many else "notation", args))
        unsigned = registry.push_images("bench/unsigned", 1)[0]
        for contender in contenders:
            if contender.args[0] != "xargs":
                bench.must_refuse(contender, unsigned)
        yield contenders


@contextlib.contextmanager
def verify_keyless(bench: Bench):
    """A real image with keyless provenance at the tag of cosign v2: a certificate of Fulcio and an entry of Rekor v1."""
    suite = bench.vectors / "slsa-images"
    layout = suite / "open/v1.10.0/layout"
    if not layout.is_dir():
        raise SystemExit(f"{layout} is not there: name the folder of the vectors with --vectors")
    blob = lambda digest: (layout / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()
    root = bench.work / "trusted_root.json"
    shutil.copy(suite / "shared/trusted_root.production.json", root)
    # The suite leaves out the layers of the image, which no signature is verified with: the index is pushed alone.
    with Registry(bench, "sparse=accept") as registry:
        image, attestations = json.loads((layout / "index.json").read_text())["manifests"]
        registry.put_manifest("bench/keyless", blob(image["digest"]), image["mediaType"])
        manifest = blob(attestations["digest"])
        for described in [json.loads(manifest)["config"], *json.loads(manifest)["layers"]]:
            registry.push_blob("bench/keyless", described["digest"], described["size"], blob(described["digest"]))
        tag = image["digest"].replace(":", "-") + ".att"
        registry.put_manifest("bench/keyless", manifest, attestations["mediaType"], tag)
        identity = ["--certificate-identity", KEYLESS, "--certificate-oidc-issuer",
                    "https://token.actions.githubusercontent.com"]
        reference = f"{registry.address}/bench/keyless@{image['digest']}"
        contenders = [Contender("bulla", ["verify", "--type", "https://slsa.dev/provenance/v0.2", "--trusted-root",
                                          str(root), *identity, reference])]
        if bench.has("cosign"):
            contenders.append(Contender("cosign", ["cosign", "verify-attestation", "--type", "slsaprovenance",
                                                   "--allow-http-registry", "--trusted-root", bench.inside(root),
                                                   *identity, reference]))
        unsigned = registry.push_images("bench/unsigned", 1)[0]
        for contender in contenders:
            bench.must_refuse(contender, unsigned)
        yield contenders


@contextlib.contextmanager
def verify_offline(bench: Bench):
    """Everything that is checked without a network: a chain of three certificates, a timestamp, two CRLs. What it costs
    beside the start of the program is the difference to the first row."""
    authority = Authority(bench)
    folder = bench.work / "offline"
    Layout(folder, 1, 1000)
    reference = f"oci:{folder}:v1"
    authority.sign([reference])
    authority.stamp(folder)
    crls = ["--timestamp-roots", authority.path("tsa-root.pem"), "--revocation", authority.path("crls"),
            "--revocation-required"]
    # The signer's certificate has expired by then, so the timestamp is needed.
    late = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 40 * 86400))
    yield [
        Contender("bulla, --version", ["--version"]),
        Contender("bulla, chain", ["verify", *authority.options, reference]),
        Contender("bulla, chain and CRLs", ["verify", *authority.options, *crls, reference]),
        Contender("bulla, chain, CRLs, timestamp",
                  ["verify", *authority.options, *crls, "--revocation-keeps-expired", "--at", late, reference]),
    ]
    shutil.rmtree(folder)


@contextlib.contextmanager
def verify_many(bench: Bench, threshold: int):
    with Registry(bench) as registry:
        references = registry.push_images("bench/many", 1000)
        bench.sign(references, keys=3)
        keys = [word for key in bench.made_keys(3) for word in ("--key", key + ".pub")]
        wanted = ["--threshold", str(threshold)]
        contenders = [Contender("bulla", ["verify", *keys, *wanted, *references])]
        # It knows no threshold, and one key at a time.
        if threshold == 1 and bench.has("cosign"):
            contenders.append(Contender("cosign", [*cosign_verify(bench), *references]))
        unsigned = registry.push_images("bench/unsigned", 1)[0]
        for contender in contenders:
            bench.must_refuse(contender, unsigned)
        yield contenders


@contextlib.contextmanager
def sign_many(bench: Bench, count: int):
    """Each run signs images that nobody signed before, in a repository of its own."""
    with Registry(bench) as registry:
        runs = iter(range(1_000_000))

        def images() -> dict[str, str]:
            return {"refs": " ".join(registry.push_images(f"bench/sign{next(runs)}", count))}

        contenders = [Contender("bulla", ["sign", "--key", bench.key() + ".key", "{refs}"], images)]
        if bench.has("cosign"):
            config = bench.work / "signing-config.json"
            config.write_text('{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}')
            args = ["cosign", "sign", "-y", "--key", bench.key_inside() + ".key", "--signing-config",
                    bench.inside(config), "--allow-http-registry", "{refs}"]
            contenders.append(Contender("cosign", args, images))
        if bench.has("notation"):
            set_up_notation(bench)

            def listed() -> dict[str, str]:
                file = bench.work / "to-sign"
                file.write_text(images()["refs"].replace(" ", "\n") + "\n")
                return {"file": bench.inside(file)}

            args = ["xargs", "-a", "{file}", f"-P{os.cpu_count()}", "-n1", "notation", "sign", "--insecure-registry"]
            contenders.append(Contender("notation, one process each, plain key", args, listed))
        yield contenders


@contextlib.contextmanager
def copy_out(bench: Bench, layers: int, layer_bytes: int):
    out = bench.work / "copied"
    big = bench.work / "big"
    with Registry(bench) as registry:
        Layout(big, layers, layer_bytes).push(registry, "bench/big")
        shutil.rmtree(big)
        reference = f"{registry.address}/bench/big:v1"
        gone = lambda: shutil.rmtree(out, ignore_errors=True)
        contenders = [Contender("bulla", ["copy", reference, f"oci:{out}:v1"], after=gone)]
        if bench.has("oras"):
            args = ["oras", "cp", "-r", "--from-plain-http", "--to-oci-layout", "--no-tty", reference]
            contenders.append(Contender("oras", [*args, bench.inside(out) + ":v1"], after=gone))
        yield contenders


@contextlib.contextmanager
def import_in(bench: Bench, layers: int, layer_bytes: int):
    """Each run fills an empty registry. bulla verifies first; a peer that only copies does less."""
    folder = bench.work / "shipment"
    Layout(folder, layers, layer_bytes)
    bench.sign([f"oci:{folder}:v1"])
    current: list[Registry] = []

    def empty() -> dict[str, str]:
        current.append(Registry(bench))
        return {"registry": current[-1].address}

    def close() -> None:
        current.pop().close()

    args = ["import", "--key", bench.key() + ".pub", f"oci:{folder}:v1", "{registry}/bench/in:v1"]
    contenders = [Contender("bulla", args, empty, after=close)]
    if bench.has("oras"):
        args = ["oras", "cp", "-r", "--from-oci-layout", "--to-plain-http", "--no-tty"]
        args += [bench.inside(folder) + ":v1", "{registry}/bench/in:v1"]
        contenders.append(Contender("oras, copies only", args, empty, after=close))
    try:
        yield contenders
    finally:
        while current:
            close()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Workload:
    what: str
    heavy: bool
    disk: int
    make: Callable


WORKLOADS = {
    "start": Workload("print the version", False, 0, start),
    "verify-1": Workload("verify one image by digest", False, 0, lambda b: verify_few(b, 1)),
    "verify-100": Workload("verify 100 images in one command", False, 0, lambda b: verify_few(b, 100)),
    "keyless-1": Workload("verify a keyless attestation by digest", False, 0, verify_keyless),
    "notary-1": Workload("verify a signature of the Notary Project by digest", False, 0,
                         lambda b: verify_notary(b, 1)),
    "notary-100": Workload("verify 100 images with signatures of the Notary Project", False, 0,
                           lambda b: verify_notary(b, 100)),
    "notary-offline": Workload("verify a chain, a timestamp and CRLs, from a layout", False, 0, verify_offline),
    "verify-1000": Workload("verify 1,000 images of three signatures, any key", True, 0, lambda b: verify_many(b, 1)),
    "verify-1000-all": Workload("the same, all three keys", True, 0, lambda b: verify_many(b, 3)),
    "sign-50": Workload("sign 50 images in one command, encrypted key", False, 0, lambda b: sign_many(b, 50)),
    "copy-500m": Workload("copy a 500 MB image with three referrers to a layout", True, 2000,
                          lambda b: copy_out(b, 5, 100_000_000)),
    "import-50m": Workload("import a 50 MB layout into an empty registry", False, 200,
                           lambda b: import_in(b, 5, 10_000_000)),
    "import-2g": Workload("import a 2 GB layout into an empty registry", True, 6000,
                          lambda b: import_in(b, 10, 200_000_000)),
}


# ---------------------------------------------------------------- the report


def load() -> float:
    return os.getloadavg()[0]


def say(text: str = "") -> None:
    print(text, flush=True)


def spread(values: list[float]) -> str:
    scaled = sorted(value * 1000 for value in values)
    digits = 1 if scaled[-1] < 100 else 0
    return f"{statistics.median(scaled):,.{digits}f} ({scaled[0]:,.{digits}f} - {scaled[-1]:,.{digits}f})"


def table(rows: dict[str, Row]) -> None:
    say("| tool | wall ms | CPU ms | peak MiB |")
    say("| --- | --- | --- | --- |")
    for tool, row in rows.items():
        say(f"| {tool} | {spread(row.wall)} | {spread(row.cpu)} | {row.peak / 1024:.1f} |")


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return f"{os.cpu_count()} x {name}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = HERE / "target/release"
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="; ".join(WORKLOADS))
    parser.add_argument("-n", type=int, default=7, metavar="N", help="timed runs of each (default 7)")
    parser.add_argument("--all", action="store_true", help="every workload, also those that move gigabytes")
    parser.add_argument("--peers", type=Path, metavar="ROOT", help="a root folder with cosign, notation, oras; needs root")
    parser.add_argument("--bulla", type=Path, default=target / "bulla", metavar="FILE")
    parser.add_argument("--registry", type=Path, default=target / "quirk-registry", metavar="FILE")
    parser.add_argument("--vectors", type=Path, default=Path(os.environ.get("BULLA_VECTORS", HERE / "../shared/vectors")),
                        metavar="DIR", help="the test vectors, for keyless-1 (default: BULLA_VECTORS)")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where the work folder is made (with --peers: in ROOT)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    options = parser.parse_args()
    for name in options.workloads:
        if name not in WORKLOADS:
            parser.error(f"there is no workload `{name}`: {', '.join(WORKLOADS)}")
    if options.n < 1:
        parser.error("at least one run")
    for program in (options.bulla, options.registry):
        if not program.is_file():
            parser.error(f"{program} is not there: build it first (see the top of this file)")
    if not options.workloads:
        options.workloads = [name for name, it in WORKLOADS.items() if options.all or not it.heavy]
    return options


def main() -> None:
    options = arguments()
    place = options.work or (options.peers / "tmp" if options.peers else None)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="bulla-bench-", dir=place.resolve() if place else None) as work:
        bench = Bench(options, Path(work))
        version = subprocess.run([bench.bulla, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        say(f"{version}; {processor()}; {platform.system()} {platform.release()}; plain HTTP on loopback, no token, "
            f"referrers API; {options.n} runs of each, interleaved")
        say("wall and CPU (user and system, with children): median (least - most). "
            + ("Peak: one run under time(1)." if GNU_TIME.exists()
               else "Peak: ru_maxrss, whose floor is the size of this program: small figures are too high."))
        for name in options.workloads:
            workload = WORKLOADS[name]
            free = shutil.disk_usage(work).free // 1_000_000
            if free < workload.disk:
                say(f"\n## {name}: not run, {workload.disk} MB of disk wanted, {free} MB free")
                continue
            with workload.make(bench) as contenders:
                before = load()
                rows = bench.measure(contenders, options.n)
            after = load()
            busy = ", machine busy" if max(before, after) > BUSY else ""
            say(f"\n## {name}: {workload.what} (load {before:.1f} to {after:.1f}{busy})\n")
            table(rows)
            figures[name] = {"load": [before, after], "rows": {tool: vars(row) for tool, row in rows.items()}}
    if options.json:
        options.json.write_text(json.dumps({"version": version, "machine": processor(), "workloads": figures}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
