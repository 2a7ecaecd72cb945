// A list of members; each is changed, or a new one made, in a dialog.
"use strict";

page((draw) => {
  const roles = draw.some(["Owner", "Editor", "Viewer", "Guest", "Auditor", "Planner"], 4);
  const people = several(draw, anyPerson, draw.int(4, 5));
  const state = people.slice(1).map((name) => ({ name, role: draw.pick(roles) }));
  const spelled = draw.chance(0.5);
  const adds = draw.chance(0.4);
  const wanted = structuredClone(state);
  const target = draw.pick(wanted);
  const role = draw.pick(roles.filter((text) => text !== target.role));
  if (adds) wanted.push({ name: people[0], role });
  else target.role = role;

  const edit = (member) => () => {
    const name = textbox(member ? member.name : "");
    const choice = choices("radio", "Role", roles, [member ? member.role : roles[0]]);
    const save = (close) => () => {
      const made = { name: name.value.trim(), role: choice.chosen()[0] };
      if (member) Object.assign(member, made);
      else state.push(made);
      close();
      members.redraw();
      finish(state);
    };
    const close = dialog(member ? "Edit member" : "New member", (close) => [
      field("Name", name), choice.node,
      row(button("Cancel", close), primary("Save", save(close))),
    ]);
    afterwards(close);
  };
  const members = region("div", {}, () => state.map((member) => h("div", { class: "line" },
    h("span", {}, member.name), h("span", { class: "soft" }, member.role),
    button("Edit", edit(member), { class: "small", "aria-label": spelled ? `Edit ${member.name}` : null }))));
  const who = quote(adds ? people[0] : target.name);
  const change = draw.pick([
    `Change the role of ${who} to ${quote(role)}.`,
    `Make ${who} ${quote(role)} in the team.`,
    `Edit the member ${who}: the new role is ${quote(role)}.`,
  ]);
  const add = draw.pick([
    `Add a new member ${who} with the role ${quote(role)}.`,
    `Invite ${who} to the team as ${quote(role)}: add a new member.`,
    `The team has a new member, ${who}, who is ${quote(role)}. Add this person.`,
  ]);
  return {
    app: anyApp(draw),
    title: "Team members",
    instruction: adds ? add : change,
    wanted,
    body: [card(members.node, row(button("Add member", edit(null))))],
  };
});
