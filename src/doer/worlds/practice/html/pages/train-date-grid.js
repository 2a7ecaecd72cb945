// A calendar that is always open: turn to the month, choose a day, confirm.
"use strict";

page((draw) => {
  const date = anyDate(draw);
  let shown = monthNear(draw, date, 4);
  let chosen = "";
  const turns = draw.pick([["Previous month", "Next month"], ["Earlier", "Later"], ["Back", "Forward"]]);
  const spelled = draw.chance(0.25);
  const turn = (by) => () => {
    shown = moved(shown, by);
    calendar.redraw();
  };
  const dayButton = (day, number) => button(String(number), () => {
    chosen = day;
    calendar.redraw();
  }, {
    "aria-pressed": day === chosen, "data-key": day,
    "aria-label": spelled ? `${number} ${MONTHS[shown[1] - 1]}` : null,
  });
  const calendar = region("div", {}, () => [
    row(
      button(turns[0], turn(-1), { class: "small", "data-key": "back" }),
      h("strong", { "aria-live": "polite" }, caption(...shown)),
      button(turns[1], turn(1), { class: "small", "data-key": "on" }),
    ),
    monthTable(...shown, dayButton),
  ]);
  const occasion = draw.pick(["appointment", "visit", "delivery", "meeting", "lesson"]);
  const label = draw.pick(["Confirm", "Book", "Choose date"]);
  return {
    app: anyApp(draw),
    title: `Date of your ${occasion}`,
    instruction: draw.pick([
      `Choose ${quote(inWords(draw, date))} in the calendar and press ${label}.`,
      `Book the ${occasion} for ${quote(inWords(draw, date))}.`,
      `The ${occasion} is to be on ${quote(inWords(draw, date))}: pick the day and confirm.`,
    ]),
    wanted: date,
    body: [card(calendar.node, row(primary(label, () => finish(chosen))))],
  };
});
