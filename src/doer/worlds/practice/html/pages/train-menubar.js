// A menu bar whose menus have menus of their own.
"use strict";

page((draw) => {
  const exports = draw.some(["PDF document", "Web page", "Plain text", "Spreadsheet", "Image file"], 3);
  const inserts = draw.some(["Table", "Picture", "Footnote", "Page break", "Link"], 3);
  const themes = draw.some(["Light theme", "Dark theme", "Sepia theme", "High contrast"], 3);
  const units = draw.some(["Word count", "Line count", "Page count", "Spell check"], 3);
  const trees = {
    File: { "New file": null, "Open file": null, Export: exports, Print: null },
    Edit: { Undo: null, Redo: null, Insert: inserts, "Select all": null },
    View: { Theme: themes, "Full screen": null, "Zoom in": null },
    Tools: { Count: units, "Clean up": null, Macros: ["Record macro", "Run macro"] },
    Share: { "Copy address": null, "Send to": ["Colleagues", "Printer", "Archive"] },
  };
  const bar = draw.some(Object.keys(trees), 4);
  const leaves = bar.flatMap((menu) => Object.entries(trees[menu]).flatMap(([item, below]) =>
    below ? below.map((leaf) => [menu, item, leaf]) : [[menu, item]]));
  const deep = leaves.filter((path) => path.length === 3);
  const path = draw.pick(draw.chance(0.7) ? deep : leaves);
  let open = []; // the path that is open

  const item = (above, text, below) => {
    const at = [...above, text];
    const opened = open.join() === at.join() || open.join().startsWith(`${at.join()},`);
    const press = () => {
      if (!below) {
        finish(at);
        return;
      }
      open = opened ? above : at;
      menu.redraw();
    };
    const more = below ? { "aria-haspopup": "menu", "aria-expanded": opened } : {};
    const head = button(text, press, { role: "menuitem", "data-key": at.join(), ...more });
    const inside = below && opened
      ? h("ul", { role: "menu", "aria-label": text }, ...entries(below).map(([t, b]) => item(at, t, b)))
      : [];
    return h("li", { role: "none" }, head, inside);
  };
  const entries = (below) => (Array.isArray(below) ? below.map((text) => [text, null]) : Object.entries(below));
  const menu = region("ul", { role: "menubar", class: "menubar" }, () =>
    bar.map((text) => item([], text, trees[text])));
  const said = draw.pick([path.map(quote).join(" > "), path.map(quote).join(", then ")]);
  return {
    app: anyApp(draw),
    title: anyPhrase(draw, 2),
    instruction: draw.pick([
      `In the menu choose ${said}.`,
      `Use the menu bar: ${said}.`,
      `Select ${said} from the menus above the document.`,
    ]),
    wanted: path,
    body: [menu.node, h("section", { class: "card sheet" }, anyPhrase(draw, 8))],
  };
});
