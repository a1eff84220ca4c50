// Checks the envelope vectors with Node's own JSON, text decoder and crypto: nothing here knows our code.
//
//     node tests/vectors/check_envelopes.mjs
//
// For each file it finds out by itself whether the bytes are canonical JSON and whether the signature by the
// given key covers the payload under DSSE's pre-authentication encoding, and compares that with what the file says.

import { createHash, createPublicKey, verify } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("./envelopes/", import.meta.url);

const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
};

const read = (bytes) => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    return { value, json: canonical(value) === text ? "canonical" : "other" };
  } catch {
    return { value: undefined, json: "broken" };
  }
};

const pae = (type, payload) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);

const signed = (envelope, spki) => {
  if (!envelope || typeof envelope.payloadType !== "string") return null;
  const keyid = createHash("sha256").update(spki).digest("hex");
  const found = (envelope.signatures ?? []).find((signature) => signature.keyid === keyid);
  if (!found) return null;
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  const message = pae(envelope.payloadType, Buffer.from(envelope.payload, "base64"));
  const digest = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  try {
    return verify(digest, message, key, Buffer.from(found.sig, "base64"));
  } catch {
    return false;
  }
};

const wrong = [];
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
for (const name of names) {
  const vector = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  const { value, json } = read(Buffer.from(vector.envelope, "base64"));
  const found = { json, signed: signed(value, Buffer.from(vector.key, "base64")) };
  for (const field of ["json", "signed"]) {
    if (found[field] !== vector[field]) wrong.push(`${name}: ${field} is ${found[field]}, not ${vector[field]}`);
  }
}
console.log(`${names.length} vectors, ${wrong.length} wrong`);
wrong.forEach((line) => console.log(line));
process.exit(wrong.length || !names.length ? 1 : 0);
