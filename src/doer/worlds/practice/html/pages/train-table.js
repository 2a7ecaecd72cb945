// A directory of several pages: find a row, copy one of its cells into a field.
"use strict";

page((draw) => {
  const size = 5;
  const people = several(draw, anyPerson, draw.int(2, 4) * size - draw.int(0, 3));
  const columns = ["Name", "City", "Phone", "Badge"];
  const rows = people.map((name) => [
    name, draw.pick(CITIES), `${draw.int(200, 999)}-${draw.int(1000, 9999)}`,
    `${draw.pick(WORDS)}${draw.int(10, 99)}`,
  ]);
  const target = draw.pick(rows);
  const column = draw.int(1, 3);
  let at = 0;
  let sorted = -1;
  const ordered = () => (sorted < 0 ? rows : [...rows].sort((a, b) => (a[sorted] < b[sorted] ? -1 : 1)));
  const table = region("div", {}, () => {
    const last = Math.ceil(rows.length / size) - 1;
    const turn = (by) => () => {
      at += by;
      table.redraw();
    };
    const sort = (n) => () => {
      [sorted, at] = [n, 0];
      table.redraw();
    };
    const head = columns.map((text, n) =>
      h("th", { "aria-sort": n === sorted ? "ascending" : null }, button(text, sort(n), { "data-key": text })));
    const lines = ordered().slice(at * size, (at + 1) * size)
      .map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))));
    return [
      h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...lines)),
      row(
        button("Previous", turn(-1), { disabled: at === 0, "data-key": "previous" }),
        h("span", {}, `Page ${at + 1} of ${last + 1}`),
        button("Next", turn(1), { disabled: at === last, "data-key": "next" }),
      ),
    ];
  });
  const answer = textbox();
  const label = draw.pick(["Answer", "Your answer", "Result"]);
  const what = columns[column].toLowerCase();
  return {
    app: anyApp(draw),
    title: "Staff directory",
    instruction: draw.pick([
      `Find the ${what} of ${quote(target[0])} and enter it as ${label.toLowerCase()}.`,
      `What is the ${what} of ${quote(target[0])}? Type it into the field below the table and send it.`,
      `Look up ${quote(target[0])} in the directory and submit the ${what}.`,
    ]),
    wanted: target[column],
    body: [
      card(table.node),
      card(field(label, answer), row(primary("Submit", () => finish(answer.value.trim())))),
    ],
  };
});
