// Two windows over each other: before and after a restart, today and yesterday.

import { command, h, put, say } from '../dom.js';
import * as api from '../api.js';
import { amount, byteRate, duration, iso, local, minute, period, processName, rate } from '../format.js';
import { notJudged } from '../parts.js';
import { changed, go, link, state } from '../state.js';
import { Table } from '../table.js';
import { Page } from './page.js';

const DAY = 86400;

const growth = (unit, perS, interval) => {
  if (perS == null) return '?';
  if (interval && interval[0] <= 0 && interval[1] >= 0) return '0';
  return `${perS > 0 ? '+' : ''}${unit === 'bytes' ? byteRate(perS) : rate(perS)}`;
};
const each = (text, periodS) => (periodS == null ? text : `${text}, each ${period(periodS)}`);

const MOST_ROWS = 300;
const changes = (row) => !['same', 'unknown'].includes(row.change);
const moves = (perS, interval) => perS != null && !(interval && interval[0] <= 0 && interval[1] >= 0);

/** Does it change, or go on growing? */
const isTelling = (row) => changes(row) || moves(row.rate_before_per_s, row.rate_before_interval) || moves(row.rate_after_per_s, row.rate_after_interval);
const weight = (row) => (changes(row) ? 2 : 0) + (row.period_after_s != null || row.period_before_s != null ? 1 : 0);

const COLUMNS = [
  { label: 'Process', cell: (row) => row.process },
  { label: 'What', cell: (row) => row.what },
  { label: 'Before', num: true, cell: (row) => (row.before == null ? '-' : amount(row.unit, row.before)) },
  { label: 'Growth', num: true, cell: (row) => each(growth(row.unit, row.rate_before_per_s, row.rate_before_interval), row.period_before_s) },
  { label: 'After', num: true, cell: (row) => (row.after == null ? '-' : amount(row.unit, row.after)) },
  { label: 'Growth', num: true, cell: (row) => each(growth(row.unit, row.rate_after_per_s, row.rate_after_interval), row.period_after_s) },
  { label: 'Change', cell: (row) => row.change },
];

/** Before and after. */
export default class Compare extends Page {
  build() {
    this.heading = h('h1', { tabindex: '-1' }, 'Compare');
    this.tabs = h('div', {});
    this.presets = h('div', { class: 'choices wrap', role: 'group', 'aria-label': 'Windows to compare' });
    this.inputs = Object.fromEntries(['a_from', 'a_to', 'b_from', 'b_to'].map((name) => [name, this.#input(name)]));
    const window = (title, a, b) => h('fieldset', {}, h('legend', {}, title), h('label', {}, 'from ', this.inputs[a]), h('label', {}, 'to ', this.inputs[b]));
    this.summary = h('p', { class: 'verdict' });
    this.findings = h('div', {});
    this.chartPlace = h('div', { class: 'charts two' });
    this.table = new Table({ caption: 'Figures before and after', hideCaption: true, columns: COLUMNS, rowKey: (row) => `${row.process}\u0001${row.what}`, rowClass: (row) => (['same', 'unknown', 'stopped', 'slower'].includes(row.change) ? '' : 'growing') });
    this.quiet = h('p', { class: 'dim' });
    this.notJudged = h('section', { class: 'not-judged' });
    this.commandPlace = h('p', { class: 'as-command' });
    return [
      h('header', { class: 'head' }, this.heading, this.tabs, this.summary),
      h('section', { class: 'windows', 'aria-label': 'Windows' }, this.presets, window('Before', 'a_from', 'a_to'), window('After', 'b_from', 'b_to')),
      this.findings,
      this.chartPlace,
      h('section', { 'aria-labelledby': 'figures-title' }, h('h2', { id: 'figures-title' }, 'Figures'), this.table.element, this.quiet, this.commandPlace),
      this.notJudged,
    ];
  }

  #input(name) {
    const input = h('input', { type: 'datetime-local', step: '1', name });
    input.addEventListener('change', () => {
      const at = new Date(input.value).getTime() / 1000;
      if (Number.isFinite(at)) go({ ...this.windows, [name]: Math.round(at) });
    });
    return input;
  }

  title() {
    return this.heading.textContent;
  }

  /** The windows that are compared: the URL's, or the two halves of the last two hours (of all there is, when that is less). */
  get windows() {
    const looked = state();
    const names = ['a_from', 'a_to', 'b_from', 'b_to'];
    if (names.every((name) => Number.isFinite(Number(looked[name])) && looked[name])) return Object.fromEntries(names.map((name) => [name, Number(looked[name])]));
    const end = this.#end;
    // Each has a length, however young the recording is.
    const start = Math.min(Math.max(this.#begin, end - 7200), end - 4);
    const middle = Math.round((start + end) / 2);
    return { a_from: Math.round(start), a_to: middle, b_from: middle, b_to: Math.round(end) };
  }

  get #end() {
    return this.context.info?.live ? this.now() : this.#recorded.to;
  }

  get #begin() {
    // Of looks alone there is one moment.
    const { from } = this.#recorded;
    return from > 0 && (this.context.info?.live || from < this.#end - 1) ? from : this.#end - 3600;
  }

  #recorded = { from: 0, to: 0 };

  /** What there is: a case file says it only of its figures. */
  async #learn() {
    const said = this.context.info?.recorded;
    if (said?.to > 0) this.#recorded = said;
    else if (!this.#recorded.to) this.#recorded = (await api.get('/overview', { pixels: 16 }, 'range')).range;
  }

  async load({ process }) {
    await this.#learn();
    const windows = this.windows;
    // What is wrong with them can be mended there.
    for (const [key, input] of Object.entries(this.inputs)) if (document.activeElement !== input) input.value = local(windows[key]).replace(' ', 'T');
    const [doc, subject] = await Promise.all([
      api.get('/compare', { process, ...windows, pixels: this.pixels }, 'compare'),
      process ? api.get(`/processes/${encodeURIComponent(process)}`, { from: this.#begin, pixels: 16 }, 'subject').catch((error) => (api.overtaken(error) ? Promise.reject(error) : null)) : null,
    ]);
    return { doc, subject, windows };
  }

  fill({ doc, subject, windows }) {
    const { process } = state();
    const name = subject?.process ? `${subject.process.name}[${subject.process.pid}]` : null;
    say(this.heading, name ? `Compare ${name}` : 'Compare');
    this.#presets(subject);
    const span = (from, to) => `${minute(from)} (${duration(to - from)})`;
    say(this.summary, `before: ${span(windows.a_from, windows.a_to)} · after: ${span(windows.b_from, windows.b_to)}`);
    const length = Math.max(windows.a_to - windows.a_from, windows.b_to - windows.b_from);
    this.#length = length;
    // They all have one command: it stands below the figures.
    const charts = (doc.charts ?? []).map((chart) => ({ ...chart, command: null }));
    this.charts(this.chartPlace, charts, { from: 0, to: length, live: false }, { elapsed: true, onReset: () => this.#narrow(null), onStep: (factor, shift) => this.#step(factor, shift) });
    this.#findings(doc.findings ?? []);
    const rows = (doc.processes ?? []).flatMap((one) => one.figures.map((figure) => ({ process: one.process, ...figure })));
    const told = state().all ? rows : rows.filter(isTelling);
    this.table.update([...told].sort((a, b) => weight(b) - weight(a)).slice(0, MOST_ROWS));
    const left = rows.length - told.length;
    put(this.quiet, [left, state().all], () =>
      left > 0 || state().all ? [left > 0 ? `${left} figures stand still. ` : '', h('a', { href: changed({ all: state().all ? null : '1' }), 'data-focus': 'all' }, state().all ? 'Leave out what stands still' : 'Show them')] : null,
    );
    notJudged(this.notJudged, doc.not_judged);
    const terminal = doc.charts?.[0]?.command ?? `flatfoot compare ${iso(windows.a_from)}..${iso(windows.a_to)} ${iso(windows.b_from)}..${iso(windows.b_to)}`;
    const only = subject?.process ? ` --only ${subject.process.pid}` : '';
    put(this.commandPlace, terminal + only, () => command(terminal + only, { quiet: true }));
  }

  #presets(subject) {
    const end = Math.round(this.#end);
    const from = this.#begin;
    const today = end - (((end - new Date(end * 1000).getTimezoneOffset() * 60) % DAY) + DAY) % DAY;
    const pairs = [
      ['the last hour and the one before', end - 7200, end - 3600, end - 3600, end],
      ['today and yesterday', today - DAY, today - DAY + (end - today), today, end],
      ['both halves of all', from, (from + end) / 2, (from + end) / 2, end],
      ...markers(subject).map((marker) => [`before and after: ${marker.text}`, ...around(marker.at, from, end)]),
    ];
    put(this.presets, [pairs.map(([name]) => name), Math.floor(end / 60), location.search], () =>
      pairs
        .filter(([, a, , , d]) => a >= from - 60 && d <= end + 60)
        .map(([name, ...ends]) => h('a', { href: changed(Object.fromEntries(['a_from', 'a_to', 'b_from', 'b_to'].map((key, at) => [key, Math.round(ends[at])]))), 'data-focus': `preset-${name}` }, name)),
    );
  }

  #findings(all) {
    // What has another id on the other side is listed there.
    const list = all.filter((one) => !(one.change === 'ended' && one.same_as));
    const leak = (one) => h('a', { href: link('finding', { id: one.id, process: one.process.pid }) }, one.subject);
    const same = (one) => (one.same_as ? `, the same leak as ${one.same_as} on the other side` : '');
    const item = (one) => h('li', {}, h('b', {}, one.change), ` ${one.kind.replaceAll('-', ' ')} ${processName(one.process)}: `, leak(one), same(one), ' ', h('span', { class: `sure ${one.confidence}` }, one.confidence));
    put(this.findings, list, () =>
      list.length
        ? h('section', {}, h('h2', {}, 'Findings'), h('ul', { class: 'plain' }, list.map(item)))
        : null,
    );
  }

  #length = 0;
  #whole = null;

  /** The same part of both windows; null: both as they were before. */
  #narrow(part) {
    const { windows } = this;
    if (part) {
      this.#whole ??= windows;
      const at = (from, seconds) => Math.round(from + seconds);
      go({ a_from: at(windows.a_from, part.from), a_to: at(windows.a_from, part.to), b_from: at(windows.b_from, part.from), b_to: at(windows.b_from, part.to) });
    } else if (this.#whole) {
      go(this.#whole);
      this.#whole = null;
    }
  }

  #step(factor, shift) {
    const middle = this.#length * (0.5 + shift);
    this.zoomTo(middle - (this.#length * factor) / 2, middle + (this.#length * factor) / 2);
  }

  zoomTo(from, to) {
    const least = Math.max(0, 10 - (to - from)) / 2;
    this.#narrow({ from: from - least, to: to + least });
  }

  key({ key }) {
    const factor = { '+': 0.5, '=': 0.5, '-': 2 }[key];
    if (factor) this.#step(factor, 0);
    else if (key === '0') this.#narrow(null);
    else return false;
    return true;
  }
}

/** Moments to look before and after of. */
function markers(subject) {
  const all = (subject?.charts ?? []).flatMap((chart) => chart.markers ?? []).filter((marker) => ['restart', 'reboot', 'oom'].includes(marker.kind));
  const once = new Map(all.map((marker) => [`${marker.at} ${marker.text}`, marker]));
  return [...once.values()].slice(-4);
}

/** Windows of the same length on both sides of a moment. */
function around(at, from, end) {
  const span = Math.min(at - from, end - at, DAY);
  return [at - span, at, at, at + span];
}
