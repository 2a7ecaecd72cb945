// Registration for an event: text, list, radio buttons, checkboxes, text area.
"use strict";

page((draw) => {
  const place = draw.pick(["City", "Town", "Place"]);
  const kinds = draw.some(["Standard", "Student", "Press", "Speaker", "Group", "Volunteer"], draw.int(3, 4));
  const topics = draw.some(TEAMS, draw.int(3, 5));
  const countries = draw.some(COUNTRIES, 6).sort();
  const wanted = {
    name: anyPerson(draw),
    place: draw.pick(CITIES),
    country: draw.pick(countries),
    kind: draw.pick(kinds),
    topics: topics.filter(() => draw.chance(0.4)),
    note: draw.chance(0.4) ? anyPhrase(draw, draw.int(2, 3)) : "",
  };
  const texts = [["Name", wanted.name], [place, wanted.place], ["Country", wanted.country]];
  if (wanted.note) texts.push(["Note", wanted.note]);

  const controls = {
    name: textbox(), place: textbox(), note: h("textarea"),
    country: list(["Please choose", ...countries]),
  };
  const kind = choices("radio", draw.pick(["Ticket", "Kind of ticket"]), kinds);
  const topic = choices("checkbox", draw.pick(["Topics", "I am interested in"]), topics);
  const parts = [
    h("div", { class: "columns" }, ...draw.shuffled([
      field("Name", controls.name), field(place, controls.place),
    ]), field("Country", controls.country)),
    ...draw.shuffled([kind.node, topic.node]),
    field("Note", controls.note),
  ];
  const send = () => {
    const values = Object.entries(controls).map(([key, control]) => [key, control.value]);
    finish({ ...Object.fromEntries(values), kind: kind.chosen()[0], topics: topic.chosen() });
  };
  const said = settings(draw, texts);
  const ticked = wanted.topics.length ? `tick ${listing(wanted.topics)}` : "tick no topic";
  const label = draw.pick(["Register", "Sign up", "Send"]);
  return {
    app: anyApp(draw),
    title: "Register for the conference",
    instruction: draw.pick([
      `Register with ${said}. Choose the ticket ${quote(wanted.kind)}, ${ticked}, and submit the form.`,
      `Fill in the registration: ${said}. The ticket is ${quote(wanted.kind)}; ${ticked}. Then send it.`,
      `Please ${ticked}, take the ticket ${quote(wanted.kind)} and enter ${said}; then press ${label}.`,
    ]),
    wanted,
    body: [card(...parts, row(primary(label, send)))],
  };
});
