"use strict";
// Keeps the page true: it hears of changes, asks for itself, and puts the new parts in the
// place of the old ones. Without it the page renews itself (see the noscript in page.tmpl).
(() => {
  const beat = Number(document.body.dataset.beatMs);
  const banner = document.getElementById("stale");
  const icon = document.querySelector("link[rel=icon]");
  let heard = Date.now(); // of the last sign that what is shown is so
  let failing = false; // the page could not be had
  let asking = false;
  let again = false;
  let beats = 0;
  let title = document.title;
  let face = icon.href;

  // What a reader has opened, scrolled and focused inside a part stays so.
  const reachable = part => [...part.querySelectorAll("a, button, summary, input, [tabindex]")];
  function replace(old, fresh) {
    if (old.innerHTML === fresh.innerHTML && old.className === fresh.className) return;
    const open = new Set([...old.querySelectorAll("details[open]")].map(d => d.id));
    const focused = reachable(old).indexOf(document.activeElement);
    old.className = fresh.className;
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach(d => { d.open = open.has(d.id); });
    if (focused >= 0) {
      const target = reachable(old)[focused];
      if (target) target.focus({ preventScroll: true });
    }
  }

  async function ask() {
    if (asking) { again = true; return; }
    asking = true;
    do {
      again = false;
      try {
        const answer = await fetch(location.href, { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const old of document.querySelectorAll("[data-live]")) {
          const fresh = page.getElementById(old.id);
          if (fresh) replace(old, fresh);
        }
        title = page.title;
        face = page.querySelector("link[rel=icon]").href;
        failing = false;
        heard = Date.now();
        show();
      } catch {
        failing = true; // the next sign of life asks again
      }
    } while (again);
    asking = false;
  }

  function show() {
    const quiet = Date.now() - heard;
    const stale = quiet > 3 * beat;
    document.body.classList.toggle("stale", stale);
    banner.hidden = !stale;
    if (stale) {
      const at = document.getElementById("at");
      banner.textContent = `✖ STALE: nothing was heard from the recorder for ${Math.round(quiet / 1000)} s. What stands below was so at ${at ? at.textContent : "an earlier time"}, and may be so no more.`;
    }
    const now = stale ? `✖ stale - ${title}` : title;
    if (document.title !== now) document.title = now;
    const wanted = stale ? new URL("/static/stale.svg", location.href).href : face;
    if (icon.href !== wanted) icon.href = wanted;
  }

  function listen() {
    const source = new EventSource("/live");
    source.addEventListener("change", ask);
    source.addEventListener("beat", () => {
      beats++;
      if (failing || beats % 3 === 0) ask(); // how long things last is told by the page
      else heard = Date.now();
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, beat); // it was refused, and does not try again by itself
    };
  }

  listen();
  setInterval(show, Math.min(1000, beat));
})();
