// Names that would be markup, script or control codes, on the page: they are text. Some of real processes, ten thousand
// of a server that somebody else wrote.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Program, folder } from '../launch.mjs';
import { openPart, serveFor, shown } from './support.mjs';

/** As long as the kernel lets a name be. */
const NAMES = ['<svg onload=a>', '"><b id=evil>', "';alert(1)//", '\u202egnp.exe', '\u001b[31mred', '&lt;i&gt;'];

/** Did anything become markup, or run? */
async function expectInert(page) {
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('#evil, main b#evil, main script, main iframe, main img, main svg[onload], [onerror]')].map((one) => one.outerHTML)), []);
    assert.equal(await page.evaluate(() => window.injected), undefined);
    const text = await page.locator('body').innerText();
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u, 'no control or reordering mark is shown');
}

test('processes with names that are no names', async (t) => {
    const there = folder(t);
    for (const name of NAMES.filter((name) => !name.includes('/'))) {
        const path = join(there, name);
        copyFileSync('/usr/bin/sleep', path);
        chmodSync(path, 0o755);
        new Program(t, path, ['600']);
    }
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openPart(t, server, '?filter=svg');
    await page.getByRole('link', { name: '<svg onload=a>' }).waitFor({ timeout: 30_000 });
    await expectInert(page);
    await page.getByRole('link', { name: '<svg onload=a>' }).click();
    await shown(page);
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /^<svg onload=a>\[\d+\]/);
    await expectInert(page);
    await page.goto(`${server.url}/?filter=gnp`);
    await shown(page);
    await page.getByRole('link', { name: /\\u\{202e\}gnp\.exe/ }).waitFor();
    await expectInert(page);
    // What the URL says is not to be believed either.
    for (const query of ['?filter=<img src=x onerror=window.injected=1>', '?page=<script>', '?page=threads&pattern=<b id=evil>&id=1', '?only=<b>:x&from=NaN&to=Infinity', '?page=__proto__']) {
        page.expectTrouble(/40[04]/);
        await page.goto(`${server.url}/${query}`);
        await page.waitForFunction(() => document.querySelector('main > .page')?.dataset.shown);
        await expectInert(page);
    }
});

test('ten thousand hostile rows from the server', async (t) => {
    const server = await serveFor(t);
    const hostile = await openPart(t, server);
    const real = await hostile.evaluate(async () => (await fetch('api/v1/processes?rows=1&spark=10')).json());
    const payload = '<img src=x onerror="window.injected=1"><script>window.injected=1</script>\u202e\u0007\u0000';
    const rows = Array.from({ length: 10_000 }, (_, at) => ({ ...real.processes[0], id: `${at + 1}-1${payload}`, pid: at + 1, name: `${payload}${at}`, label: payload, growing: payload, next_limit: { name: payload, used: 0.5, eta_s: 10 } }));
    await hostile.route('**/api/v1/processes?*', (route) => route.fulfill({ json: { ...real, total: 10_000, matching: 10_000, processes: rows } }));
    await hostile.reload();
    await hostile.waitForFunction(() => document.querySelectorAll('tbody tr').length === 10_000);
    await expectInert(hostile);
    assert.match(await hostile.locator('tbody th').first().innerText(), /<img src=x onerror=.*<script>.*\\u\{202e\}\\u\{7\}\\u\{0\}0/);
});
