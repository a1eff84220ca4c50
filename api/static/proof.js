// Does each step of a proof again, from what stands on the page: SHA-256 of 01 and two hashes; and the signature.
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const base64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const hash = async (...parts) => hex(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
const text = (node) => node?.textContent.trim();

function mark(row, good) {
  row.querySelector("[data-mark]").textContent = good ? "✓ " : good === null ? "? " : "✕ ";
}

// Whether a key signed a note (C2SP signed-note); null: this browser knows no Ed25519.
async function signs(vkey, note) {
  const [, name, id, key] = vkey.match(/^([^+]+)\+([0-9a-f]{8})\+(.+)$/);
  const [said, lines] = note.split("\n\n");
  const ours = lines.split("\n").filter((line) => line.startsWith(`— ${name} `)).map((line) => base64(line.split(" ")[2]));
  const line = ours.find((each) => hex(each.slice(0, 4)) === id);
  try {
    const known = await crypto.subtle.importKey("raw", base64(key).slice(1), "Ed25519", false, ["verify"]);
    return !!line && (await crypto.subtle.verify("Ed25519", known, line.slice(4), new TextEncoder().encode(`${said}\n`)));
  } catch (error) {
    if (error.name === "NotSupportedError") return line ? null : false;
    throw error;
  }
}

// Returns which sentence of the page says how it went.
async function check(proof) {
  let all = true;
  let known = null;
  for (const row of proof.querySelectorAll("[data-step]")) {
    const value = (name) => text(row.querySelector(`[data-${name}]`));
    const entry = row.dataset.step === "leaf" && document.querySelector("[data-entry]");
    let good = value("result")?.length === 64;
    if (row.dataset.step === "join") {
      good &&= known === null || value(row.dataset.ours) === known;
      good &&= (await hash(bytes("01"), bytes(value("left")), bytes(value("right")))) === value("result");
    } else if (entry) {
      good &&= (await hash(bytes("00"), text(entry))) === value("result");
    }
    known = value("result");
    all &&= good;
    mark(row, good);
  }
  const note = text(proof.querySelector("[data-note]"));
  const root = text(proof.querySelector("[data-root]"));
  if (!all || known !== root || (note && hex(base64(note.split("\n")[2])) !== root)) return "bad";
  let found = note ? "signed" : "good";
  for (const key of proof.querySelectorAll("[data-vkey]")) {
    const good = await signs(text(key), note);
    mark(key.closest("dd").previousElementSibling, good);
    if (good === false) return "bad";
    if (good === null) found = "unsigned";
  }
  return found;
}

for (const proof of document.querySelectorAll("[data-proof]")) {
  const said = proof.querySelector("[role=status]");
  const button = proof.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", async () => {
    said.textContent = "";
    const found = crypto.subtle ? await check(proof).catch(() => "bad") : "cannot";
    said.textContent = said.dataset[found];
    said.className = { bad: "failed", cannot: "open", unsigned: "open" }[found] ?? "passed";
  });
}
