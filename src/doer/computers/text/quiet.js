// Resolves when the page has loaded, has text, and has not changed for a while; after 5 s anyway.
new Promise((resolve) => {
  const began = performance.now();
  let changed = began;
  const words = () => (document.body?.innerText.match(/\S+/g) || []).length;
  const watcher = new MutationObserver(() => (changed = performance.now()));
  watcher.observe(document, { childList: true, subtree: true, characterData: true });
  const look = () => {
    const now = performance.now();
    const quiet = now - Math.max(changed, began);
    const done = document.readyState === "complete" && (quiet > 1500 || (quiet > 150 && words() > 25));
    if (done || now - began > 5000) {
      watcher.disconnect();
      resolve(true);
    } else {
      setTimeout(look, 50);
    }
  };
  look();
})
