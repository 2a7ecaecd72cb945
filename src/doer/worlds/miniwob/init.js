// Runs in every page before its own scripts. It adds what a world needs and the pages lack: a reset
// by seed, a signal, and no clock. The pages' own names: core, WOB_*, EP_TIMER, CD_TIMER.
"use strict";
(() => {
  const CHROME = "#query, #reward-display, #sync-task-cover, #click-canvas";
  const images = []; // kept referenced, so that they stay in memory

  window.__doerSignal = () => ({ done: WOB_DONE_GLOBAL, raw: WOB_RAW_REWARD_GLOBAL });

  // Start the episode of a seed (a string). Resolves to {instruction} or {error}.
  window.__doerReset = async (seed) => {
    try {
      quiet();
      if (core.EP_TIMER !== null) core.endEpisode(0);
      Math.seedrandom(seed);
      core.startEpisodeReal();
      core.clearTimer();
      // Not set to null: a page gives its reward only while there is a timer.
      clearTimeout(core.EP_TIMER);
      document.querySelectorAll(CHROME).forEach((e) => e.setAttribute("aria-hidden", "true"));
      await Promise.all([...document.images].map((e) => e.decode().catch(() => {})));
      const said = core.getUtterance();
      return { instruction: typeof said === "string" ? said : said.utterance };
    } catch (error) {
      return { error: String(error) };
    }
  };

  // Icons that are CSS contents have no size until their image is there. Load all images named in
  // the page's style sheets once; resolves when each is loaded or has failed.
  window.__doerLoadImages = () => {
    const urls = new Set();
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        for (const [, url] of rule.cssText.matchAll(/url\("?([^")]+)"?\)/g)) {
          urls.add(new URL(url, sheet.href || document.baseURI).href);
        }
      }
    }
    return Promise.all([...urls].map(loaded));
  };

  const loaded = (url) => new Promise((resolve) => {
    const image = new Image();
    image.onload = image.onerror = () => resolve(true);
    image.src = url;
    images.push(image);
  });

  // No time limit, no animation, no delay, and nothing left of the episode before: no focus, no open
  // calendar, list or color picker, no text typed and no box checked in fields that the page keeps.
  const quiet = () => {
    core.EPISODE_MAX_TIME = 1e8;
    document.activeElement?.blur();
    const $ = window.jQuery;
    if ($) {
      $.fx.off = true;
      if ($.ui?.autocomplete) $.ui.autocomplete.prototype.options.delay = 0;
      if ($.ui?.menu) $.ui.menu.prototype.delay = 0;
      if ($.datepicker?._curInst) $.datepicker._hideDatepicker();
      $(".ui-autocomplete").hide();
    }
    document.querySelectorAll(".jscolor").forEach((e) => e.jscolor?.hide());
    clearFields();
  };

  // Only a form's reset makes a field forget that a user has changed it.
  const clearFields = () => {
    const fields = [...document.querySelectorAll("input, textarea, select")].filter((e) => !e.form);
    const form = document.createElement("form");
    form.id = "__doer-fields";
    document.body.append(form);
    fields.forEach((e) => e.setAttribute("form", form.id));
    form.reset();
    fields.forEach((e) => e.removeAttribute("form"));
    form.remove();
  };
})();
