// What is drawn: gaps as gaps, limits, where growth leads, restarts, stacks of births. The answers are the server's own, with
// the parts put in that take days to come about.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expectAccessible, startLeaker } from '../launch.mjs';
import { openAt, plotBox, serveFor, shown } from './support.mjs';

/** A server with a leak, and a page whose answers are changed on their way. */
async function changed(t, path, change) {
    const leaker = await startLeaker(t, 'leak', ['threads-unjoined', '300']);
    const server = await serveFor(t, ['--interval', '500ms']);
    const page = await openAt(t, server);
    await shown(page);
    await page.route(path, async (route) => {
        // What is under way when the test is over has nobody left to answer.
        const answer = await route.fetch().catch(() => null);
        if (!answer?.ok()) {
            await route.abort().catch(() => {});
            return;
        }
        const doc = await answer.json();
        change(doc);
        await route.fulfill({ response: answer, json: doc }).catch(() => {});
    });
    return { page, url: server.url, pid: leaker.pid };
}

/** An hour of figures up to now: a line of 1,000 to 1,600 threads, with nothing known of its middle fifth. */
function anHour(doc) {
    const { to } = doc.range;
    const times = Array.from({ length: 300 }, (_, at) => to - 3600 + at * 12 + 6);
    const unknown = (time) => time > to - 2160 && time < to - 1440;
    const line = times.map((time) => (unknown(time) ? null : 1000 + ((time - to + 3600) / 6)));
    doc.range.from = to - 3600;
    const threads = doc.charts.find((chart) => chart.name === 'threads');
    Object.assign(threads, {
        times,
        step_s: 12,
        series: [{ name: 'threads', last: line }],
        growth: { series: 'threads', rate_per_s: 1 / 6, rate_interval: [0.16, 0.17] },
        limits: [{ name: 'pids.max', scope: 'cgroup', unit: 'tasks', value: 1700, current: 1600, eta_s: 600, eta_interval_s: null, reproduce: 'x' }],
        gaps: [{ from: to - 2160, to: to - 1440, why: 'not recorded' }],
        markers: [{ at: to - 3000, kind: 'restart', text: 'started again as 2' }],
    });
    doc.charts = [threads];
}

/** How many pixels of a hue there are in a column of the plot at a share of its width: red, amber. */
async function column(page, share) {
    return page.locator('[data-chart="threads"]').evaluate((chart, share) => {
        const canvas = chart.querySelector('canvas');
        const over = chart.querySelector('.u-over').getBoundingClientRect();
        const box = canvas.getBoundingClientRect();
        const ratio = canvas.width / box.width;
        const x = Math.round((over.left - box.left + over.width * share) * ratio);
        const { data } = canvas.getContext('2d').getImageData(x - 1, (over.top - box.top) * ratio, 3, over.height * ratio);
        const found = { red: 0, amber: 0 };
        for (let at = 0; at < data.length; at += 4) {
            const [r, g, b, a] = data.subarray(at, at + 4);
            if (a < 120) continue;
            if (r > 150 && g < 90 && b < 90) found.red += 1;
            else if (r > 150 && g > 90 && b < 90) found.amber += 1;
        }
        return found;
    }, share);
}

test('a gap is drawn as one, a limit as a line, growth goes on in dashes, a restart is marked', async (t) => {
    const { page, url, pid } = await changed(t, /processes\/\d+-?\d*\?/, anHour);
    await page.goto(`${url}/?page=process&id=${pid}`);
    await shown(page);
    await plotBox(page, 'threads');
    // An hour, and ten and a half minutes ahead: the nearest limit is in ten.
    const share = (secondsAgo) => (3600 - secondsAgo) / (3600 + 630);
    assert.ok((await column(page, share(2800))).red > 0, 'the line before the gap');
    assert.equal((await column(page, share(1900))).red, 0, 'nothing is drawn across the gap');
    assert.ok((await column(page, share(700))).red > 0, 'the line after it');
    const ahead = await Promise.all(Array.from({ length: 40 }, (_, at) => column(page, share(-60 - at * 4))));
    const dashes = ahead.filter(({ red }) => red > 0).length;
    assert.ok(dashes > 5 && dashes < 40, `${dashes} of 40 columns ahead have ink: dashes`);
    assert.ok((await column(page, share(1900))).amber > 0, 'the limit is drawn through');
    assert.ok((await column(page, share(3000))).amber > 6, 'the restart');
    const words = await page.locator('[data-chart="threads"] .plot').getAttribute('aria-label');
    for (const part of ['Limit pids.max 1,700 in 10 m', 'started again as 2', '1 gaps', 'threads +10.00/min']) assert.ok(words.includes(part), `${part}: ${words}`);
});

test('stacks of births are an icicle that the keyboard walks', async (t) => {
    const frame = (name, value, role, children = []) => ({ name, value, role, origin: role === 'jdk' ? null : 'app.jar', children });
    const owner = {
        count: 1550, examples: ['pool-1-thread-1'], thread_class: 'java.lang.Thread', pool: null, context_loader: null, made_by: ['jobs.jar'], schedules: ['hourly_report: 0 * * * * ?'],
        links: [{ role: 'task', path: 'holder.task', class: 'org.jobs.TimeoutListener', origin: 'jobs.jar', application: true }],
    };
    const stacks = frame('all', 40, null, [frame('Job.run:7', 30, 'application', [frame('PoolFactory.make:33', 30, 'library')]), frame('<b>Other</b>.run:1', 10, 'framework')]);
    const { page, url, pid } = await changed(t, /\/threads\?|\/threads$/, (doc) => Object.assign(doc, { stacks, owners: [owner] }));
    await page.goto(`${url}/?page=threads&id=${pid}`);
    await shown(page);
    const owners = await page.locator('section', { hasText: 'Whom they work for' }).last().innerText();
    for (const words of ['1,550 × pool-1-thread-1 …', 'org.jobs.TimeoutListener', '.holder.task jobs.jar', 'code of jobs.jar', 'hourly_report: 0 * * * * ?']) assert.ok(owners.includes(words), owners);
    await expectAccessible(page);
    const wide = async (name) => (await page.getByRole('button', { name, exact: false }).boundingBox()).width;
    const [whole, job, other] = [await wide('all 40'), await wide('Job.run:7'), await wide('<b>Other</b>')];
    assert.ok(Math.abs(job / whole - 0.75) < 0.02 && Math.abs(other / whole - 0.25) < 0.02, `${job} and ${other} of ${whole}`);
    await page.getByRole('button', { name: 'Job.run:7' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.getByRole('button', { name: '<b>Other</b>' }).count(), 0);
    assert.ok(Math.abs((await wide('PoolFactory.make:33')) - whole) < 2, 'the part alone has all the room');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('button', { name: '<b>Other</b>' }).waitFor();
});

test('what is born at one second of each minute lies on one line', async (t) => {
    const births = (doc) => {
        const to = Math.floor(doc.range.to / 60) * 60;
        doc.range = { from: to - 3600, to };
        doc.groups = [{ ...doc.groups[0], pattern: 'pool-*-thread-1', births_per_s: 1 / 60 }];
        doc.births = Array.from({ length: 59 }, (_, at) => ({ at: to - 3540 + at * 60 + 30, pattern: 0, tid: at + 1, name: `pool-${at}-thread-1`, ended: null }));
        doc.schedules = [{ period_s: 60, phase_s: 30, jitter_s: 0, events: 59, missed: 0, per_event: 1 }];
    };
    const { page, url, pid } = await changed(t, /\/threads\?|\/threads$/, births);
    await page.goto(`${url}/?page=threads&id=${pid}`);
    await shown(page);
    await plotBox(page, 'raster');
    const rows = await page.locator('[data-chart="raster"]').evaluate((chart) => {
        const canvas = chart.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const rows = [];
        for (let y = 0; y < canvas.height; y += 1) {
            let red = 0;
            for (let x = 0; x < canvas.width; x += 1) {
                const at = (y * canvas.width + x) * 4;
                if (data[at + 3] > 200 && data[at] > 150 && data[at + 1] < 90) red += 1;
            }
            if (red) rows.push({ y: y / canvas.height, red });
        }
        return rows;
    });
    assert.ok(rows.length > 0 && rows.at(-1).y - rows[0].y < 0.05, `one line of dots: ${JSON.stringify(rows)}`);
    assert.ok(rows.reduce((sum, { red }) => sum + red, 0) > 59 * 4, 'all of them');
    assert.match(await page.locator('[data-chart="raster"] .growth').innerText(), /one every 60\.0 s at :30/);
});

test('the newest peak is seen whole, at once', async (t) => {
    let peaks = false;
    const { page, url, pid } = await changed(t, /processes\/\d+-?\d*\?/, (doc) => {
        anHour(doc);
        const [threads] = doc.charts;
        Object.assign(threads, { growth: null, limits: [], gaps: [], markers: [] });
        threads.series[0].last = threads.times.map((_, at) => (peaks && at > 280 ? 5000 : 1000));
        // Each answer has a column more.
        doc.range.to += peaks ? 600 : 0;
        threads.times = threads.times.map((time, at) => time + (peaks && at > 280 ? 400 : 0));
    });
    await page.goto(`${url}/?page=process&id=${pid}`);
    await shown(page);
    await plotBox(page, 'threads');
    peaks = true;
    await page.waitForFunction(() => /5,000/.test(document.querySelector('[data-chart="threads"] .legend').textContent));
    await page.waitForFunction(() => !document.querySelector('main > .page').hasAttribute('aria-busy'));
    const top = await page.locator('[data-chart="threads"]').evaluate((chart) => {
        const canvas = chart.querySelector('canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        for (let y = 0; y < canvas.height; y += 1) {
            for (let x = 0; x < canvas.width; x += 1) {
                const at = (y * canvas.width + x) * 4;
                if (data[at + 3] > 200 && data[at + 2] > data[at] + 60) return y;
            }
        }
        return null;
    });
    const edge = await page.locator('[data-chart="threads"]').evaluate((chart) => chart.querySelector('.u-over').getBoundingClientRect().top - chart.querySelector('canvas').getBoundingClientRect().top);
    assert.ok(top > edge + 4, `the line's highest point is at ${top}, the plot begins at ${edge}`);
});

test('days begin at midnight on both sides of a change to winter time', async (t) => {
    const server = await serveFor(t);
    const page = await openAt(t, server, { context: { timezoneId: 'Europe/Berlin' } });
    await shown(page);
    const labels = await page.evaluate(async () => {
        const { timeSplits, timeLabels } = await import('./chart/plot.js');
        // 2026-10-22 to 2026-10-28: summer time ends on the 25th.
        return timeLabels(timeSplits(1792620000, 1793142000, 86400, false), 86400);
    });
    assert.deepEqual(labels, ['10-22', '10-23', '10-24', '10-25', '10-26', '10-27', '10-28']);
});
