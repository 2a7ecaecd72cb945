// Settings with switches: some on, some off, the others as they are.
"use strict";

page((draw) => {
  const names = draw.some([
    "Dark mode", "Email alerts", "Text messages", "Weekly report", "Sound effects", "Auto save",
    "Location sharing", "Read receipts", "Two-step login", "Public profile", "Spell checker",
    "Usage statistics", "Large text", "Offline maps",
  ], draw.int(5, 8));
  const state = Object.fromEntries(names.map((name) => [name, draw.chance(0.5)]));
  const wanted = { ...state };
  const changed = draw.some(names, draw.int(1, 4));
  for (const name of changed) wanted[name] = draw.chance(0.85) ? !state[name] : state[name];
  const switches = names.map((name) => toggle(name, state[name], (on) => {
    state[name] = on;
  }));
  const on = changed.filter((name) => wanted[name]);
  const off = changed.filter((name) => !wanted[name]);
  const say = (before, after) => [
    on.length ? `${before} on ${listing(on)}${after}` : "",
    off.length ? `${before} off ${listing(off)}${after}` : "",
  ].filter(Boolean).join(" and ");
  const label = draw.pick(["Save", "Save settings", "Done"]);
  return {
    app: anyApp(draw),
    title: "Preferences",
    instruction: draw.pick([
      `Please ${say("turn", "")}, then press ${label}.`,
      `In the preferences ${say("switch", "")}. Save when done.`,
      `Make sure to ${say("have", "")}; leave the rest and press ${label}.`,
    ]),
    wanted,
    body: [card(...switches), row(primary(label, () => finish(state)))],
  };
});
