// A long list of which few are shown: filter it, add what is wanted, be done.
"use strict";

page((draw) => {
  const shown = 7;
  const [all, verb, title_] = draw.pick([
    [several(draw, anyPerson, 24), "Invite", "Invite people"],
    [several(draw, anyGood, 24), "Add", "Make a list"],
    [draw.some(CITIES, 24), "Add", "Plan a journey"],
  ]);
  const spelled = draw.chance(0.5);
  const wanted = draw.some(all, draw.int(1, 3));
  const added = new Set();
  const search = textbox("", { type: "search" });
  const items = region("div", {}, () => {
    const text = search.value.trim().toLowerCase();
    const found = all.filter((item) => item.toLowerCase().includes(text));
    const lines = found.slice(0, shown).map((item) => {
      const pressed = added.has(item);
      const press = () => {
        pressed ? added.delete(item) : added.add(item);
        items.redraw();
      };
      const name = spelled ? { "aria-label": `${verb} ${item}` } : {};
      const state = { class: "small", "aria-pressed": pressed, "data-key": item, ...name };
      return h("div", { class: "line" }, h("span", {}, item), button(verb, press, state));
    });
    const count = `${Math.min(found.length, shown)} of ${found.length} shown`;
    const chosen = added.size ? [h("p", {}, `Chosen: ${[...added].join(", ")}`)] : [];
    return [...lines, h("p", { class: "soft" }, count), ...chosen];
  });
  search.addEventListener("input", items.redraw);
  const said = listing(wanted);
  const label = draw.pick(["Done", "Save", "Finish"]);
  return {
    app: anyApp(draw),
    title: title_,
    instruction: draw.pick([
      `${verb} ${said}, then press ${label}.`,
      `Find ${said} in the list and press ${verb} for each. Finish with ${label}.`,
      `Filter the list to ${verb.toLowerCase()} ${said}, nothing else; then ${label}.`,
    ]),
    wanted: [...wanted].sort(),
    body: [card(
      field(draw.pick(["Filter", "Search", "Find"]), search), items.node,
      row(primary(label, () => finish([...added].sort()))),
    )],
  };
});
