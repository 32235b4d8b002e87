// How soon a page shows something: `node paint.mjs URL ROUNDS` prints seconds to the first contentful paint and until
// the charts are drawn, each round in a browser context of its own (nothing is cached), and the bytes of all files of
// the page that are no figures. Called by `cargo xtask bench --only page`.

import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

const [url, rounds] = process.argv.slice(2);
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path)),
    chromiumSandbox: process.getuid() !== 0,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
const painted = { fcp_s: [], drawn_s: [], bytes: 0 };
for (let round = 0; round <= Number(rounds); round += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const page = await context.newPage();
    const bodies = [];
    page.on('response', (response) => {
        if (!new URL(response.url()).pathname.startsWith('/api/')) {
            bodies.push(response.body());
        }
    });
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => document.querySelectorAll('.uplot canvas').length >= 1);
    const [fcp, drawn] = await page.evaluate(() => [
        performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
        performance.now(),
    ]);
    // The first round warms the browser up, not the page.
    if (round > 0) {
        painted.fcp_s.push(fcp / 1e3);
        painted.drawn_s.push(drawn / 1e3);
    }
    painted.bytes = (await Promise.all(bodies)).reduce((sum, body) => sum + body.length, 0);
    await context.close();
}
await browser.close();
process.stdout.write(`${JSON.stringify(painted)}\n`);
