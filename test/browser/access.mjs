// Who gets in, and what another page can make the owner's browser do.
import { test } from "node:test";
import { createServer } from "node:http";
import { once } from "node:events";
import assert from "node:assert/strict";
import { open, live, scene, shot } from "./lib.mjs";

const denied = / 40[13] \(/;

// other serves html on another port of this machine, as another account could.
const other = async (t, html) => {
  const server = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end(`<!doctype html><link rel="icon" href="data:,">${html}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => { server.close(); server.closeAllConnections(); });
  return server.address().port;
};

export const access = () => {
  test("signing in", async (t) => {
    const s = await scene("device");
    for (const [who, httpCredentials, status] of [
      ["the owner", s.credentials, 200],
      ["a wrong password", { username: "owner", password: "WORD" }, 401],
      ["a wrong name", { username: "admin", password: s.password }, 401],
    ]) {
      const page = await open(t, { httpCredentials, allow: denied });
      assert.equal((await page.goto(s.owner)).status(), status, who);
      const seen = await page.content();
      assert.equal(seen.includes("ABCD-12345"), status === 200, `${who} sees the code`);
      if (status === 401) assert.match(seen, /ocwatch dashboard prints/);
    }
    // A window asks for the password, and nobody answers.
    await assert.rejects((await open(t, { allow: denied })).goto(s.owner), /ERR_INVALID_AUTH_CREDENTIALS/);
    const page = await open(t);
    await page.goto(s.url);
    await live(page);
    assert.equal(await page.locator("form,button,svg.qr").count(), 0);
    assert.ok(!(await page.content()).includes("ABCD-12345"));
    await shot(page, "device-everybody");
  });

  test("a password in the address", async (t) => {
    const s = await scene("quiet");
    const page = await open(t);
    await page.goto(s.owner.replace("//", `//owner:${s.password}@`));
    await live(page);
    await s.change("swapped");
    await page.getByText("openai:bob@example.com is first of 3").waitFor();
  });

  test("from another machine, by TLS and with a token", async (t) => {
    const s = await scene("device", { tls: "yes" });
    const anybody = { ignoreHTTPSErrors: true, allow: denied };
    await assert.rejects((await open(t, anybody)).goto(s.url), /ERR_INVALID_AUTH_CREDENTIALS/);
    const reader = await open(t, { ...anybody, httpCredentials: s.reader });
    await reader.goto(s.url);
    await live(reader);
    assert.equal(await reader.locator("form,button,svg.qr").count(), 0);
    const closed = await open(t, { ...anybody, httpCredentials: s.reader });
    assert.equal((await closed.goto(s.owner)).status(), 401);
    const owner = await open(t, { ...anybody, httpCredentials: s.credentials });
    await owner.goto(s.owner);
    await live(owner);
    await owner.getByRole("button", { name: "Pause" }).click();
    await owner.getByText("Paused: nothing is changed until you resume.").waitFor();
    await reader.getByText(/^Paused \(from the dashboard\)/).waitFor();
    assert.deepEqual(await s.calls(), ["pause"]);
  });

  // The browser has the password and sends it; the form even has the token.
  for (const [site, host] of [["the same site", "127.0.0.1"], ["another site", "localhost"]]) {
    test(`a form of another page, ${site}`, async (t) => {
      const s = await scene("quiet");
      const page = await open(t, { httpCredentials: s.credentials, allow: denied });
      await page.goto(s.owner);
      await live(page);
      const token = await page.locator("input[name=token]").first().inputValue();
      const port = await other(t, `<form method="post" action="${s.url}/owner/pause"><input name="token" value="${token}"><button>Win</button></form>`);
      await page.goto(`http://${host}:${port}/`);
      await page.getByRole("button", { name: "Win" }).click();
      await page.getByRole("alert").filter({ hasText: "The form came from another page, so nothing was done." }).waitFor();
      assert.deepEqual(await s.calls(), []);
      // And from there, the owner's own does it.
      await live(page);
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("Paused: nothing is changed until you resume.").waitFor();
      assert.deepEqual(await s.calls(), ["pause"]);
    });
  }

  test("a script and a frame of another page", async (t) => {
    const s = await scene("quiet");
    const page = await open(t, { httpCredentials: s.credentials, allow: /./ });
    await page.goto(s.owner);
    await live(page);
    const port = await other(t, `<iframe src="${s.owner}"></iframe>`);
    await page.goto(`http://127.0.0.1:${port}/`);
    const frame = page.frames().find((f) => f !== page.mainFrame());
    assert.ok(!(await frame.content().catch(() => "")).includes("openai:alice"), "the page stands in another");
    const got = await page.evaluate(async (owner) => {
      const read = await fetch(owner, { credentials: "include" }).then((r) => r.text()).catch(() => "refused");
      await fetch(`${owner}pause`, { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({ token: "x" }) }).catch(() => {});
      return read;
    }, s.owner);
    assert.equal(got, "refused", "another page reads it");
    assert.deepEqual(await s.calls(), []);
  });
};
