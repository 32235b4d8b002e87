// What the browser tests share: a page in a real Chromium that must not complain and must not call anybody, the checks
// that every page has to pass, and (from support/programs.mjs) flatfoot and the programs that leak.
//
//     import { test } from 'node:test';
//     import { open, expectAccessible, serve, startLeaker } from '../launch.mjs';
//
//     test('the overview', async (t) => {
//         const leaker = await startLeaker(t, 'leak', ['threads-unjoined', '500']);
//         const server = await serve(t, ['--pid', leaker.pid]);
//         const page = await open(t, server.url, { width: 390, dark: true });
//         await page.getByRole('heading', { name: 'Overview' }).waitFor();
//         await expectAccessible(page);
//     });
//
// Run by run.sh; `run.sh report` runs the tests of one folder.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { after } from 'node:test';
import { pathToFileURL } from 'node:url';

import { chromium } from 'playwright-core';

export * from './support/programs.mjs';

/** No step of a page takes so long, on a busy machine. */
const PATIENCE_MS = 30_000;

/** The Chromium: $CHROMIUM, else the first that is found. */
export function chromiumPath() {
    const named = process.env.CHROMIUM;
    if (named) {
        return named;
    }
    const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
    const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
    for (const name of names) {
        const folder = folders.find((folder) => existsSync(join(folder, name)));
        if (folder) {
            return join(folder, name);
        }
    }
    throw new Error('no Chromium: run scripts/install-test-deps.sh, or say where it is with CHROMIUM=/path');
}

let launching;

/** The browser of this test file; its profile is empty, and removed when the file's tests are over. */
export function browser() {
    launching ??= chromium.launch({
        executablePath: chromiumPath(),
        headless: true,
        // Chromium's own sandbox refuses to start for root.
        chromiumSandbox: process.getuid() !== 0,
        args: [
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
        ],
    });
    return launching;
}

after(async () => {
    await (await launching)?.close();
});

/**
 * Opens a page and gives Playwright's Page. The test fails when the page complains on its console, throws, or asks anybody
 * but the origin it came from. `url` may be a path to a file.
 *
 * options: width (1280), height (900), dark (false), javascript (true), reducedMotion (true), path (a route of `url`),
 * context (more of Playwright's options for a context).
 *
 * The page has more: `page.seen` = { requests: [url], console: [text], errors: [text] } so far, and
 * `page.expectTrouble(/pattern/)` for a complaint that a test provokes.
 */
export async function open(t, url, options = {}) {
    const { width = 1280, height = 900, dark = false, javascript = true, reducedMotion = true } = options;
    const address = /^[a-z]+:/.test(url) ? url : pathToFileURL(url).href;
    const context = await (await browser()).newContext({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
        javaScriptEnabled: javascript,
        serviceWorkers: 'block',
        locale: 'en-GB',
        timezoneId: 'UTC',
        ...options.context,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const expected = watch(page, new URL(address));
    t.after(async () => {
        await context.close();
        const trouble = [...page.seen.errors, ...page.seen.strangers];
        assert.deepEqual(trouble.filter((text) => !expected.some((pattern) => pattern.test(text))), []);
    });
    await page.goto(options.path ? new URL(options.path, address).href : address);
    return page;
}

/** Writes down what a page does; gives the complaints that are expected. */
function watch(page, home) {
    const expected = [];
    page.seen = { requests: [], console: [], errors: [], strangers: [] };
    page.expectTrouble = (pattern) => expected.push(pattern);
    page.on('console', (message) => {
        page.seen.console.push(message.text());
        if (message.type() === 'error') {
            page.seen.errors.push(`console: ${message.text()} (${message.location().url})`);
        }
    });
    page.on('pageerror', (error) => page.seen.errors.push(`thrown: ${error.stack ?? error}`));
    page.on('crash', () => page.seen.errors.push('the page crashed'));
    page.on('websocket', (socket) => page.seen.strangers.push(`a web socket to ${socket.url()}`));
    page.on('request', (request) => {
        page.seen.requests.push(request.url());
        const to = new URL(request.url());
        // What the page has in itself goes nowhere. All files have one origin, "null": a file may ask for itself alone.
        const inside = to.protocol === 'data:' || to.protocol === 'blob:';
        const own = home.protocol === 'file:' ? to.pathname === home.pathname : to.origin === home.origin;
        if (!inside && !own) {
            page.seen.strangers.push(`a request to ${request.url()}`);
        }
    });
    return expected;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** No rule of axe-core is broken: WCAG 2.2 A and AA, and its best practices. `within`: a selector. */
export async function expectAccessible(page, { within, without = [], rules = {} } = {}) {
    if (!(await page.evaluate('typeof axe === "object"'))) {
        // Evaluated by the debugger: the page's policy does not stand in the way, and need not be loosened.
        await page.evaluate(AXE);
    }
    const result = await page.evaluate(
        ([within, without, rules]) =>
            axe.run(
                { include: within ? [[within]] : [['html']], exclude: without.map((selector) => [selector]) },
                { rules, resultTypes: ['violations'] },
            ),
        [within, without, rules],
    );
    const broken = result.violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id} (${rule.help}): ${node.target.join(' ')}\n    ${node.failureSummary}`),
    );
    assert.ok(broken.length === 0, `not accessible, ${page.url()}:\n${broken.join('\n')}`);
    assert.ok(result.testEngine.name === 'axe-core', 'axe-core ran');
}

/** Nothing is wider than the window: what has to be moves inside a box of its own. */
export async function expectFits(page) {
    const wide = await page.evaluate(() => {
        const room = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= room) {
            return [];
        }
        return [...document.querySelectorAll('body *')]
            .filter((element) => element.getBoundingClientRect().right > room + 0.5)
            .slice(0, 10)
            .map((element) => `<${element.localName} class="${element.getAttribute('class') ?? ''}"> ends at ` +
                `${element.getBoundingClientRect().right}, the window at ${room}`);
    });
    assert.ok(wide.length === 0, `${page.url()} is wider than ${page.viewportSize().width}:\n${wide.join('\n')}`);
}

/**
 * Leaves a picture in $FLATFOOT_SHOTS, for people to look at; without it nothing is written. `whole`: of the whole page.
 */
export async function shot(page, name, { whole = true } = {}) {
    const folder = process.env.FLATFOOT_SHOTS;
    if (folder) {
        await page.screenshot({ path: join(folder, `${name}.png`), fullPage: whole });
    }
}
