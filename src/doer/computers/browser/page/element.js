// What an element is: its role, name, value, states and box, as in the record Element.
"use strict";

const CHARS = 200; // of a name or a value
// Inputs that are made of parts, or are no text at all: they are filled by script.
const PARTED = new Set(["color", "date", "datetime-local", "month", "range", "time", "week"]);
const BUTTONS = new Set(["button", "file", "image", "reset", "submit"]);
// Roles that are acted on as a whole: what is inside is their name.
const WHOLE = new Set([
  "button", "checkbox", "combobox", "link", "menuitem", "menuitemcheckbox", "menuitemradio",
  "option", "radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox",
]);
const FIELDS = new Set(["combobox", "searchbox", "slider", "spinbutton", "textbox"]);
const CURRENT = /(^|[-_ ])(active|clicked|current|selected)( |$)/;
const OPENED = /(^|[-_ ])(collapsable|expanded|opened)([-_ ]|$)/;
const GENERATED = /^(ui-id|dp)-?\d+$/;
const STATE_CLASS = /^ui-(state|corner)-/;

// Taken before the page's own scripts can replace them.
const { getComputedStyle, requestAnimationFrame, setTimeout } = window;
const toJson = JSON.stringify;

const clean = (text) => String(text ?? "").replace(/\s+/g, " ").trim().slice(0, CHARS);
const visible = (e) => e.checkVisibility({ visibilityProperty: true });
const isPointer = (e) => getComputedStyle(e).cursor === "pointer";
const attribute = (e, name) => clean(e.getAttribute(name));

// --- role ---------------------------------------------------------------------------------------

const inputRole = (e) => {
  if (e.type === "checkbox" || e.type === "radio") return e.type;
  if (e.type === "range") return "slider";
  return BUTTONS.has(e.type) ? "button" : "textbox";
};

// An anchor without an address is a link when it is not just a place: scripts make it one.
const isLink = (e) => e.hasAttribute("href") || isPointer(e) || e.textContent.trim() !== "";

// The role of an element that is acted on as a whole, else "".
const roleOf = (e) => {
  switch (e.tagName) {
    case "INPUT": return inputRole(e);
    case "TEXTAREA": return "textbox";
    case "SELECT": return "combobox";
  }
  const explicit = e.getAttribute("role");
  if (explicit && WHOLE.has(explicit)) return explicit;
  switch (e.tagName) {
    case "BUTTON": case "SUMMARY": return "button";
    case "A": return isLink(e) ? "link" : "";
    case "IMG": case "CANVAS": return "img";
  }
  return e.isContentEditable && !e.parentElement?.isContentEditable ? "textbox" : "";
};

// --- name ---------------------------------------------------------------------------------------

// The text of a label without the text of the controls inside it.
const labelText = (label) => {
  const inner = "button, script, select, style, textarea";
  if (!label.querySelector(inner)) return label.textContent;
  const copy = label.cloneNode(true);
  copy.querySelectorAll(inner).forEach((e) => e.remove());
  return copy.textContent;
};

const labelled = (e) => {
  const ids = e.getAttribute("aria-labelledby");
  const texts = ids ? ids.split(/\s+/).map((id) => e.getRootNode().getElementById?.(id)?.textContent) : [];
  return clean(texts.join(" ")) || attribute(e, "aria-label") ||
    (e.labels?.length ? clean([...e.labels].map(labelText).join(" ")) : "");
};

// The last resort: what the page's author called it.
const authored = (e) => {
  if (e.id && !GENERATED.test(e.id)) return clean(e.id);
  for (const name of e.classList) if (!STATE_CLASS.test(name)) return name;
  return "";
};

const fieldName = (e) =>
  labelled(e) || attribute(e, "placeholder") || attribute(e, "title") || attribute(e, "name") || authored(e);

const contentName = (e) => {
  const image = e.querySelector("img[alt]");
  return attribute(e, "aria-label") || clean(e.textContent) || labelled(e) || (image && attribute(image, "alt")) ||
    attribute(e, "title") || authored(e.firstElementChild || e) || authored(e);
};

const pictureName = (e) =>
  labelled(e) || attribute(e, "alt") || attribute(e, "title") ||
  clean(e.querySelector(":scope > title")?.textContent) || authored(e);

const inputButtonName = (e) =>
  labelled(e) || clean(e.value) || attribute(e, "alt") || attribute(e, "title") || attribute(e, "name") || e.type;

const optionTexts = (e) => [...e.options].map((option) => clean(option.text)).join(" | ");

// What a list offers can only be chosen when it is seen.
const listName = (e) => clean(labelled(e) ? `${labelled(e)}: ${optionTexts(e)}` : optionTexts(e));

const nameOf = (e, role) => {
  const input = e.tagName === "INPUT";
  if (input && role === "button") return inputButtonName(e);
  if (e.tagName === "SELECT") return listName(e);
  if (input && (role === "checkbox" || role === "radio")) return labelled(e) || attribute(e, "value") || authored(e);
  if (FIELDS.has(role)) return fieldName(e);
  return role === "img" ? pictureName(e) || e.tagName.toLowerCase() : contentName(e);
};

// --- value, states ------------------------------------------------------------------------------

const valueOf = (e, role) => {
  if (e.tagName === "SELECT") return [...e.selectedOptions].map((option) => clean(option.text)).join(" | ");
  if (!FIELDS.has(role)) return null;
  if ("value" in e) return String(e.value).slice(0, CHARS);
  return attribute(e, "aria-valuetext") || attribute(e, "aria-valuenow") || clean(e.innerText);
};

const isSet = (e, name) => {
  const value = e.getAttribute(name);
  return value !== null && value !== "false" && value !== "";
};

const focusedIn = (e) => e.getRootNode().activeElement === e && e !== e.ownerDocument.body;

const statesOf = (e) => {
  const classes = e.getAttribute("class") || "";
  const open = e.tagName === "SUMMARY" && e.parentElement?.open;
  const states = [];
  if (e.checked === true || isSet(e, "aria-checked") || isSet(e, "aria-pressed")) states.push("checked");
  if (e.disabled === true || isSet(e, "aria-disabled")) states.push("disabled");
  if (open || isSet(e, "aria-expanded") || OPENED.test(classes)) states.push("expanded");
  if (focusedIn(e)) states.push("focused");
  if (e.readOnly === true || isSet(e, "aria-readonly")) states.push("readonly");
  const current = isSet(e, "aria-current") && attribute(e, "aria-current") !== "date"; // that is today
  if (isSet(e, "aria-selected") || current || CURRENT.test(classes)) states.push("selected");
  return states;
};

// --- box ----------------------------------------------------------------------------------------

// Where the viewport of a frame lies in the viewport of the page.
const frameOffset = (view) => {
  let x = 0, y = 0;
  for (let frame = view.frameElement; frame; frame = frame.ownerDocument.defaultView.frameElement) {
    const rect = frame.getBoundingClientRect();
    x += rect.left + frame.clientLeft;
    y += rect.top + frame.clientTop;
  }
  return [x, y];
};

const offsetOf = (node) => {
  const view = node.ownerDocument.defaultView;
  return view === window ? [0, 0] : frameOffset(view);
};
