// usage: node report_browser.mjs REPORT.html NAMES.json CHROMIUM. Opens the report as a reader would and fails, with one line
// each, for whatever should not be: a word on the console, a request, a dialog, a name that acted instead of being shown.
import { createRequire } from "node:module";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [report, names_file, chromium_path] = process.argv.slice(2);
const { chromium } = createRequire(process.cwd() + "/")("playwright-core");
const names = JSON.parse(readFileSync(names_file, "utf8"));
const url = pathToFileURL(resolve(report)).href;
const faults = [];
const expect = (condition, what) => {
  if (!condition) faults.push(what);
};

expect(statSync(report).size < 3_000_000, "the report is 3 MB or larger");

const browser = await chromium.launch({
  executablePath: chromium_path,
  args: [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

async function open(what, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", (message) => faults.push(`${what}: console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`${what}: ${error}`));
  page.on("request", (request) => expect(request.url() === url, `${what}: it asked for ${request.url()}`));
  page.on("dialog", async (dialog) => {
    faults.push(`${what}: a dialog opened: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(url);
  return { context, page };
}

/// Every name stands in the page as text, and made no element.
async function check_names(what, page) {
  const found = await page.evaluate(() => ({
    text: document.body.textContent,
    markup: document.querySelectorAll("img, iframe, object, embed, form, base, link, [onerror], [onmouseover], [onload]").length,
    links: [...document.querySelectorAll("a")].filter((link) => !link.getAttribute("href").startsWith("#")).length,
    scripts: document.querySelectorAll("script:not([type])").length,
  }));
  for (const name of names) expect(found.text.includes(name), `${what}: the page does not show ${JSON.stringify(name)}`);
  expect(found.markup === 0, `${what}: evidence became markup`);
  expect(found.links === 0, `${what}: a link leads out of the page`);
  expect(found.scripts <= 1, `${what}: there is more than one script`);
  expect(!/[\u202a-\u202e\u2066-\u2069\u0000]/.test(found.text), `${what}: a character that reorders text is left`);
  return found;
}

const figure = "figure.network";
{
  const { context, page } = await open("with the script", {});
  const { scripts } = await check_names("with the script", page);
  expect((await page.locator(figure).count()) > 0, "the report has no network");
  if (scripts === 1) {
    await page.locator(figure).first().scrollIntoViewIfNeeded();
    await page.locator(`${figure}.is-live canvas`).first().waitFor({ timeout: 20_000 }).catch(() => faults.push("no WebGL canvas appeared"));
    const has_context = await page.evaluate(() =>
      [...document.querySelectorAll("figure.network canvas")].some((canvas) => canvas.getContext("webgl2") || canvas.getContext("webgl")),
    );
    expect(has_context, "no canvas has a WebGL context");
    const search = page.getByLabel("Find an account").first();
    const wanted = await page.evaluate(() => JSON.parse(document.querySelector('figure.network script[type="application/json"]').textContent).nodes[0][0]);
    await search.fill(wanted);
    expect((await page.locator(`${figure} .status`).first().textContent()).includes(wanted), "a found account is not named");
    const summary = page.locator("details:has(th button.sort) > summary").first();
    await summary.click();
    const head = page.locator("details[open] th button.sort").first();
    await head.click();
    expect((await page.locator("details[open] th[aria-sort]").count()) === 1, "a click on a head does not sort");
    expect((await page.locator("button.copy-button").count()) > 0, "there are no copy buttons");
  }
  await context.close();
}
{
  const { context, page } = await open("without the script", { javaScriptEnabled: false });
  expect(await page.locator(`${figure} svg.network-picture`).first().isVisible(), "without the script the still picture is not shown");
  expect((await page.locator(`${figure} svg.network-picture circle, ${figure} svg.network-picture path`).count()) > 1, "the still picture is empty");
  expect(await page.locator("table.verdicts .verdict").first().isVisible(), "without the script the verdicts are not shown");
  await context.close();
}
{
  const { context, page } = await open("on a phone", { viewport: { width: 390, height: 844 } });
  const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(wide <= inner, `on a phone the page is ${wide} wide on a screen of ${inner}`);
  await context.close();
}
{
  const { context, page } = await open("in print", {});
  await page.locator(figure).first().scrollIntoViewIfNeeded();
  await page.locator(`${figure}.is-live canvas`).first().waitFor({ timeout: 20_000 }).catch(() => {});
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 700, height: 900 });
  expect(await page.locator(`${figure} svg.network-picture`).first().isVisible(), "in print the still picture is not shown");
  expect((await page.pdf({ format: "A4" })).length > 10_000, "it does not print");
  await context.close();
}
await browser.close();
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
