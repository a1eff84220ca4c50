// What every page gains by a script, and does without: a click copies a code, and moments say themselves in local time.
for (const code of document.querySelectorAll("[data-copy]")) {
  code.addEventListener("click", () => navigator.clipboard?.writeText(code.dataset.copy));
}
for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = new Date(time.dateTime).toLocaleString(document.documentElement.lang);
}
