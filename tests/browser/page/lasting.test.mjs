// The page over hours: parts are changed again and again, answers come late, the server goes away, a phone is held.
// Nothing piles up, nothing that was chosen is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startLeaker, until } from '../launch.mjs';
import { drag, openAt, openPart, params, plotBox, serveFor, shown } from './support.mjs';

/** A server with a leak that is found, and the paths of all parts. */
async function leaking(t) {
    const leaker = await startLeaker(t, 'leak', ['threads-unjoined', '200']);
    const server = await serveFor(t, ['--interval', '1s']);
    // Forty seconds: shorter parts cannot be zoomed to.
    const finding = await until('the finding', async () => {
        const { findings, range } = await (await fetch(`${server.url}/api/v1/overview?pixels=16`)).json();
        return range.to - range.from > 40 && findings.find((one) => one.process.pid === leaker.pid);
    }, 120_000);
    const { pid } = leaker;
    const parts = { overview: '.', process: `?page=process&id=${pid}`, threads: `?page=threads&id=${pid}`, map: `?page=map&id=${pid}`, finding: `?page=finding&id=${finding.id}&process=${pid}`, compare: `?page=compare&process=${pid}` };
    return { server, parts };
}

/** Follows a link as the page's own do. */
const visit = (page, query) => page.evaluate(async (query) => (await import('./state.js')).visit(query), query);

test('on a host that leaks', async (t) => {
    const { server, parts } = await leaking(t);

    await t.test('parts that were left leave nothing behind', async (t) => {
        const page = await openPart(t, server);
        await page.route(/processes\/\d+\?.*from=/, async (route) => {
            const answer = await route.fetch();
            await route.fulfill({ response: answer, json: { ...(await answer.json()), charts: [] } });
        });
        const cdp = await page.context().newCDPSession(page);
        await cdp.send('Performance.enable');
        await cdp.send('HeapProfiler.enable');
        const round = async () => {
            for (const query of Object.values(parts)) {
                await visit(page, query);
                await shown(page);
            }
            // Charts that come and go on one page.
            for (const range of ['', '&last=24h', '']) {
                await visit(page, parts.process + range);
                await shown(page);
            }
        };
        const measure = async () => {
            await visit(page, '.');
            await shown(page);
            for (let turn = 0; turn < 3; turn += 1) await cdp.send('HeapProfiler.collectGarbage');
            const { metrics } = await cdp.send('Performance.getMetrics');
            const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
            return { nodes: of.Nodes, listeners: of.JSEventListeners, heap: of.JSHeapUsedSize };
        };
        await round();
        await round();
        const before = await measure();
        for (let turn = 0; turn < 12; turn += 1) await round();
        const after = await measure();
        const [drawn, plots] = await page.evaluate(() => [document.querySelectorAll('canvas').length, globalThis.uPlot.sync('time').plots.length]);
        assert.equal(plots, drawn, 'a picture that is not shown is still told of the cursor');
        t.diagnostic(`${JSON.stringify(before)} to ${JSON.stringify(after)}`);
        // Rows and charts come and go with what runs on the host; what is kept of each round adds up to more.
        assert.ok(after.listeners < before.listeners + 120, `listeners: ${before.listeners} to ${after.listeners}`);
        assert.ok(after.nodes < before.nodes + 2500, `nodes: ${before.nodes} to ${after.nodes}`);
        assert.ok(after.heap < before.heap + 4e6, `heap: ${before.heap} to ${after.heap}`);
    });

    await t.test('what costs the host nothing is not said to be read from elsewhere', async (t) => {
        const page = await openPart(t, server);
        assert.match(await page.locator('.impact').innerText(), /read from \/proc; nothing was loaded, signalled or stopped/);
    });

    await t.test('what is looked at goes along to other parts, and one comes back to where one was', async (t) => {
        const page = await openPart(t, server, parts.process);
        await drag(page, 'threads', 0.2, 0.6);
        await shown(page);
        const { from, to } = await params(page);
        assert.ok(from && to);
        await page.locator('.tabs').getByRole('link', { name: 'Threads' }).click();
        await shown(page);
        const there = await params(page);
        assert.deepEqual([there.page, there.from, there.to], ['threads', from, to]);
        await page.locator('.main-nav').getByRole('link', { name: 'Overview' }).click();
        await shown(page);
        assert.deepEqual([(await params(page)).from, (await params(page)).to], [from, to]);
        // The link is where it is: nothing has to be scrolled to be pressed.
        const link = page.locator('tbody th').getByRole('link').first();
        await link.scrollIntoViewIfNeeded();
        await page.evaluate(() => scrollBy(0, 60));
        await page.waitForFunction(() => history.state?.y === scrollY);
        await link.click();
        await shown(page);
        assert.equal(await page.evaluate(() => scrollY), 0);
        await page.goBack();
        await shown(page);
        // Findings that came meanwhile have moved it on.
        await page.waitForFunction(() => scrollY > 30);
    });

    await t.test('a finding’s charts are zoomed, and two windows of a comparison together', async (t) => {
        const page = await openPart(t, server, parts.finding);
        const asked = page.waitForRequest((request) => /findings\/.*from=/.test(request.url()));
        await drag(page, 'threads', 0.2, 0.6);
        await asked;
        await shown(page);
        const { from, to } = await params(page);
        const times = await page.locator('[data-chart="threads"] .plot').getAttribute('aria-label');
        assert.ok(from && to && times, 'the part is asked for');
        await page.locator('[data-chart="threads"]').getByRole('button', { name: 'Table' }).click();
        const rows = await page.locator('[data-chart="threads"] tbody th').allInnerTexts();
        const seconds = rows.map((row) => Date.parse(`${row.replace(' ', 'T')}Z`) / 1000);
        assert.ok(seconds.length > 0 && Math.min(...seconds) > Number(from) - 5 && Math.max(...seconds) < Number(to) + 5, `${rows[0]} to ${rows.at(-1)}`);

        await visit(page, parts.compare);
        await shown(page);
        await drag(page, 'threads', 0, 0.9);
        await page.waitForURL(/a_from=/);
        await shown(page);
        const narrow = await params(page);
        assert.ok(Math.abs(narrow.a_to - narrow.a_from - (narrow.b_to - narrow.b_from)) <= 2, JSON.stringify(narrow));
    });

    await t.test('keys walk once, however often the chart was made anew; figures under the cursor stay when new ones come', async (t) => {
        const page = await openPart(t, server, parts.process);
        for (const theme of ['dark', 'light', 'dark', 'light']) await page.emulateMedia({ colorScheme: theme });
        const plot = page.locator('[data-chart="threads"] .plot');
        const when = page.locator('[data-chart="threads"] .when');
        await plotBox(page, 'threads');
        // In what stands still a step is one column.
        await drag(page, 'threads', 0.1, 0.9);
        await shown(page);
        await plot.focus();
        const seen = [];
        for (let step = 0; step < 4; step += 1) {
            await page.keyboard.press(',');
            seen.push(await when.innerText());
        }
        assert.equal(new Set(seen).size, 4, seen.join());
        await page.keyboard.press('.');
        assert.equal(await when.innerText(), seen[2], 'one forth is one back');

        await page.keyboard.press('0');
        await page.waitForFunction(() => !new URLSearchParams(location.search).has('from'));
        await shown(page);
        const box = await plotBox(page, 'threads');
        await page.mouse.move(box.x + box.width * 0.4, box.y + 50);
        await page.waitForFunction(() => document.querySelector('[data-chart="threads"] .when').textContent);
        // From now on: is it ever empty?
        await page.evaluate(() => {
            const when = document.querySelector('[data-chart="threads"] .when');
            window.emptied = 0;
            new MutationObserver(() => (window.emptied += when.textContent === '' ? 1 : 0)).observe(when, { childList: true, characterData: true, subtree: true });
        });
        const requests = () => page.seen.requests.filter((url) => url.includes(`/processes/`)).length;
        const before = requests();
        await until('new figures came', () => requests() > before + 2);
        await shown(page);
        assert.equal(await page.evaluate(() => window.emptied), 0);
        // Made anew below the cursor, too.
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.waitForFunction(() => document.querySelector('[data-chart="threads"] .when').textContent);
        assert.equal(await page.evaluate(() => window.emptied), 0);
    });

    await t.test('a finger pans, two zoom, up and down scrolls', async (t) => {
        const page = await openPart(t, server, parts.process, { width: 390, height: 844, context: { hasTouch: true, isMobile: true } });
        const cdp = await page.context().newCDPSession(page);
        const touch = (type, points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
        const gesture = async (from, to) => {
            await touch('touchStart', from);
            for (let step = 1; step <= 5; step += 1) await touch('touchMove', from.map(([x, y], at) => [x + ((to[at][0] - x) * step) / 5, y + ((to[at][1] - y) * step) / 5]));
            await touch('touchEnd', []);
        };
        const span = async () => {
            const { from, to } = await params(page);
            return { from: Number(from), to: Number(to), length: Number(to) - Number(from) };
        };
        await drag(page, 'threads', 0.3, 0.7);
        await shown(page);
        const first = await span();
        let box = await plotBox(page, 'threads');
        const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
        await gesture([at(0.3)], [at(0.6)]);
        await page.waitForFunction((from) => new URLSearchParams(location.search).get('from') !== String(from), first.from);
        await shown(page);
        const panned = await span();
        assert.ok(panned.from < first.from && Math.abs(panned.length - first.length) < 1, JSON.stringify([first, panned]));

        // Wide enough that a zoom has somewhere to go.
        await page.keyboard.press('0');
        await page.waitForFunction(() => !new URLSearchParams(location.search).has('from'));
        await shown(page);
        box = await plotBox(page, 'threads');
        await gesture([at(0.4), at(0.6)], [at(0.1), at(0.9)]);
        await page.waitForFunction(() => new URLSearchParams(location.search).has('from'));
        await shown(page);

        const pinched = await page.evaluate(() => location.search);
        box = await plotBox(page, 'threads');
        const y = await page.evaluate(() => scrollY);
        const [x, middle] = at(0.5);
        await gesture([[x, middle]], [[x, middle - 200]]);
        await page.waitForFunction((y) => scrollY > y + 50, y);
        assert.equal(await page.evaluate(() => location.search), pinched, 'scrolling zooms nothing');
    });
});

test('a field that was typed in does not filter the part that came after', async (t) => {
    const server = await serveFor(t);
    const page = await openPart(t, server);
    // Nothing that could be compared is there yet.
    page.expectTrouble(/40[04]/);
    await page.getByRole('searchbox').fill('x');
    await visit(page, '?page=compare');
    await page.waitForTimeout(600);
    assert.equal((await params(page)).filter, undefined);
});

test('a part whose code does not come says so, and comes when the server does', async (t) => {
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openPart(t, server);
    page.expectTrouble(/Failed to fetch dynamically|ERR_FAILED|40[04]/);
    await page.route('**/pages/compare.js', (route) => route.abort());
    await page.locator('.main-nav').getByRole('link', { name: 'Compare' }).click();
    const alert = page.getByRole('alert');
    assert.match(await alert.innerText(), /does not answer[\s\S]*hint:/);
    await page.unroute('**/pages/compare.js');
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Compare', level: 1 }).waitFor();
});
