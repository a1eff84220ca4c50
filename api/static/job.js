// What is still being made: looked at again every two seconds, until it is done.
const live = document.getElementById("live");
while (live.hasAttribute("data-open")) {
  await new Promise((go) => setTimeout(go, 2000));
  try {
    const answer = await fetch(location, { headers: { Accept: "text/html" } });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (!found) break;
    if (!found.hasAttribute("data-open")) live.removeAttribute("data-open");
    live.replaceChildren(...found.childNodes);
  } catch {
    // The line is down: it is asked again.
  }
}
