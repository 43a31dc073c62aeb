// What every case does: opens scenes of the stage, opens them in Chromium, and
// finds out whether the page asked for anything but its own server, or
// complained.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import assert from "node:assert/strict";

const need = createRequire(path.join(process.env.OCWATCH_MODULES, "node_modules/"));
const { chromium } = need("playwright-core");
const axe = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");

// For anything to happen; a busy machine is slow.
export const limit = 30_000;

let browser;
export const launch = async () => {
  browser = await chromium.launch({
    executablePath: process.env.OCWATCH_CHROMIUM || "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
};
export const close = () => browser?.close();

const post = async (what, form) => {
  const answer = await fetch(`${process.env.OCWATCH_STAGE}/${what}`, { method: "POST", body: new URLSearchParams(form) });
  if (!answer.ok) throw new Error(`${what}: ${await answer.text()}`);
  return answer.json();
};

// scene opens the page server with a world of worlds_test.go.
export const scene = async (world, options = {}) => {
  const { id, url, password, token } = await post("open", { world, ...options });
  const on = (what) => (form) => post(what, { id, ...form });
  return {
    url, owner: `${url}/owner/`, password, credentials: { username: "owner", password }, reader: { username: "reader", password: token },
    change: (to) => on("change")({ world: to }), refuse: (why) => on("refuse")({ why }), stop: on("stop"), start: on("start"),
    calls: async () => (await on("calls")()).calls,
  };
};

export const desktop = { width: 1280, height: 900 };
export const phone = { width: 390, height: 844 };

// shut closes the windows of the test t.
const windows = new WeakMap();
export const shut = async (t) => {
  for (const context of windows.get(t) ?? []) await context.close();
};

// open is a window of the browser, closed with the test t. Options are those of
// Playwright's contexts; allow is what the page may complain of.
export const open = async (t, { allow, ...options } = {}) => {
  const context = await browser.newContext({ viewport: desktop, reducedMotion: "no-preference", ...options });
  context.setDefaultTimeout(limit);
  windows.set(t, [...(windows.get(t) ?? []), context]);
  const began = Date.now();
  const elsewhere = [], complaints = [], asked = [];
  context.on("request", (r) => {
    asked.push(r.url());
    if (!/^(https?:\/\/([^/@]*@)?(127\.0\.0\.1|localhost)[:/]|data:)/.test(r.url())) elsewhere.push(r.url());
  });
  context.on("console", (m) => {
    if (["error", "warning"].includes(m.type()) && !allow?.test(m.text())) complaints.push(`${m.type()}: ${m.text()} (${m.location().url}, ${Math.round((Date.now() - began) / 100) / 10} s after the beginning)`);
  });
  context.on("weberror", (e) => complaints.push(String(e.error())));
  context.on("dialog", (d) => { complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  t.after(async () => {
    await shut(t);
    assert.deepEqual(elsewhere, [], "requests beyond this machine");
    assert.deepEqual(complaints, [], "the browser's console");
  });
  const page = await context.newPage();
  return Object.assign(page, { asked });
};

// live waits until the page follows its server.
export const live = (page) => page.locator("#link", { hasText: /^live$/ }).waitFor();

// shot keeps a picture for a person to look at.
export const shot = (page, name, options = {}) =>
  page.screenshot({ path: path.join(process.env.OCWATCH_SHOTS, `${name}.png`), fullPage: true, ...options });

// axeFinds nothing that keeps a person with an aid from using the page.
export const axeFindsNothing = async (page, where, options = { resultTypes: ["violations"] }) => {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate((o) => window.axe.run(document, o), options);
  assert.ok(passes.length > 0, `${where}: axe looked at nothing`);
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} (${n.failureSummary})`).join("; ")}`), [], where);
};

// fits: nothing is beyond the right edge.
export const fits = async (page, where) => {
  const beyond = await page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > wide + 0.5).map((e) => e.outerHTML.slice(0, 120));
  });
  assert.deepEqual(beyond, [], `${where}: wider than the window`);
};

// until waits for what holds to hold.
export const until = async (what, holds) => {
  const end = Date.now() + limit;
  let got;
  do {
    got = await holds();
    if (got) return got;
    await new Promise((done) => setTimeout(done, 50));
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${limit / 1000} s`);
};
