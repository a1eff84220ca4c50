// An event says that there is something newer; the page says what.
for (const box of document.querySelectorAll("[data-live]")) {
  const [bar, said, pause, list] = [".livebar", "[role=status]", "button", ".happened"].map((what) => box.querySelector(what));
  if (!list) continue;
  const { live, events, most, now, lost, ended, paused } = box.dataset;
  let timer = 0, waiting = false, stream;
  const held = () => pause.getAttribute("aria-pressed") === "true";
  const say = (words) => { if (said.textContent !== words) said.textContent = words; };
  async function look() {
    timer = 0;
    if (held()) { waiting = true; return; }
    waiting = false;
    try {
      const answer = await fetch(live, { headers: { accept: "text/html" } });
      if ([401, 403].includes(answer.status)) { stream.close(); pause.hidden = true; return say(ended); }
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const newest = Number(list.firstElementChild?.dataset.index ?? -1);
      const fresh = [...page.querySelectorAll(".happened > li")].filter((item) => Number(item.dataset.index) > newest);
      list.prepend(...fresh.slice(0, most).map((item) => document.importNode(item, true)));
      while (list.children.length > most) list.lastElementChild.remove();
      say(now);
    } catch { say(lost); }
  }
  const soon = () => { timer ||= setTimeout(look, 700); };
  function listen() {
    stream = new EventSource(events);
    stream.onopen = () => say(held() ? paused : now);
    stream.onerror = () => {
      say(lost);
      if (stream.readyState === EventSource.CLOSED) look().then(() => setTimeout(() => pause.hidden || listen(), 10000));
    };
    for (const kind of ["entry", "verdict"]) stream.addEventListener(kind, soon);
  }
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!held()));
    say(held() ? paused : now);
    if (waiting) look();
  });
  bar.hidden = false;
  listen();
}
