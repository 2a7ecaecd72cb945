// What practice pages are built of: elements, fields, choices, buttons, dialogs.
"use strict";

let fields = 0; // for ids, which nobody reads

// An element. `on...` are listeners; true is an attribute without value, false and null are none; but
// aria-... say "true" and "false".
const h = (tag, attributes = {}, ...children) => {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") && value !== null) e.setAttribute(name, value);
    else if (value !== false && value !== null) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat());
  return e;
};

// Load a script or a style sheet; the page counts as loaded only when it is there.
const load = (tag, attributes) => document.head.append(h(tag, attributes));

const library = (path) => {
  load("link", { rel: "stylesheet", href: `vendor/${path}.css` });
  load("script", { src: `vendor/${path}.js` });
};

const button = (text, onclick, attributes = {}) =>
  h("button", { type: "button", onclick, ...attributes }, text);

const primary = (text, onclick) => button(text, onclick, { class: "primary" });

const row = (...children) => h("div", { class: "row" }, ...children);

const card = (...children) => h("section", { class: "card" }, ...children);

// A control below its label.
const field = (label, control) => {
  control.id = `field-${++fields}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
};

const textbox = (value = "", attributes = {}) => {
  const e = h("input", { type: "text", autocomplete: "off", ...attributes });
  e.value = value;
  return e;
};

const list = (options, chosen = options[0]) =>
  h("select", {}, ...options.map((text) => h("option", { selected: text === chosen }, text)));

// Radio buttons or checkboxes below a legend. `chosen()` are the texts of those that are on.
const choices = (type, legend, options, on = []) => {
  const name = `choice-${++fields}`;
  const boxes = options.map((text) => h("input", { type, name, value: text, checked: on.includes(text) }));
  const labels = boxes.map((box, at) => h("label", { class: "choice" }, box, options[at]));
  const node = h("fieldset", {}, legend ? h("legend", {}, legend) : [], ...labels);
  return { node, chosen: () => boxes.filter((box) => box.checked).map((box) => box.value) };
};

// A switch beside its text.
const toggle = (text, on, turned) => {
  const id = `switch-${++fields}`;
  const knob = button("", () => {
    on = !on;
    knob.setAttribute("aria-checked", on);
    turned(on);
  }, { role: "switch", class: "switch", "aria-checked": on, "aria-labelledby": id });
  return h("div", { class: "line" }, h("span", { id }, text), knob);
};

// A place whose content is drawn anew by `redraw()`. The focus stays at the control of the same key.
const region = (tag, attributes, content) => {
  const node = h(tag, attributes);
  const redraw = () => {
    const key = node.contains(document.activeElement) && document.activeElement.dataset.key;
    node.replaceChildren(...content().flat());
    if (key) [...node.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key)?.focus();
  };
  redraw();
  return { node, redraw };
};

// A dialog above the page; what is below cannot be used meanwhile. Returns what closes it.
const dialog = (title, content) => {
  const below = [...document.body.children];
  const close = () => {
    shade.remove();
    for (const e of below) {
      e.inert = false;
      e.removeAttribute("aria-hidden");
    }
  };
  const id = `dialog-${++fields}`;
  const box = h("div", { role: "dialog", "aria-modal": "true", "aria-labelledby": id, class: "dialog" });
  box.append(h("h2", { id }, title), ...content(close));
  const shade = h("div", { class: "shade" }, box);
  for (const e of below) {
    e.inert = true;
    e.setAttribute("aria-hidden", "true");
  }
  document.body.append(shade);
  return close;
};

// A message beside a form.
const alertText = () => h("p", { class: "alert", role: "alert" });
