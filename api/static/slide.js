// Two pictures on top of each other: a slider, which the arrow keys move, says where one ends and the other begins.
const pair = document.querySelector(".slides");
const images = [...(pair?.querySelectorAll("img") ?? [])];
await Promise.all(images.map((image) => image.decode?.().catch(() => image.remove())));
if (images.length === 2 && images.every((image) => image.isConnected)) {
  const slider = pair.querySelector(".slider");
  const input = slider.querySelector("input");
  const [under, over] = pair.querySelectorAll(".picture");
  const move = () => {
    over.style.clipPath = `inset(0 0 0 ${100 - input.value}%)`;
  };
  pair.classList.add("slid");
  slider.hidden = false;
  under.append(over);
  input.addEventListener("input", move);
  move();
}
