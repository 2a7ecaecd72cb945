// A date chosen in the calendar of the library flatpickr 4.6.13.
"use strict";

library("flatpickr-4.6.13/flatpickr.min");

page((draw) => {
  const date = anyDate(draw, 2018, 2032);
  const [year, month] = monthNear(draw, date, 5);
  const arrow = (name, path) =>
    `<svg role="img" aria-label="${name}" viewBox="0 0 17 17"><path d="${path}" /></svg>`;
  const input = textbox("", { placeholder: "Choose a date" });
  const guest = textbox();
  const wanted = { guest: anyPerson(draw), date };
  const now = dateOf(year, month, draw.int(1, 28));
  const shown = () => {
    const picker = flatpickr(input, {
      now, disableMobile: true, animate: false, monthSelectorType: draw.pick(["static", "dropdown"]),
      prevArrow: arrow("Previous month", "M12 1L5 8l7 7"),
      nextArrow: arrow("Next month", "M5 1l7 7-7 7"),
      locale: { firstDayOfWeek: draw.int(0, 1) },
    });
    afterwards(() => picker.destroy());
  };
  const label = draw.pick(["Reserve", "Book", "Send"]);
  const state = () => ({ guest: guest.value, date: input.value });
  const body = [card(
    field("Guest", guest), field("Day", input), row(primary(label, () => finish(state()))),
  )];
  return {
    app: anyApp(draw),
    title: "Reserve a table",
    instruction: draw.pick([
      `Reserve a table for ${quote(wanted.guest)} on ${quote(inWords(draw, date))}.`,
      `Book a table on ${quote(inWords(draw, date))}; the guest is ${quote(wanted.guest)}.`,
      `${quote(wanted.guest)} comes on ${quote(inWords(draw, date))}: reserve a table and press ${label}.`,
    ]),
    wanted,
    body,
    shown,
  };
});
