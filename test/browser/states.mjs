// What the page looks like when there is little, much, or nothing good to tell:
// it says so, fits, complains of nothing, and runs nothing of what it shows.
import { test } from "node:test";
import assert from "node:assert/strict";
import { open, live, scene, shot, fits, desktop, phone } from "./lib.mjs";

const says = {
  none: ["the first round is under way", "No auth profiles are known yet", "Nothing happened in the last 7 days."],
  blind: ["nothing could be learned of any account", "nothing could be learned, for 50 min"],
  depleted: ["all 3 openai accounts are spent", "no account could serve, for 3 h", "back in 59 min"],
  down: ["not live: dial tcp 127.0.0.1:18789: connect: connection refused", "The gateway is down"],
  fifty: ["openai:person049@example.com", "98 % used"],
  long: ["a-very-long-name.a-very-long-name."],
  busy: ["Problem:", "Warning:", "Paused until", "Ahead: quota runs out about", "is pinned until", "not reported", "To mend it: ocwatch login --provider openai"],
  hostile: ["openai:<img src=x onerror=alert(1)>", `openai:"><script>alert(2)</script>`, "openai:[U+202E]moc.elpmaxe@ecila", "<a href=\"javascript:alert(5)\">press</a>", "<i>srv1</i>"],
};

export const states = () => {
  for (const [world, texts] of Object.entries(says)) {
    test(`state ${world}`, async (t) => {
      const s = await scene(world);
      const page = await open(t, { httpCredentials: s.credentials });
      await page.goto(s.owner);
      await live(page);
      const body = await page.locator("body").innerText();
      for (const text of texts) assert.ok(body.includes(text), `${world} does not say ${text}:\n${body}`);
      await fits(page, "desktop");
      const spoken = await page.locator(".sr").evaluateAll((all) => all.map((e) => e.getBoundingClientRect()).map((b) => [b.width, b.height].join()));
      assert.deepEqual(spoken, ["1,1", "1,1"], "what is for screen readers alone is seen");
      await shot(page, `${world}-light`);
      if (world === "busy") {
        await page.emulateMedia({ colorScheme: "dark" });
        await shot(page, `${world}-dark`);
        await page.emulateMedia({ colorScheme: "light" });
      }
      for (const width of [320, phone.width]) {
        await page.setViewportSize({ width, height: phone.height });
        await fits(page, `${width} wide`);
      }
      await shot(page, `${world}-phone`);
      await page.setViewportSize(desktop);
      if (world === "hostile") await onlyText(page, s);
    });
  }

  test("size: what a browser loads with fifty accounts", async (t) => {
    const s = await scene("fifty");
    const page = await open(t, { httpCredentials: s.credentials });
    let bytes = 0;
    const loaded = [];
    page.on("response", (r) => { if (r.ok() && !/events$/.test(r.url())) loaded.push(r.body().then((b) => { bytes += b.length; })); });
    await page.goto(s.owner, { waitUntil: "load" });
    await Promise.all(loaded);
    t.diagnostic(`${bytes} bytes in ${loaded.length} answers`);
    assert.ok(loaded.length >= 3 && bytes <= 60 << 10, `${bytes} bytes in ${loaded.length} answers`);
  });

  test("bars are as full as they are high", async (t) => {
    const s = await scene("quiet");
    const page = await open(t, { javaScriptEnabled: false }); // so that it stays as it is
    await page.goto(s.url);
    const png = (await page.locator("meter").first().screenshot()).toString("base64");
    const blank = await open(t);
    // Of the column in the middle of what is filled: which rows have its colour.
    const filled = await blank.evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
      const at = canvas.getContext("2d", { willReadFrequently: true });
      at.drawImage(image, 0, 0);
      const color = (y) => [...at.getImageData(Math.round(image.width / 5), y, 1, 1).data].join();
      const middle = color(Math.floor(image.height / 2));
      return { rows: [...Array(image.height).keys()].filter((y) => color(y) === middle).length, of: image.height, middle };
    }, png);
    assert.ok(filled.rows >= filled.of - 2, JSON.stringify(filled));
    assert.equal(filled.middle, "42,143,71,255", "and green");
  });
};

// onlyText: what the names hold is shown and not taken for a part of the page,
// and a button sends the very name.
const onlyText = async (page, s) => {
  assert.equal(await page.locator("img, h1 i, h2 b, [onfocus], [onerror], .note a, #logins a, #logins svg").count(), 0);
  assert.equal(await page.locator("script").count(), 1);
  await page.getByRole("button", { name: "Put first: openai:[U+202E]moc.elpmaxe@ecila" }).click();
  await page.getByRole("status").filter({ hasText: "Noted." }).waitFor();
  assert.deepEqual(await s.calls(), ["switch openai:\u202Emoc.elpmaxe@ecila"]);
};
