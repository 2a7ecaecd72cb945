// A table whose rows are ticked; one action for all that are ticked, confirmed in a dialog.
"use strict";

page((draw) => {
  const state = several(draw, (d) => `${d.pick(WORDS)}-${d.int(10, 99)}`, draw.int(5, 7)).map((name) => ({
    name, owner: draw.pick(FIRST_NAMES), size: draw.int(2, 900), status: draw.pick(["running", "stopped"]),
  }));
  const verbs = { Delete: "deleted", Archive: "archived", Restart: "restarted" };
  const [verb, status] = draw.pick(Object.entries(verbs));
  const wanted = structuredClone(state);
  const targets = draw.some(wanted, draw.int(1, 3));
  for (const item of targets) item.status = status;
  const ticked = new Set(draw.chance(0.25) ? [draw.pick(state).name] : []);
  let by = "";

  const tick = (name) => () => {
    ticked.has(name) ? ticked.delete(name) : ticked.add(name);
    table.redraw();
  };
  const sort = (key) => () => {
    by = key;
    state.sort((a, b) => (a[key] < b[key] ? -1 : 1));
    table.redraw();
  };
  const ask = (action) => () => {
    const close = dialog(`${action} ${ticked.size} selected?`, (close) => [
      h("p", {}, [...ticked].join(", ")),
      row(button("Cancel", close), primary(action, () => {
        close();
        for (const item of state) if (ticked.has(item.name)) item.status = verbs[action];
        table.redraw();
        finish(inOrder(state));
      })),
    ]);
    afterwards(close);
  };
  const inOrder = (items) => Object.fromEntries(items.map((item) => [item.name, item]));
  const heads = { name: "Name", owner: "Owner", size: "Size" };
  const table = region("div", {}, () => [
    h("table", {},
      h("tr", {}, h("th"), ...Object.entries(heads).map(([key, text]) =>
        h("th", { "aria-sort": by === key ? "ascending" : null },
          button(text, sort(key), { "data-key": key }))),
      h("th", {}, "Status")),
      ...state.map(({ name, owner, size, status }) => h("tr", {},
        h("td", {}, h("input", {
          type: "checkbox", "aria-label": `Select ${name}`, checked: ticked.has(name),
          onchange: tick(name), "data-key": `tick ${name}`,
        })),
        ...[name, owner, `${size} MB`, status].map((text) => h("td", {}, text))))),
    row(...Object.keys(verbs).map((text) =>
      button(text, ask(text), { disabled: !ticked.size, "data-key": `do ${text}` }))),
  ]);
  const said = listing(targets.map(({ name }) => name));
  return {
    app: anyApp(draw),
    title: "Machines",
    instruction: draw.pick([
      `${verb} ${said}, no others, and confirm.`,
      `Select ${said} in the table and ${verb.toLowerCase()} them.`,
      `Please ${verb.toLowerCase()} exactly these: ${said}.`,
    ]),
    wanted: inOrder(wanted),
    body: [card(table.node)],
  };
});
