// How the page is handled, on any server that has a leaking process: used on what was recorded and on what lives.

import assert from 'node:assert/strict';

import { drag, openPart, painted, params, plotBox, shown } from './support.mjs';

/** `at`: `{url, id, pattern}` of a server and its leaking process. */
export async function handling(t, at) {
    const process = `?page=process&id=${at.id}`;
    await t.test('dragging zooms, a double click and the back button go back', async (t) => {
        const page = await openPart(t, at, process);
        const before = await page.locator('.shown-range').innerText();
        const asked = page.waitForRequest((request) => /processes\/[^/]+\?.*from=/.test(request.url()));
        await drag(page, 'threads', 0.2, 0.6);
        const { from, to } = await params(page);
        assert.ok(Number(to) > Number(from), `${from} to ${to}`);
        const query = new URL((await asked).url()).searchParams;
        assert.equal(Number(query.get('from')), Number(from), 'the server is asked for the part');
        assert.ok(Number(query.get('pixels')) >= 16, 'with the room there is');
        await shown(page);
        assert.notEqual(await page.locator('.shown-range').innerText(), before);
        await drag(page, 'memory', 0.3, 0.7);
        await shown(page);
        const inner = await params(page);
        assert.ok(Number(inner.to) - Number(inner.from) < Number(to) - Number(from));
        await page.goBack();
        await shown(page);
        const back = await params(page);
        assert.deepEqual([back.from, back.to], [from, to]);
        await page.goForward();
        await shown(page);
        assert.equal((await params(page)).from, inner.from);
        const box = await plotBox(page, 'threads');
        await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
        await shown(page);
        const whole = await params(page);
        assert.deepEqual([whole.from, whole.to], [undefined, undefined]);
    });

    await t.test('shift and drag pans', async (t) => {
        const page = await openPart(t, at, process);
        await drag(page, 'threads', 0.3, 0.6);
        await shown(page);
        const before = await params(page);
        await drag(page, 'threads', 0.2, 0.5, 'Shift');
        await shown(page);
        const after = await params(page);
        assert.ok(Number(after.from) < Number(before.from), 'what is earlier comes into view');
        const span = (one) => Number(one.to) - Number(one.from);
        assert.ok(Math.abs(span(after) - span(before)) < 1, 'as much of it');
    });

    await t.test('the keyboard alone reaches all of it', async (t) => {
        const page = await openPart(t, at, '');
        const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label'));
        await page.keyboard.press('Tab');
        assert.equal(await focused(), 'Skip to the figures');
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
        await page.keyboard.press('/');
        await page.keyboard.type('java');
        await page.waitForURL(/filter=java/);
        await shown(page);
        const names = await page.locator('tbody th[scope=row]').allInnerTexts();
        assert.ok(names.length > 0 && names.every((name) => name.includes('java')), names.join());
        // From the filter to the row's link.
        let steps = 0;
        while (!/java/.test((await focused()) ?? '') || (await page.evaluate(() => document.activeElement.localName)) !== 'a') {
            await page.keyboard.press('Tab');
            assert.ok((steps += 1) < 20, 'the process is reached by Tab');
        }
        await page.keyboard.press('Enter');
        await page.waitForURL(/page=process/);
        await shown(page);
        assert.match(await page.evaluate(() => document.activeElement.localName), /h1/, 'the focus is where the page begins');
        await page.keyboard.press('+');
        await page.waitForURL(/from=/);
        await shown(page);
        const zoomed = await params(page);
        await page.locator('[data-chart="threads"] .plot').focus();
        await page.keyboard.press('ArrowLeft');
        await page.waitForFunction((from) => new URLSearchParams(location.search).get('from') !== from, zoomed.from);
        await shown(page);
        assert.ok(Number((await params(page)).from) < Number(zoomed.from));
        await page.keyboard.press(',');
        assert.match(await page.locator('[data-chart="threads"] .when').innerText(), /\d\d:\d\d:\d\d/);
        await page.keyboard.press('0');
        await page.waitForFunction(() => !new URLSearchParams(location.search).has('from'));
    });

    await t.test('a click in the legend isolates a series, in the URL too', async (t) => {
        const page = await openPart(t, at, process);
        const chart = page.locator('[data-chart="memory"]');
        const all = await painted(page, 'memory');
        const entries = chart.locator('.legend button');
        assert.ok((await entries.count()) > 1);
        const names = await entries.locator('.name').allInnerTexts();
        // The smallest: it alone paints something else.
        await entries.last().click();
        await page.waitForURL(/only=memory/);
        assert.equal(await entries.last().getAttribute('aria-pressed'), 'true');
        assert.notEqual(await painted(page, 'memory'), all);
        await page.reload();
        await shown(page);
        assert.equal(await entries.filter({ hasText: names.at(-1) }).last().getAttribute('aria-pressed'), 'true', 'a link shows the same');
        await entries.last().click();
        await page.waitForFunction(() => !new URLSearchParams(location.search).has('only'));
    });

    await t.test('each chart has its table and its command', async (t) => {
        const page = await openPart(t, at, process);
        await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
        for (const chart of await page.locator('[data-chart]').all()) {
            await chart.getByRole('button', { name: 'Table' }).click();
            assert.ok((await chart.locator('tbody tr').count()) > 0);
            assert.match(await chart.locator('caption').innerText(), /newest first/);
            const command = await chart.locator('.as-command code').innerText();
            assert.match(command, /^flatfoot /);
            await chart.locator('.copy').click();
            assert.equal(await page.evaluate(() => navigator.clipboard.readText()), command);
        }
        const summary = await page.locator('[data-chart="threads"] .plot').getAttribute('aria-label');
        assert.match(summary, /^Threads.*\d/, 'the picture says itself in words');
    });

    await t.test('filter and sort are the URL’s, and the server’s', async (t) => {
        const page = await openPart(t, at, '');
        await page.getByRole('button', { name: 'Threads' }).click();
        await page.waitForURL(/by=threads/);
        await shown(page);
        assert.equal(await page.locator('th[aria-sort]').innerText().then((text) => text.replace(/\W+$/, '')), 'Threads');
        // Who has ended comes last.
        const threads = (await page.locator('tbody tr:not(.ended) td:nth-child(6)').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
        assert.deepEqual(threads, [...threads].sort((a, b) => b - a));
        await page.getByRole('searchbox').fill('no such process');
        await page.waitForURL(/filter=no/);
        await shown(page);
        assert.equal(await page.locator('tbody tr').count(), 0);
        await page.getByText('No process has “no such process”').waitFor();
    });

    await t.test('what can be taken along comes', async (t) => {
        const page = await openPart(t, at, process);
        const links = await page.locator('.downloads a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
        const answers = await page.evaluate(
            (links) => Promise.all(links.map(async (href) => {
                const answer = await fetch(href);
                const bytes = (await answer.arrayBuffer()).byteLength;
                return { href: href.replace(/\?.*/, ''), status: answer.status, attached: /^attachment/.test(answer.headers.get('content-disposition') ?? ''), some: bytes > 50 };
            })),
            links,
        );
        const whole = { status: 200, attached: true, some: true };
        const path = 'api/v1/download/';
        assert.deepEqual(answers, ['report.html', 'case.flatfoot', 'series.csv'].map((file) => ({ href: path + file, ...whole })));
    });

    await t.test('on paper are figures, not tools', async (t) => {
        const page = await openPart(t, at, process, { dark: true });
        await page.emulateMedia({ media: 'print' });
        // Ink on paper, whatever the screen has.
        const ink = await page.locator('h1').evaluate((heading) => getComputedStyle(heading).color);
        assert.ok(ink.match(/\d+/g).every((part) => Number(part) < 80), ink);
        for (const tool of ['.main-nav', '.tabs', '.range .choices', '.tool', '.copy', '.skip']) {
            assert.equal(await page.locator(tool).filter({ visible: true }).count(), 0, tool);
        }
        assert.ok(await page.locator('[data-chart="threads"] canvas').isVisible());
    });

    await t.test('dark mode is the system’s, until one is chosen', async (t) => {
        const page = await openPart(t, at, '', { dark: true });
        const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        const dark = await ground();
        await page.getByRole('button', { name: 'Change to light' }).click();
        const light = await ground();
        assert.notEqual(light, dark);
        await page.reload();
        await shown(page);
        assert.equal(await ground(), light, 'what was chosen stays');
        await page.emulateMedia({ colorScheme: 'light' });
        await page.getByRole('button', { name: 'Change to dark' }).click();
        assert.equal(await ground(), dark);
    });
}
