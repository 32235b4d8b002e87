// The report in a real browser: one file that asks for nothing, with JavaScript or without, in light and dark, on a
// telephone and on paper.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { expectAccessible, expectFits, flatfoot, open, shot, startLeaker, until } from '../launch.mjs';
import { foundingCase, recorded, report, threads } from './cases.mjs';

const LARGEST = 300 * 1024;

/** What is made before the tests is removed after the last of them. */
const made = [];
const keep = { after: (remove) => made.unshift(remove) };
after(async () => {
    for (const remove of made) {
        await remove();
    }
});

/** All reports by name: each is looked at in each way. */
const reports = {};
before(async () => {
    const [founding, record, growing, healthy] = await Promise.all([
        foundingCase(keep),
        recorded(keep),
        startLeaker(keep, 'leak', ['malloc-leak', '20', '256K']),
        startLeaker(keep, 'healthy', ['fixed-pool', '4']),
    ]);
    assert.ok(founding, 'diagnose kept a case file');
    reports.founding = await report(keep, [founding]);
    reports.recorded = await report(keep, [record.pid, '--store', record.store, '--since', '1h']);
    reports.native = await report(keep, [growing.pid, '--for', '8s']);
    reports.healthy = await report(keep, [healthy.pid]);
    reports.host = await report(keep, []);
});

describe('every report', () => {
    for (const name of ['founding', 'recorded', 'native', 'healthy', 'host']) {
        test(`${name}: one file, light and dark, wide and narrow`, async (t) => {
            const path = reports[name];
            assert.ok(statSync(path).size <= LARGEST, `${statSync(path).size} bytes`);
            for (const dark of [false, true]) {
                for (const width of [1280, 390]) {
                    const page = await open(t, path, { width, dark });
                    await page.getByRole('heading', { name: 'flatfoot on host' }).waitFor();
                    await expectFits(page);
                    const cut = await page.locator('svg text').evaluateAll((all) => all.filter((text) => {
                        const [own, chart] = [text, text.ownerSVGElement].map((of) => of.getBoundingClientRect());
                        return own.left < chart.left - 1 || own.right > chart.right + 1;
                    }).map((text) => text.textContent));
                    assert.deepEqual(cut, [], `cut at ${width}`);
                    await expectAccessible(page);
                    await shot(page, `report-${name}-${width}${dark ? '-dark' : ''}`);
                    assert.deepEqual(page.seen.requests, [page.url()], 'it asks for nothing but itself');
                    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
                    const [red] = background.match(/\d+/).map(Number);
                    assert.equal(red < 128, dark, `the page is ${background}`);
                }
            }
        });

        test(`${name}: the same without JavaScript`, async (t) => {
            const words = [];
            for (const javascript of [true, false]) {
                const page = await open(t, reports[name], { javascript });
                words.push(await page.locator('body').innerText());
                assert.equal(await page.locator('script').count(), 0);
            }
            assert.ok(words[0].length > 500, words[0]);
            assert.equal(words[0], words[1]);
        });

        test(`${name}: charts have names, words, and their numbers as a table`, async (t) => {
            const page = await open(t, reports[name]);
            const figures = await page.locator('figure').count();
            assert.ok(figures > 0);
            for (let at = 0; at < figures; at += 1) {
                const chart = page.locator('figure').nth(at).getByRole('img');
                const name = await chart.evaluate((svg) => svg.querySelector('title').textContent);
                const words = await chart.evaluate((svg) => svg.querySelector('desc').textContent);
                assert.ok(name.length > 3 && words.length > 20, `${name}: ${words}`);
                const box = await chart.boundingBox();
                assert.ok(box.width > 300 && box.height > 20, `${name} is ${box.width} × ${box.height}`);
            }
            // By the keyboard alone: the first table of numbers unfolds.
            const fold = page.locator('summary').first();
            await fold.focus();
            await page.keyboard.press('Enter');
            await page.locator('details[open] table').first().waitFor();
        });
    }
});

test('the founding case tells who, how often and until when', async (t) => {
    const page = await open(t, reports.founding);
    const text = await page.locator('main').innerText();
    for (const part of [
        /THREAD LEAK: java\[\d+\]/,
        /confirmed/,
        /pool-\*-thread-1, one every 1\.00 s/,
        /leakcase\.Deadline\$FreshPool\.arm:\d+/,
        /hourly_report, "\* \* \* \* \* \?"/,
        /Two faults/,
        /quartz 2\.3\.2/,
    ]) {
        assert.match(text, part);
    }
    // The icicle: outermost frame on top, each as wide as its births, none outside the chart.
    const icicle = page.locator('figure', { hasText: 'Stacks at the births' });
    const frames = await icicle.locator('rect').evaluateAll((all) =>
        all.map((rect) => ({
            title: rect.parentElement.querySelector('title').textContent,
            top: rect.getBoundingClientRect().top,
            width: rect.getBoundingClientRect().width,
        })));
    assert.ok(frames.length >= 6, JSON.stringify(frames));
    const place = (name) => frames.findIndex((frame) => frame.title.includes(name));
    assert.ok(place('SimpleThreadPool') < place('Deadline$FreshPool.arm'));
    assert.ok(place('Deadline$FreshPool.arm') < place('java.lang.Thread.start'));
    assert.ok(frames.every((frame, at) => at === 0 || frame.top >= frames[at - 1].top));
    const room = (await icicle.getByRole('img').boundingBox()).width;
    assert.ok(frames.every((frame) => frame.width <= room), 'within the chart');
    // Each command of the evidence is there to be copied whole by one click.
    const first = page.locator('li code').first();
    await first.click();
    assert.equal(await page.evaluate(() => getSelection().toString()), await first.innerText());
});

test('what was recorded is drawn over time, and who ended is counted', async (t) => {
    const page = await open(t, reports.recorded);
    for (const title of ['Threads over time: pool-*-thread-1', 'Resident memory over time', 'Memory of the host over time']) {
        await page.locator('figcaption', { hasText: title }).first().waitFor();
    }
    await page.locator('p.says', { hasText: /None has ended since .*, when watching began/ }).first().waitFor();
    // The leak's line rises from left to right.
    const line = page.locator('figure', { hasText: 'Threads over time: pool' }).locator('path.line.leak');
    const [from, to] = await line.evaluate((path) =>
        [0, path.getTotalLength()].map((at) => path.getPointAtLength(at)).map(({ x, y }) => ({ x, y })));
    assert.ok(to.x > from.x && to.y < from.y, 'up and to the right');
});

test('what is private is taken out, and that is said', async (t) => {
    const page = await open(t, reports.founding);
    const text = await page.locator('body').innerText();
    assert.match(text, /Taken out: the host's name/);
    assert.match(text, /How many different ones: .*names of hosts: 1/);
    const file = readFileSync(reports.founding, 'utf8');
    for (const secret of [/run-jruby/, /leakers/, /\/tmp\//, /app\.rb/]) {
        assert.doesNotMatch(file, secret);
    }
});

test('paper: black on white, without folds, no wider than the page', async (t) => {
    for (const dark of [false, true]) {
        const page = await open(t, reports.founding, { width: 718, dark, javascript: false });
        await page.emulateMedia({ media: 'print', colorScheme: dark ? 'dark' : 'light' });
        await expectFits(page);
        const style = await page.evaluate(() => {
            const of = getComputedStyle(document.body);
            return { color: of.color, background: of.backgroundColor };
        });
        assert.deepEqual(style, { color: 'rgb(0, 0, 0)', background: 'rgb(255, 255, 255)' });
        assert.equal(await page.locator('details').first().isVisible(), false);
        assert.equal(await page.locator('figure').first().isVisible(), true);
        const pdf = await page.pdf({ format: 'A4' });
        const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
        assert.ok(pages >= 1 && pages <= 6, `${pages} pages`);
    }
});

test('names full of markup stay text', async (t) => {
    const name = '<img src=x onerror=alert(1)>';
    // The kernel keeps 15 bytes of a thread's name; the command line is whole, and shown by --no-redact.
    const leaker = await startLeaker(t, 'leak', ['threads-unjoined', '50', '0', '<b id=x>#</b>', name]);
    await until('births', () => threads(leaker.pid) >= 30);
    const hostile = await startLeaker(t, 'shape', ['hostile', 'html']);
    for (const [pid, flags] of [[leaker.pid, ['--no-redact']], [leaker.pid, []], [hostile.pid, ['--no-redact']]]) {
        const page = await open(t, await report(t, [pid, ...flags]));
        assert.equal(await page.locator('#x, img, script, [onerror]').count(), 0);
        await expectFits(page);
        assert.deepEqual(page.seen.requests, [page.url()]);
    }
    // On a busy machine its rhythm may not be told at once.
    await until('its pattern', async () => {
        const page = await open(t, await report(t, [leaker.pid, '--no-redact']));
        return /<b id=x>\*/.test(await page.locator('main').innerText());
    });
});

test('a report goes through a plain pipe', async (t) => {
    const leaker = await startLeaker(t, 'healthy', ['fixed-pool', '3']);
    const { stdout } = await flatfoot(t, ['report', leaker.pid, '--html'], { codes: [0] });
    assert.match(stdout, /^<!DOCTYPE html>/);
    const page = await open(t, `data:text/html;charset=utf-8,${encodeURIComponent(stdout)}`);
    await page.getByText('Nothing suspicious in').waitFor();
});
