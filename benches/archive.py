#!/usr/bin/env python3
"""Measures `bulla verify docker-archive:` on an image of 2 GB in ten layers, from a file and from a pipe.

    cargo build --release --locked
    python3 benches/archive.py [--bulla PROGRAM] [-n RUNS] [--layers COUNT] [--megabytes EACH]

Everything is in one temporary folder (TMPDIR; twice the size of the image), which is removed at the end. Besides bulla
it measures `openssl dgst -sha256` of the same file: one thread, the speed of SHA-256 here.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path


def blob(layout: Path, data: bytes, kind: str) -> dict:
    """Writes a blob and returns its descriptor."""
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


def layer(layout: Path, number: int, size: int) -> dict:
    """A layer with one file of random bytes."""
    path = layout / "layer"
    with tarfile.open(path, "w") as tar:
        content = layout / "content"
        content.write_bytes(os.urandom(size))
        tar.add(content, f"data-{number}")
        content.unlink()
    descriptor = blob(layout, path.read_bytes(), "layer.v1.tar")
    path.unlink()
    return descriptor


def image(layout: Path, count: int, size: int) -> None:
    """An OCI layout with one image of uncompressed layers, named 1.0."""
    (layout / "blobs/sha256").mkdir(parents=True)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    layers = [layer(layout, number, size) for number in range(count)]
    rootfs = {"type": "layers", "diff_ids": [each["digest"] for each in layers]}
    config = {"architecture": "amd64", "os": "linux", "rootfs": rootfs}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(layout, json.dumps(config).encode(), "config.v1+json"),
        "layers": layers,
    }
    descriptor = blob(layout, json.dumps(manifest).encode(), "manifest.v1+json")
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": "1.0"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))


def run(command: str, folder: Path, environment: dict[str, str]) -> float:
    """Runs a command of the shell, which must succeed; returns wall seconds."""
    began = time.monotonic()
    subprocess.run(["sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def peak(command: str, folder: Path, environment: dict[str, str]) -> str:
    """The peak memory of the program that TIME stands before, in a run of its own that also warms the page cache."""
    run(command.replace("TIME", f"{GNU_TIME} -f %M -o peak" if GNU_TIME.exists() else ""), folder, environment)
    return f"{int((folder / 'peak').read_text()) / 1024:.0f} MiB" if GNU_TIME.exists() else f"no {GNU_TIME}"


GNU_TIME = Path("/usr/bin/time")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--bulla", type=Path, default=Path("target/release/bulla"))
    options.add_argument("-n", type=int, default=7)
    options.add_argument("--layers", type=int, default=10)
    options.add_argument("--megabytes", type=int, default=200)
    chosen = options.parse_args()
    bulla = chosen.bulla.resolve(strict=True)
    with tempfile.TemporaryDirectory(prefix="bulla-archive-") as name:
        folder = Path(name)
        # The program has this name for the shell, whatever its file is called.
        programs = folder / "bin"
        programs.mkdir()
        (programs / "bulla").symlink_to(bulla)
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": name, "BULLA_PASSWORD": "benches"}
        image(folder / "layout", chosen.layers, chosen.megabytes * 1_000_000)
        for command in [
            "bulla key new -o k",
            "bulla sign oci:layout:1.0 --key k.key",
            "bulla copy --evidence oci:layout:1.0 oci-archive:evidence.tar:1.0",
            "bulla copy oci:layout:1.0 docker-archive:app.tar:app:1.0",
            "rm -r layout",
        ]:
            run(command, folder, environment)
        verify = "TIME bulla verify docker-archive:{} --evidence oci-archive:evidence.tar --key k.pub"
        commands = {
            "from a file": verify.format("app.tar"),
            "from a pipe": "cat app.tar | " + verify.format("-"),
            "openssl dgst -sha256": "TIME openssl dgst -sha256 app.tar",
        }
        size = (folder / "app.tar").stat().st_size
        load = os.getloadavg()[0]
        print(f"{size / 1e9:.2f} GB, {chosen.layers} layers, {os.cpu_count()} processors, load {load:.2f}")
        print("| | wall, median (min to max) | speed | peak |\n| --- | --- | --- | --- |")
        for name, command in commands.items():
            memory = peak(command, folder, environment)
            walls = [run(command.replace("TIME", ""), folder, environment) for _ in range(chosen.n)]
            wall = statistics.median(walls)
            span = f"{wall:.2f} s ({min(walls):.2f} to {max(walls):.2f})"
            print(f"| {name} | {span} | {size / wall / 1e9:.2f} GB/s | {memory} |")


if __name__ == "__main__":
    main()
