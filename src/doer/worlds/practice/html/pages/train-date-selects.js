// A date as three lists: day, month, year, in an order that differs.
"use strict";

page((draw) => {
  const date = anyDate(draw, 1978, 2008);
  const [year, month, day] = partsOf(date);
  const from = draw.int(year - 9, year);
  const lists = {
    Day: list(["Day", ...Array.from({ length: 31 }, (_, n) => String(n + 1))]),
    Month: list(["Month", ...MONTHS]),
    Year: list(["Year", ...Array.from({ length: 10 }, (_, n) => String(from + n))]),
  };
  const order = draw.pick([["Day", "Month", "Year"], ["Month", "Day", "Year"], ["Year", "Month", "Day"]]);
  const name = textbox();
  const wanted = { name: anyPerson(draw), day: String(day), month: MONTHS[month - 1], year: String(year) };
  const occasion = draw.pick(["date of birth", "date of issue", "wedding day"]);
  const state = () => ({
    name: name.value, day: lists.Day.value, month: lists.Month.value, year: lists.Year.value,
  });
  const label = draw.pick(["Save", "Continue", "Submit"]);
  return {
    app: anyApp(draw),
    title: "Personal details",
    instruction: draw.pick([
      `Enter the name ${quote(wanted.name)} and the ${occasion} ${quote(inWords(draw, date))}; press ${label}.`,
      `Fill in the details of ${quote(wanted.name)}, whose ${occasion} is ${quote(inWords(draw, date))}.`,
      `${title(occasion)}: ${quote(inWords(draw, date))}. Name: ${quote(wanted.name)}. Enter both and send.`,
    ]),
    wanted,
    body: [card(
      field("Name", name),
      h("fieldset", {}, h("legend", {}, title(occasion)), ...order.map((text) => field(text, lists[text]))),
      row(primary(label, () => finish(state()))),
    )],
  };
});
