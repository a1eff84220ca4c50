// What every page gains by a script, and does without: a click copies a code, and moments say themselves in local time.
document.addEventListener("click", ({ target }) => {
  const code = target.closest("[data-copy]");
  if (code) navigator.clipboard?.writeText(code.dataset.copy);
});
function local() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(document.documentElement.lang);
  }
}
document.addEventListener("swapped", local);
local();
