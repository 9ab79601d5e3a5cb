// Playwright's side of the benchmark: one browser, a fresh context for each run. Each
// line "RUNS ATONCE JOURNEY" on standard input is answered with the times in
// milliseconds. Arguments: directory with node_modules, browser, address.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [dir, executablePath, base] = process.argv.slice(2);
const { chromium } = createRequire(dir + "/")("playwright-core");
const browser = await chromium.launch({ executablePath });

async function form() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(base + "/");
  await page.waitForSelector("#user");
  await page.locator("#user").pressSequentially("ada@example.test");
  await page.locator("#password").pressSequentially("correct horse");
  await page.click("#go");
  const text = await page.locator("#welcome").innerText();
  if (!text.includes("Welcome, ada@example.test")) throw new Error("got " + text);
  await page.screenshot();
  await context.close();
}

async function trivial() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(base + "/");
  await page.getByText("Shop").waitFor();
  await context.close();
}

const journeys = { form, trivial };
for await (const line of createInterface({ input: process.stdin })) {
  const [runs, atOnce, what] = line.split(" ");
  const took = [];
  let left = Number(runs);
  const worker = async () => {
    while (left-- > 0) {
      const begin = performance.now();
      await journeys[what]();
      took.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, worker));
  process.stdout.write(JSON.stringify(took) + "\n");
}
await browser.close();
