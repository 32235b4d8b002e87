// How heavy the page is, from how many places it comes, and that it stands before its figures do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, serve } from '../launch.mjs';
import { shown } from './support.mjs';

/** What the whole first page may weigh. */
const MOST_BYTES = 250 * 1024;

test('the first page is small, all of it from here', async (t) => {
    const server = await serve(t);
    const page = await open(t, 'about:blank');
    let files = 0;
    let bytes = 0;
    page.removeAllListeners('request');
    page.on('response', async (response) => {
        if (response.url().includes('/api/')) return;
        files += 1;
        bytes += (await response.body()).length;
    });
    await page.goto(server.url);
    await shown(page);
    await page.waitForLoadState('load');
    assert.ok(files > 10 && bytes > 50_000, `${files} files, ${bytes} bytes`);
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    t.diagnostic(`${files} files, ${bytes} bytes; first contentful paint after ${Math.round(paint)} ms`);
});

test('the first paint does not wait for figures', async (t) => {
    const server = await serve(t);
    const page = await open(t, 'about:blank');
    page.removeAllListeners('request');
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
    const server = await serve(t);
    const page = await open(t, server.url, { javascript: false });
    assert.match(await page.locator('main').innerText(), /flatfoot diagnose/);
});
