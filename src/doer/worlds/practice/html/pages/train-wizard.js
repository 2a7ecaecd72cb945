// An order in three steps and a summary; one can go back.
"use strict";

page((draw) => {
  const ways = draw.some(["Standard post", "Express post", "Pick-up", "Night courier", "Bike messenger"], 3);
  const means = draw.some(["Credit card", "Bank transfer", "Gift voucher", "Cash on delivery", "Invoice"], 3);
  const wanted = {
    name: anyPerson(draw), city: draw.pick(CITIES), way: draw.pick(ways), means: draw.pick(means),
  };
  const controls = { name: textbox(), city: textbox() };
  const way = choices("radio", "Delivery method", ways);
  const pay = choices("radio", "Payment method", means);
  const state = () => ({
    name: controls.name.value, city: controls.city.value,
    way: way.chosen()[0] || "", means: pay.chosen()[0] || "",
  });
  const steps = ["Address", "Delivery", "Payment", "Summary"];
  const missing = () => {
    const { name, city, way, means } = state();
    return [!name || !city, !way, !means, false][at];
  };
  const bodies = [
    () => [nameField, cityField], () => [way.node], () => [pay.node],
    () => Object.values(state()).map((text, n) => h("div", { class: "line" },
      h("span", { class: "soft" }, ["Name", "City", "Delivery", "Payment"][n]), h("span", {}, text))),
  ];
  const nameField = field("Name", controls.name);
  const cityField = field("City", controls.city);
  const problem = alertText();
  let at = 0;
  const go = (by) => () => {
    problem.textContent = by > 0 && missing() ? "Please complete this step first." : "";
    if (problem.textContent) return;
    at += by;
    wizard.redraw();
  };
  const next = draw.pick(["Next", "Continue"]);
  const last = draw.pick(["Place order", "Confirm order"]);
  const wizard = region("section", { class: "card" }, () => [
    h("ol", { class: "steps" }, ...steps.map((text, n) =>
      h("li", { "aria-current": n === at ? "step" : null }, text))),
    ...bodies[at](),
    problem,
    row(
      button("Back", go(-1), { disabled: at === 0 }),
      at < 3 ? primary(next, go(1)) : primary(last, () => finish(state())),
    ),
  ]);
  const said = settings(draw, [["Name", wanted.name], ["City", wanted.city]]);
  return {
    app: anyApp(draw),
    title: "Complete your order",
    instruction: draw.pick([
      `Place the order with ${said}. Delivery is ${quote(wanted.way)}, payment ${quote(wanted.means)}.`,
      `Order with ${quote(wanted.way)} and ${quote(wanted.means)}; the address is ${said}.`,
      `Go through all steps: ${said}; then ${quote(wanted.way)}; then ${quote(wanted.means)}; and confirm.`,
    ]),
    wanted,
    body: [wizard.node],
  };
});
