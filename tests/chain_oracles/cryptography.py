"""Reads chains as JSON, and writes what x509.verification of the package `cryptography` says of each."""

import base64
import datetime
import json
import sys

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID


def certificate(text):
    return x509.load_der_x509_certificate(base64.b64decode(text))


def wanted(purpose, required):
    """An extension policy by which an extended key usage has this purpose; all other extensions are allowed."""

    def check(policy, certificate, extension):
        if extension is not None and purpose not in extension:
            raise ValueError("another extended key usage")

    policy = verification.ExtensionPolicy.permit_all()
    rule = policy.require_present if required else policy.may_be_present
    return rule(x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, check)


def verdict(case):
    stamping = case["purpose"] == "timestamps"
    purpose = ExtendedKeyUsageOID.TIME_STAMPING if stamping else ExtendedKeyUsageOID.CODE_SIGNING
    try:
        builder = verification.PolicyBuilder().store(verification.Store([certificate(case["anchor"])]))
        builder = builder.time(datetime.datetime.fromtimestamp(case["at"], datetime.timezone.utc).replace(tzinfo=None))
        builder = builder.extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=wanted(purpose, stamping)
        )
        verifier = builder.build_client_verifier()
        verifier.verify(certificate(case["leaf"]), [certificate(one) for one in case["between"]])
    except (verification.VerificationError, ValueError) as error:
        return f"refused: {error}"
    return "accepted"


json.dump([verdict(case) for case in json.load(sys.stdin)], sys.stdout)
