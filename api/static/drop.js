// A file is dropped, sent and stopped without leaving the page; the answer takes this one's place.
const $ = (selector, root = document) => root.querySelector(selector);
let form, request, preview;

function say(key) {
  for (const each of form.querySelectorAll("[data-say]")) each.hidden = each.dataset.say !== key;
}

function ready() {
  form = $("form.drop");
  if (!form) return;
  $("[data-script]").hidden = false;
  $(".sending button").onclick = () => request?.abort();
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
  const sending = $(".sending");
  let slow;
  request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.responseType = "document";
  request.upload.onloadstart = request.upload.onprogress = ({ loaded, total }) => {
    clearTimeout(slow);
    $("progress").value = loaded / total;
    say(loaded < total ? "sending" : "looking");
    if (loaded < total) slow = setTimeout(say, 3000, "slow");
  };
  request.onloadend = () => {
    clearTimeout(slow);
    sending.hidden = true;
    request = null;
  };
  request.onabort = () => say("stopped");
  request.onerror = () => say("broken");
  request.onload = ({ target }) => (target.response ? show(target.response, file) : say("broken"));
  sending.hidden = false;
  request.send(body);
}

function show(answer, file) {
  $("main").replaceWith($("main", answer));
  document.title = answer.title;
  const page = $("[data-page]")?.dataset.page;
  if (page) history.pushState({}, "", page);
  ready();
  document.dispatchEvent(new Event("swapped"));
  const figure = $(".preview");
  if (figure && /^image/.test(file.type)) {
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
