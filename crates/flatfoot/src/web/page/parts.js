// Pieces that several pages have: a finding as a card, limits with their bars, what was not judged, errors in words.

import { command, h, put } from './dom.js';
import { local, percent, processName } from './format.js';
import { changed, link, state } from './state.js';
import * as words from './words.js';

/** Label and text, as on the command line; left out when there is nothing to say. */
export function labelled(label, ...content) {
  const some = content.flat(Infinity).some((item) => item != null && item !== '' && item !== false);
  return some ? [h('dt', {}, label), h('dd', {}, content)] : null;
}

/** How sure a finding is. */
export function sure(finding) {
  return h('span', { class: `sure ${finding.confidence}` }, finding.confidence);
}

/** A finding in a few lines; the card leads to its evidence. */
function card(finding) {
  // Two processes of one program may have the same.
  const href = link('finding', { id: finding.id, process: finding.process.pid });
  const possible = finding.confidence === 'possible';
  return h(
    'article',
    { class: `finding ${finding.confidence}`, 'data-finding': finding.id },
    h(
      'div',
      { class: 'claim-line' },
      h('h3', {}, h('a', { href, 'data-focus': `finding-${finding.id}` }, h('span', { class: 'kind' }, words.title(finding)), ' ', processName(finding.process)), ' ', sure(finding)),
      h('p', { class: 'headline' }, words.headline(finding)),
    ),
    h(
      'dl',
      { class: 'facts' },
      labelled('Only possible', possible && finding.confidence_why),
      labelled('Schedule', finding.schedules?.[0] && (finding.schedules[0].in_process ? words.job(finding.schedules[0]) : words.schedule(finding.schedules[0]))),
      labelled('Risk', finding.risk),
      labelled('Now', urgent(finding)),
    ),
  );
}

/** What is urgent: what keeps the evidence before a restart can be copied. */
export function urgent({ now }) {
  return now?.split(/(flatfoot save \d+)/).map((part, at) => (at % 2 ? command(part) : part));
}

/** Findings, or that there are none. `none` says it in words. */
export function findings(place, list, none) {
  put(place, [list, none, location.search], () => (list.length ? list.map(card) : none ? h('p', { class: 'calm' }, none) : null));
}

/** What could not be judged. Always shown: silence would read as health. */
export function notJudged(place, list) {
  put(place, list ?? [], () =>
    list?.length ? [h('h2', {}, 'Not judged'), h('ul', { class: 'plain' }, list.map((line) => h('li', {}, line)))] : [h('h2', {}, 'Not judged'), h('p', { class: 'dim' }, 'Nothing is listed.')],
  );
}

/** Limits with how much of each is used. */
export function limits(place, list) {
  put(place, list, () => {
    if (!list?.length) return h('p', { class: 'dim' }, 'None could be read.');
    return h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Table: limits' },
      h(
        'table',
        {},
        h('caption', { class: 'hidden' }, 'Limits, nearest first'),
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Limit'), h('th', { scope: 'col', class: 'wide-only' }, 'Set on'), ['Used', 'Now', 'At most'].map((t) => h('th', { scope: 'col', class: 'num' }, t)), h('th', { scope: 'col' }, 'Reached'))),
        h(
          'tbody',
          {},
          list.map((one) => {
            const used = words.limitUsed(one);
            const bar = h('meter', { min: '0', max: '1', high: '0.8', low: '0.6', optimum: '0', value: Math.min(1, used), 'aria-label': `${one.name} used` });
            return h(
              'tr',
              {},
              h('th', { scope: 'row' }, one.name),
              h('td', { class: 'wide-only' }, one.scope),
              h('td', { class: 'num' }, percent(used), ' ', bar),
              h('td', { class: 'num' }, words.limitAmount(one, one.current)),
              h('td', { class: 'num' }, words.limitAmount(one, one.value)),
              h('td', { class: one.eta_s == null ? 'dim' : 'soon' }, one.eta_s == null ? 'nothing grows towards it' : words.reached(one)),
            );
          }),
        ),
      ),
    );
  });
}

/** What went wrong, with what to do. */
export function trouble(error, again) {
  const { from, to, last } = state();
  return h(
    'div',
    { class: 'trouble', role: 'alert' },
    h('p', {}, h('strong', {}, error.message || 'Something went wrong')),
    error.hint && h('p', {}, `hint: ${error.hint}`),
    h(
      'p',
      {},
      again && h('button', { type: 'button', class: 'tool', onclick: again }, 'Try again'),
      ' ',
      (from ?? to ?? last) != null && h('a', { class: 'tool', href: changed({ from: null, to: null, last: null }) }, 'Show the newest'),
    ),
  );
}

/** The pages of the process that is looked at, with the range that is. */
export function tabs(place) {
  const { page, id, process } = state();
  const subject = page === 'compare' ? process : id;
  const tab = (name, label) => h('a', { href: link(name, name === 'compare' ? { process: subject } : { id: subject }), 'data-focus': `tab-${name}`, 'aria-current': page === name ? 'page' : null }, label);
  put(place, location.search, () => subject && h('nav', { class: 'tabs', 'aria-label': 'Of this process' }, tab('process', 'Process'), tab('threads', 'Threads'), tab('map', 'Memory map'), tab('compare', 'Compare')));
}

/** Links to what can be taken along. */
export function downloads(process, range) {
  const params = new URLSearchParams();
  if (process) params.set('process', process);
  if (range) {
    params.set('from', range.from.toFixed(1));
    params.set('to', range.to.toFixed(1));
  }
  const to = (file, label, title) => h('a', { href: `api/v1/download/${file}?${params}`, download: true, class: 'tool', title }, label);
  return h(
    'p',
    { class: 'downloads' },
    to('report.html', 'Report', 'One HTML file for the ticket, redacted'),
    to('case.flatfoot', 'Case file', 'Opens with every flatfoot command, elsewhere'),
    to('series.csv', 'CSV', 'The figures as recorded'),
  );
}

/** When something was seen. */
export function moment(unixS) {
  return h('time', { datetime: new Date(unixS * 1000).toISOString() }, local(unixS));
}
