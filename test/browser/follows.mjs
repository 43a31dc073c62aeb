// An open page follows the watchdog: changes, a restart, another version, and
// does not take from a person what that person is doing.
import { test } from "node:test";
import assert from "node:assert/strict";
import { open, live, scene, until } from "./lib.mjs";

const away = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_ABORTED/;
const refused = /503 \(Service Unavailable\)/;

export const follows = () => {
  test("changes, without loading again", async (t) => {
    const s = await scene("quiet");
    const page = await open(t);
    await page.goto(s.url);
    await live(page);
    await page.evaluate(() => { window.same = true; });
    const spoken = page.locator("#summary");
    const element = await spoken.elementHandle();
    await s.change("swapped");
    await page.getByText("openai:bob@example.com is first of 3").waitFor();
    assert.equal(await spoken.textContent(), "main / openai: ok, first is openai:bob@example.com.");
    assert.ok(await element.evaluate((e) => e.isConnected), "what is spoken is another element, and not spoken");
    await s.change("busy"); // one pool more
    await page.locator("#pool1").waitFor();
    await s.change("none");
    await page.getByText("No auth profiles are known yet.").waitFor();
    await s.change("quiet");
    await page.getByText("openai:alice@example.com is first of 3").waitFor();
    assert.equal(await page.evaluate(() => window.same), true);
  });

  test("what a person is doing stays", async (t) => {
    const s = await scene("paste");
    const page = await open(t, { httpCredentials: s.credentials });
    await page.goto(s.owner);
    await live(page);
    const first = page.locator(".accounts > li b").first();
    const box = page.getByLabel("Address that the browser ended on"), hold = page.getByLabel("Put first holds");
    // The pool changes, but not while its choice is open; then at once, with
    // what was chosen and written still there.
    await box.fill("http://localhost:1455/half");
    await hold.selectOption({ label: "for 4 hours" });
    await hold.focus();
    await s.change("paste-swapped");
    await until("the page was asked for", () => page.asked.filter((a) => a === s.owner).length > 1);
    await page.locator("#link.good").waitFor();
    assert.equal(await first.textContent(), "openai:alice@example.com");
    await page.getByRole("button", { name: "Put first: openai:carol@example.com" }).focus();
    await until("bob in front", async () => (await first.textContent()) === "openai:bob@example.com");
    assert.equal(await hold.inputValue(), "4h");
    assert.equal(await box.inputValue(), "http://localhost:1455/half");
    assert.equal(await page.evaluate(() => document.activeElement.value), "openai:carol@example.com", "the focus went elsewhere");
  });

  test("a restart of the watchdog", async (t) => {
    const s = await scene("quiet");
    const page = await open(t, { httpCredentials: s.credentials, allow: away });
    await page.goto(s.owner);
    await live(page);
    await page.evaluate(() => { window.same = true; });
    await s.stop();
    await page.locator("#link", { hasText: "not live" }).waitFor();
    await s.change("swapped");
    await s.start();
    await live(page);
    await page.getByText("openai:bob@example.com is first of 3").waitFor();
    assert.equal(await page.evaluate(() => window.same), true);
  });

  test("a refusal in between", async (t) => {
    const s = await scene("quiet");
    const page = await open(t, { allow: refused });
    let refusals = 2;
    await page.route("**/events", (route) => (refusals-- > 0 ? route.fulfill({ status: 503 }) : route.continue()));
    await page.clock.install();
    await page.goto(s.url);
    await page.locator("#link", { hasText: "not live: connecting again" }).waitFor();
    await until("connected", async () => {
      await page.clock.runFor(3000);
      return refusals < 0;
    });
    await page.clock.runFor(1100);
    await live(page);
  });

  test("what was done is told for a while, what was not stays", async (t) => {
    const s = await scene("quiet");
    const page = await open(t, { httpCredentials: s.credentials, allow: / 409 / });
    await page.clock.install();
    await page.goto(s.owner);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused: nothing is changed until you resume.").waitFor();
    await page.clock.runFor(31_000);
    await page.getByText("Paused: nothing is changed until you resume.").waitFor({ state: "detached" });
    assert.ok(await page.getByText(/^Paused \(from the dashboard\)/).isVisible());
    await s.refuse("bob needs a login");
    await page.getByRole("button", { name: "Put first: openai:bob@example.com" }).click();
    await page.getByRole("alert").waitFor();
    await page.clock.runFor(31_000);
    assert.equal(await page.getByRole("alert").innerText(), "Not done: bob needs a login");
  });

  test("another version of ocwatch", async (t) => {
    const s = await scene("quiet");
    const page = await open(t);
    await page.goto(s.url);
    await live(page);
    await page.evaluate(() => { window.same = true; });
    let altered = false;
    await page.route(`${s.url}/`, async (route) => {
      if (altered) return route.continue();
      altered = true;
      const answer = await route.fetch();
      return route.fulfill({ response: answer, body: (await answer.text()).replace(/assets\/[0-9a-f]{12}\/live/, "assets/000000000000/live") });
    });
    await s.change("swapped");
    await until("loaded anew", async () => (await page.evaluate(() => window.same).catch(() => true)) === undefined);
    await live(page);
    await page.getByText("openai:bob@example.com is first of 3").waitFor();
  });
};
