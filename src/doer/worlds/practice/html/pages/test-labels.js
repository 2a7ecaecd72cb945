// Labels as chips: each can be taken away, others are added from suggestions or by a new word.
"use strict";

page((draw) => {
  const all = draw.some(WORDS, 12);
  const now = all.slice(0, draw.int(2, 4));
  const gone = draw.some(now, draw.int(0, 2));
  const added = draw.some(all.slice(6), draw.int(gone.length ? 0 : 1, 2));
  const wanted = [...now.filter((text) => !gone.includes(text)), ...added].sort();
  let state = [...now];
  const input = textbox("", { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list" });
  const box = h("div", { role: "listbox", class: "popup", hidden: true, "aria-label": "Suggestions" });
  const hide = () => {
    box.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const add = (text) => () => {
    if (!state.includes(text)) state.push(text);
    input.value = "";
    hide();
    chips.redraw();
  };
  const remove = (text) => () => {
    state = state.filter((one) => one !== text);
    chips.redraw();
  };
  const chips = region("div", { class: "row" }, () => state.map((text) => h("span", { class: "chip" },
    h("span", {}, text), button("×", remove(text), { "aria-label": `Remove ${text}`, "data-key": text }))));
  input.addEventListener("input", () => {
    const found = all.filter((text) => text.startsWith(input.value.toLowerCase()) && !state.includes(text));
    const shown = input.value ? found.slice(0, 5) : [];
    box.replaceChildren(...shown.map((text) => h("div", { role: "option", onclick: add(text) }, text)));
    box.hidden = !shown.length;
    input.setAttribute("aria-expanded", !box.hidden);
  });
  const entry = field("Add a label", input);
  entry.append(box);
  const parts = (take, put) => [
    gone.length ? `${take} ${listing(gone)}` : "", added.length ? `${put} ${listing(added)}` : "",
  ].filter(Boolean).join(" and ");
  const label = draw.pick(["Save labels", "Save", "Update"]);
  return {
    app: anyApp(draw),
    title: `Labels of the article ${anyPhrase(draw, 3)}`,
    instruction: draw.pick([
      `Change the labels: ${parts("remove", "add")}. Then press ${label}.`,
      `Please ${parts("take away", "put in")} and save.`,
      `Among the labels, ${parts("delete", "include")}; finish with ${label}.`,
    ]),
    wanted,
    body: [card(chips.node, entry, row(primary(label, () => finish([...state].sort()))))],
  };
});
