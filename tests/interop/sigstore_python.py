"""Asks the package `sigstore` of PyPI about bundles: for each case on standard input, yes or its reason for a no.

A case is an object with `name`, the paths `bundle` and `root`, and `identity` and `issuer` where they are stated; with the
path `artifact`, or with `sha256`. The answer is an object from names to reasons; an empty one is a yes. Nothing is fetched.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy
from sigstore_models.common.v1 import HashAlgorithm


def trusted_root(path):
    """The trusted root in a file; of several in lines, the last one."""
    text = Path(path).read_text()
    if not path.endswith(".jsonl"):
        return TrustedRoot.from_file(path)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write([line for line in text.splitlines() if line.strip()][-1])
        file.flush()
        return TrustedRoot.from_file(file.name)


def check(case):
    """Raises an error if the bundle is not a signature of the file, or an attestation about it, by this identity."""
    name = case.get("identity")
    who = policy.Identity(identity=name, issuer=case.get("issuer")) if name else policy.UnsafeNoOp()
    sha256 = case.get("sha256")
    if case.get("artifact"):
        sha256 = hashlib.sha256(Path(case["artifact"]).read_bytes()).hexdigest()
    verifier = Verifier(trusted_root=trusted_root(case["root"]))
    text = Path(case["bundle"]).read_text()
    bundle = Bundle.from_json(text)
    if "dsseEnvelope" in json.loads(text):
        _, payload = verifier.verify_dsse(bundle, who)
        subjects = json.loads(payload)["subject"]
        if not any(subject["digest"].get("sha256") == sha256 for subject in subjects):
            raise ValueError("the statement is about another file")
    else:
        verifier.verify_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256)), bundle, who)


def reason(case):
    """Why the case is refused; empty if it is not."""
    try:
        check(case)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


print(json.dumps({case["name"]: reason(case) for case in json.load(sys.stdin)}))
