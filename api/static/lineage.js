// The picture of a way: larger and smaller by the part of it that is shown, and from card to card by arrows.
function draw(frame) {
  const svg = frame.querySelector("svg");
  const bar = frame.parentElement.querySelector("[data-zoom]");
  if (!svg || !bar) return;
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const show = (scale) => {
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
  };
  let scale = 1;
  bar.hidden = false;
  bar.addEventListener("click", ({ target }) => {
    const by = Number(target.dataset?.by ?? 1);
    const middle = (frame.scrollLeft + frame.clientWidth / 2) / scale;
    scale = by ? Math.min(4, Math.max(0.05, scale / by)) : Math.min(1, frame.clientWidth / width);
    show(scale);
    frame.scrollLeft = middle * scale - frame.clientWidth / 2;
  });
  const links = [...svg.querySelectorAll("a")];
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  svg.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    const here = event.target.closest("a")?.getBoundingClientRect();
    if (!way || !here) return;
    let best = null;
    for (const link of links) {
      const there = link.getBoundingClientRect();
      const x = there.x - here.x, y = there.y - here.y;
      const along = x * way[0] + y * way[1], off = Math.abs(x * way[1]) + Math.abs(y * way[0]);
      if (along > 1 && (!best || along + 2 * off < best.cost)) best = { link, cost: along + 2 * off };
    }
    if (best) { best.link.focus(); event.preventDefault(); }
  });
  frame.scrollLeft = frame.scrollWidth;
}
const all = () => document.querySelectorAll("[data-lineage]").forEach(draw);
document.addEventListener("swapped", all);
all();
