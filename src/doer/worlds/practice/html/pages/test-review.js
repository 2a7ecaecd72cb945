// A review: stars as radio buttons of one's own, words that are pressed or not, a text.
"use strict";

page((draw) => {
  const aspects = draw.some(["Price", "Service", "Quality", "Speed"], 2);
  const all = ["helpful", "fast", "cheap", "friendly", "sturdy", "quiet", "simple"];
  const words = draw.some(all, draw.int(4, 5));
  const wanted = {
    stars: Object.fromEntries(aspects.map((aspect) => [aspect, draw.int(1, 5)])),
    words: words.filter(() => draw.chance(0.4)),
    text: anyPhrase(draw, draw.int(2, 3)),
  };
  const state = { stars: Object.fromEntries(aspects.map((aspect) => [aspect, 0])), words: [], text: "" };
  const plural = (count) => `${count} ${count === 1 ? "star" : "stars"}`;
  const stars = aspects.map((aspect) => {
    const line = region("div", { role: "radiogroup", "aria-label": aspect, class: "row stars" }, () => [
      h("span", {}, aspect),
      ...[1, 2, 3, 4, 5].map((count) => button(count <= state.stars[aspect] ? "★" : "☆", () => {
        state.stars[aspect] = count;
        line.redraw();
      }, {
        role: "radio", "aria-checked": count === state.stars[aspect],
        "aria-label": plural(count), "data-key": count,
      })),
    ]);
    return line.node;
  });
  const pressed = region("div", { class: "row" }, () => words.map((word) => button(word, () => {
    const now = new Set(state.words);
    now.delete(word) || now.add(word);
    state.words = words.filter((one) => now.has(one));
    pressed.redraw();
  }, { "aria-pressed": state.words.includes(word), "data-key": word })));
  const text = h("textarea", { oninput: () => { state.text = text.value; } });
  const given = aspects
    .map((aspect) => `${quote(plural(wanted.stars[aspect]))} for ${quote(aspect)}`).join(" and ");
  const said = wanted.words.length ? `mark ${listing(wanted.words)}` : "mark no word";
  const label = draw.pick(["Publish", "Send review", "Post"]);
  return {
    app: anyApp(draw),
    title: `Review: ${anyGood(draw)}`,
    instruction: draw.pick([
      `Give ${given}, ${said}, and write ${quote(wanted.text)}. Then press ${label}.`,
      `Write the review ${quote(wanted.text)}: ${given}; ${said}. Publish it.`,
      `Please ${said}, rate ${given}, and add the comment ${quote(wanted.text)}; then send it.`,
    ]),
    wanted,
    body: [card(...stars, pressed.node, field("Comment", text), row(primary(label, () => finish(state))))],
  };
});
