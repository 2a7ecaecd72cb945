// Options in sections that open and close: choose one in each section that is named.
"use strict";

page((draw) => {
  const kinds = {
    Delivery: ["Courier", "Pick-up point", "Post office"],
    Packaging: ["Paper box", "Gift wrap", "No packaging"],
    Insurance: ["Basic cover", "Full cover", "No cover"],
    Payment: ["Bank card", "Bank transfer", "Cash"],
    Invoice: ["By email", "By letter", "No invoice"],
    Reminder: ["One day before", "One week before", "No reminder"],
    Language: ["English", "French", "German", "Spanish"],
  };
  const names = draw.some(Object.keys(kinds), draw.int(4, 5));
  const changed = draw.some(names, draw.int(1, 3));
  const wanted = {};
  const sections = names.map((name) => {
    const now = draw.pick(kinds[name]);
    const others = kinds[name].filter((option) => option !== now);
    wanted[name] = changed.includes(name) ? draw.pick(others) : now;
    return { name, now, choice: choices("radio", "", kinds[name], [now]) };
  });
  const parts = sections.flatMap(({ name, choice }) => {
    const panel = h("div", { hidden: true }, choice.node);
    const head = button(name, () => {
      panel.hidden = !panel.hidden;
      head.setAttribute("aria-expanded", !panel.hidden);
    }, { "aria-expanded": "false" });
    return [h("h2", {}, head), panel];
  });
  const saved = () =>
    Object.fromEntries(sections.map(({ name, choice }) => [name, choice.chosen()[0]]));
  const said = draw.pick([
    (name) => `${quote(wanted[name])} for ${quote(name)}`,
    (name) => `${quote(wanted[name])} in the section ${quote(name)}`,
    (name) => `${quote(wanted[name])} under ${quote(name)}`,
  ]);
  const texts = changed.map(said).join(", ");
  const label = draw.pick(["Confirm", "Save", "Apply"]);
  return {
    app: anyApp(draw),
    title: "Order preferences",
    instruction: draw.pick([
      `Choose ${texts}, then press ${label}.`,
      `Set the preferences: ${texts}. Leave the rest as it is and save.`,
      `I want ${texts}. Change that and ${label.toLowerCase()}.`,
    ]),
    wanted,
    body: [card(h("div", { class: "accordion" }, ...parts), row(primary(label, () => finish(saved()))))],
  };
});
