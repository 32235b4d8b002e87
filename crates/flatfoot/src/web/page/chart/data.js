// A chart of the API (docs/api.md, "Charts") as columns to draw: pure, nothing of the screen in it.

import { amount, bytes, byteRate, count, duration, minute, rate } from '../format.js';

/** A series' value of one column: the last, null where nothing is known. */
const last = (series, at) => series.last[at] ?? null;

/** The names of the series that are drawn: all, or the isolated one. */
export function drawn(doc, only) {
  const names = doc.series.map((series) => series.name);
  return only && names.includes(only) ? [only] : names;
}

/**
 * uPlot's columns with what each is: `{data, parts: [{name, role}]}`. Roles: `low`, `high` (the edges of a band), `line`,
 * `area` (stacked: the sum with all below it; the topmost first, so that each is painted over by the lower).
 */
export function columns(doc, only) {
  const shown = doc.series.filter((series) => drawn(doc, only).includes(series.name));
  const data = [doc.times];
  const parts = [];
  if (doc.stacked && shown.length > 1) {
    const sums = new Array(doc.times.length).fill(null);
    for (const series of shown) {
      for (let at = 0; at < sums.length; at += 1) {
        const value = last(series, at);
        if (value != null) sums[at] = (sums[at] ?? 0) + value;
      }
      data.splice(1, 0, [...sums]);
      parts.unshift({ name: series.name, role: 'area' });
    }
    return { data, parts };
  }
  for (const series of shown) {
    if (series.low && series.high) {
      data.push(series.high, series.low);
      parts.push({ name: series.name, role: 'high' }, { name: series.name, role: 'low' });
    }
    data.push(series.last);
    parts.push({ name: series.name, role: doc.stacked ? 'area' : 'line' });
  }
  return { data, parts };
}

/** What the figures are measured by: it is drawn where it is near, and need not be seen else. */
const isMeasure = (doc, name) => !doc.stacked && doc.series.length > 1 && (name === 'limit' || name === 'memory');

/** The greatest value that is drawn between two times; of measures (the limit of the host) those that are near. */
export function greatest(doc, only, from, to) {
  const own = highest(doc, only, from, to, false);
  const measure = highest(doc, only, from, to, true);
  return own === 0 || measure <= own * 2.5 ? Math.max(own, measure) : own;
}

function highest(doc, only, from, to, measures) {
  const { data, parts } = columns(doc, only);
  let top = 0;
  for (let part = 0; part < parts.length; part += 1) {
    if (parts[part].role === 'low' || isMeasure(doc, parts[part].name) !== measures) continue;
    const values = data[part + 1];
    for (let at = 0; at < values.length; at += 1) {
      const time = doc.times[at];
      if (time >= from && time <= to && values[at] > top) top = values[at];
    }
  }
  return top;
}

/** Is anything known at all? */
export function isEmpty(doc) {
  return !doc.series.some((series) => series.last.some((value) => value != null));
}

/** Is it nothing throughout? Then there is nothing to draw. */
export function isNaught(doc) {
  return doc.series.every((series) => [series.last, series.high ?? []].every((values) => values.every((value) => !value)));
}

/** The limits that belong into the picture: near enough that the rest still shows. */
export function limitsInView(doc, top) {
  return (doc.limits ?? []).filter((limit) => limit.value > 0 && limit.value <= Math.max(top, limit.current) * 6);
}

/** Where the growth goes on to, `{from, value, perS, slow, fast}`: rays from the last point. Null when nothing grows. */
export function outlook(doc, now) {
  const perS = doc.growth?.rate_per_s;
  if (!(perS > 0)) return null;
  const series = doc.series.find((one) => one.name === doc.growth.series) ?? (doc.series.length === 1 ? doc.series[0] : null);
  if (!series) return null;
  const at = lastKnown(series.last);
  if (at < 0 || now - doc.times[at] > 10 * Math.max(doc.step_s ?? 1, 10)) return null;
  const [slow, fast] = doc.growth.rate_interval ?? [perS, perS];
  // In a stack it grows on top of what lies below it.
  const below = doc.stacked ? doc.series.slice(0, doc.series.indexOf(series)) : [];
  const value = below.reduce((sum, one) => sum + (one.last[at] ?? 0), series.last[at]);
  return { from: doc.times[at], value, perS, slow, fast };
}

/** How far into the future the picture goes, in seconds: to the nearest limit, at most a third of what is seen. */
export function ahead(doc, span, now) {
  if (!outlook(doc, now)) return 0;
  const etas = (doc.limits ?? []).map((limit) => limit.eta_s).filter((eta) => eta > 0);
  return etas.length ? Math.min(Math.min(...etas) * 1.05, span / 3) : span / 8;
}

/** The place of the last known value; -1 when there is none. */
export function lastKnown(values) {
  for (let at = values.length - 1; at >= 0; at -= 1) if (values[at] != null) return at;
  return -1;
}

/** Growth in words: `threads +1.00/min`. */
export function growthWords(doc) {
  const growth = doc.growth;
  if (!growth || !(Math.abs(growth.rate_per_s) > 0)) return '';
  const words = doc.unit === 'bytes' ? byteRate(growth.rate_per_s) : rate(growth.rate_per_s);
  return `${growth.series} ${growth.rate_per_s > 0 ? '+' : ''}${words}`;
}

/** A limit in words: `pids.max 4,915 in 2 d 4 h`. */
export function limitWords(doc, limit) {
  const value = doc.unit === 'bytes' ? bytes(limit.value) : count(limit.value);
  return `${limit.name} ${value}${limit.eta_s == null ? '' : ` in ${duration(limit.eta_s)}`}`;
}

/** The chart in a sentence or three, for who cannot see it. */
export function summary(doc) {
  if (isEmpty(doc)) return `${doc.title}: nothing is known of this time.`;
  const words = [`${doc.title}, ${minute(doc.times[0])} to ${minute(doc.times.at(-1))}.`];
  for (const series of doc.series.slice(0, 8)) {
    const first = series.last.findIndex((value) => value != null);
    if (first < 0) continue;
    const end = lastKnown(series.last);
    const highs = (series.high ?? series.last).filter((value) => value != null);
    const high = highs.reduce((a, b) => Math.max(a, b), 0);
    words.push(`${series.name}: ${amount(doc.unit, series.last[first])} to ${amount(doc.unit, series.last[end])}, highest ${amount(doc.unit, high)}.`);
  }
  if (doc.series.length > 8) words.push(`${doc.series.length - 8} more in its table.`);
  const growth = growthWords(doc);
  if (growth) words.push(`Growing: ${growth}.`);
  for (const limit of doc.limits ?? []) words.push(`Limit ${limitWords(doc, limit)}.`);
  if (doc.markers?.length) words.push(`${doc.markers.length} marks: ${doc.markers.slice(-3).map((m) => `${m.text} ${minute(m.at)}`).join('; ')}.`);
  if (doc.gaps?.length) words.push(`${doc.gaps.length} gaps.`);
  return words.join(' ');
}

/** Rows for the table of a chart: at most `most`, evenly taken, the last always among them. */
export function tableRows(doc, most = 100) {
  const step = Math.max(1, Math.ceil(doc.times.length / most));
  const rows = [];
  for (let at = doc.times.length - 1; at >= 0; at -= step) {
    rows.push({
      time: doc.times[at],
      cells: doc.series.map((series) => {
        if (series.last[at] == null) return '-';
        const low = series.low?.[at];
        const high = series.high?.[at];
        const value = amount(doc.unit, series.last[at]);
        return low != null && high != null && amount(doc.unit, low) !== amount(doc.unit, high)
          ? `${value} (${amount(doc.unit, low)} to ${amount(doc.unit, high)})`
          : value;
      }),
    });
  }
  return { rows, step };
}
