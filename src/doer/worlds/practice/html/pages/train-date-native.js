// A booking with the browser's own date fields.
"use strict";

page((draw) => {
  const labels = draw.pick([["Date"], ["Arrival", "Departure"], ["Start date", "End date"], ["Birthday"]]);
  const dates = labels.map(() => anyDate(draw, 1985, 2031)).sort();
  const name = anyPerson(draw);
  const withName = draw.chance(0.6);
  const wanted = { name: withName ? name : "", dates };
  const person = textbox();
  const inputs = labels.map(() => h("input", { type: "date" }));
  const told = inDigits(draw);
  const pairs = labels.map((label, at) => [label, told(dates[at])]);
  const said = settings(draw, withName ? [["Name", name], ...pairs] : pairs);
  const label = draw.pick(["Submit", "Send", "Book"]);
  const state = () => ({ name: person.value, dates: inputs.map((input) => input.value) });
  return {
    app: anyApp(draw),
    title: draw.pick(["Booking", "Registration", "Application"]),
    instruction: draw.pick([
      `Fill in ${said} and press ${label}.`,
      `Enter ${said}, then send the form.`,
      `Send the form with ${said}.`,
    ]),
    wanted,
    body: [card(
      withName ? field("Name", person) : [],
      h("div", { class: "columns" }, ...inputs.map((input, at) => field(labels[at], input))),
      row(primary(label, () => finish(state()))),
    )].flat(),
  };
});
