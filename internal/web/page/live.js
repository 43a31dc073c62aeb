// Keeps the page as it would be if it were loaded now. Without this script it
// is the page of when it was loaded, and everything on it works.
"use strict";
(() => {
  // Without the user and the password that an address may have in front of it.
  const page = location.origin + document.body.dataset.page;
  const link = document.getElementById("link");
  const say = (text) => {
    if (link.textContent === text) return;
    link.textContent = text;
    link.className = text === "live" ? "state good" : "state warn";
  };
  // Loading the page again neither sends a form again nor tells of it.
  if (location.origin + location.pathname + location.search !== page) history.replaceState(null, "", document.body.dataset.page);
  // What was done is no news after a while; what was not done is.
  const did = document.querySelector("main > [role=status]");
  if (did) setTimeout(() => did.remove(), 30000);
  let asked = 0, timer = 0, busy = false, held = false;

  // What a person is filling in is not taken from under their hands.
  const inUse = (part) => part.contains(document.activeElement) && /^(SELECT|TEXTAREA)$/.test(document.activeElement.tagName);

  // What was filled in, and the button that has the focus, stay as they are.
  const replace = (was, is) => {
    const at = was.contains(document.activeElement) ? document.activeElement : null;
    const place = at && [...was.querySelectorAll("a,button")].indexOf(at);
    const fields = (part) => [...part.querySelectorAll("select,textarea")];
    for (const e of fields(is)) {
      const old = fields(was).find((o) => o.name === e.name && o.form.action === e.form.action);
      if (old) e.value = old.value;
    }
    was.replaceWith(is);
    if (!at) return;
    const same = (e) => at.value ? e.value === at.value && e.name === at.name : e.textContent === at.textContent;
    const all = [...is.querySelectorAll("a,button")];
    (all.find(same) || all[place])?.focus({ preventScroll: true });
  };

  const apply = (doc) => {
    held = false;
    const wanted = [...doc.querySelectorAll("[data-live]")];
    const names = (list) => list.filter((e) => e.id.startsWith("pool")).map((e) => e.id).join();
    // The pools themselves are others: one comes or goes.
    if (names(wanted) !== names([...document.querySelectorAll("[data-live]")])) {
      const pools = document.getElementById("pools");
      if (inUse(pools)) held = true;
      else replace(pools, document.adoptNode(doc.getElementById("pools")));
    }
    for (const is of wanted) {
      const was = document.getElementById(is.id);
      if (!was || was.isEqualNode(is)) continue;
      if (inUse(was)) held = true;
      // A status that is spoken has to stay the same element.
      else if (was.getAttribute("role") === "status") was.textContent = is.textContent;
      else replace(was, document.adoptNode(is));
    }
    document.title = doc.title;
  };

  // Another version of ocwatch has another script, and the page it goes with.
  const built = (doc) => doc.querySelector("script").getAttribute("src");
  const draft = () => [...document.querySelectorAll("textarea")].some((t) => t.value);

  const load = async () => {
    timer = 0;
    if (busy) return later();
    busy = true;
    asked = Date.now();
    try {
      const answer = await fetch(page, { cache: "no-store", credentials: "same-origin" });
      if (answer.ok) {
        const doc = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (built(doc) !== built(document) && !draft()) return location.replace(page);
        apply(doc);
        say("live");
      } else say("not live: " + answer.status);
    } catch {
      say("not live: no answer");
    } finally {
      busy = false;
    }
  };

  // At most once a second, and not while nobody looks.
  const later = () => {
    if (timer || document.hidden) return;
    timer = setTimeout(load, Math.max(50, asked + 1000 - Date.now()));
  };

  // A browser connects again by itself after a break, not after a refusal.
  let wait = 3000;
  const connect = () => {
    const events = new EventSource(page + "events");
    events.onopen = () => { wait = 3000; later(); };
    events.onmessage = later;
    events.onerror = () => {
      say("not live: connecting again");
      if (events.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, 60000);
    };
  };
  document.addEventListener("visibilitychange", later);
  document.addEventListener("focusout", () => { if (held) later(); });
  connect();
})();
