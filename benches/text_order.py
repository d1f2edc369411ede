#!/usr/bin/env python3
"""Writes text-order.txt: the functions that a verification runs, which `build.rs` has linked side by side.

    cargo rustc --release --locked --bin bulla -- -C strip=none
    cargo build --release --locked --package quirk-registry
    python3 benches/text_order.py

It runs workloads of run.py under valgrind, whose callgrind names every function that was run. Functions that more of the
workloads run stand first, and those of the first workload before all others. keyless-1 needs the test vectors.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import run

WORKLOADS = ["start", "verify-1", "notary-1", "notary-offline", "keyless-1"]
# The processor of valgrind has no instructions for SHA-256.
CHOSEN = ["_ZN4sha26sha2567x86_sha8compress"]
# What is written in assembly has no section for each function, so the whole object is linked there, with the functions for
# every processor.
OBJECTS = ["p256-x86_64-asm.o", "p256_beeu-x86_64-asm.o", "sha256-x86_64.o", "x86_64-mont.o"]


def without_hash(name: str) -> str | None:
    """The name as it is in every build; None for one that has no section."""
    name = re.sub(r"\.llvm\.\d+$", "", name.split("'")[0])
    if name.startswith("_ZN"):
        return re.sub(r"17h[0-9a-f]{16}E.*$", "", name)
    # The disambiguator of a crate in a name of the scheme v0.
    if name.startswith("_R"):
        return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name)
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else None


def functions(profile: Path, program: Path) -> set[str]:
    """The functions of `program` that were run, by a file that callgrind wrote. It numbers each name where it is first."""
    objects, names, found, current = {}, {}, set(), ""
    for line in profile.read_text(errors="replace").splitlines():
        match = re.match(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$", line)
        if not match:
            continue
        called, kind, number, name = match.groups()
        known = objects if kind == "ob" else names
        if name is not None:
            known[number] = name
        if not called and kind == "ob":
            current = known.get(number, "")
        elif not called and current == str(program):
            found.add(known.get(number, ""))
    return {name for name in map(without_hash, found) if name}


def ordered(ran: list[set[str]]) -> list[str]:
    """The names in the order in which they are linked. `ran`: the functions that each workload runs."""
    by = {name: [name in functions for functions in ran] for name in set.union(*ran)}
    most_first = lambda used: (not used[0], -sum(used), [not each for each in used])
    return sorted(by, key=lambda name: (most_first(by[name]), name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=WORKLOADS, metavar="WORKLOAD")
    parser.add_argument("--bulla", type=Path, default=run.HERE / "target/release/bulla", metavar="FILE")
    parser.add_argument("--registry", type=Path, default=run.HERE / "target/release/quirk-registry", metavar="FILE")
    parser.add_argument("--vectors", type=Path, default=run.HERE / "../shared/vectors", metavar="DIR")
    parser.add_argument("--output", type=Path, default=run.HERE / "text-order.txt", metavar="FILE")
    options = parser.parse_args()
    options.peers = None
    ran = []
    with tempfile.TemporaryDirectory(prefix="bulla-order-") as work:
        bench = run.Bench(options, Path(work))
        for name in options.workloads:
            with run.WORKLOADS[name].make(bench) as contenders:
                ran.append(set())
                for contender in (one for one in contenders if one.program == "bulla"):
                    profile = Path(work) / "profile"
                    wrapper = ["valgrind", "--tool=callgrind", "--demangle=no", "--trace-children=no",
                               f"--callgrind-out-file={profile}"]
                    words = contender.fresh()
                    args = [word for arg in contender.args for word in run.expand(arg, words)]
                    bench.run("bulla", args, wrapper)
                    contender.after()
                    ran[-1] |= functions(profile, bench.bulla)
    order = ordered(ran)
    if not order:
        raise SystemExit(f"{bench.bulla} has no names of functions: build it with -C strip=none")
    options.output.write_text("\n".join(order + CHOSEN + OBJECTS) + "\n")
    print(f"{len(order)} names")


if __name__ == "__main__":
    sys.exit(main())
