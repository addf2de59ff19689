// Keeps an open page true. Everything also works without this file: it only spares the reader the reloading.

const SILENCE = 12_000; // the hub's pulse beats every five seconds
const PAUSES = [1_000, 2_000, 5_000, 10_000];

const pulse = document.getElementById("pulse");
const clock = document.getElementById("clock");
let source = null;
let failures = 0;
let watch = 0;
let again = 0;
let pressed = false;
let held = [];
let skew = Date.now() - Date.parse(clock.dateTime); // how far the reader's clock is before the hub's

function show(state, words) {
  pulse.hidden = false;
  pulse.className = `pulse ${state}`;
  if (pulse.textContent !== words) pulse.textContent = words;
  document.body.classList.toggle("stale-page", state === "lost");
}

// -- fragments

function apply(fragments) {
  if (pressed) {
    held.push(...fragments); // a button must not be replaced under the finger
    return;
  }
  for (const { id, mark, html } of fragments) {
    const element = document.getElementById(id);
    if (!element || element.dataset.mark === mark) continue;
    const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...element.querySelectorAll("details[open][id]")].map((one) => one.id);
    element.innerHTML = html;
    element.dataset.mark = mark;
    for (const one of open) document.getElementById(one)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}

function release() {
  setTimeout(() => {
    pressed = false;
    apply(held.splice(0));
  });
}

// -- the stream

function connect() {
  clearTimeout(again);
  disconnect();
  source = new EventSource(pulse.dataset.stream);
  source.addEventListener("fragments", (event) => apply(JSON.parse(event.data)));
  source.addEventListener("pulse", (event) => {
    const now = JSON.parse(event.data);
    clock.textContent = now.text;
    clock.dateTime = now.iso;
    skew = Date.now() - Date.parse(now.iso);
    count();
    failures = 0;
    show("live", "Live");
    listen();
  });
  source.addEventListener("over", () => location.reload()); // signed out: the hub leads to the sign-in page
  source.addEventListener("error", lose);
  listen();
}

function disconnect() {
  clearTimeout(watch);
  source?.close();
  source = null;
}

function listen() {
  clearTimeout(watch);
  watch = setTimeout(lose, SILENCE);
}

async function lose() {
  disconnect();
  clearTimeout(again);
  const pause = PAUSES[Math.min(failures, PAUSES.length - 1)];
  failures += 1;
  again = setTimeout(connect, pause * (0.75 + Math.random() / 2));
  try {
    const probe = new URL(pulse.dataset.stream, location.href);
    const answer = await fetch(probe, { method: "HEAD", redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect") location.reload();
    else if (failures > 1) show("waiting", `Not live: what you see is of ${clock.textContent}.`);
  } catch {
    show("lost", `The hub does not answer. What you see is of ${clock.textContent}.`);
  }
}

// A browser grants six connections to a host: a page that nobody sees gives its one back.
function follow() {
  if (document.visibilityState === "visible") connect();
  else {
    clearTimeout(again);
    disconnect();
  }
}

// -- countdowns: how long something goes on, by the reader's own clock corrected by the hub's

function count() {
  for (const left of document.querySelectorAll("[data-until]")) {
    const seconds = Math.round((Date.parse(left.dataset.until) - Date.now() + skew) / 1000);
    const words = seconds > 0 ? `(${seconds} s left)` : "";
    if (left.textContent !== words) left.textContent = words;
  }
}

// -- buttons

async function order(event) {
  const button = event.submitter;
  if (event.target.id !== "act" || !button?.hasAttribute("formaction")) return;
  event.preventDefault();
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(button.getAttribute("formaction"), {
      method: "POST",
      headers: { "x-requested-with": "hubd" },
      body: new URLSearchParams(new FormData(event.target, button)),
    });
    if (answer.redirected && new URL(answer.url).pathname.startsWith("/run/")) location.assign(answer.url);
    else if (answer.redirected) location.reload();
    else if (answer.ok) apply(await answer.json());
    else tell(`The hub did not take this order (${answer.status}).`, "Reload the page and try again.");
  } catch {
    tell("The hub did not answer.", "Whether the order was carried out is not known.");
  }
  button.removeAttribute("aria-busy");
}

function tell(title, text) {
  const notice = document.createElement("p");
  const strong = document.createElement("strong");
  notice.className = "notice bad";
  strong.textContent = title;
  notice.append(strong, ` ${text}`);
  const notices = document.getElementById("notices");
  notices.replaceChildren(notice);
  notices.dataset.mark = "";
}

document.addEventListener("submit", order);
document.addEventListener("pointerdown", () => { pressed = true; });
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, release);
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", disconnect);
addEventListener("pageshow", follow);
setInterval(count, 1_000);
count();
show("waiting", "Connecting");
