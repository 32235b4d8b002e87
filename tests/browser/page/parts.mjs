// Each part of the page with its figures, on any server that has a leaking process.

import assert from 'node:assert/strict';

import { answer, expectDrawn, expectSound, openPart, params, shown } from './support.mjs';

/** How wide, which theme. */
const LOOKS = [
    { width: 1280, dark: false },
    { width: 1280, dark: true },
    { width: 390, height: 844, dark: false },
    { width: 390, height: 844, dark: true },
];

/** `at`: `{url, id, finding, pattern, count}`: a server, its leaking process, its finding, the pattern that leaks. `name`: of pictures. */
export async function parts(t, at, name) {
    const queries = {
        overview: '',
        process: `?page=process&id=${at.id}`,
        threads: `?page=threads&id=${at.id}`,
        map: `?page=map&id=${at.id}`,
        finding: `?page=finding&id=${at.finding}`,
        compare: `?page=compare&process=${at.id}`,
    };
    for (const [part, query] of Object.entries(queries)) {
        if (at.without?.includes(part)) continue;
        await t.test(`${part}: fits, is apart, is drawn and accessible in light and dark, wide and narrow`, async (t) => {
            for (const look of LOOKS) {
                const page = await openPart(t, at, query, look);
                await expectSound(page, `${name}-${part}-${look.width}-${look.dark ? 'dark' : 'light'}`);
                await page.close();
            }
        });
        await t.test(`${part}: says its figures`, async (t) => {
            const page = await openPart(t, at, query);
            await SAYS[part](page, at);
        });
    }
}

const text = (page) => page.locator('main').innerText();

/** What each part has to say. */
export const SAYS = {
    async overview(page, at) {
        // Two of the same program have the same finding: the id survives restarts.
        const card = page.locator(`[data-finding="${at.finding}"]`, { hasText: `[${at.pid}]` });
        const said = await card.innerText();
        assert.match(said, /THREAD LEAK/);
        assert.ok(said.includes(at.pattern), said);
        assert.match(said, /RISK/i);
        assert.match(said, /NOW/i);
        assert.match(await text(page), /NOT JUDGED/i);
        assert.match(await text(page), /nothing was loaded, signalled or stopped|none: read from/);
        assert.deepEqual((await expectDrawn(page)).sort(), ['attribution', 'memory']);
        const row = page.getByRole('row', { name: String(at.pid) });
        assert.equal(await row.count(), 1);
        assert.ok((await row.locator('.spark polyline').count()) > 0, 'its trend is drawn');
        const legend = await page.locator('[data-chart="attribution"] .legend').innerText();
        assert.match(legend, /unexplained/, 'what nobody explains is shown');
        await card.getByRole('link').click();
        await shown(page);
        assert.equal((await params(page)).page, 'finding');
    },

    async process(page, at) {
        const doc = await answer(page, `/processes/${at.id}`);
        const said = await text(page);
        assert.match(said, new RegExp(`^${doc.process.name}\\[${doc.process.pid}\\]`));
        assert.ok(said.includes(doc.process.command), 'its command');
        assert.match(said, /THREAD LEAK/);
        const charts = await expectDrawn(page);
        assert.ok(charts.includes('memory') && charts.includes('threads'), charts.join());
        for (const limit of doc.limits) assert.ok(said.includes(limit.name), limit.name);
        assert.match(said, /NOT JUDGED/i);
        assert.equal(await page.locator('.downloads a').count(), 3);
        if (doc.charts.some((chart) => chart.name === 'memory-touched')) {
            await page.getByRole('link', { name: 'Touched' }).click();
            await page.waitForURL(/show=touched/);
            await shown(page);
            assert.ok((await expectDrawn(page)).includes('memory-touched'));
        }
    },

    async threads(page, at) {
        const doc = await answer(page, `/processes/${at.id}/threads`);
        const row = page.locator('tbody tr', { hasText: at.pattern }).first();
        assert.match(await row.innerText(), /\+.*\/(s|min|h|d)/, 'births with their rate');
        assert.deepEqual((await expectDrawn(page)).sort(), ['lifelines', 'raster']);
        const label = await page.locator('[data-chart="raster"] .plot').getAttribute('aria-label');
        assert.match(label, doc.schedules?.length ? /one every/ : /No rhythm/);
        await page.getByRole('link', { name: 'hour' }).click();
        await page.waitForURL(/raster=hour/);
        await shown(page);
        await expectDrawn(page);
        await row.getByRole('link').click();
        await page.waitForURL(/pattern=/);
        await shown(page);
        await page.locator('[data-chart="raster"]').getByRole('button', { name: 'Table' }).click();
        const names = await page.locator('[data-chart="raster"] tbody td:nth-child(3)').allInnerTexts();
        const head = at.pattern.split(/[*#]/)[0];
        assert.ok(names.length > 0 && names.every((name) => name.startsWith(head)), names.slice(0, 5).join());
    },

    async map(page, at) {
        const doc = await answer(page, `/processes/${at.id}/map?rows=1`);
        const said = await text(page);
        for (const { class: name } of doc.classes) assert.ok(said.includes(name), name);
        assert.match(await page.locator('svg.histogram').getAttribute('aria-label'), /Most, but for guards, have/);
        await page.getByRole('link', { name: 'thread stack' }).first().click();
        await page.waitForURL(/class=thread/);
        await shown(page);
        const classes = await page.locator('section:last-of-type tbody tr td:nth-child(5)').allInnerTexts();
        assert.ok(classes.length > 0 && classes.every((name) => name === 'thread stack'), classes.slice(0, 5).join());
        const stack = page.locator('section:last-of-type tbody tr td:last-child a');
        if ((await stack.count()) > 0) {
            await stack.first().click();
            await shown(page);
            assert.equal((await params(page)).page, 'threads', 'a stack leads to its thread');
        }
    },

    async finding(page, at) {
        // At once: a leak goes on while it is read.
        const seen = await page.evaluate(() => ({
            all: document.querySelector('main').innerText,
            terminal: [...document.querySelectorAll('pre .line')].map((line) => line.textContent).join('\n'),
            own: [...document.querySelectorAll('.claim p:not(.dim)')].map((one) => one.innerText),
            evidence: document.querySelectorAll('.evidence li').length,
            commands: document.querySelectorAll('.evidence .command').length,
            copies: document.querySelectorAll('.evidence .copy').length,
        }));
        const said = seen.all.replaceAll(/\s+/g, ' ');
        const terminal = seen.terminal.replaceAll(/\s+/g, ' ');
        for (const words of ['EVIDENCE', 'UNEXPLAINED', 'LIMIT', 'RISK', 'NOW']) assert.match(said, new RegExp(words, 'i'));
        // The page's own sentences are the terminal's.
        assert.ok(seen.own.length >= 2, seen.own.join());
        for (const own of seen.own) {
            const sentence = own.replace(/ (possible|likely|confirmed)$/, '').replaceAll(/\s+/g, ' ').trim();
            assert.ok(terminal.includes(sentence), `the terminal does not say “${sentence}” but:\n${terminal}`);
        }
        const { finding } = await answer(page, `/findings/${at.finding}`);
        assert.equal(seen.evidence, finding.evidence.length);
        assert.ok(seen.commands > 0 && seen.copies === seen.commands, 'each check can be copied');
        await expectDrawn(page);
    },

    async compare(page, at) {
        assert.match(await text(page), /before:.*after:/s);
        const before = await page.locator('input[name=a_from]').inputValue();
        assert.match(before, /^\d{4}-\d\d-\d\dT/);
        const preset = page.getByRole('link', { name: 'both halves of all' });
        await preset.click();
        await page.waitForURL(/a_from=/);
        await shown(page);
        const charts = await expectDrawn(page);
        assert.ok(charts.length > 0, 'two windows over each other');
        assert.match(await page.locator('.legend').first().innerText(), /before[\s\S]*after/);
        void at;
    },
};
