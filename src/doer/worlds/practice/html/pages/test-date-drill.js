// A date in three turns of one pop-up: the year, then the month, then the day.
"use strict";

page((draw) => {
  const date = anyDate(draw, 2002, 2033);
  const first = partsOf(date)[0] - draw.int(0, 11);
  const short = draw.chance(0.5);
  let open = false;
  let picked = []; // year, month, day, as far as they are chosen
  const take = (part) => () => {
    picked = [...picked, part];
    open = picked.length < 3;
    picker.redraw();
  };
  const options = (texts, from) =>
    h("div", { class: "grid4" }, ...texts.map((text, at) => button(text, take(from + at), { class: "plain" })));
  const panel = () => {
    const [year, month] = picked;
    if (!year) return options(Array.from({ length: 12 }, (_, n) => String(first + n)), first);
    if (!month) return options(MONTHS.map((name) => (short ? name.slice(0, 3) : name)), 1);
    return monthTable(year, month, (_, day) => button(String(day), take(day)));
  };
  const text = () => {
    const [year, month, day] = picked;
    if (!year) return "Choose a date";
    if (!month) return String(year);
    return day ? `${day} ${caption(year, month)}` : caption(year, month);
  };
  const toggleOpen = () => {
    if (!open) picked = [];
    open = !open;
    picker.redraw();
  };
  const again = () => {
    picked = [];
    picker.redraw();
  };
  const popup = () => h("div", { class: "popup", role: "dialog", "aria-label": "Date" },
    button("Start again", again, { class: "small", disabled: !picked.length, "data-key": "again" }),
    panel());
  const picker = region("div", { class: "anchor" }, () => [
    button(text(), toggleOpen, { "aria-expanded": open, "aria-haspopup": "dialog", "data-key": "field" }),
    open ? popup() : [],
  ]);
  const occasion = draw.pick(["Deadline", "Launch day", "Inspection", "Due date"]);
  const written = inWords(draw, date);
  const said = quote(short ? written.replace(/[A-Z][a-z]+/, (name) => name.slice(0, 3)) : written);
  const label = draw.pick(["Save date", "Set date", "Apply"]);
  const state = () => (picked.length === 3 ? dateOf(...picked) : "");
  return {
    app: anyApp(draw),
    title: `${occasion} of the project`,
    instruction: draw.pick([
      `Set the ${occasion.toLowerCase()} to ${said}.`,
      `The ${occasion.toLowerCase()} is ${said}: choose it and press ${label}.`,
      `Choose ${said} as the ${occasion.toLowerCase()} of the project and save.`,
    ]),
    wanted: date,
    body: [card(
      h("p", { class: "soft" }, occasion), picker.node,
      row(primary(label, () => finish(state()))),
    )],
  };
});
