// Settings in four tabs with one button to save all: change one or two fields, leave the others.
"use strict";

page((draw) => {
  const kinds = {
    Profile: [["Display name", anyPerson], ["Home city", (d) => d.pick(CITIES)]],
    Company: [["Company name", anyApp], ["Team", (d) => d.pick(TEAMS)]],
    Contact: [["Work email", anyEmail], ["Phone", (d) => `${d.int(200, 999)}-${d.int(1000, 9999)}`]],
    Billing: [["Tax number", (d) => `${d.int(100000, 999999)}`], ["Card holder", anyPerson]],
    Website: [["Site title", (d) => anyPhrase(d, 2)], ["Tag line", (d) => anyPhrase(d, 3)]],
  };
  const tabs = draw.some(Object.keys(kinds), 4);
  const all = tabs.flatMap((tab) => kinds[tab].map(([label, any]) => ({ tab, label, any })));
  const state = Object.fromEntries(all.map(({ label, any }) => [label, any(draw)]));
  const changes = draw.some(all, draw.int(1, 2));
  const wanted = { ...state };
  for (const { label, any } of changes) wanted[label] = several(draw, any, 2).find((v) => v !== state[label]);

  const before = { ...state };
  let open = tabs[0];
  const unsaved = h("p", { class: "soft", role: "status" });
  const tell = () => {
    const changed = Object.keys(state).filter((label) => state[label] !== before[label]);
    const said = changed.map((label) => `${label}: ${state[label]}`).join("; ");
    unsaved.textContent = said && `Not saved yet: ${said}`;
  };
  const content = region("div", {}, () => [
    h("div", { role: "tablist", class: "tabs" }, ...tabs.map((tab) => button(tab, () => {
      open = tab;
      content.redraw();
    }, { role: "tab", "aria-selected": tab === open, "data-key": tab }))),
    h("div", { role: "tabpanel" }, ...kinds[open].map(([label]) => {
      const oninput = (event) => {
        state[label] = event.target.value;
        tell();
      };
      return field(label, textbox(state[label], { oninput }));
    })),
  ]);
  const said = changes.map(({ tab, label }) =>
    `in the tab ${quote(tab)} set ${label.toLowerCase()} to ${quote(wanted[label])}`).join(", and ");
  const short = changes.map(({ tab, label }) =>
    `${label.toLowerCase()} to ${quote(wanted[label])} (tab ${quote(tab)})`).join(" and ");
  const label = draw.pick(["Save", "Save changes", "Apply"]);
  return {
    app: anyApp(draw),
    title: "Settings",
    instruction: draw.pick([
      `In the settings, ${said}; then press ${label}.`,
      `Change ${short} and save.`,
      `Please set ${short}. Do not forget to press ${label}.`,
    ]),
    wanted,
    body: [card(content.node, unsaved, row(primary(label, () => finish(state))))],
  };
});
