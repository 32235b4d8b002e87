// Quantities read as on the command line: the examples of crates/model/src/show.rs, taken from its own tests, and the ties
// that Rust and JavaScript round differently.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../launch.mjs';

const page = new URL('crates/flatfoot/src/web/page/', `file://${ROOT.endsWith('/') ? ROOT : `${ROOT}/`}`);
const show = await import(await asModule('format.js'));

/** The page has no package.json: its modules are read as text. */
async function asModule(name) {
    return `data:text/javascript,${encodeURIComponent(readFileSync(new URL(name, page), 'utf8'))}`;
}

const NAMES = { count: 'count', bytes: 'bytes', bytes_short: 'bytesShort', duration: 'duration', duration_short: 'durationShort', period: 'period', rate: 'rate', pause: 'pause' };

/** `Bytes::from_kib(2_040)`, `1.0 / 60.0`, `80 << 20` as a number. */
function number(rust) {
    const text = rust.replace('Bytes::from_kib', 'KIB').replaceAll('_', '').replace(/KIB\((\d+)\)/, (_, kib) => String(kib * 1024)).replace(/^Bytes\((.*)\)$/, '$1').replace('f64::INFINITY', 'Infinity');
    const shift = /^(\d+) << (\d+)$/.exec(text);
    if (shift) return Number(shift[1]) * 2 ** Number(shift[2]);
    const parts = text.split(' / ').map(Number);
    return parts.reduce((a, b) => a / b);
}

test('the examples of the command line', () => {
    const source = readFileSync(new URL('crates/model/src/show.rs', `file://${ROOT.endsWith('/') ? ROOT : `${ROOT}/`}`), 'utf8');
    const examples = [...source.matchAll(/assert_eq!\((\w+)\((.+)\), "([^"]+)"\);/g)];
    let compared = 0;
    for (const [, name, argument, expected] of examples) {
        if (!NAMES[name]) continue;
        assert.equal(show[NAMES[name]](number(argument)), expected, `${name}(${argument})`);
        compared += 1;
    }
    assert.ok(compared >= 15, `only ${compared} examples were found`);
    assert.deepEqual([0.3, 9, 41, 400, 93_000, 187_200, 11_318_400].map(show.duration), ['0.30 s', '9.0 s', '41 s', '6 m 40 s', '25 h 50 m', '2 d 4 h', '131 d']);
});

test('ties go to the even digit, as in Rust', () => {
    assert.deepEqual([show.fixed(0.5, 0), show.fixed(1.5, 0), show.fixed(2.5, 0), show.fixed(0.25, 1), show.fixed(0.75, 1), show.fixed(0.125, 2), show.fixed(0.375, 2), show.fixed(-2.5, 0)], ['0', '2', '2', '0.2', '0.8', '0.12', '0.38', '-2']);
    assert.deepEqual([show.fixed(0.35, 1), show.fixed(1.005, 2), show.fixed(3.02, 2)], ['0.3', '1.00', '3.02']);
});

test('what is absent or absurd has words', () => {
    assert.equal(show.amount('bytes', null), '?');
    assert.equal(show.local(Number.NaN), '?');
    assert.equal(show.duration(1e12), 'more than 5 years');
    assert.equal(show.percent(0.003), '0.3 %');
    assert.equal(show.byteRate(2 * 1024 * 1024), '2,048 KiB/s');
});

test('an axis has the digits that tell a step from the next', () => {
    const labels = (unit, step, ...values) => values.map((value) => show.axis(unit, value, step));
    const GIB = 1024 ** 3;
    assert.deepEqual(labels('bytes', GIB / 4, 0, GIB / 4, GIB, 1.25 * GIB), ['0', '256M', '1.00G', '1.25G']);
    assert.deepEqual(labels('bytes', 16 * GIB, 0, 16 * GIB), ['0', '16G']);
    assert.deepEqual(labels('ratio', 0.025, 0, 0.025, 0.05), ['0.0 %', '2.5 %', '5.0 %']);
    assert.deepEqual(labels('ratio', 0.2, 0.2, 1), ['20 %', '100 %']);
    assert.deepEqual(labels('count', 500, 0, 1500), ['0', '1,500']);
    assert.deepEqual(labels('per_minute', 0.25, 0.25, 0.5), ['0.25', '0.50']);
});

test('all magnitudes, as the command line has them (crates/model/tests/shown.rs writes the table)', () => {
    const table = JSON.parse(readFileSync(join(ROOT, 'tests/browser/shown.json'), 'utf8'));
    const names = { ...NAMES, byte_rate: 'byteRate', percent: 'percent' };
    for (const [name, value, text] of table) {
        assert.equal(show[names[name]](value), text, `${name}(${value})`);
    }
    assert.ok(table.length > 1000);
});
