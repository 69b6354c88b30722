// A browser for one scenario: starts it, watches what the page does, takes pictures, and asks the test that runs it for things
// only it can do (over standard output and input, a line each way).

import { readFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// The packages lie below `target`, not beside this file.
const require = createRequire(join(process.env.GPULSE_TEST_BROWSER, "package.json"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const CHROMIUM = process.env.GPULSE_TEST_CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** A condition that has not come true by then will not: a bound for a machine under load, not an expectation. */
const PATIENCE = 60_000;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Lets the test do `what` and returns what it says. */
export async function ask(what) {
  process.stdout.write(`? ${what}\n`);
  const { value, done } = await lines.next();
  if (done) throw new Error(`the test is gone: ${what}`);
  return value;
}

export class Stage {
  /** `url` is the agent's; requests to other origins than its own and `others` are an error. */
  static async open({ url, pictures, others = [] }, options = {}) {
    const stage = new Stage();
    stage.url = url;
    stage.pictures = pictures;
    stage.allowed = new Set([url, ...others].map((address) => new URL(address).origin));
    stage.faults = [];
    stage.expected = [];
    stage.requests = 0;
    stage.profile = mkdtempSync(join(tmpdir(), "gpulse-browser-"));
    mkdirSync(pictures, { recursive: true });
    stage.context = await chromium.launchPersistentContext(stage.profile, {
      executablePath: CHROMIUM, args: ARGUMENTS, viewport: { width: 1280, height: 900 }, colorScheme: "dark", ...options,
    });
    stage.context.setDefaultTimeout(PATIENCE);
    stage.page = stage.context.pages()[0];
    stage.watch(stage.page);
    return stage;
  }

  watch(page) {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.note(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.note(`error: ${error.stack ?? error}`));
    page.on("request", (request) => {
      this.requests += 1;
      const { origin, protocol } = new URL(request.url());
      if (protocol !== "data:" && !this.allowed.has(origin)) this.note(`request elsewhere: ${request.url()}`);
    });
  }

  note(fault) {
    if (!this.expected.some((pattern) => pattern.test(fault))) this.faults.push(fault);
  }

  /** Faults like these are what the scenario is about, from here on. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  async goto(fragment = "#/") {
    await this.page.goto(`${this.url}/${fragment}`);
  }

  /** Waits for `look`, a function of the page, to be true there. */
  async until(what, look, argument) {
    if (process.env.GPULSE_TEST_TRACE) console.log(`${(performance.now() / 1000).toFixed(1)} s: ${what}`);
    try {
      return await this.page.waitForFunction(look, argument, { timeout: PATIENCE });
    } catch (error) {
      await this.picture("failed").catch(() => {});
      const seen = await this.page.evaluate(() => document.body.innerText.slice(0, 600)).catch(() => "nothing");
      throw new Error(`never came true: ${what}\n${error.message}\nfaults: ${this.faults.join("\n")}\nthe page: ${seen}`);
    }
  }

  async live() {
    await this.until("the page is live", () => document.querySelector(".connection.good") !== null);
  }

  async picture(name) {
    await this.page.screenshot({ path: join(this.pictures, `${name}.png`) });
  }

  /** Fails on accessibility faults that are serious or critical. */
  async accessible(where) {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const said = bad.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join("\n  ")}`);
    check(bad.length === 0, `accessibility of ${where}:\n${said.join("\n")}`);
  }

  /** Fails if the page is wider than its window. */
  async fits(where) {
    const [width, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    check(width <= window, `${where} is ${width} wide in a window of ${window}`);
  }

  /** Ends, and fails if the page did what it should not. */
  async close() {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
    check(this.faults.length === 0, `the page did what it should not:\n${this.faults.join("\n")}`);
    check(this.requests > 0, "the page asked for nothing");
  }
}

/** Fails with `message` unless `condition`. */
export function check(condition, message) {
  if (!condition) throw new Error(message);
}
