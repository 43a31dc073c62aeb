// Keeps the page as it would be if it were loaded now. Without this script it
// is the page of when it was loaded, and everything on it works.
"use strict";
(() => {
  // Without the user and the password that an address may have in front of it.
  const page = location.origin + document.body.dataset.page;
  const link = document.getElementById("link");
  const say = (text) => { if (link.textContent !== text) link.textContent = text; };
  // Loading the page again neither sends a form again nor tells of it.
  if (location.origin + location.pathname + location.search !== page) history.replaceState(null, "", document.body.dataset.page);
  let asked = 0, timer = 0, busy = false;

  // What a person is filling in is not taken from under their hands.
  const inUse = (part) => {
    const at = document.activeElement;
    if (part.contains(at) && /^(SELECT|TEXTAREA|INPUT)$/.test(at.tagName)) return true;
    return [...part.querySelectorAll("textarea")].some((t) => t.value !== t.defaultValue) ||
      [...part.querySelectorAll("select")].some((s) => s.selectedIndex > 0);
  };

  // The button that has the focus keeps it.
  const replace = (was, is) => {
    const at = was.contains(document.activeElement) ? document.activeElement : null;
    const place = at && [...was.querySelectorAll("a,button")].indexOf(at);
    const scroll = was.scrollTop;
    was.replaceWith(is);
    is.scrollTop = scroll;
    if (!at) return;
    const same = (e) => at.value ? e.value === at.value && e.name === at.name : e.textContent === at.textContent;
    const all = [...is.querySelectorAll("a,button")];
    (all.find(same) || all[place])?.focus({ preventScroll: true });
  };

  const apply = (doc) => {
    const wanted = [...doc.querySelectorAll("[data-live]")];
    const names = (list) => list.filter((e) => e.id.startsWith("pool")).map((e) => e.id).join();
    // The pools themselves are others: one comes or goes.
    if (names(wanted) !== names([...document.querySelectorAll("[data-live]")])) {
      const pools = document.getElementById("pools");
      if (!inUse(pools)) pools.replaceWith(document.adoptNode(doc.getElementById("pools")));
    }
    for (const is of wanted) {
      const was = document.getElementById(is.id);
      if (!was || was.isEqualNode(is) || inUse(was)) continue;
      // A status that is spoken has to stay the same element.
      if (was.getAttribute("role") === "status") was.textContent = is.textContent;
      else replace(was, document.adoptNode(is));
    }
    document.title = doc.title;
  };

  const load = async () => {
    timer = 0;
    if (busy) return later();
    busy = true;
    asked = Date.now();
    try {
      const answer = await fetch(page, { cache: "no-store", credentials: "same-origin" });
      if (answer.ok) {
        apply(new DOMParser().parseFromString(await answer.text(), "text/html"));
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

  document.addEventListener("visibilitychange", later);
  const events = new EventSource(page + "events");
  events.onopen = () => { say("live"); later(); };
  events.onmessage = later;
  events.onerror = () => say("not live: connecting again");
})();
