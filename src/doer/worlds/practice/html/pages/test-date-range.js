// Two days in one calendar: the first click is the begin, the second the end.
"use strict";

page((draw) => {
  const begin = anyDate(draw, 2020, 2031);
  const [year, month, day] = partsOf(begin);
  const last = new Date(Date.UTC(year, month - 1, day + draw.int(2, 20)));
  const end = last.toISOString().slice(0, 10);
  let shown = monthNear(draw, begin, 2);
  let range = [];
  const pick = (date) => () => {
    range = range.length === 1 && date > range[0] ? [range[0], date] : [date];
    calendar.redraw();
  };
  const turn = (by) => () => {
    shown = moved(shown, by);
    calendar.redraw();
  };
  const inRange = (date) => range.includes(date) || (range.length === 2 && date > range[0] && date < range[1]);
  const calendar = region("div", {}, () => [
    row(
      button("‹", turn(-1), { class: "small", "aria-label": "Month before", "data-key": "back" }),
      button("›", turn(1), { class: "small", "aria-label": "Month after", "data-key": "on" }),
      h("strong", {}, caption(...shown)),
    ),
    monthTable(...shown, (date, number) =>
      button(String(number), pick(date), { "aria-pressed": inRange(date), "data-key": date })),
    h("p", {}, `From ${range[0] || "…"} to ${range[1] || "…"}`),
  ]);
  const [from, to] = [inWords(draw, begin), inWords(draw, end)].map(quote);
  const label = draw.pick(["Request holiday", "Reserve", "Apply"]);
  return {
    app: anyApp(draw),
    title: draw.pick(["Holiday request", "Rent a car", "Borrow a camera"]),
    instruction: draw.pick([
      `Choose the days from ${from} to ${to} and press ${label}.`,
      `The first day is ${from}, the last ${to}. Choose both and send the request.`,
      `From ${from} until ${to}: mark these days and press ${label}.`,
    ]),
    wanted: [begin, end],
    body: [card(calendar.node, row(primary(label, () => finish(range))))],
  };
});
