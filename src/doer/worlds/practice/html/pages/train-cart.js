// A shop: put things into the cart in the right numbers, take out what does not belong, order.
"use strict";

page((draw) => {
  const goods = several(draw, anyGood, draw.int(5, 6)).map((name) => ({ name, price: draw.int(3, 90) }));
  const [extra, ...ordered] = draw.some(goods, draw.int(2, 3)).map(({ name }) => name);
  const cart = {};
  if (draw.chance(0.4)) cart[extra] = draw.int(1, 2);
  if (draw.chance(0.3)) cart[ordered[0]] = draw.int(1, 4);
  const wanted = Object.fromEntries(ordered.map((name) => [name, draw.int(1, 3)]));
  const spelled = draw.chance(0.5);
  const named = (verb, name) => ({ class: "small", "aria-label": spelled ? `${verb} ${name}` : verb });
  const change = (name, by) => () => {
    cart[name] = by === -Infinity ? 0 : (cart[name] || 0) + by;
    if (cart[name] < 1) delete cart[name];
    basket.redraw();
  };
  const shelf = goods.map(({ name, price }) => h("div", { class: "line" },
    h("span", {}, name), h("span", { class: "soft" }, `$${price}`),
    button("Add", change(name, 1), { class: "small", "aria-label": spelled ? `Add ${name}` : null })));
  const basket = region("div", {}, () => {
    const lines = Object.entries(cart).map(([name, count]) => h("div", { class: "line" },
      h("span", {}, name),
      h("span", { class: "step" },
        button("−", change(name, -1), { ...named("Fewer", name), "data-key": `-${name}` }),
        h("span", {}, String(count)),
        button("+", change(name, 1), { ...named("More", name), "data-key": `+${name}` }),
        button("×", change(name, -Infinity), named("Remove", name)))));
    return lines.length ? lines : [h("p", { class: "soft" }, "The cart is empty.")];
  });
  const said = draw.pick([
    () => ordered.map((name) => `${wanted[name]} of ${quote(name)}`).join(" and "),
    () => ordered.map((name) => `${wanted[name]} x ${quote(name)}`).join(", "),
    () => ordered.map((name) => `${quote(name)} (${wanted[name]})`).join(" and "),
  ])();
  const label = draw.pick(["Check out", "Order now", "Buy"]);
  return {
    app: anyApp(draw),
    title: "Shop",
    instruction: draw.pick([
      `Order ${said} and nothing else.`,
      `Buy exactly ${said}: nothing else may be in the cart.`,
      `Make the cart hold ${said}, no other things, and press ${label}.`,
    ]),
    wanted,
    body: [h("div", { class: "columns" },
      card(...shelf),
      card(h("h2", {}, "Your cart"), basket.node, row(primary(label, () => finish(cart)))))],
  };
});
