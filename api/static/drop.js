// Checking a file without leaving the page: drop it, see it go, stop it. The answer takes this page's place.
const $ = (selector, root = document) => root.querySelector(selector);
let form, request, preview;

function say(key) {
  $(".said", form).textContent = key ? $(`[data-words=${key}]`, form).content.textContent : "";
}

function ready() {
  form = $("form.drop");
  if (!form) return;
  $("[data-script]", form).hidden = false;
  $(".sending button", form).onclick = () => request?.abort();
  form.onsubmit = (event) => {
    event.preventDefault();
    send($("#file").files[0]);
  };
}

function send(file) {
  if (!file || request) return;
  form.scrollIntoView({ block: "nearest" });
  if (file.size > form.dataset.limit) return say("large");
  const body = new FormData(form);
  body.set("file", file, file.name.slice(-200));
  const bar = $("progress", form), sending = $(".sending", form);
  let slow;
  request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.responseType = "document";
  request.upload.onloadstart = request.upload.onprogress = ({ loaded, total }) => {
    clearTimeout(slow);
    bar.value = loaded / total;
    say(loaded < total ? "sending" : "looking");
    if (loaded < total) slow = setTimeout(say, 3000, "slow");
  };
  request.onabort = () => say("stopped");
  request.onerror = () => say("broken");
  request.onload = () => (request.response ? show(request.response, file) : say("broken"));
  request.onloadend = () => {
    clearTimeout(slow);
    sending.hidden = true;
    request = null;
  };
  sending.hidden = false;
  request.send(body);
}

function show(answer, file) {
  $("main").replaceWith(document.adoptNode($("main", answer)));
  document.title = answer.title;
  const page = $("[data-page]")?.dataset.page;
  if (page) history.pushState({}, "", page);
  ready();
  const figure = $(".preview");
  if (figure && file.type.startsWith("image/")) {
    URL.revokeObjectURL(preview);
    const image = new Image();
    image.alt = file.name;
    image.onload = () => (figure.hidden = false);
    image.src = preview = URL.createObjectURL(file);
    figure.append(image);
  }
  $("h1").tabIndex = -1;
  $("h1").focus();
}

onpopstate = () => location.reload();
ondragover = ondrop = (event) => {
  if (!form || !event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  form.classList.toggle("over", event.type === "dragover");
  send(event.dataTransfer.files[0]);
};
ready();
