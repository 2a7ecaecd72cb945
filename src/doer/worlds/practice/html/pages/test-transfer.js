// Two list boxes: what is selected in one goes to the other by a button.
"use strict";

page((draw) => {
  const any = draw.pick([anyGood, anyPerson, (d) => anyPhrase(d, 2)]);
  const names = several(draw, any, draw.int(7, 9));
  const cut = draw.int(4, 6);
  const state = { left: names.slice(0, cut), right: names.slice(cut) };
  const come = draw.some(state.left, draw.int(1, 2));
  const go = draw.chance(0.4) ? [draw.pick(state.right)] : [];
  const wanted = [...state.right.filter((name) => !go.includes(name)), ...come].sort();
  const chosen = new Set();
  const heads = draw.pick([["Available", "Chosen"], ["All columns", "Visible columns"], ["Bench", "Team"]]);
  const texts = draw.pick([["Add", "Remove"], ["To the right", "To the left"], ["Include", "Exclude"]]);

  const pick = (name) => () => {
    chosen.has(name) ? chosen.delete(name) : chosen.add(name);
    lists.redraw();
  };
  const move = (from, to) => () => {
    state[to].push(...state[from].filter((name) => chosen.has(name)));
    state[from] = state[from].filter((name) => !chosen.has(name));
    chosen.clear();
    lists.redraw();
  };
  const box = (side, head) => h("div", {},
    h("h2", {}, head),
    h("div", { role: "listbox", class: "listbox", "aria-label": head, "aria-multiselectable": "true" },
      ...state[side].map((name) =>
        h("div", { role: "option", "aria-selected": chosen.has(name), onclick: pick(name) }, name))));
  const may = (side) => ({ disabled: !state[side].some((name) => chosen.has(name)) });
  const lists = region("div", {}, () => [
    h("div", { class: "columns" }, box("left", heads[0]), box("right", heads[1])),
    row(
      button(texts[0], move("left", "right"), may("left")),
      button(texts[1], move("right", "left"), may("right")),
    ),
  ]);
  const back = go.length ? `${listing(go)} to ${quote(heads[0])}` : "";
  const there = `${listing(come)} to ${quote(heads[1])}`;
  const both = draw.shuffled([there, back].filter(Boolean)).join(" and ");
  const label = draw.pick(["Save", "Apply", "Done"]);
  return {
    app: anyApp(draw),
    title: anyPhrase(draw, 2),
    instruction: draw.pick([
      `Move ${both}; then press ${label}.`,
      `Transfer ${both} and save.`,
      `Bring ${both}. Finish with ${label}.`,
    ]),
    wanted,
    body: [card(lists.node, row(primary(label, () => finish([...state.right].sort()))))],
  };
});
