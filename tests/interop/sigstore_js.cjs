// Asks the package `@sigstore/verify` of npm about bundles: for each case on standard input, yes or its reason for a no.
//
// A case is an object with `name`, the paths `bundle` and `root`, and `identity` and `issuer`, or the path `key`, where they
// are stated; with the path `artifact`, or with `sha256`; `logged` says whether its instance has logs. The answer is an
// object from names to reasons: an empty one is a yes, and null is a signature over a file that is not there, which the
// package cannot verify. Nothing is fetched.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");

// The trusted root in a file; of several in lines, the last one.
function trustedRoot(path) {
  const text = fs.readFileSync(path, "utf8");
  const lines = text.split("\n").filter((line) => line.trim());
  return TrustedRoot.fromJSON(JSON.parse(path.endsWith(".jsonl") ? lines.at(-1) : text));
}

// The key of the case, whatever the bundle calls it.
function keyFinder(path) {
  if (!path) return undefined;
  const publicKey = crypto.createPublicKey(fs.readFileSync(path));
  return () => ({ publicKey, validFor: () => true });
}

// Who must have signed. The package takes a name as a pattern.
function policy({ identity, issuer }) {
  if (!identity) return undefined;
  const name = identity.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return { subjectAlternativeName: `^${name}$`, extensions: issuer ? { issuer } : {} };
}

// Throws an error if the bundle is not a signature of the file, or an attestation about it, by this identity.
function check(entry) {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(entry.bundle, "utf8")));
  const artifact = entry.artifact ? fs.readFileSync(entry.artifact) : undefined;
  const least = entry.logged ? 1 : 0;
  const trust = toTrustMaterial(trustedRoot(entry.root), keyFinder(entry.key));
  const verifier = new Verifier(trust, { ctlogThreshold: least, tlogThreshold: least });
  verifier.verify(toSignedEntity(bundle, artifact), policy(entry));
  if (bundle.content.$case !== "dsseEnvelope") return;
  const sha256 = artifact ? crypto.createHash("sha256").update(artifact).digest("hex") : entry.sha256;
  const { subject } = JSON.parse(bundle.content.dsseEnvelope.payload);
  if (!subject.some(({ digest }) => digest.sha256 === sha256)) throw new Error("the statement is about another file");
}

// Why the case is refused; empty if it is not, null if it cannot be asked.
function reason(entry) {
  try {
    const isOfFile = !("dsseEnvelope" in JSON.parse(fs.readFileSync(entry.bundle, "utf8")));
    if (isOfFile && !entry.artifact) return null;
    check(entry);
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
  return "";
}

const cases = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(Object.fromEntries(cases.map((entry) => [entry.name, reason(entry)]))));
