// The cases, all in one process and one browser: starting one takes longer than
// most cases do.
import { describe, before, after } from "node:test";
import { launch, close } from "./lib.mjs";
import { access } from "./access.mjs";
import { acts } from "./acts.mjs";
import { aids } from "./aids.mjs";
import { demo, begun } from "./demo.mjs";
import { follows } from "./follows.mjs";
import { states } from "./states.mjs";

// The demo takes the half minute that it takes; the others pass meanwhile.
describe("dashboard", { concurrency: 2 }, () => {
  before(launch);
  after(close);
  demo();
  describe("page", { concurrency: 2 }, () => {
    if (!process.env.OCWATCH_CASES) before(() => begun);
    states();
    aids();
    acts();
    follows();
    access();
  });
});
