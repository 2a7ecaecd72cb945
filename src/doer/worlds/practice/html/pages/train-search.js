// A search box with suggestions (ARIA combobox): only what is chosen from the list counts.
"use strict";

page((draw) => {
  const shown = 6;
  const ends = draw.some(["North", "South", "Central", "Harbour", "Airport", "Market"], 4);
  const stems = draw.some([...CITIES, ...WORDS.map(title)], 8);
  const names = draw.shuffled(stems.flatMap((stem) => ends.map((end) => `${stem} ${end}`)));
  const fields = draw.pick([["From", "To"], ["Start", "Destination"], ["Station"], ["Stop"]]);
  const wanted = Object.fromEntries(fields.map((label) => [label, draw.pick(names)]));
  const state = Object.fromEntries(fields.map((label) => [label, ""]));
  const part = draw.chance(0.5); // a suggestion has to begin with the text, or to contain it

  const suggesting = (label) => {
    const id = `list-${label}`;
    const input = textbox("", {
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id,
    });
    const box = h("div", { role: "listbox", id, class: "popup", hidden: true, "aria-label": label });
    const close = () => {
      box.hidden = true;
      input.setAttribute("aria-expanded", "false");
    };
    const choose = (name) => () => {
      state[label] = input.value = name;
      close();
    };
    input.addEventListener("input", () => {
      state[label] = "";
      const text = input.value.toLowerCase();
      const fits = (name) => (part ? name.toLowerCase().includes(text) : name.toLowerCase().startsWith(text));
      const found = text ? names.filter(fits).slice(0, shown) : [];
      box.replaceChildren(...found.map((name) => h("div", { role: "option", onclick: choose(name) }, name)));
      box.hidden = !found.length;
      input.setAttribute("aria-expanded", !box.hidden);
    });
    const node = field(label, input);
    node.append(box);
    return node;
  };
  const problem = alertText();
  const label = draw.pick(["Search", "Show timetable", "Go"]);
  const send = () => {
    const open = fields.find((name) => !state[name]);
    problem.textContent = open ? `${open}: please choose one of the suggestions.` : "";
    if (!open) finish(state);
  };
  const said = settings(draw, fields.map((name) => [name, wanted[name]]));
  return {
    app: `${title(draw.pick(WORDS))} Railways`,
    title: "Timetable",
    instruction: draw.pick([
      `Search the timetable with ${said}.`,
      `Show departures for ${said}. Choose from the suggestions.`,
      `Use the search box: ${said}; then press ${label}.`,
    ]),
    wanted,
    body: [card(...fields.map(suggesting), problem, row(primary(label, send)))],
  };
});
