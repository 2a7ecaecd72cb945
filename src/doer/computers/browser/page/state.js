// Takes down what a page was like, and makes it like that again. Run when needed, not in every page.
"use strict";

const SKIPPED = new Set(["button", "file", "hidden", "image", "password", "reset", "submit"]);
const CHECKED = new Set(["checkbox", "radio"]);
const VALUE_CHARS = 10_000;
const FIELDS = 500;

const fields = () =>
  [...document.querySelectorAll("input, select, textarea")].filter((e) => !SKIPPED.has(e.type));

// What a field holds; visible fields that were never changed are left out.
const valueOf = (e) => {
  if (CHECKED.has(e.type)) return e.checked === e.defaultChecked ? null : e.checked;
  if (e.tagName === "SELECT") {
    const options = [...e.options];
    const marked = options.some((option) => option.defaultSelected);
    const byDefault = (option, n) => (marked || e.multiple ? option.defaultSelected : n === 0);
    const changed = options.some((option, n) => option.selected !== byDefault(option, n));
    return changed ? options.map((option) => option.selected) : null;
  }
  return e.value === e.defaultValue || e.value.length > VALUE_CHARS ? null : e.value;
};

const nameOf = (e) => `${e.tagName} ${e.type} ${e.name} ${e.id}`;

const stored = (area) => {
  try {
    return Object.entries(window[area]);
  } catch {
    return []; // forbidden to pages of no origin
  }
};

const save = () => ({
  scroll: [scrollX, scrollY],
  fields: fields()
    .map((e, n) => [n, nameOf(e), e.checkVisibility() ? valueOf(e) : null])
    .filter(([, , value]) => value !== null)
    .slice(0, FIELDS),
  origin: location.origin,
  local: stored("localStorage"),
  session: stored("sessionStorage"),
});

const setter = (e, property) => Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), property)?.set;

const put = (e, value) => {
  if (CHECKED.has(e.type)) setter(e, "checked").call(e, value);
  else if (e.tagName === "SELECT") [...e.options].forEach((option, n) => (option.selected = Boolean(value[n])));
  else setter(e, "value").call(e, value);
  e.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  e.dispatchEvent(new Event("change", { bubbles: true }));
};

// How many fields hold again what they held; those that are not what they were are left alone.
const restore = (saved) => {
  const there = fields();
  let count = 0;
  for (const [n, name, value] of saved.fields) {
    if (!there[n] || nameOf(there[n]) !== name) continue;
    put(there[n], value);
    count++;
  }
  scrollTo({ left: saved.scroll[0], top: saved.scroll[1], behavior: "instant" });
  return count;
};

// Fills the stores of the page's origin; what is there already is newer.
const store = (local, session) => {
  const add = (area, [name, value]) => area.getItem(name) === null && area.setItem(name, value);
  for (const one of local) add(localStorage, one);
  for (const one of session) add(sessionStorage, one);
};
