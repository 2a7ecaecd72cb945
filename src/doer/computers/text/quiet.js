// True when the page has loaded, has text, and has not changed for a while; false when it is quiet but
// says little, or never rests.
new Promise((resolve) => {
  const PATIENCE = 4000, QUIET = 150, QUIET_WITHOUT_TEXT = 700, WORDS = 25; // ms, ms, ms
  const began = performance.now();
  let changed = began;
  const words = () => (document.body?.innerText.match(/\S+/g) || []).length;
  const watcher = new MutationObserver(() => (changed = performance.now()));
  watcher.observe(document, { childList: true, subtree: true, characterData: true });
  const look = () => {
    const now = performance.now();
    const quiet = document.readyState === "complete" ? now - changed : 0;
    const enough = quiet > QUIET && words() > WORDS;
    if (enough || quiet > QUIET_WITHOUT_TEXT || now - began > PATIENCE) {
      watcher.disconnect();
      resolve(enough);
    } else {
      setTimeout(look, 50);
    }
  };
  look();
})
