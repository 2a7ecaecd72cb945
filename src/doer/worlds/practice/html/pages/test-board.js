// A board of cards; each card has a menu by which it goes to another column, or away.
"use strict";

page((draw) => {
  const columns = draw.pick([
    ["To do", "Doing", "Done"], ["Ideas", "In work", "Shipped"], ["Open", "Review", "Closed"],
  ]);
  const state = several(draw, (d) => anyPhrase(d, 2), draw.int(6, 8))
    .map((name) => ({ name, column: draw.pick(columns), flag: false }));
  const wanted = structuredClone(state);
  const target = draw.pick(wanted);
  const to = draw.pick(columns.filter((column) => column !== target.column));
  const flags = draw.chance(0.3);
  if (flags) target.flag = true;
  else target.column = to;
  let open = ""; // the card whose menu is open

  const done = (change) => () => {
    change();
    open = "";
    board.redraw();
    reach(state);
  };
  const menu = (item) => {
    const entries = columns.filter((column) => column !== item.column).map((column) =>
      [`Move to ${column}`, () => { item.column = column; }]);
    entries.push([item.flag ? "Remove flag" : "Add flag", () => { item.flag = !item.flag; }]);
    return h("div", { role: "menu", class: "popup", "aria-label": item.name },
      ...entries.map(([text, change]) => button(text, done(change), { role: "menuitem" })));
  };
  const toggleMenu = (item) => () => {
    open = open === item.name ? "" : item.name;
    board.redraw();
  };
  const cardNode = (item) => h("div", { class: "line" },
    h("span", {}, item.flag ? `⚑ ${item.name}` : item.name),
    h("span", { class: "anchor" },
      button("⋯", toggleMenu(item), {
        class: "small", "aria-label": `Menu of ${item.name}`, "aria-haspopup": "menu",
        "aria-expanded": open === item.name, "data-key": item.name,
      }),
      open === item.name ? menu(item) : []));
  const board = region("div", { class: "columns three" }, () => columns.map((column) =>
    card(h("h2", {}, column), ...state.filter((item) => item.column === column).map(cardNode))));
  const name = quote(target.name);
  return {
    app: anyApp(draw),
    title: "Project board",
    instruction: flags
      ? draw.pick([
        `Flag the card ${name}.`, `Add a flag to ${name}.`, `Put a flag on ${name} by its menu.`,
      ])
      : draw.pick([
        `Move the card ${name} to ${quote(to)}.`,
        `Put ${name} into the column ${quote(to)}.`,
        `The card ${name} belongs into ${quote(to)}: move it there.`,
      ]),
    wanted,
    body: [board.node],
  };
});
