// What the tests of the page share: waiting for what a page shows, and judging how it is laid out.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, expectAccessible, expectFits, open, serve } from '../launch.mjs';

const SHOTS = process.env.FLATFOOT_SHOTS ?? join(ROOT, 'target/browser-screenshots');

/** Waits until what the URL says is shown. */
export async function shown(page) {
    await page.waitForFunction(() => {
        const part = document.querySelector('main > .page');
        return part?.dataset.shown === (location.search || '?') && !part.hasAttribute('aria-busy');
    });
    const trouble = await page.locator('.trouble').allInnerTexts();
    assert.deepEqual(trouble, [], `${page.url()} says that something went wrong`);
}

/**
 * A server whose pages are closed before it ends: one that goes away is a complaint. (node runs what is to be done after
 * a test in the order in which it was said.)
 */
export async function serveFor(t, args, options) {
    const server = { pages: [] };
    t.after(() => Promise.all(server.pages.map((page) => page.context().close())));
    return Object.assign(await serve(t, args, options), { pages: server.pages });
}

/** Opens a path of a server's page, without waiting for what it shows. */
export async function openAt(t, server, options) {
    const page = await open(t, server.url, options);
    server.pages?.push(page);
    return page;
}

/** Opens a part of the page and waits for it. */
export async function openPart(t, server, query = '', options = {}) {
    const page = await openAt(t, server, { ...options, path: `/${query}` });
    await shown(page);
    return page;
}

/** A picture for people to look at. */
export async function picture(page, name) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, animations: 'disabled' });
}

/** Looks at a part in a width and a theme: fits, nothing lies on anything, charts are drawn, accessible. */
export async function expectSound(page, name) {
    await expectFits(page);
    await expectApart(page);
    await expectDrawn(page);
    if (page.viewportSize().width < 500) await expectTargets(page);
    await expectAccessible(page);
    await picture(page, name);
}

/** What is pressed by a finger is as large as one. */
async function expectTargets(page) {
    const small = await page.locator('.tool, .choices a, .copy, .tabs a, .main-nav a, .legend button, .sort, input').evaluateAll((all) =>
        all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML.slice(0, 100)),
    );
    assert.deepEqual(small, [], 'targets lower than 44 pixels');
}

/** No text lies on other text. What moves inside a box of its own is judged where it is seen. */
export async function expectApart(page) {
    const clashes = await page.evaluate(() => {
        const leaves = [...document.querySelectorAll('header.top *, main *, footer *')].filter((element) => {
            const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
            return text && element.checkVisibility() && !element.closest('svg, .hidden, .plot, noscript, .skip');
        });
        const lines = (element) => {
            const range = document.createRange();
            const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
            return own.flatMap((node) => {
                range.selectNodeContents(node);
                return [...range.getClientRects()];
            });
        };
        const clip = (element, box) => {
            const rect = { left: box.left, right: box.right, top: box.top, bottom: box.bottom };
            for (let up = element; up && up !== document.body; up = up.parentElement) {
                if (getComputedStyle(up).overflowX === 'visible') continue;
                const edge = up.getBoundingClientRect();
                rect.left = Math.max(rect.left, edge.left);
                rect.right = Math.min(rect.right, edge.right);
                rect.top = Math.max(rect.top, edge.top);
                rect.bottom = Math.min(rect.bottom, edge.bottom);
            }
            return rect;
        };
        const boxes = leaves.flatMap((element) => lines(element).map((line) => ({ element, rect: clip(element, line) })));
        const found = [];
        for (const [at, a] of boxes.entries()) {
            for (const b of boxes.slice(at + 1)) {
                if (a.element === b.element) continue;
                const wide = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
                const high = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
                if (wide > 2 && high > 4) found.push(`“${a.element.textContent.trim().slice(0, 40)}” and “${b.element.textContent.trim().slice(0, 40)}”`);
            }
        }
        return found.slice(0, 10);
    });
    assert.deepEqual(clashes, [], `${page.url()}: text on text`);
}

/** Coloured pixels of a chart's picture: its grid and labels are grey. */
export function painted(page, chart) {
    return page.locator(`[data-chart="${chart}"] canvas`).evaluate((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let coloured = 0;
        for (let at = 0; at < data.length; at += 4) {
            const [red, green, blue, alpha] = data.subarray(at, at + 4);
            if (alpha > 60 && Math.max(red, green, blue) - Math.min(red, green, blue) > 30) coloured += 1;
        }
        return coloured;
    });
}

/** No chart is empty. */
export async function expectDrawn(page) {
    const charts = await page.locator('[data-chart]').evaluateAll((all) => all.filter((chart) => chart.querySelector('canvas')?.checkVisibility()).map((chart) => chart.dataset.chart));
    for (const chart of charts) {
        assert.ok((await painted(page, chart)) > 40, `the chart ${chart} of ${page.url()} is empty`);
    }
    return charts;
}

/** What a request of the API answers, asked by the page itself. */
export function answer(page, path) {
    return page.evaluate(async (path) => (await fetch(`api/v1${path}`)).json(), path);
}

/**
 * The middle of a chart's plot, and its size, in CSS pixels of the window, once it has stayed where it is for a while: when the
 * judgement comes, findings push it down, and it is made anew in their colour.
 */
export async function plotBox(page, chart) {
    const over = page.locator(`[data-chart="${chart}"] .u-over`);
    for (let left = 20; left > 0; left -= 1) {
        try {
            await over.scrollIntoViewIfNeeded();
            const first = await over.elementHandle();
            const box = await first.boundingBox();
            await page.waitForTimeout(500);
            const same = await first.evaluate((element) => element.isConnected);
            const now = same && (await first.boundingBox());
            if (box && now && box.x === now.x && box.y === now.y && box.width === now.width) return box;
        } catch (error) {
            if (!/not attached/.test(error.message)) throw error;
        }
    }
    assert.fail(`the chart ${chart} of ${page.url()} has no place`);
}

/** Drags over a part of a chart, from one share of its width to another. */
export async function drag(page, chart, from, to, key) {
    const box = await plotBox(page, chart);
    const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
    if (key) await page.keyboard.down(key);
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at((from + to) / 2), { steps: 4 });
    await page.mouse.move(...at(to), { steps: 4 });
    await page.mouse.up();
    if (key) await page.keyboard.up(key);
}

/** The URL's parameters, as the page has them: the browser tells `page.url()` a while later what the page pushed. */
export async function params(page) {
    return Object.fromEntries(new URLSearchParams(await page.evaluate(() => location.search)));
}
