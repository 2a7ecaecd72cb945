// The page as it is shown now, as HTML: without what is hidden, with open shadow roots and frames of
// the same origin in their places, with the values that controls have now. Secrets stay here.
(() => {
  const LIMIT = 8_000_000;
  const DROPPED = new Set(["SCRIPT", "STYLE", "TEMPLATE", "NOSCRIPT", "LINK", "META", "HEAD"]);
  const VOID = new Set(["AREA", "BR", "COL", "EMBED", "HR", "IMG", "INPUT", "SOURCE", "TRACK", "WBR"]);
  const KEPT = new Set(
    ("id name for href src alt title type role class colspan rowspan start action method placeholder" +
      " required disabled readonly multiple autocomplete value alttext open data lang label").split(" ")
  );
  const out = [];
  let size = 0;
  let cut = false;
  const put = (text) => {
    size += text.length;
    if (size > LIMIT) cut = true;
    else out.push(text);
  };
  const escape = (text) =>
    text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const isShown = (element, inClosed) =>
    inClosed ||
    element.checkVisibility({ visibilityProperty: true }) ||
    getComputedStyle(element).display === "contents";
  const attributes = (element) => {
    const found = {};
    for (const { name, value } of element.attributes) {
      if (KEPT.has(name) || name.startsWith("aria-")) found[name] = value;
    }
    for (const name of ["href", "src", "action"]) {
      if (found[name] !== undefined && typeof element[name] === "string" && element[name]) found[name] = element[name];
    }
    if (element.tagName === "INPUT") {
      delete found.value;
      const secret = element.type === "password" || /^(cc-|one-time-code)/.test(found.autocomplete || "");
      if (element.value) found.value = secret ? "*" : element.value;
      if (element.checked) found.checked = "";
    }
    return Object.entries(found).map(([name, value]) => ` ${name}="${escape(value)}"`).join("");
  };
  const special = (element) => {
    if (element.tagName === "SELECT") {
      for (const one of element.options) {
        put(`<option${one.selected ? " selected" : ""}>${escape(one.label || one.text)}</option>`);
      }
      return true;
    }
    if (element.tagName === "TEXTAREA") {
      put("\n" + escape(element.value));
      return true;
    }
    return false;
  };
  const children = (element) => {
    if (element.shadowRoot) return element.shadowRoot.childNodes;
    if (element.tagName === "SLOT" && element.assignedNodes().length) return element.assignedNodes();
    return element.childNodes;
  };
  const frame = (element) => {
    try {
      return element.contentDocument?.body;
    } catch {
      return null;
    }
  };
  const walk = (node, depth, inClosed) => {
    if (cut) return;
    if (node.nodeType === Node.TEXT_NODE) return put(escape(node.data));
    if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName) || !isShown(node, inClosed)) return;
    const body = /^I?FRAME$/.test(node.tagName) ? frame(node) : null;
    const tag = body || node.tagName === "SLOT" ? "div" : node.localName;
    if (!/^[a-z][\w.-]*$/.test(tag)) return;
    put(`<${tag}${body ? "" : attributes(node)}>`);
    if (VOID.has(node.tagName)) return;
    const closed = inClosed || (node.tagName === "DETAILS" && !node.open);
    if (depth > 600) put(escape(node.textContent));
    else if (body) walk(body, depth + 1, false);
    else if (!special(node)) for (const child of children(node)) walk(child, depth + 1, closed);
    put(`</${tag}>`);
  };
  if (document.body) walk(document.body, 0, false);
  const title = `<title>${escape(document.title)}</title>`;
  const type = document.contentType;
  return { url: location.href, type, html: `<!doctype html>${title}${out.join("")}`, cut };
})()
