// The page on a host as it lives, without a recorder: what begins while it is open comes by itself, and what the reader does
// with it stays. When the server goes, it says so, and it comes back by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startFlatfoot, startLeaker, until } from '../launch.mjs';
import { openAt, openPart, params, serveFor, shown } from './support.mjs';

test('a finding appears without a reload, and is told to who cannot see it', async (t) => {
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openPart(t, server, '?filter=java');
    await page.evaluate(() => {
        window.here = true;
        window.told = [];
        new MutationObserver(() => window.told.push(document.getElementById('announcer').textContent)).observe(document.getElementById('announcer'), { childList: true, characterData: true, subtree: true });
    });
    const leaker = await startLeaker(t, 'run-java.sh', ['leak', '500']);
    const card = page.locator('.finding', { hasText: `[${leaker.pid}]` });
    await page.getByRole('row', { name: String(leaker.pid) }).waitFor({ timeout: 60_000 });
    // What the reader is at stays while figures come in.
    const link = page.getByRole('row', { name: String(leaker.pid) }).getByRole('link');
    await link.focus();
    await page.evaluate(() => scrollTo(0, 40));
    await card.waitFor({ timeout: 150_000 });
    assert.match(await card.innerText(), /THREAD LEAK/);
    assert.equal(await page.evaluate(() => window.here), true, 'the page was not loaded anew');
    assert.equal(await link.evaluate((element) => element === document.activeElement), true, 'the focus stayed');
    assert.ok((await page.evaluate(() => scrollY)) > 0, 'the scrolling stayed');
    await until('it is announced', async () => (await page.evaluate(() => window.told)).some((text) => text.includes('New finding: THREAD LEAK')), 30_000);
    const threads = page.getByRole('row', { name: String(leaker.pid) }).locator('td').nth(4);
    const before = Number((await threads.innerText()).replaceAll(',', ''));
    await until('the count of its threads goes on', async () => Number((await threads.innerText()).replaceAll(',', '')) > before + 3, 60_000);
});

test('what is zoomed to stays while figures come in', async (t) => {
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openPart(t, server);
    await until('half a minute is kept', async () => {
        const { range } = await (await fetch(`${server.url}/api/v1/overview?pixels=16`)).json();
        return range.to - range.from > 15;
    });
    await page.reload();
    await shown(page);
    await page.keyboard.press('+');
    await page.waitForURL(/from=/);
    await shown(page);
    const { from } = await params(page);
    const requests = () => page.seen.requests.filter((url) => url.includes('/overview')).length;
    const before = requests();
    await until('it asks for more', async () => requests() > before + 1);
    assert.equal((await params(page)).from, from);
    assert.match(await page.locator('.shown-range').innerText(), /now/);
});

test('a lost connection is said, and found again', async (t) => {
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openPart(t, server);
    page.expectTrouble(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
    const status = page.locator('#status');
    await status.getByText(/^live/).waitFor();
    await server.kill();
    await status.getByText(/connection lost, trying again/).waitFor();
    assert.ok((await page.locator('tbody tr').count()) > 0, 'the figures stay');
    const { port } = new URL(server.url);
    const again = startFlatfoot(t, ['serve', '--listen', `127.0.0.1:${port}`, '--interval', '500ms']);
    await again.says(/http:/);
    await status.getByText(/^live/).waitFor({ timeout: 60_000 });
    await page.context().close();
});

test('what is not there is said in words, with a way on', async (t) => {
    const server = await serveFor(t);
    const page = await openAt(t, server, { path: '/?page=process&id=4194303' });
    page.expectTrouble(/404/);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /hint:/);
    await alert.getByRole('button', { name: 'Try again' }).waitFor();
});

test('nobody looks: nothing is asked', async (t) => {
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openPart(t, server);
    await page.locator('#status').getByText(/^live/).waitFor();
    await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.away ?? true });
        document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.locator('#status').getByText('paused').waitFor();
    const before = page.seen.requests.length;
    await page.waitForTimeout(3000);
    assert.equal(page.seen.requests.length, before);
    await page.evaluate(() => {
        window.away = false;
        document.dispatchEvent(new Event('visibilitychange'));
    });
    await page.locator('#status').getByText(/^live/).waitFor();
    await until('it asks again', async () => page.seen.requests.length > before);
});
