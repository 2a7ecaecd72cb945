// Steps both strips of a replay together. Without it the strips are simply there to be scrolled.
"use strict";
const still = matchMedia("(prefers-reduced-motion: reduce)");
const STEP_MS = 900;

for (const replay of document.querySelectorAll(".replay")) {
  const strips = [...replay.querySelectorAll(".strip")];
  const last = Math.max(...strips.map((strip) => strip.children.length)) - 1;
  if (last < 0) continue;
  const output = replay.querySelector("output");
  const play = replay.querySelector('[data-do="play"]');
  let step = -1;
  let timer = 0;

  function show(wanted) {
    step = Math.max(0, Math.min(last, wanted));
    for (const strip of strips) {
      const frames = [...strip.children];
      const now = frames[Math.min(step, frames.length - 1)];
      for (const frame of frames) frame.classList.toggle("now", frame === now);
      const left = now ? now.offsetLeft - strip.offsetLeft : 0;
      strip.scrollTo({ left, behavior: still.matches ? "auto" : "smooth" });
    }
    output.textContent = `step ${step + 1} of ${last + 1}`;
    if (step === last) pause();
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }

  function toggle() {
    if (timer) return pause();
    show(step === last ? 0 : step + 1);
    timer = setInterval(() => show(step + 1), STEP_MS);
    play.textContent = "Pause";
  }

  const moves = {
    back: () => (pause(), show(step - 1)),
    next: () => (pause(), show(step + 1)),
    play: toggle,
  };
  const keys = { ArrowLeft: "back", ArrowRight: "next", " ": "play" };
  replay.addEventListener("click", (event) => moves[event.target.dataset.do]?.());
  replay.addEventListener("keydown", (event) => {
    const move = keys[event.key];
    if (!move || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    moves[move]();
  });
  replay.querySelector(".controls").hidden = false;
}
