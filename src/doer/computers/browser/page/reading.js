// Reads the page as a list of elements, in document order. Shadow roots and frames of the same origin
// are part of the page; frames of other origins are read by a script of their own, and our reader puts
// the readings together. Canvases are not looked into.
"use strict";

const LIMIT = 128; // elements in one view
const VIEW_CHARS = 4000; // about as much as is rendered of one view,
const LINE_CHARS = 25; // of which a line takes so many besides the name
const SETTLE_MS = 10; // for the page's own reaction to an input,
const TURNS = 3; // and for its timers of 0 ms
const FRAMES_MS = 500; // how long a page that draws no frames is waited for
const ICON_PX = 48; // a larger svg is a drawing: its shapes and texts are elements of their own
const FRAME_PX = 10; // smaller frames hold nothing to be read,
const HOLLOW_PX = 10; // nor do smaller elements
const ASKED = 64; // elements at a time
const SKIP = new Set(["HEAD", "LINK", "META", "NOSCRIPT", "OPTION", "SCRIPT", "STYLE", "TEMPLATE"]);
const SHAPES = new Set(["circle", "ellipse", "line", "path", "polygon", "polyline", "rect"]);

// Something found on the page. `node` is what is pointed at; `about` is what has the value and the
// states (a hidden control, where a label is pointed at). Subclasses say how it is named: names are
// only asked for where they are shown.
class Found {
  constructor(node, about = node) {
    this.node = node;
    this.about = about;
  }

  // Remember how it was read, to know later whether it is still the same.
  read() {
    this.role = this.roleNow();
    this.name = this.nameNow();
    return this;
  }

  unchanged() {
    return this.node.isConnected && visible(this.node) && this.nameNow() === this.name;
  }

  get shape() {
    return this.node;
  }

  // [x, y, width, height] in the viewport of the page.
  get box() {
    const rect = this.shape.getBoundingClientRect();
    const [dx, dy] = offsetOf(this.node);
    return [rect.left + dx, rect.top + dy, rect.width, rect.height];
  }
}

class Control extends Found {
  roleNow() {
    return roleOf(this.about);
  }

  nameNow() {
    return nameOf(this.about, this.roleNow());
  }

  unchanged() {
    return this.roleNow() === this.role && super.unchanged();
  }
}

class Picture extends Found {
  constructor(node, namer) {
    super(node);
    this.namer = namer;
  }

  roleNow() {
    return "img";
  }

  nameNow() {
    return this.namer(this.node);
  }
}

// Neighbouring text nodes of one element.
class TextRun extends Found {
  constructor(parent, nodes, clickable) {
    super(parent);
    this.nodes = nodes;
    this.clickable = clickable;
  }

  roleNow() {
    return this.clickable || isPointer(this.node) ? "generic" : "text";
  }

  nameNow() {
    return clean(this.there ? this.nodes.map((node) => node.data).join("") : this.node.textContent);
  }

  // Pages that draw themselves anew replace their text nodes and keep the element around them.
  get there() {
    return this.nodes.every((node) => node.isConnected);
  }

  get shape() {
    if (!this.there) return this.node;
    const range = this.node.ownerDocument.createRange();
    range.setStartBefore(this.nodes[0]);
    range.setEndAfter(this.nodes[this.nodes.length - 1]);
    return range;
  }
}

// A frame of another origin. It has a place in the reading, but no reference.
class Portal extends Found {
  roleNow() {
    return "frame";
  }

  nameNow() {
    return "";
  }

  // [x, y] of its content's corner.
  get corner() {
    const [x, y] = this.box;
    return [x + this.node.clientLeft, y + this.node.clientTop];
  }
}

let seen = []; // what the last reading showed, by reference
let portals = []; // and the frames of other origins among it

// --- drawings and icons -------------------------------------------------------------------------

const paintOf = (e) => {
  const style = getComputedStyle(e);
  const kind = style.fill !== "none" ? "fill" : "stroke";
  return style[kind] === "none" ? "" : e.getAttribute(kind) || e.style[kind] || style[kind];
};

const shapeName = (e) => clean(`${e.tagName} ${paintOf(e)}`);
const iconName = (e) => pictureName(e) || "svg";

// Collects a part of a drawing; true when there is nothing more to find inside.
const isDrawn = (e, out) => {
  if (SHAPES.has(e.tagName)) {
    if (paintOf(e)) out.push(new Picture(e, shapeName));
    return true;
  }
  if (e.tagName !== "svg") return e.tagName === "defs" || e.tagName === "title";
  const rect = e.getBoundingClientRect();
  if (rect.width > ICON_PX || rect.height > ICON_PX) return false;
  out.push(new Picture(e, iconName));
  return true;
};

// An element without content is an icon when it has a name, and a size or the pointer's hand.
const isIcon = (e) => {
  if (!pictureName(e)) return false;
  const rect = e.getBoundingClientRect();
  return (rect.width > 2 && rect.height > 2) || isPointer(e);
};

// --- the walk -----------------------------------------------------------------------------------

const frameBody = (e) => {
  try {
    return e.contentDocument?.body;
  } catch {
    return null; // another origin
  }
};

// Elements that may have a closed shadow root, which only the browser's debugger sees: custom ones, and
// others that take space and show nothing. It is asked once for each, and again at another size.
const HOSTS = /^(ARTICLE|ASIDE|BLOCKQUOTE|DIV|FOOTER|H[1-6]|HEADER|MAIN|NAV|P|SECTION|SPAN)$/;
let hollow = [];
const asked = new WeakMap();
const closedRoots = new WeakMap();

const rootOf = (e) => e.shadowRoot || closedRoots.get(e);

const mayHide = (e, empty) => {
  if (rootOf(e) || !(e.tagName.includes("-") || (empty && HOSTS.test(e.tagName)))) return false;
  const { offsetWidth: width, offsetHeight: height } = e;
  return width >= HOLLOW_PX && height >= HOLLOW_PX && asked.get(e) !== `${width} ${height}`;
};

const hollowElements = () => {
  const some = hollow.slice(0, ASKED);
  for (const e of some) asked.set(e, `${e.offsetWidth} ${e.offsetHeight}`);
  return some;
};

const reveal = (root) => {
  closedRoots.set(root.host, root);
};

const children = (e) => {
  const root = rootOf(e);
  if (root) return root.childNodes;
  if (e.tagName === "DETAILS" && !e.open) return e.querySelectorAll(":scope > summary");
  return e.tagName === "SLOT" ? e.assignedNodes({ flatten: true }) : e.childNodes;
};

const walk = (e, out, clickable) => {
  if (SKIP.has(e.tagName) || e.getAttribute("aria-hidden") === "true") return;
  // An element without a box of its own counts as hidden, yet shows what is inside it.
  if (!visible(e) && getComputedStyle(e).display !== "contents") return;
  if (roleOf(e)) out.push(new Control(e));
  else if (e.tagName === "IFRAME" || e.tagName === "FRAME") walkFrame(e, out);
  else if (e.tagName === "LABEL" && e.control) walkLabel(e, out);
  else if (e.namespaceURI.endsWith("svg") && isDrawn(e, out)) return;
  // The usual way to keep a text for screen readers out of sight.
  else if (e.offsetWidth === 1 && e.offsetHeight === 1) return;
  else walkInside(e, out, clickable || Boolean(e.onclick));
};

const walkFrame = (frame, out) => {
  const body = frameBody(frame);
  if (body) walk(body, out, false);
  else if (isForeign(frame)) out.push(new Portal(frame));
};

const isForeign = (frame) =>
  frame.contentDocument === null && frame.offsetWidth >= FRAME_PX && frame.offsetHeight >= FRAME_PX;

// A label's text is the name of its control, which is read where it stands; where the control is
// hidden (and drawn by style sheets) the label stands for it.
const walkLabel = (label, out) => {
  if (!visible(label.control)) {
    out.push(new Control(label, label.control));
    return;
  }
  const before = out.length;
  walkInside(label, out, false);
  out.push(...out.splice(before).filter((found) => !(found instanceof TextRun)));
};

const walkInside = (e, out, clickable) => {
  const before = out.length;
  let texts = [];
  const flush = () => {
    if (texts.some((node) => node.data.trim())) out.push(new TextRun(texts[0].parentElement || e, texts, clickable));
    texts = [];
  };
  for (const child of children(e)) {
    if (child.nodeType === Node.TEXT_NODE) texts.push(child);
    else if (child.nodeType === Node.ELEMENT_NODE) {
      flush();
      walk(child, out, clickable);
    }
  }
  flush();
  const empty = out.length === before && !e.firstElementChild && e !== document.body;
  if (SEARCHING && mayHide(e, empty)) hollow.push(e);
  if (empty && isIcon(e)) out.push(new Picture(e, pictureName));
};

// --- the view -----------------------------------------------------------------------------------

const textSize = (all) => all.reduce((sum, found) => sum + LINE_CHARS + found.nameNow().length, 0);

// A page that is more than one view is read from where it is scrolled to.
const firstShown = (all) => {
  if (all.length <= LIMIT && textSize(all) <= VIEW_CHARS) return 0;
  return Math.max(all.findIndex(({ box: [, y, , height] }) => y + height > 0), 0);
};

const signal = () => {
  try {
    return window.__doerSignal?.() ?? {};
  } catch (error) {
    return { error: String(error) };
  }
};

const round = (pixels) => Math.round(pixels * 10) / 10;

const elementOf = (found, ref) => [
  ref, found.role, found.name, valueOf(found.about, found.role), statesOf(found.about), found.box.map(round),
];

// The record PageView as one string, which is cheaper to hand over than many values. `portals`:
// before which element each frame of another origin stands, and its corner.
const read = () => {
  const all = [];
  hollow = [];
  if (document.body) walk(document.body, all, false);
  const above = firstShown(all);
  seen = [];
  portals = [];
  const places = [];
  for (const found of all.slice(above, above + LIMIT)) {
    if (found instanceof Portal) {
      portals.push(found);
      places.push([seen.length, ...found.corner]);
    } else seen.push(found.read());
  }
  const below = all.length - above - seen.length - portals.length;
  const elements = seen.map(elementOf);
  const view = { url: location.href, title: clean(document.title), elements, above, below, signal: signal() };
  if (portals.length) view.portals = places;
  if (hollow.length) view.hollow = hollow.length;
  return toJson(view);
};

const turn = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// On a busy machine the 10 ms may pass before the page has run at all; the turns after them still
// come behind every timer of 0 ms that the page has set by then.
const settledRead = async () => {
  await turn(SETTLE_MS);
  for (let n = 0; n < TURNS; n++) await turn(0);
  return read();
};

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

const drawn = () => Promise.race([frame().then(frame), turn(FRAMES_MS)]);

// A wheel's turn is answered before it has moved the page: that takes two frames.
const scrolledRead = async () => {
  await drawn();
  return settledRead();
};
