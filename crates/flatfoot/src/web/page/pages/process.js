// One process: what grows in it, by class and by count, with its limits, restarts and findings.

import { command, h, put, say } from '../dom.js';
import * as api from '../api.js';
import { bytesShort, count, duration, local, processName, unix } from '../format.js';
import { downloads, findings, limits, moment, notJudged } from '../parts.js';
import { link, state } from '../state.js';
import { isNaught } from '../chart/data.js';
import { Page, choice } from './page.js';

/** A program that falls over and over is started a hundred times. */
const MOST_RESTARTS = 12;

/** Figures of one process. */
export default class Process extends Page {
  build() {
    this.tabs = h('div', {});
    this.heading = h('h1', { tabindex: '-1' }, 'Process');
    this.about = h('div', { class: 'about' });
    this.findings = h('div', { class: 'findings' });
    this.commandPlace = h('p', { class: 'as-command' });
    this.show_ = choice('Memory', 'show', { committed: 'Committed', touched: 'Touched' }, 'committed');
    this.switchPlace = h('div', { class: 'switch', hidden: true }, this.show_.element);
    this.main = h('div', { class: 'charts two' });
    this.naught = h('p', { class: 'dim' });
    this.limits = h('div', {});
    this.restarts = h('div', {});
    this.notJudged = h('section', { class: 'not-judged' });
    this.downloads = h('div', {});
    return [
      h('header', { class: 'head' }, this.heading, this.tabs, this.about),
      h('section', { 'aria-labelledby': 'findings-title' }, h('h2', { id: 'findings-title' }, 'Findings'), this.findings, this.commandPlace),
      h('section', { 'aria-labelledby': 'history-title' }, h('h2', { id: 'history-title' }, 'History'), h('div', { class: 'bar' }, this.makeRangeBar(), this.switchPlace), this.main, this.naught),
      h('section', { 'aria-labelledby': 'limits-title' }, h('h2', { id: 'limits-title' }, 'Limits'), this.limits),
      this.restarts,
      this.notJudged,
      h('section', {}, h('h2', {}, 'Take along'), this.downloads),
    ];
  }

  title() {
    return this.heading.textContent;
  }

  load({ id }) {
    return api.get(`/processes/${encodeURIComponent(id ?? '')}`, this.params, 'process');
  }

  fill(doc) {
    this.ranged(doc.range);
    const { process } = doc;
    say(this.heading, processName(process));
    this.#about(doc);
    findings(this.findings, doc.findings, `Nothing suspicious in ${processName(process)}.`);
    const touched = doc.charts.some((chart) => chart.name === 'memory-touched');
    this.switchPlace.hidden = !touched;
    this.show_.follow();
    const hidden = touched && this.show_.value === 'touched' ? 'memory' : 'memory-touched';
    const shown = doc.charts.filter((chart) => chart.name !== hidden);
    this.charts(this.main, shown.filter((chart) => !isNaught(chart)));
    const naught = shown.filter(isNaught).map((chart) => chart.title.toLowerCase());
    say(this.naught, naught.length ? `None in this time: ${naught.join(', ')}.` : '');
    put(this.commandPlace, [process.pid, this.judged], () => command(`flatfoot diagnose ${process.pid}${this.judged}`, { quiet: true }));
    limits(this.limits, doc.limits);
    this.#restarts(doc.restarts ?? []);
    notJudged(this.notJudged, doc.not_judged);
    put(this.downloads, [process.id, Math.floor(doc.range.to / 60)], () => downloads(process.id, doc.range));
  }

  #about({ process, row, range }) {
    const started = typeof process.started === 'string' ? unix(process.started) : process.started;
    const ended = typeof process.ended === 'string' ? unix(process.ended) : process.ended;
    const age = started == null ? null : (ended ?? range.to) - started;
    put(this.about, [process, row, Math.floor((age ?? 0) / 60)], () => [
      process.command && h('p', { class: 'cmdline', tabindex: '0', role: 'region', 'aria-label': 'Command line' }, h('code', {}, process.command)),
      h(
        'ul',
        { class: 'figures' },
        row && [
          figure('commit~', bytesShort(row.committed_bytes_approximate)),
          figure('resident', bytesShort(row.resident_bytes)),
          figure('untouched', bytesShort(row.untouched_bytes)),
          figure('threads', count(row.threads)),
          row.jvm && figure('java heap', `${bytesShort(row.jvm.heap_used_bytes)}${row.jvm.heap_limit_bytes ? ` of ${bytesShort(row.jvm.heap_limit_bytes)}` : ''}`),
          row.growing && figure('growing', row.growing, 'grows'),
        ],
        started != null && figure(ended == null ? 'running' : 'run', duration(age)),
      ),
      h(
        'p',
        { class: 'dim' },
        started != null && ['Started ', moment(started)],
        ended != null && [', ended ', moment(ended)],
        process.parent != null && `; child of ${process.parent}`,
        process.uid != null && `; user ${process.uid}`,
      ),
    ]);
  }

  #restarts(list) {
    const newest = [...list].reverse().slice(0, MOST_RESTARTS);
    const earlier = list.length - newest.length;
    put(this.restarts, [list, location.search], () =>
      list.length > 1
        ? h(
            'section',
            { 'aria-labelledby': 'restarts-title' },
            h('h2', { id: 'restarts-title' }, 'Restarts'),
            h(
              'ul',
              { class: 'plain' },
              newest.map((one) => {
                const [from, to] = [at(one.from), at(one.to)];
                const words = `${local(from)} – ${to == null ? 'now' : local(to)}`;
                return h('li', {}, one.id === state().id ? h('strong', {}, words) : h('a', { href: link('process', { id: one.id, from: null, to: null }) }, words), ' ', h('span', { class: 'dim' }, one.id));
              }),
            ),
            earlier > 0 && h('p', { class: 'dim' }, `${count(earlier)} earlier ones are marked in the charts.`),
          )
        : null,
    );
  }
}

const at = (time) => (typeof time === 'string' ? unix(time) : time);

function figure(label, value, kind) {
  return h('li', { class: kind }, h('b', {}, value), ' ', h('span', { class: 'dim' }, label));
}
