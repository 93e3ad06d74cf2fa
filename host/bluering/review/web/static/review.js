"use strict";
/* The reviewer's page: keyboard first; the sound is gone as soon as the clip is. */

const clip = document.getElementById("player").dataset.clip;
const state = document.getElementById("state"), keys = document.getElementById("keys");
const answer = document.getElementById("answer");
const sound = new Sound(() => { state.textContent = "stopped"; });
const POLL_MS = 2000;
let gone = false;

function playOrStop() {
  if (sound.source) return sound.stop();
  sound.play();
  if (sound.source) state.textContent = "playing";
}

function withdraw() {
  gone = true;
  sound.forget();
  document.getElementById("main").replaceChildren();
  const words = document.createElement("p"), on = document.createElement("a");
  words.setAttribute("role", "alert");
  words.textContent = "This clip is no longer yours to review. ";
  on.href = "/review";
  on.className = "button";
  on.textContent = "Go on";
  document.getElementById("main").append(words, on);
  on.focus();
}

async function watch() {
  if (gone) return;
  try {
    const seen = await fetch(`/clips/${clip}/status`, { cache: "no-store" });
    if (seen.status === 401 || seen.status === 403) return withdraw();
  } catch { /* the server doesn't answer now; it is asked again */ }
  setTimeout(watch, POLL_MS);
}

function flag(id) {
  sound.forget();
  document.getElementById(id).requestSubmit();
}

const ACTS = {
  " ": playOrStop,
  c: () => flag("critical"),
  d: () => flag("distress"),
  s: () => flag("skip"),
  t: () => document.getElementById("transcript").focus(),
  l: () => document.getElementById("cause").focus(),
  Enter: () => answer.requestSubmit(),
};

function typing(element) {
  return element.matches("textarea, input:not([type=radio], [type=checkbox])");
}

addEventListener("keydown", (event) => {
  if (gone || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!keys.checked || (event.target.matches("button, a") && [" ", "Enter"].includes(event.key))) return;
  const choice = /^[1-9]$/.test(event.key) && answer.querySelector(`[data-key="${event.key}"]`);
  const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (choice) { choice.checked = true; choice.focus(); }
  else if (act) act();
  else return;
  event.preventDefault();
});

document.getElementById("play").addEventListener("click", playOrStop);
for (const form of document.forms) form.addEventListener("submit", () => sound.forget());
addEventListener("pagehide", () => sound.forget());
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

sound.load(`/clips/${clip}/sound`).then((there) => {
  if (there) state.textContent = "ready";
  else withdraw();
});
watch();
