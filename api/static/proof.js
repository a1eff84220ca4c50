// Does each step of a proof again, from what stands on the page: SHA-256 of 01 and two hashes.
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hash = async (...parts) => hex(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
const text = (node) => node?.textContent.trim();

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
    row.querySelector("[data-mark]").textContent = good ? "✓ " : "✕ ";
  }
  const note = text(proof.querySelector("[data-note]"))?.split("\n")[2];
  const root = text(proof.querySelector("[data-root]"));
  const signed = !note || hex(Uint8Array.from(atob(note), (char) => char.charCodeAt(0))) === root;
  return all && signed && known === root;
}

for (const proof of document.querySelectorAll("[data-proof]")) {
  const said = proof.querySelector("[role=status]");
  const button = proof.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", async () => {
    said.textContent = "";
    const good = crypto.subtle && (await check(proof).catch(() => false));
    said.textContent = good === undefined ? said.dataset.cannot : good ? said.dataset.good : said.dataset.bad;
    said.className = good ? "passed" : "failed";
  });
}
