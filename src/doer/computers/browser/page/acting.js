// Finds and checks the element that an action names, and does what real input cannot.
"use strict";

class Refused extends Error {}

// Every answer is an object; `refused` in it says why the action cannot be done.
const answer = (work) => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
};

const known = (ref) => {
  const found = seen[ref];
  if (!found) {
    const there = seen.length ? `references go from 0 to ${seen.length - 1}` : "nothing has been read here yet";
    throw new Refused(`there is no element ${ref}: ${there}; read the page again`);
  }
  if (!found.unchanged()) {
    const was = `it was ${found.role} "${found.name}"`;
    throw new Refused(`element ${ref} has changed since the page was read: ${was}; read the page again`);
  }
  return found;
};

const refuse = (found, ref, why) => {
  throw new Refused(`element ${ref} (${found.role} "${found.name}") ${why}`);
};

// --- pointing -----------------------------------------------------------------------------------

// The innermost element at a point, through shadow roots and frames.
const hitAt = (x, y) => {
  let root = document, dx = 0, dy = 0, hit = null;
  for (;;) {
    const next = root.elementFromPoint(x - dx, y - dy);
    if (!next || next === hit) return hit;
    hit = next;
    if (rootOf(hit)) root = rootOf(hit);
    else if (frameBody(hit)) {
      root = hit.contentDocument;
      [dx, dy] = frameOffset(root.defaultView);
    } else return hit;
  }
};

// Does a click on `hit` reach `node`, or something that stands for it?
const reaches = (hit, node) => {
  if (!hit) return false;
  for (let e = hit; e; e = e.parentNode || e.host) if (e === node) return true;
  const label = hit.closest("label");
  return hit.contains(node) || Boolean(label && (label.contains(node) || label.control === node));
};

// Points to try, for every line of the element the middle first.
const pointsOf = (found) => {
  const [dx, dy] = offsetOf(found.node);
  const points = [];
  for (const rect of found.shape.getClientRects()) {
    const left = Math.max(rect.left + dx, 0), right = Math.min(rect.right + dx, innerWidth);
    const top = Math.max(rect.top + dy, 0), bottom = Math.min(rect.bottom + dy, innerHeight);
    if (right <= left || bottom <= top) continue;
    for (const [x, y] of [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]]) {
      points.push([left + (right - left) * x, top + (bottom - top) * y]);
    }
  }
  return points;
};

// A point of the element inside the viewport where a click arrives. Scrolls as little as it must.
const pointOf = (found, ref) => {
  let points = [];
  for (const block of ["nearest", "center"]) {
    found.node.scrollIntoView({ block, inline: "nearest", behavior: "instant" });
    points = pointsOf(found);
    const free = points.find(([x, y]) => reaches(hitAt(x, y), found.node));
    if (free) return free;
  }
  const cover = points.length ? hitAt(...points[0]) : null;
  if (!cover) return refuse(found, ref, "has no size, or cannot be scrolled to");
  return refuse(found, ref, `is covered by ${cover.tagName.toLowerCase()} "${clean(cover.textContent).slice(0, 40)}"`);
};

const checkEditable = (found, ref) => {
  const e = found.about;
  const input = e.tagName === "INPUT" && (inputRole(e) === "textbox" || PARTED.has(e.type));
  if (!input && e.tagName !== "TEXTAREA" && !e.isContentEditable) refuse(found, ref, "is not a text field");
  if (e.disabled) refuse(found, ref, "is disabled");
  if (e.readOnly) refuse(found, ref, "is read-only");
};

// Where to put the pointer for an action on `ref`, and where to drag it to. Without a reference:
// the middle of the page.
const aim = (ref, { edit = false, to = null } = {}) => answer(() => {
  if (ref === null) return { start: [innerWidth / 2, innerHeight / 2] };
  const found = known(ref);
  if (edit) checkEditable(found, ref);
  if (to !== null) pointOf(known(to), to); // it may scroll, so the start is looked for afterwards
  const start = pointOf(found, ref);
  return { start, end: to === null ? null : middleOf(known(to)), parted: PARTED.has(found.about.type) };
});

// The point in this document of a point in a frame of another origin. With `scroll` it is scrolled to,
// and has to be where a click reaches the frame. The frame's own scrolling may move this document too,
// and later, so two frames are drawn first: then the browser knows as well where the frame is.
const through = async (index, [x, y], { scroll = true } = {}) => {
  const { node } = portals[index] || {};
  if (!node?.isConnected) return { refused: "the frame it is in has gone; read the page again" };
  const point = () => portals[index].corner.map((corner, axis) => corner + [x, y][axis]);
  if (!scroll) return { start: point() };
  const inside = ([left, top]) => left >= 0 && top >= 0 && left < innerWidth && top < innerHeight;
  await drawn();
  if (!inside(point())) {
    node.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const [left, top] = point();
    if (!inside(point())) scrollBy({ left: left - innerWidth / 2, top: top - innerHeight / 2, behavior: "instant" });
    await drawn();
  }
  const hit = hitAt(...point());
  if (hit === node) return { start: point() };
  return { refused: hit ? `the frame it is in is covered by ${hit.tagName.toLowerCase()}` : "it cannot be scrolled to" };
};

const middleOf = ({ box: [x, y, width, height] }) => [x + width / 2, y + height / 2];

// --- done by script -----------------------------------------------------------------------------

const announce = (e) => {
  e.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  e.dispatchEvent(new Event("change", { bubbles: true }));
};

// Chooses an option of a list by its text; where several may be chosen it is added.
const select = (ref, text) => answer(() => {
  const found = known(ref);
  const e = found.about;
  if (e.tagName !== "SELECT") refuse(found, ref, "is not a list of options");
  if (e.disabled) refuse(found, ref, "is disabled");
  const wanted = clean(text);
  const options = [...e.options].filter((option) => !option.disabled);
  const option = options.find((o) => clean(o.text) === wanted) ||
    options.find((o) => clean(o.text).toLowerCase() === wanted.toLowerCase());
  if (!option) refuse(found, ref, `has no option "${wanted}"; it has: ${optionTexts(e)}`);
  e.focus();
  if (option.selected) return {};
  option.selected = true;
  announce(e);
  return {};
});

const FORMS = { color: "#ff0000", date: "2016-12-31", month: "2016-12", range: "5", time: "23:59", week: "2016-W52" };

// A date or time as such a field shows it (12/31/2016, 11:59 PM), in the form its value has.
const asValue = (text) => {
  const date = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
  if (date) return `${date[3]}-${date[1].padStart(2, "0")}-${date[2].padStart(2, "0")}`;
  const time = /^(\d{1,2}):(\d{2}) ?([AP])M$/i.exec(text);
  if (!time) return text;
  const hour = (Number(time[1]) % 12) + (time[3].toUpperCase() === "P" ? 12 : 0);
  return `${String(hour).padStart(2, "0")}:${time[2]}`;
};

// Fills an input that is made of parts.
const fill = (ref, text) => answer(() => {
  const found = known(ref);
  const e = found.about;
  const before = e.value;
  const value = asValue(clean(text));
  e.value = value;
  if (e.value !== value) {
    e.value = before;
    refuse(found, ref, `does not take "${text}"; write it like ${FORMS[e.type] || "2016-12-31T23:59"}`);
  }
  e.focus();
  announce(e);
  return {};
});

// --- facts --------------------------------------------------------------------------------------

const addressOf = (e, name) => new URL(e.getAttribute(name) || "", document.baseURI).href;

const describe = (ref) => answer(() => {
  const found = known(ref);
  const e = found.about;
  const facts = { role: found.role, name: found.name, value: valueOf(e, found.role), tag: e.tagName.toLowerCase() };
  facts.url = location.href;
  const link = e.closest("a[href]");
  if (link) facts.href = addressOf(link, "href");
  const form = e.form || e.closest("form");
  if (form) {
    facts.form_action = e.hasAttribute("formaction") ? addressOf(e, "formaction") : addressOf(form, "action");
    facts.form_method = (attribute(e, "formmethod") || attribute(form, "method") || "get").toLowerCase();
  }
  return facts;
});

// --- for the browser's debugger -----------------------------------------------------------------

const middle = (ref) => answer(() => ({ start: middleOf(known(ref)) }));
const node = (ref) => known(ref).about;
const fileInput = (ref) => answer(() => {
  const { about: e } = known(ref);
  const found = e.tagName === "INPUT" && e.type === "file";
  if (found && e.disabled) refuse(known(ref), ref, "is disabled");
  return { found, several: found && e.multiple };
});
const frames = () => portals.map((portal) => portal.node);

Object.defineProperty(window, "__doer", {
  value: Object.freeze({
    read, settledRead, scrolledRead, aim, fill, select, describe, through, middle, node, fileInput,
    frames, hollowElements, reveal,
  }),
});
