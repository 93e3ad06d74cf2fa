"use strict";
/* The owner's player: nothing is fetched, and so nothing is on record, before the button. */

const play = document.getElementById("play"), state = document.getElementById("state");
const sound = new Sound(() => { state.textContent = "stopped"; });
let loaded = false;

play.addEventListener("click", async () => {
  if (sound.source) return sound.stop();
  loaded = loaded || (await sound.load(document.getElementById("player").dataset.sound));
  state.textContent = loaded ? "playing" : "it can't be read";
  sound.play();
});
addEventListener("pagehide", () => sound.forget());
