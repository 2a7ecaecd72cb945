// Lists that are no <select>: a button opens a list box. Numbers by plus and minus. Pressed buttons.
"use strict";

page((draw) => {
  const films = several(draw, (d) => `The ${anyPhrase(d, 2)}`, 4);
  const times = draw.some(["14:30", "16:00", "17:15", "18:45", "20:00", "21:30"], 4).sort();
  const kinds = draw.some(["Adults", "Children", "Students", "Seniors"], 2);
  const wanted = {
    Film: draw.pick(films), Time: draw.pick(times),
    counts: Object.fromEntries(kinds.map((kind, at) => [kind, draw.int(at ? 0 : 1, 3)])),
    seats: draw.pick(["Front", "Middle", "Back"]),
  };
  const none = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  const state = { Film: "", Time: "", counts: none, seats: "Middle" };
  let open = "";

  const listbox = (label, options) => {
    const take = (text) => () => {
      state[label] = text;
      open = "";
      form.redraw();
    };
    return h("div", { role: "listbox", class: "popup", "aria-label": label }, ...options.map((text) =>
      h("div", { role: "option", "aria-selected": state[label] === text, onclick: take(text) }, text)));
  };
  const listButton = (label, options) => {
    const node = region("div", { class: "anchor" }, () => [
      button(state[label] || `Choose ${label.toLowerCase()}`, () => {
        open = open === label ? "" : label;
        form.redraw();
      }, { "aria-haspopup": "listbox", "aria-expanded": open === label, "data-key": label }),
      open === label ? listbox(label, options) : [],
    ]).node;
    return h("div", { class: "line" }, h("span", {}, label), node);
  };
  const stepper = (kind) => {
    const step = (by) => button(by > 0 ? "+" : "−", () => {
      state.counts[kind] += by;
      form.redraw();
    }, {
      class: "small", "aria-label": `${by > 0 ? "More" : "Fewer"} ${kind.toLowerCase()}`,
      disabled: by < 0 && !state.counts[kind], "data-key": `${kind} ${by}`,
    });
    return h("div", { class: "line" }, h("span", {}, kind),
      h("span", { class: "step" }, step(-1), h("span", {}, String(state.counts[kind])), step(1)));
  };
  const seat = (text) => button(text, () => {
    state.seats = text;
    form.redraw();
  }, { "aria-pressed": state.seats === text, "data-key": text });
  const form = region("section", { class: "card" }, () => [
    listButton("Film", films), listButton("Time", times), ...kinds.map(stepper),
    h("div", { class: "line" }, h("span", {}, "Seats"), row(...["Front", "Middle", "Back"].map(seat))),
    row(primary("Buy tickets", () => finish(state))),
  ]);
  const [film, time, seats] = [wanted.Film, wanted.Time, wanted.seats].map(quote);
  const people = kinds.filter((kind) => wanted.counts[kind])
    .map((kind) => `${wanted.counts[kind]} ${quote(kind)}`).join(" and ");
  return {
    app: `${title(draw.pick(WORDS))} Cinema`,
    title: "Cinema tickets",
    instruction: draw.pick([
      `Buy tickets for ${film} at ${time}: ${people}, seats ${seats}.`,
      `${people} want to see ${film} at ${time} from the seats ${seats}.`,
      `Get seats ${seats} for ${people}; the film is ${film}, the time ${time}.`,
    ]),
    wanted,
    body: [form.node],
  };
});
