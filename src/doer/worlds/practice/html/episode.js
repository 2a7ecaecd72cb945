// One episode of a practice page: drawn by a seed, shown, and judged by what was saved at its end.
"use strict";

(() => {
  let make = null; // the page
  let wanted = null; // the state that is right
  let end = { done: false, raw: 0 };
  let cleanups = [];

  // A page is a function of chance: (draw) => { app, title, instruction, wanted, body, shown }. It calls
  // finish(state) or reach(state) with all that it has saved.
  window.page = (made) => {
    make = made;
  };

  // The end: 1 if everything saved is as it should be and nothing else was changed, else 0.
  window.finish = (saved) => {
    if (end.done) return;
    end = { done: true, raw: same(saved, wanted) ? 1 : 0 };
    document.body.append(h("p", { class: "toast", role: "status" }, "Thank you, this is saved."));
  };

  // The end if the state is right; where it is not, the user may go on.
  window.reach = (saved) => {
    if (same(saved, wanted)) finish(saved);
  };

  // What has to be done before the next episode to leave nothing of this one.
  window.afterwards = (work) => cleanups.push(work);

  window.__doerSignal = () => end;

  window.__doerReset = (seed) => {
    cleanups.forEach((work) => work());
    cleanups = [];
    fields = 0;
    const draw = new Draw(`${location.search}/${seed}`);
    const episode = make(draw);
    wanted = structuredClone(episode.wanted);
    end = { done: false, raw: 0 };
    document.title = `${episode.title} - ${episode.app}`;
    document.body.replaceChildren(...frame(draw, episode));
    episode.shown?.(); // what needs the page to be there
    document.activeElement?.blur();
    scrollTo(0, 0);
    return { instruction: episode.instruction };
  };

  const frame = (draw, { app, title, body }) => {
    const links = draw.some(["Home", "Help", "Contact", "About us"], draw.int(0, 2));
    const nav = links.map((text) => h("a", { href: "#", onclick: (e) => e.preventDefault() }, text));
    document.body.style.setProperty("--accent", draw.pick(ACCENTS));
    return [
      h("header", { class: "top" }, h("strong", {}, app), h("nav", {}, ...nav)),
      h("main", {}, h("h1", {}, title), ...body),
    ];
  };

  const ACCENTS = ["#1d4ed8", "#0f766e", "#7c3aed", "#b45309", "#be123c", "#334155"];

  const same = (a, b) => {
    if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
  };
})();
