// The host: findings first, then where its memory goes, then every process by growth.

import { command, h, put, say } from '../dom.js';
import * as api from '../api.js';
import { bytesShort, count, local, signed } from '../format.js';
import { findings, notJudged } from '../parts.js';
import { link, state } from '../state.js';
import { spark } from '../spark.js';
import { Pager, Table, filterField } from '../table.js';
import * as words from '../words.js';
import { Page } from './page.js';

const ROWS = 25;

const COLUMNS = [
  {
    label: 'Process',
    key: (row) => [row.id, row.name, row.label, row.ended, location.search],
    cell: (row) => [
      h('a', { href: link('process', { id: row.id }), 'data-focus': row.id, title: row.label ? `${row.name} ${row.label}` : row.name }, row.label ? `${row.name} ${row.label}` : row.name),
      ' ',
      h('span', { class: 'dim' }, row.ended ? `${row.pid} ended` : row.pid),
    ],
  },
  { label: 'Trend', key: (row) => [row.spark, row.growing], cell: (row) => spark(row.spark, Boolean(row.growing)) ?? h('span', { class: 'dim' }, '-') },
  { label: 'Commit~', num: true, sort: 'commit', title: 'Private writable memory: about what it adds to the commit charge', cell: (row) => bytesShort(row.committed_bytes_approximate) },
  { label: 'RSS', num: true, sort: 'rss', title: 'Resident memory', cell: (row) => bytesShort(row.resident_bytes) },
  { label: 'Untouched', num: true, sort: 'untouched', title: 'Promised and not used', cell: (row) => bytesShort(row.untouched_bytes) },
  { label: 'Threads', num: true, sort: 'threads', cell: (row) => count(row.threads) },
  { label: '/min', num: true, title: 'Threads that stay, per minute', cell: (row) => (row.threads_per_minute == null ? '-' : signed(row.threads_per_minute, 2)) },
  { label: 'Growing', sort: 'growth', class: 'grows', cell: (row) => row.growing ?? '-' },
  { label: 'Next limit', key: (row) => row.next_limit ?? '-', cell: (row) => h('span', { class: row.next_limit?.eta_s == null ? 'dim' : null }, words.nextLimit(row.next_limit)) },
];

/** The start page. */
export default class Overview extends Page {
  build() {
    this.heading = h('h1', { tabindex: '-1' }, 'Overview');
    this.verdict = h('p', { class: 'verdict' });
    this.findings = h('div', { class: 'findings' });
    this.commandPlace = h('p', { class: 'as-command' });
    this.chartPlace = h('div', { class: 'charts two' });
    this.filter = filterField({ label: 'Filter processes by name, label, command or pid', name: 'filter', placeholder: 'name, command or pid' });
    this.table = new Table({ caption: 'Processes', hideCaption: true, columns: COLUMNS, rowKey: (row) => row.id, sortBy: 'by', sortDefault: 'growth', rowClass: (row) => (row.ended ? 'ended' : row.growing ? 'growing' : '') });
    this.pager = new Pager(ROWS);
    this.none = h('p', { class: 'empty', hidden: true });
    this.notJudged = h('section', { class: 'not-judged' });
    this.foot = h('p', { class: 'dim impact' });
    return [
      h('header', { class: 'head' }, this.heading, this.verdict),
      h('section', { 'aria-labelledby': 'findings-title' }, h('h2', { id: 'findings-title' }, 'Findings'), this.findings, this.commandPlace),
      h('section', { 'aria-labelledby': 'memory-title' }, h('h2', { id: 'memory-title' }, 'Memory'), this.makeRangeBar(), this.chartPlace),
      h(
        'section',
        { 'aria-labelledby': 'processes-title' },
        h('div', { class: 'section-head' }, h('h2', { id: 'processes-title' }, 'Processes'), this.filter),
        this.table.element,
        this.none,
        this.pager.element,
      ),
      this.notJudged,
      this.foot,
    ];
  }

  title() {
    return 'Overview';
  }

  async load(looked) {
    const { by, filter, offset } = looked;
    const params = this.params;
    const [overview, processes] = await Promise.all([
      api.get('/overview', params, 'overview'),
      api.get('/processes', { to: params.to, by, filter, offset, rows: ROWS, spark: 60 }, 'processes'),
    ]);
    return { overview, processes };
  }

  fill({ overview, processes }) {
    this.ranged(overview.range);
    say(this.heading, overview.host.name || 'Overview');
    this.#verdict(overview, processes);
    const all = `Nothing suspicious in ${count(processes.total)} processes.`;
    const nearest = overview.nearest_limit ? ` Nearest limit: ${words.nearestLimit(overview.nearest_limit)}.` : '';
    const none = overview.judged_at == null ? 'Not judged yet: the first judgement comes after a few looks.' : all + nearest;
    findings(this.findings, overview.findings, none);
    put(this.commandPlace, this.judged, () => command(`flatfoot diagnose${this.judged}`, { quiet: true }));
    this.charts(this.chartPlace, overview.charts);
    this.filter.follow();
    this.table.update(processes.processes);
    this.pager.update(processes.matching ?? processes.total, processes.processes.length);
    this.none.hidden = processes.processes.length > 0;
    say(this.none, state().filter ? `No process has “${state().filter}” in its name, label, command or pid.` : 'No processes were recorded.');
    notJudged(this.notJudged, overview.not_judged);
    const judged = !overview.judged_at ? '' : `Judged ${local(overview.judged_at)}. `;
    say(this.foot, `${judged}Impact: ${words.impact(overview.impact, this.context.info?.recorded?.by === 'page' ? 'this host' : processes.origin)}.`);
  }

  #verdict({ findings: list, host }, { total }) {
    const sure = list.filter((finding) => finding.confidence !== 'possible').length;
    const parts = [
      list.length ? `${list.length} ${list.length === 1 ? 'finding' : 'findings'}${sure < list.length ? ` (${sure} likely or confirmed)` : ''}` : 'no findings',
      `${count(total)} ${total === 1 ? 'process' : 'processes'}`,
      host.committed_bytes != null && host.memory_bytes != null ? `${bytesShort(host.committed_bytes)} promised of ${bytesShort(host.memory_bytes)} memory` : null,
      host.kernel ? `Linux ${host.kernel}` : null,
    ];
    say(this.verdict, parts.filter(Boolean).join(' · '));
  }
}
