// The page for whoever sees little, hears it, has no mouse, or has the browser
// show things otherwise.
import { test } from "node:test";
import assert from "node:assert/strict";
import { open, live, scene, shot, fits, axeFindsNothing, phone } from "./lib.mjs";

const looks = {
  light: {},
  dark: { colorScheme: "dark" },
  phone: { viewport: phone },
};

// Everything that axe knows, of which WCAG 2.2 AA is a part, and that a person
// can say aloud what stands on a button.
const everything = { resultTypes: ["violations"], rules: { "label-content-name-mismatch": { enabled: true }, "target-size": { enabled: true } } };

export const aids = () => {
  for (const [look, options] of Object.entries(looks)) {
    test(`axe, ${look}`, async (t) => {
      const s = await scene("busy");
      const page = await open(t, { ...options, httpCredentials: s.credentials });
      for (const [where, address] of [["everybody", s.url], ["owner", s.owner]]) {
        await page.goto(address);
        await live(page);
        await axeFindsNothing(page, `${where}, ${look}`, everything);
      }
    });
  }

  test("axe, other worlds", async (t) => {
    const s = await scene("none");
    const page = await open(t, { httpCredentials: s.credentials });
    await page.goto(s.owner);
    await live(page);
    for (const [world, sign] of [["none", "No auth profiles"], ["blind", "nothing could be learned"], ["paste", "Hand it back"], ["down", "connection refused"]]) {
      await s.change(world);
      await page.getByText(sign).first().waitFor();
      await axeFindsNothing(page, world, everything);
    }
  });

  test("more contrast", async (t) => {
    const s = await scene("busy");
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(t, { colorScheme, contrast: "more", httpCredentials: s.credentials });
      await page.goto(s.owner);
      await live(page);
      await axeFindsNothing(page, `more contrast, ${colorScheme}`, { runOnly: ["color-contrast-enhanced"] });
      await shot(page, `busy-contrast-${colorScheme}`);
    }
  });

  test("forced colours", async (t) => {
    const s = await scene("busy");
    const page = await open(t, { forcedColors: "active", colorScheme: "dark", httpCredentials: s.credentials });
    await page.goto(s.owner);
    await live(page);
    await shot(page, "busy-forced");
    // A camera reads dark squares on a light ground alone.
    const qr = await page.locator("svg.qr").evaluate((e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e).fill]);
    assert.deepEqual(qr, ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
    const lane = await page.locator("svg.first").first().evaluate((e) => [getComputedStyle(e).fill, getComputedStyle(document.body).backgroundColor]);
    assert.notEqual(lane[0], lane[1]);
  });

  test("reduced motion: nothing moves", async (t) => {
    const s = await scene("quiet");
    const page = await open(t, { reducedMotion: "reduce" });
    await page.goto(s.url);
    await live(page);
    await s.change("swapped");
    await page.getByText("openai:bob@example.com is first of 3").waitFor();
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => {
      const c = getComputedStyle(e);
      return c.transitionDuration !== "0s" || c.animationName !== "none";
    }).length + document.getAnimations().length);
    assert.equal(moving, 0);
  });

  test("zoom: twice as large, and letters alone", async (t) => {
    const s = await scene("busy");
    // That is what a browser does of zoom 200 % in a window of 1280 by 900.
    const page = await open(t, { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2, httpCredentials: s.credentials });
    await page.goto(s.owner);
    await live(page);
    await fits(page, "200 %");
    await page.setViewportSize({ width: 320, height: 256 });
    await fits(page, "400 %");
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    await fits(page, "letters of 200 %");
    const cut = await page.evaluate(() => [...document.querySelectorAll("button,select,.state,p,b,time")]
      .filter((e) => !e.matches(".sr,.sr *") && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible").map((e) => e.outerHTML));
    assert.deepEqual(cut, [], "text is cut off");
    const tall = await page.evaluate(() => [...document.querySelectorAll(".win > *, .events > li > *, .who > *")]
      .filter((e) => e.textContent.length < 60 && e.getBoundingClientRect().height > 4 * 1.5 * 32).map((e) => e.outerHTML));
    assert.deepEqual(tall, [], "text stands in a column of letters");
    await shot(page, "busy-letters-200");
  });

  test("keyboard alone", async (t) => {
    const s = await scene("paste");
    const page = await open(t, { httpCredentials: s.credentials });
    await page.goto(s.owner);
    await live(page);
    const focus = () => page.evaluate(() => {
      const e = document.activeElement, c = getComputedStyle(e), box = e.getBoundingClientRect();
      return {
        what: e.getAttribute("aria-label") || (e.labels && e.labels[0]?.firstChild.textContent.trim()) || e.textContent,
        seen: c.outlineStyle === "solid" && parseFloat(c.outlineWidth) >= 2 && box.width > 1 && box.top >= 0 && box.bottom <= innerHeight,
        body: e === document.body,
      };
    });
    const order = [];
    for (;;) {
      await page.keyboard.press("Tab");
      const at = await focus();
      if (at.body || order.length > 40) break;
      assert.ok(at.seen, `the focus on ${at.what} cannot be seen`);
      order.push(at.what.startsWith("https://") ? "link" : at.what);
    }
    assert.deepEqual(order, [
      "Skip to the pools", "link", "Address that the browser ended on", "Hand it back", "Cancel this login", "Change nothing", "Pause", "Put first holds", "New login",
      ...["alice", "bob", "carol"].map((name) => `Put first: openai:${name}@example.com`),
    ]);

    const to = async (what) => {
      for (let i = 0; i < 40; i++) {
        if ((await focus()).what === what) return;
        await page.keyboard.press("Tab");
      }
      assert.fail(`Tab never comes to ${what}`);
    };
    const press = async (what, sign) => {
      await to(what);
      await page.keyboard.press("Enter");
      await page.getByText(sign).waitFor();
    };
    await page.reload();
    await to("Skip to the pools");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "pools");
    await to("Put first holds");
    await page.keyboard.press("ArrowDown");
    await press("Put first: openai:bob@example.com", "Noted.");
    await press("End the pin", "Noted.");
    await to("Change nothing");
    await page.keyboard.press("ArrowDown");
    await press("Pause", "Paused: nothing is changed until you resume.");
    await press("Resume", "Resumed.");
    await to("Address that the browser ended on");
    await page.keyboard.type("http://localhost:1455/auth/callback?code=c&state=s");
    await press("Hand it back", "The address was handed to OpenClaw.");
    await press("New login", "A login has begun");
    await press("Cancel this login", "The login was cancelled.");
    assert.deepEqual(await s.calls(), [
      "switch openai:bob@example.com", "unpin openai:bob@example.com", "pause for 1h0m0s", "resume",
      "paste http://localhost:1455/auth/callback?code=c&state=s", "begin main openai", "cancel main openai",
    ]);
  });
};
