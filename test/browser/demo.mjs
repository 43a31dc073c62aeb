// The page of a running `ocwatch demo`: the real watchdog, whose accounts are
// spent one after the other until a person signs in.
import { test } from "node:test";
import { spawn } from "node:child_process";
import assert from "node:assert/strict";
import { open, shut, live, shot, until, axeFindsNothing, phone } from "./lib.mjs";

// start runs the demo and returns how its page is signed in to.
const start = async (t) => {
  const run = spawn(process.env.OCWATCH_BINARY, ["demo", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => run.on("close", done));
  t.after(async () => {
    await shut(t);
    run.kill("SIGINT");
    await ended;
  });
  let said = "";
  run.stdout.on("data", (d) => { said += d; });
  const [, url, username, password] = await until("the demo's address", () => /Dashboard: (\S+), user (\S+), password (\S+)/.exec(said));
  return { url, owner: url.replace("//", `//${username}:${password}@`) };
};

const first = (page) => page.locator(".accounts > li b").first();

// begun is settled when the demo has come to where it takes its time.
let played;
export const begun = new Promise((done) => { played = done; });

export const demo = () => test("demo", async (t) => {
  t.after(played);
  // The windows are there before the play begins: it does not wait for them.
  const [page, reads] = [await open(t), await open(t)];
  const small = await open(t, { viewport: phone, colorScheme: "dark", deviceScaleFactor: 2 });
  const { url, owner } = await start(t);
  await Promise.all([page.goto(owner), reads.goto(new URL("/", url).href)]);
  await Promise.all([live(page), live(reads)]);

  await t.test("puts an account first, and lets it go", async () => {
    // Of those that still serve, whoever comes last.
    const it = page.locator(".accounts > li + li", { has: page.locator(".available") }).last();
    const name = await it.locator("b").textContent();
    await page.getByLabel("Put first holds").selectOption({ label: "for 4 hours" });
    await page.getByRole("button", { name: `Put first: ${name}` }).click();
    await page.getByRole("status").filter({ hasText: "Noted." }).waitFor();
    await page.getByText(`${name} is pinned until `).waitFor();
    await until(`${name} in front`, async () => (await first(page).textContent()) === name);
    await until(`${name} in front for everybody`, async () => (await first(reads).textContent()) === name);
    await page.getByRole("button", { name: "End the pin" }).click();
    await page.getByText(" is pinned until ").waitFor({ state: "detached" });
    await live(page);
    await page.evaluate(() => { window.same = true; });
    played();
    await small.goto(owner);
  });

  await t.test("follows the order without loading again", async () => {
    const one = await first(page).textContent();
    await until("another account in front", async () => (await first(page).textContent()) !== one);
    const now = await first(page).textContent();
    await until("the page for everybody shows it too", async () => (await first(reads).textContent()) !== one);
    assert.match(now, /^openai:(alice|bob|carol)@example\.com$/);
    assert.equal(await page.evaluate(() => window.same), true);
    await page.locator("#events .state", { hasText: /^switch$/ }).first().waitFor();
    await shot(page, "demo-light");
  });

  await t.test("tells that all were spent, and who signed in", async () => {
    await page.locator("#events .state", { hasText: /^depleted$/ }).waitFor();
    await page.locator("#events li", { hasText: /completed openai:dave@example\.com/ }).waitFor();
    await until("dave in front", async () => (await first(page).textContent()) === "openai:dave@example.com");
    assert.equal(await page.evaluate(() => window.same), true);
    await axeFindsNothing(page, "the demo's page");
    await shot(page, "demo-after-light");
    await shot(small, "demo-after-dark-phone");
  });

  await t.test("says of a spent account why it is not first", async () => {
    await page.getByRole("button", { name: "Put first: openai:alice@example.com" }).click();
    await page.getByText(/^openai:alice@example\.com is pinned and not first yet, since it is spent \(5h window 100 % used\)\.$/).waitFor();
    await page.getByRole("button", { name: "End the pin" }).click();
    await page.getByRole("button", { name: "End the pin" }).waitFor({ state: "detached" });
  });

  await t.test("pauses and resumes", async () => {
    await page.getByLabel("Change nothing").selectOption({ label: "for 1 hour" });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/^Paused until .*from the dashboard/).waitFor();
    await reads.getByText(/^Paused until /).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await reads.getByText(/^Paused until /).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Pause" }).waitFor();
  });

  await t.test("a login that the owner begins and cancels", async () => {
    await page.getByRole("button", { name: "New login" }).click();
    await page.getByRole("status").filter({ hasText: "A login has begun" }).waitFor();
    const login = page.locator("#logins section");
    assert.equal(await login.locator("a").getAttribute("href"), "https://auth.openai.com/codex/device");
    const code = await login.locator(".code").textContent();
    assert.match(code, /^[A-Z0-9]{4}-[A-Z0-9]{5}$/);
    assert.ok(await login.locator("svg.qr path").isVisible());
    await shot(page, "demo-login-light");
    // Others see that there is one, and nothing to log in with.
    await reads.locator("#logins section").waitFor();
    const seen = await reads.content();
    assert.ok(!seen.includes(code) && !seen.includes("codex/device"), "the page for everybody has the link or the code");
    assert.equal(await reads.locator("form,button,svg.qr").count(), 0);
    await page.getByRole("button", { name: "Cancel this login" }).click();
    await page.getByRole("status").filter({ hasText: "The login was cancelled" }).waitFor();
    await page.locator("#logins section").waitFor({ state: "detached" });
  });

  await t.test("goes on when pages go away", async () => {
    for (let i = 0; i < 3; i++) {
      const gone = await small.context().newPage();
      await gone.goto(owner);
      await live(gone);
      await gone.close();
    }
    const before = reads.asked.length;
    await until("two changes more", () => reads.asked.length > before + 1);
    await live(reads);
  });
});
