// The harness itself: a page that misbehaves fails its test. Each case here is a test that must fail, run apart.

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { expectAccessible, expectFits, flatfoot, folder, open, Program, startLeaker, until } from '../launch.mjs';

/** A page with this body, in a file. */
function page(t, body) {
    const path = join(folder(t), 'page.html');
    writeFileSync(path, `<!doctype html><html lang="en"><title>A page</title><main><h1>Page</h1>${body}</main></html>`);
    return path;
}

/** Runs a test of its own in another node; gives whether it passed and what it said. */
async function passes(t, body) {
    const launch = new URL('../launch.mjs', import.meta.url).href;
    const file = join(folder(t), 'inner.test.mjs');
    const page = `<!doctype html><html lang=en><title>A page</title><main><h1>Page</h1>${body}</main>`;
    writeFileSync(file, `
        import { test } from 'node:test';
        import { writeFileSync } from 'node:fs';
        import { open } from ${JSON.stringify(launch)};
        test('inner', async (t) => {
            writeFileSync(${JSON.stringify(`${file}.html`)}, ${JSON.stringify(page)});
            const page = await open(t, ${JSON.stringify(`${file}.html`)});
            await page.getByText('done').waitFor();
        });`);
    // Unset: else it is told that it is a part of this run, and reports in another form.
    const run = await new Program(t, process.execPath, [file], { env: { NODE_TEST_CONTEXT: '' }, input: '' }).end();
    return { passed: run.code === 0, said: run.stdout + run.stderr };
}

const DONE = '<p id=p></p><script>setTimeout(() => { p.textContent = "done"; }, 50)</script>';

test('a page that behaves passes', async (t) => {
    const { passed, said } = await passes(t, DONE);
    assert.ok(passed, said);
});

test('an error on the console fails', async (t) => {
    const { passed, said } = await passes(t, `<script>console.error("oh no")</script>${DONE}`);
    assert.ok(!passed && said.includes('console: oh no'), said);
});

test('an error that is thrown fails', async (t) => {
    const { passed, said } = await passes(t, `<script>nothing.there()</script>${DONE}`);
    assert.ok(!passed && said.includes('nothing is not defined'), said);
});

test('a request to somebody else fails', async (t) => {
    let asked = 0;
    const other = createServer((_, response) => {
        asked += 1;
        response.end('');
    });
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const address = `http://127.0.0.1:${other.address().port}/x.png`;
    const { passed, said } = await passes(t, `<img alt="" src="${address}">${DONE}`);
    assert.ok(!passed && said.includes(`a request to ${address}`), said);
    assert.ok(asked > 0, 'it was a real request');
});

test('what is not accessible is found, what is passes', async (t) => {
    const well = await open(t, page(t, '<p>Read me</p>'));
    await expectAccessible(well);
    const bad = await open(t, page(t, '<p style="color:#ddd;background:#fff">Read me</p><img src="data:,">'));
    await assert.rejects(() => expectAccessible(bad), /color-contrast[^]*image-alt|image-alt[^]*color-contrast/);
});

test('what is too wide is found', async (t) => {
    const well = await open(t, page(t, '<div style="overflow-x:auto"><p style="width:900px">a</p></div>'), { width: 390 });
    await expectFits(well);
    const bad = await open(t, page(t, '<p class="long" style="width:900px">a</p>'), { width: 390 });
    await assert.rejects(() => expectFits(bad), /<p class="long"> ends at/);
});

test('flatfoot and a leaker run', async (t) => {
    const leaker = await startLeaker(t, 'leak', ['threads-unjoined', '100', '5', 'pool-#']);
    const threads = () => readdirSync(`/proc/${leaker.pid}/task`).length;
    await until('its five threads', () => threads() === 6);
    const { stdout } = await flatfoot(t, ['threads', leaker.pid, '--json']);
    const { groups } = JSON.parse(stdout);
    assert.deepEqual(groups.filter((group) => group.pattern === 'pool-*').map((group) => group.count), [5]);
});
