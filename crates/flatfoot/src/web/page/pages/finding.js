// A finding, as the command line says it: claim, who makes it, evidence to check, what it is not, limits, what to do.

import { command, h, put, say } from '../dom.js';
import * as api from '../api.js';
import { count, processName } from '../format.js';
import { downloads, labelled, limits, moment, sure, urgent } from '../parts.js';
import { link } from '../state.js';
import * as words from '../words.js';
import { Page } from './page.js';

const MOST_FRAMES = 14;

/** One finding with all that speaks for and against it. */
export default class Finding extends Page {
  build() {
    this.heading = h('h1', { tabindex: '-1' }, 'Finding');
    this.body = h('div', {});
    this.chartPlace = h('div', { class: 'charts two' });
    this.more = h('div', {});
    return [this.heading, this.body, h('section', { 'aria-labelledby': 'grows-title' }, h('h2', { id: 'grows-title' }, 'What grows'), this.makeRangeBar(), this.chartPlace), this.more];
  }

  title() {
    return this.heading.textContent;
  }

  load({ id, process }) {
    return api.get(`/findings/${encodeURIComponent(id ?? '')}`, { process, ...this.params }, 'finding');
  }

  fill(doc) {
    const { finding, host } = doc;
    say(this.heading, `${words.title(finding)} ${processName(finding.process)}`);
    this.heading.className = `kind-title ${finding.confidence}`;
    put(this.body, [finding, host, doc.seen], () => [this.#claim(doc), this.#createdBy(finding), this.#evidence(finding), this.#facts(doc)]);
    // All its charts have one time.
    const { times, step_s: step } = doc.charts.find((chart) => chart.times.length) ?? {};
    if (times) this.ranged({ from: times[0] - step / 2, to: times.at(-1) + step / 2 });
    this.charts(this.chartPlace, doc.charts);
    put(this.more, [finding.limits, doc.text, finding.id, Math.floor((this.shown()?.to ?? 0) / 60)], () => this.#more(doc));
  }

  #claim({ finding, seen, process_id }) {
    const memory = words.memory(finding);
    const id = process_id ?? String(finding.process.pid);
    return h(
      'div',
      { class: `claim ${finding.confidence}` },
      h('p', { class: 'headline' }, words.sentence(finding), ' ', sure(finding)),
      finding.subject_inferred && h('p', { class: 'dim' }, `(${finding.subject_inferred})`),
      memory && h('p', {}, memory),
      h('dl', { class: 'facts' }, labelled(finding.confidence === 'possible' ? 'Only possible' : 'Not surer', finding.confidence_why), labelled('Risk', finding.risk), labelled('Now', urgent(finding))),
      h('p', { class: 'dim' }, ['Of ', h('a', { href: link('process', { id }) }, processName(finding.process))], seen && seen.first != null && ['; first seen ', moment(seen.first), ', last ', moment(seen.last)], `; finding ${finding.id}`),
    );
  }

  #createdBy(finding) {
    const by = finding.created_by ?? [];
    const owners = by.filter((one) => one.source === 'owner');
    const seen = by.filter((one) => one.source !== 'owner' && one.source !== 'site');
    const sites = seen.length ? [] : by.filter((one) => one.source === 'site');
    const jobs = finding.schedules.filter((one) => one.in_process);
    const inProcess = jobs.length || finding.faults?.length || finding.libraries?.length;
    if (!by.length && !inProcess) {
      return h('section', {}, h('h2', {}, 'Created by'), h('p', {}, 'Not known: reading alone names no code.'));
    }
    return h(
      'section',
      {},
      h('h2', {}, seen.length ? 'Created by' : 'Created for'),
      seen.length > 0 && [h('p', {}, words.birthsSeen(seen)), seen.map((one) => stack(one, seen.length > 1))],
      owners.length > 0 && h('ul', { class: 'plain' }, owners.map((one) => h('li', {}, words.owner(one)))),
      sites.length > 0 && [h('h3', {}, 'Suspects'), h('ul', { class: 'plain' }, sites.map((one) => one.frames[0] && h('li', {}, h('code', {}, words.place(one.frames[0])), ` ${one.frames[0].origin ?? ''} `, h('span', { class: 'dim' }, one.sure))))],
      h(
        'dl',
        { class: 'facts' },
        jobs.map((one) => labelled('Job', words.job(one))),
        labelled(finding.faults?.length === 2 ? 'Two faults' : 'Faults', finding.faults?.map((fault, at) => h('div', {}, `${at + 1}  ${fault}`))),
        labelled('Libraries', finding.libraries?.map(words.share).join(' · ')),
      ),
    );
  }

  #evidence(finding) {
    const list = (items, from) =>
      h(
        'ol',
        { class: 'evidence', start: from },
        items.map((item) =>
          h(
            'li',
            {},
            h('p', {}, item.claim, h('span', { class: 'dim' }, ` from ${item.source}${item.statistic ? `; ${item.statistic}` : ''}`)),
            item.reproduce && h('p', { class: 'check' }, h('span', { class: 'dim' }, 'check: '), command(item.reproduce), item.value != null && h('span', { class: 'result' }, `→ ${item.value}`)),
          ),
        ),
      );
    const supports = finding.evidence.filter((item) => item.supports);
    const against = finding.evidence.filter((item) => !item.supports);
    return h('section', {}, h('h2', {}, 'Evidence'), list(supports, 1), against.length > 0 && [h('h3', {}, 'Against it'), list(against, supports.length + 1)]);
  }

  #facts({ finding, host }) {
    return h(
      'section',
      {},
      h('h2', {}, 'What it is not, and what is open'),
      h(
        'dl',
        { class: 'facts' },
        finding.schedules.filter((one) => !one.in_process).map((one) => labelled('Schedule', words.schedule(one))),
        labelled('Ruled out', finding.ruled_out.map((one) => h('div', {}, `${one.kind}: ${one.why}`))),
        labelled('Too small to explain it', words.tooSmall(finding.too_small)),
        labelled('Unexplained', words.unexplained(finding, host) || 'not read: the mappings of the process could not be seen'),
        labelled('Limit', words.limits(finding.limits)),
        labelled('Next', finding.next.map((one) => h('div', {}, step(one)))),
      ),
    );
  }

  #more({ finding, text, process_id }) {
    const place = h('div', {});
    limits(place, finding.limits);
    return [
      h('section', {}, h('h2', {}, 'Limits'), place),
      h('section', {}, h('h2', {}, 'On the command line'), h('p', {}, command(`flatfoot diagnose ${finding.process.pid}${this.judged}`)), h('pre', { tabindex: '0', class: 'scroll' }, lines(text))),
      h('section', {}, h('h2', {}, 'Take along'), downloads(process_id ?? String(finding.process.pid), this.shown())),
    ];
  }
}

/** What to do next; a command stands before its words as on the terminal, and can be copied. */
function step(text) {
  const [, run, why] = /^(flatfoot .+?) {2,}(.+)$/.exec(text) ?? [];
  return run ? [command(run), ` ${why}`] : text;
}

/** Each line as its own text: names in it cannot make lines. */
function lines(text) {
  return (text ?? []).map((line) => h('span', { class: 'line' }, line));
}

/** A stack from the creator outwards; runs of the JDK and of frameworks are one line. */
function stack(by, several) {
  const first = words.creatorAt(by.frames);
  const rows = [];
  let run = [];
  const close = () => {
    if (!run.length) return;
    const origins = [...new Set(run.map((frame) => frame.origin ?? (frame.role === 'jdk' ? 'the JDK' : frame.role)))];
    rows.push(h('li', { class: 'dim' }, `… ${run.length} ${run.length === 1 ? 'frame' : 'frames'} of ${origins.slice(0, 3).join(', ')}`));
    run = [];
  };
  by.frames.slice(first).forEach((frame, at) => {
    if (at > 0 && frame.role !== 'application' && frame.role !== 'library') {
      run.push(frame);
      return;
    }
    close();
    rows.push(
      h('li', { class: `frame ${frame.role}` }, h('code', {}, words.place(frame)), frame.origin && h('span', { class: 'origin' }, frame.origin), at === 0 && h('span', { class: 'creator' }, `← ${words.whose(frame)}`)),
    );
  });
  close();
  return h(
    'div',
    { class: 'stack' },
    several && h('p', { class: 'dim' }, `${count(by.births)} of ${count(by.of)} births:`),
    h('ol', {}, rows.slice(0, MOST_FRAMES), rows.length > MOST_FRAMES && h('li', { class: 'dim' }, `… ${rows.length - MOST_FRAMES} more`)),
    by.thread && h('p', { class: 'dim' }, `on thread ${by.thread}`),
  );
}
