// Folders in folders: open the way to a file and choose it. Names occur in several folders.
"use strict";

page((draw) => {
  const tops = draw.some(TEAMS, draw.int(3, 4));
  const years = draw.some(["2019", "2020", "2021", "2022", "2023", "2024", "2025"], 3).sort();
  const names = draw.some(WORDS, 5).map((word) => word + draw.pick([".pdf", ".txt", ".csv"]));
  const files = Object.fromEntries(tops.flatMap((top) =>
    years.map((year) => [`${top}/${year}`, draw.some(names, draw.int(2, 3)).sort()])));
  const folder = draw.pick(Object.keys(files));
  const [top, year] = folder.split("/");
  const name = draw.pick(files[folder]);
  const open = new Set(draw.chance(0.3) ? [draw.pick(tops)] : []);
  let chosen = "";

  const folderNode = (path, text, inside) => {
    const opened = open.has(path);
    const press = () => {
      opened ? open.delete(path) : open.add(path);
      tree.redraw();
    };
    const head = button(text, press, { class: "plain", "aria-expanded": opened, "data-key": path });
    return h("li", {}, head, opened ? h("ul", {}, ...inside()) : []);
  };
  const fileNode = (path, text) => {
    const press = () => {
      chosen = path;
      tree.redraw();
    };
    const state = { class: "plain", "aria-current": chosen === path, "data-key": path };
    return h("li", {}, button(text, press, state));
  };
  const tree = region("div", { class: "tree" }, () => [
    h("ul", {}, ...tops.map((top) => folderNode(top, top, () => years.map((year) => {
      const path = `${top}/${year}`;
      return folderNode(path, year, () => files[path].map((text) => fileNode(`${path}/${text}`, text)));
    })))),
  ]);
  const label = draw.pick(["Open", "Download", "Choose"]);
  return {
    app: anyApp(draw),
    title: "Shared files",
    instruction: draw.pick([
      `${label} the file ${quote(name)} in the folder ${quote(top)} > ${quote(year)}.`,
      `In ${quote(top)}, folder ${quote(year)}, select ${quote(name)} and press ${label}.`,
      `Find ${quote(name)} (${quote(top)} / ${quote(year)}) and press ${label}.`,
    ]),
    wanted: `${folder}/${name}`,
    body: [card(tree.node), row(primary(label, () => finish(chosen)))],
  };
});
