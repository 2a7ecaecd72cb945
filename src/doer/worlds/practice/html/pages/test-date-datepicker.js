// A date chosen in the calendar of the library vanillajs-datepicker 1.3.4.
"use strict";

library("vanillajs-datepicker-1.3.4/datepicker.min");

page((draw) => {
  const date = anyDate(draw, 2018, 2032);
  const [year, month] = monthNear(draw, date, 5);
  const input = textbox("", { readonly: true, placeholder: "Pick a day" });
  const rooms = choices("radio", "Room", draw.some(["Single", "Double", "Suite", "Family", "Studio"], 3));
  const names = [...rooms.node.querySelectorAll("input")].map((box) => box.value);
  const wanted = { room: draw.pick(names), date };
  const shown = () => {
    const picker = new Datepicker(input, {
      format: "yyyy-mm-dd", defaultViewDate: dateOf(year, month, 1), autohide: true,
      weekStart: draw.int(0, 1), prevArrow: "Earlier", nextArrow: "Later",
    });
    afterwards(() => picker.destroy());
  };
  const label = draw.pick(["Check availability", "Find rooms", "Book"]);
  return {
    app: `Hotel ${title(draw.pick(WORDS))}`,
    title: "Book a room",
    instruction: draw.pick([
      `Book the room ${quote(wanted.room)} for ${quote(inWords(draw, date))}.`,
      `Arrival is on ${quote(inWords(draw, date))}, the room ${quote(wanted.room)}. Press ${label}.`,
      `I need a ${quote(wanted.room)} room from ${quote(inWords(draw, date))}; please book it.`,
    ]),
    wanted,
    body: [card(
      rooms.node, field("Arrival", input),
      row(primary(label, () => finish({ room: rooms.chosen()[0] || "", date: input.value }))),
    )],
    shown,
  };
});
