// What the owner's page does, with and without JavaScript, and what it says
// when the watchdog will not.
import { test } from "node:test";
import assert from "node:assert/strict";
import { open, live, scene, shot, phone } from "./lib.mjs";

const ended = "http://localhost:1455/auth/callback?code=c%2Fd&state=s";

export const acts = () => {
  test("without JavaScript", async (t) => {
    const s = await scene("paste");
    const page = await open(t, { javaScriptEnabled: false, httpCredentials: s.credentials });
    await page.goto(s.url);
    await page.getByText("not live: reload").waitFor();
    await page.getByRole("link", { name: "Sign in to act" }).click();
    assert.equal(page.url(), s.owner);
    await shot(page, "paste-without-javascript");
    await page.getByLabel("Address that the browser ended on").fill(ended);
    await page.getByRole("button", { name: "Hand it back" }).click();
    await page.getByText("The address was handed to OpenClaw.").waitFor();
    await page.getByRole("button", { name: "Put first: openai:carol@example.com" }).click();
    await page.getByText("openai:carol@example.com is pinned").waitFor();
    assert.equal(await page.locator(".accounts > li b").first().textContent(), "openai:carol@example.com");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/^Paused \(from the dashboard\)/).waitFor();
    await s.change("swapped");
    await page.getByRole("link", { name: "reload" }).click();
    await page.getByText("openai:bob@example.com is first of 3").waitFor();
    assert.deepEqual(await s.calls(), [`paste ${ended}`, "switch openai:carol@example.com", "pause"]);
  });

  test("the paste box", async (t) => {
    const s = await scene("paste");
    const page = await open(t, { viewport: phone, httpCredentials: s.credentials, allow: /409 \(Conflict\)/ });
    await page.goto(s.owner);
    await live(page);
    await shot(page, "paste-phone");
    assert.ok(await page.locator("svg.qr path").isVisible());
    // The browser itself asks for what is missing.
    await page.getByRole("button", { name: "Hand it back" }).click();
    assert.deepEqual(await s.calls(), []);
    await s.refuse("the pasted address is not it: it belongs to another login");
    await page.getByLabel("Address that the browser ended on").fill(ended);
    await page.getByRole("button", { name: "Hand it back" }).click();
    await page.getByRole("alert").filter({ hasText: "Not done: the pasted address is not it" }).waitFor();
    await live(page);
    await shot(page, "paste-refused");
    // The refusal is not told again, and nothing is sent again.
    await page.reload();
    assert.equal(await page.getByRole("alert").count(), 0);
    await s.refuse("");
    await page.getByLabel("Address that the browser ended on").fill(ended);
    await page.getByRole("button", { name: "Hand it back" }).click();
    await page.getByText("The address was handed to OpenClaw.").waitFor();
    assert.deepEqual(await s.calls(), [`paste ${ended}`, `paste ${ended}`]);
    assert.equal(page.asked.filter((a) => a.includes("code=c")).length, 0, "the address stands in no address");
  });
};
