// Computes the SHA-256 of works on this computer, so that only digests are sent.
const box = document.querySelector("#works");
const input = document.querySelector("#pictures");
const said = document.querySelector("#hashed");

if (globalThis.crypto?.subtle) document.querySelector("#hashing").hidden = false;

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

input.addEventListener("change", async () => {
  let done = 0;
  for (const file of input.files) {
    const digest = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    box.value += `${box.value && !box.value.endsWith("\n") ? "\n" : ""}${digest}\n`;
    done += 1;
    said.textContent = `${done} / ${input.files.length}`;
  }
  input.value = "";
});
