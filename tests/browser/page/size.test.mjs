// How heavy the page is, from how many places it comes, and that it stands before its figures do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser } from '../launch.mjs';
import { openAt, serveFor, shown } from './support.mjs';

/** What the whole first page may weigh. */
const MOST_BYTES = 250 * 1024;

/** A page that went nowhere yet: what is to be watched is watched from the first request. */
async function blank(server) {
    const page = await (await (await browser()).newContext()).newPage();
    server.pages.push(page);
    return page;
}

test('the first page is small, all of it from here', async (t) => {
    const server = await serveFor(t);
    const page = await blank(server);
    await page.goto(server.url);
    await shown(page);
    await page.waitForLoadState('load');
    // As it came over the wire, headers and all.
    const { files, bytes, strangers } = await page.evaluate(() => {
        const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter((entry) => !entry.name.includes('/api/'));
        return { files: all.length, bytes: all.reduce((sum, entry) => sum + entry.transferSize, 0), strangers: all.map((entry) => entry.name).filter((name) => new URL(name).origin !== location.origin) };
    });
    assert.deepEqual(strangers, []);
    assert.ok(files > 10 && bytes > 50_000, `${files} files, ${bytes} bytes`);
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    t.diagnostic(`${files} files, ${bytes} bytes; first contentful paint after ${Math.round(paint)} ms`);
});

test('the first paint does not wait for figures', async (t) => {
    const server = await serveFor(t);
    const page = await blank(server);
    let answer;
    const held = new Promise((resolve) => (answer = resolve));
    await page.route('**/api/v1/**', async (route) => {
        await held;
        await route.continue();
    });
    await page.goto(server.url, { waitUntil: 'domcontentloaded' });
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    assert.match(await page.locator('main').innerText(), /Overview[\s\S]*FINDINGS/i);
    answer();
    await shown(page);
});

test('without JavaScript the page says what to do instead', async (t) => {
    const server = await serveFor(t);
    const page = await openAt(t, server, { javascript: false });
    assert.match(await page.locator('main').innerText(), /flatfoot diagnose/);
});
