// A finding in the words of the command line (crates/flatfoot/src/present/diagnosis.rs and creators.rs say them first;
// tests compare both). Concludes nothing: it only says what the document holds.

import { bytes, byteRate, count, duration, pause, percent, period, rate, spread } from './format.js';

/** `THREAD LEAK` */
export function title(finding) {
  return finding.kind.replaceAll('-', ' ').toUpperCase();
}

/** `1,550 × pool-*-thread-1, one every 60.0 s at :00` */
export function headline(finding) {
  if (finding.kind !== 'thread-leak') return growth(finding);
  return `${count(finding.count)} × ${finding.subject}${rhythm(finding)}`;
}

function growth(finding) {
  const perS = finding.rate_per_s ?? 0;
  if (finding.kind === 'descriptor-leak') {
    // What kinds they are is not recorded.
    const mostly = finding.subject === 'descriptors' ? '' : `, mostly ${finding.subject}`;
    return `${count(finding.count)} descriptors${mostly}, +${rate(perS)}`;
  }
  if (finding.kind === 'child-process-leak') return `${count(finding.count)} ${finding.subject}, +${rate(perS)}`;
  return `${finding.subject}: ${bytes(finding.count)}, +${byteRate(perS)}`;
}

function rhythm(finding) {
  const each = finding.cadence.map((c) => `one every ${period(c.period_s)}${phase(c.period_s, c.phase_s)}`);
  if (each.length) return `, ${each.join(' and ')}`;
  return finding.rate_per_s == null ? '' : `, ${rate(finding.rate_per_s)} without a rhythm`;
}

/** Where in its period a train falls: ` at :00`. */
export function phase(periodS, phaseS) {
  if (phaseS == null || periodS < 5) return '';
  const inPeriod = ((phaseS % periodS) + periodS) % periodS;
  const s = Math.round(inPeriod) % Math.max(1, Math.round(periodS));
  const two = (n) => String(Math.trunc(n)).padStart(2, '0');
  if (periodS <= 60.5) return ` at :${two(s)}`;
  if (periodS <= 3600.5) return ` at ${two((s / 60) % 60)}:${two(s % 60)} of the hour`;
  return ` at ${two((s / 3600) % 24)}:${two((s / 60) % 60)}:${two(s % 60)}`;
}

/** The claim as a sentence. */
export function sentence(finding) {
  if (finding.kind !== 'thread-leak') return growth(finding);
  const shape = { one_thread_pools: 'one-thread pools, ', one_pool: 'one pool, ', several_pools: 'several pools, ' }[finding.pool_shape] ?? '';
  const trains = finding.cadence.map((c) => {
    const each = c.per_event >= 1.5 ? `${c.per_event.toFixed(0)} more` : 'one more';
    const jitter = c.jitter_s < 0.005 ? '' : ` (±${spread(c.jitter_s)} s)`;
    return `${each} every ${period(c.period_s)}${jitter}${phase(c.period_s, c.phase_s)}`;
  });
  const without = finding.rate_per_s == null ? 'more and more' : `${rate(finding.rate_per_s)} more, without a rhythm`;
  const ended = finding.none_ended ? '; no gap in their numbers: none has ended' : '';
  return `${count(finding.count)} threads of ${finding.subject}: ${shape}${trains.join(', and ') || without}${ended}`;
}

/** What their stacks reserve and touch; null for what has none. */
export function memory(finding) {
  if (finding.kind !== 'thread-leak' || finding.reserved_bytes == null) return null;
  const touched = finding.touched_bytes == null ? 'how much they touch was not read' : `touch ${bytes(finding.touched_bytes)}`;
  const each = Math.trunc(finding.reserved_bytes / Math.max(1, finding.count));
  return `Their stacks reserve ${bytes(finding.reserved_bytes)} and ${touched} (${bytes(each)} each): resident memory hardly shows this`;
}

/** A schedule that fits. */
export function schedule(fits) {
  const near = fits.near_miss ? `: ${fits.near_miss}` : '';
  if (fits.source) {
    const what = fits.what ? `, runs ${fits.what}` : '';
    return `${fits.source} fits: "${fits.expression}" ${fits.meaning}${what}${near}`;
  }
  const dialect = fits.expression.split(' ').length > 5 ? 'Quartz' : 'cron';
  return `like ${dialect}'s "${fits.expression}", which ${fits.meaning}${near}`;
}

/** A job of the process itself. */
export function job(fits) {
  const what = fits.what ? `${fits.what}, ` : '';
  const near = fits.near_miss ? `. ${fits.near_miss[0].toUpperCase()}${fits.near_miss.slice(1)}` : '';
  return `${what}"${fits.expression}": ${fits.meaning}${near}`;
}

/** `polyglot-jobs in 1 of 1 births` */
export function share(library) {
  return `${library.name} in ${count(library.births)} of ${count(library.of)} births`;
}

/** A limit's amount. */
export function limitAmount(limit, value) {
  return limit.unit === 'bytes' ? bytes(value) : count(value);
}

/** `pids.max 4,915 in 2 d 4 h`, or how much is used when nothing grows towards it. */
export function limit(one) {
  if (one.eta_s == null) return `${one.name} ${percent(limitUsed(one))} used`;
  return `${one.name} ${limitAmount(one, one.value)} ${reached(one)}`;
}

/** When it is: `in 2 d 4 h (50 h to 55 h)`. */
export function reached(one) {
  return `in ${duration(one.eta_s)}${interval(one)}`;
}

/** Share used, 0 to 1. */
export function limitUsed(one) {
  return one.value === 0 ? 1 : one.current / one.value;
}

function interval(one) {
  if (!one.eta_interval_s) return '';
  const [early, late] = one.eta_interval_s;
  if (late == null) return ` (${duration(early)} or later)`;
  return late - early > 0.1 * one.eta_s ? ` (${duration(early)} to ${duration(late)})` : '';
}

/** All that it runs into. */
export function limits(all) {
  return all.length ? all.slice(0, 4).map(limit).join(' · ') : 'none could be read';
}

/** `mysqld[912], RLIMIT_NOFILE 61 % (625 of 1,024)` */
export function nearestLimit({ process, limit: one }) {
  const who = one.scope === 'host' ? 'the host' : `${process.name}[${process.pid}]`;
  return `${who}, ${one.name} ${percent(limitUsed(one))} (${limitAmount(one, one.current)} of ${limitAmount(one, one.value)})`;
}

/** Of a row of the process table. */
export function nextLimit(one) {
  return one == null ? '-' : one.eta_s == null ? `${one.name} ${percent(one.used)}` : `${one.name} ${duration(one.eta_s)}`;
}

/** What nothing explains. */
export function unexplained(finding, host) {
  const parts = [];
  if (finding.unexplained_bytes != null) parts.push(`${bytes(finding.unexplained_bytes)} of this process's address space`);
  if (finding.process_committed_bytes != null && host?.committed_bytes != null) {
    const others = Math.max(0, host.committed_bytes - finding.process_committed_bytes);
    parts.push(`${bytes(others)} of the host's commit charge lie outside this process`);
  }
  return parts.join('; ');
}

/** What is too small: the first with its reason, the others by name. */
export function tooSmall(items) {
  return items.map((item, at) => (at === 0 ? `${item.kind} (${item.why})` : item.kind)).join(', ');
}

/** What was done to the target. */
export function impact(done, origin = 'this host') {
  if (!done) return '';
  if (origin !== 'this host') return `none: read from ${origin}`;
  if (done.level && done.level !== 'read') {
    const parts = [`attached ${done.attached_s < 1 ? pause(done.attached_s) : duration(done.attached_s)}`, ...(done.done ?? [])];
    parts.push(done.longest_pause_s ? `longest pause ${pause(done.longest_pause_s)}` : 'no pause');
    return parts.join('; ');
  }
  // The page's own readings are not counted by look.
  const cost = done.own_cpu_s > 0 ? ` for ${duration(done.reading_s)}, ${duration(done.own_cpu_s)} of CPU` : '';
  return `read from /proc${cost}; nothing was loaded, signalled or stopped`;
}

/** Class and method with the line, and the file where it is not the class's own. */
export function place(frame) {
  const line = frame.line == null ? '' : `:${frame.line}`;
  if (frame.file && !frame.file.endsWith('.java')) return `${frame.symbol} (${frame.file}${line})`;
  return `${frame.symbol}${line}`;
}

/** The first frame that is neither the JDK's nor a language's machinery: its place among the frames. */
export function creatorAt(frames) {
  const own = frames.findIndex((frame) => frame.role !== 'jdk' && frame.role !== 'runtime');
  return own >= 0 ? own : Math.max(0, frames.findIndex((frame) => frame.role !== 'jdk'));
}

/** Whose code the creator is. */
export function whose(frame) {
  return {
    application: 'your code: the first frame outside the JDK',
    library: 'a library, not your code: the first frame outside the JDK',
    framework: "the framework's own: the first frame outside the JDK",
  }[frame.role] ?? 'first frame outside the JDK and the runtime';
}

/** An owner: whom the threads work for. */
export function owner(by) {
  const classes = by.frames.slice(0, 3).map((frame) => `${frame.symbol}${frame.origin ? ` (${frame.origin})` : ''}`);
  return `${count(by.births)} of ${count(by.of)} threads: ${by.sure}: ${classes.join(', ')}`;
}

/** How many births were seen. */
export function birthsSeen(seen) {
  const births = seen.reduce((sum, by) => sum + by.births, 0);
  const stacks = seen.length === 1 ? 'one stack' : `${seen.length} stacks`;
  return `${births === 1 ? '1 birth' : `${count(births)} births`} seen, from ${stacks}`;
}

const STATES = { S: 'waiting', R: 'running', D: 'in I/O', T: 'stopped', t: 'stopped', Z: 'dead', X: 'dead', I: 'idle' };

/** How the threads of a group are. */
export function threadState(states) {
  if (!states?.length) return '-';
  return states.length > 1 ? 'mixed' : (STATES[states[0][0]] ?? 'other');
}

/** A group's births: `+1.00/min` or steady. */
export function births(group) {
  return group.births_per_s > 0 ? `+${rate(group.births_per_s)}` : 'steady';
}

/** A group's rhythm. */
export function cadence(group) {
  if (group.births === 'regular' && group.cadence.length) return group.cadence.map((c) => period(c.period_s)).join(' + ');
  return { irregular: 'none', burst: 'at once' }[group.births] ?? '-';
}

/** What the names say about pools. */
export function pool(shape) {
  return { one_thread_pools: 'one-thread pools', one_pool: 'one pool', several_pools: 'several pools' }[shape] ?? '';
}
