// How quantities read. The same words, units and rounding as the command line: crates/model/src/show.rs decides them,
// this is its twin (tests/browser/page/format.test.mjs reads the examples of both).

const KIB = 1024;
const MIB = KIB * 1024;
const GIB = MIB * 1024;
const TIB = GIB * 1024;

/** As Rust's {:.N}: exact ties go to the even digit, where JavaScript's toFixed goes up. */
export function fixed(value, digits) {
  const halves = value * 2 ** (digits + 1);
  const text = value.toFixed(digits);
  if (!Number.isInteger(halves) || halves % 2 === 0 || digits > 3) return text;
  const scaled = Math.abs(value) * 10 ** digits;
  if (scaled - Math.floor(scaled) !== 0.5) return text;
  const even = Math.floor(scaled) % 2 === 0 ? Math.floor(scaled) : Math.ceil(scaled);
  return ((Math.sign(value) * even) / 10 ** digits).toFixed(digits);
}

/** `2,040` */
export function count(value) {
  return String(Math.max(0, Math.trunc(value))).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0 B`, `2,040 KiB`, `80.0 MiB`, `3.02 GiB`. In KiB up to 9,999: stack sizes are known by that number. */
export function bytes(value) {
  const b = Math.max(0, value);
  if (b < KIB) return `${Math.trunc(b)} B`;
  if (b < 9999.5 * KIB) return `${count(Math.round(b / KIB))} KiB`;
  if (b < 999.5 * MIB) return `${fixed(b / MIB, 1)} MiB`;
  if (b < 9999.5 * GIB) return `${fixed(b / GIB, 2)} GiB`;
  return `${fixed(b / TIB, 1)} TiB`;
}

/** For narrow columns: `4.1G`, `973M`, `80K`. */
export function bytesShort(value) {
  const gib = value / GIB;
  const mib = value / MIB;
  if (gib >= 999.5) return `${fixed(gib / 1024, 1)}T`;
  if (gib >= 99.5) return `${fixed(gib, 0)}G`;
  if (gib >= 0.995) return `${fixed(gib, 1)}G`;
  if (mib >= 9.95) return `${fixed(mib, 0)}M`;
  if (mib >= 0.995) return `${fixed(mib, 1)}M`;
  return `${Math.ceil(value / KIB)}K`;
}

/** A span in at most two units: `0.30 s`, `9.0 s`, `6 m 40 s`, `25 h 50 m`, `2 d 4 h`, `131 d`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return 'never';
  const s = Math.max(0, seconds);
  if (s < 1) return `${fixed(s, 2)} s`;
  if (s < 9.95) return `${fixed(s, 1)} s`;
  const whole = Math.round(s);
  const two = (a, unitA, b, unitB) => (b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`);
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return two(Math.trunc(whole / 60), 'm', whole % 60, 's');
  if (whole < 172800) return two(Math.trunc(whole / 3600), 'h', Math.trunc((whole % 3600) / 60), 'm');
  if (whole < 2592000) return two(Math.trunc(whole / 86400), 'd', Math.trunc((whole % 86400) / 3600), 'h');
  if (whole < 157680000) return `${count(whole / 86400)} d`;
  return 'more than 5 years';
}

/** For narrow columns: `2d04h`, `6m40s`, `41s`. */
export function durationShort(seconds) {
  if (!Number.isFinite(seconds)) return '-';
  const s = Math.round(Math.max(0, seconds));
  const two = (n) => String(n).padStart(2, '0');
  if (s < 100) return `${s}s`;
  if (s < 6000) return `${Math.trunc(s / 60)}m${two(s % 60)}s`;
  if (s < 172800) return `${Math.trunc(s / 3600)}h${two(Math.trunc((s % 3600) / 60))}m`;
  if (s < 8640000) return `${Math.trunc(s / 86400)}d${two(Math.trunc((s % 86400) / 3600))}h`;
  return `${Math.trunc(s / 86400)}d`;
}

/** A pause: `3 ms`, `0.4 ms`, `1.2 s`. */
export function pause(seconds) {
  const ms = seconds * 1e3;
  if (ms >= 1000) return `${fixed(seconds, 1)} s`;
  return `${fixed(ms, ms >= 9.5 ? 0 : 1)} ms`;
}

/** A period: `0.50 s`, `60.0 s`, `900 s`, `24.0 h`. In seconds up to two hours, as schedules are compared in them. */
export function period(seconds) {
  if (seconds < 9.995) return `${fixed(seconds, 2)} s`;
  if (seconds < 99.95) return `${fixed(seconds, 1)} s`;
  if (seconds < 7200) return `${count(Math.round(seconds))} s`;
  return `${fixed(seconds / 3600, 1)} h`;
}

/** A small spread beside a period: `0.1`, never `0.0`. */
export function spread(seconds) {
  if (seconds < 0.005) return '<0.01';
  if (seconds < 0.1) return fixed(seconds, 2);
  if (seconds < 10) return fixed(seconds, 1);
  return fixed(seconds, 0);
}

/** `61 %`; below one in a hundred `0.3 %`. */
export function percent(share) {
  const p = share * 100;
  return p > 0 && p < 0.95 ? `${fixed(p, 1)} %` : `${fixed(p, 0)} %`;
}

/** In the unit of time in which it has at least one event: `1.00/s`, `1.00/min`, `4.2/h`, `1.0/d`. */
export function rate(perS) {
  const magnitude = Math.abs(perS);
  if (magnitude >= 99.5) return `${perS < 0 ? '-' : ''}${count(Math.round(magnitude))}/s`;
  if (magnitude >= 0.995) return `${fixed(perS, 2)}/s`;
  if (magnitude * 60 >= 0.995) return `${fixed(perS * 60, 2)}/min`;
  if (magnitude * 3600 >= 0.995) return `${fixed(perS * 3600, 1)}/h`;
  return `${fixed(perS * 86400, 1)}/d`;
}

/** Growth in bytes: `2.0 MiB/s`, `120 KiB/min`. */
export function byteRate(perS) {
  if (perS >= MIB) return `${bytes(Math.trunc(perS))}/s`;
  if (perS * 60 >= 10 * KIB) return `${bytes(Math.trunc(perS * 60))}/min`;
  return `${bytes(Math.trunc(Math.max(0, perS * 3600)))}/h`;
}

/** With its sign: `+1.00`. */
export function signed(value, digits) {
  return `${value < 0 ? '' : '+'}${fixed(value, digits)}`;
}

/** A value of a chart's unit. */
export function amount(unit, value) {
  if (value == null) return '?';
  if (unit === 'bytes') return bytes(value);
  if (unit === 'ratio') return percent(value);
  if (unit === 'per_minute') return `${fixed(value, 2)}/min`;
  return Number.isInteger(value) ? count(value) : fixed(value, 1);
}

/** The same for an axis, with the digits that tell a step from the next: `1.25G`, `2.5 %`. */
export function axis(unit, value, step) {
  if (unit === 'bytes') {
    const [size, letter] = value >= TIB ? [TIB, 'T'] : value >= GIB ? [GIB, 'G'] : value >= MIB ? [MIB, 'M'] : [KIB, 'K'];
    return value < KIB ? String(value) : `${fixed(value / size, digits(step / size))}${letter}`;
  }
  if (unit === 'ratio') return `${fixed(value * 100, digits(step * 100))} %`;
  return step < 1 ? fixed(value, digits(step)) : count(value);
}

/** How many it takes to write multiples of a step: at most three. */
function digits(step) {
  const most = 3;
  for (let some = 0; some < most; some += 1) if (Number.isInteger(Number((step * 10 ** some).toFixed(6)))) return some;
  return most;
}

const two = (n) => String(n).padStart(2, '0');

/** `2026-03-01 03:12:09`, in the time zone of whoever looks. */
export function local(unixS) {
  const d = new Date(unixS * 1000);
  if (Number.isNaN(d.getTime())) return '?';
  return `${day(d)} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** `2026-03-01 03:12`, for where seconds are noise. */
export function minute(unixS) {
  return local(unixS).slice(0, 16);
}

/** `03:12:09` */
export function clock(unixS) {
  return local(unixS).slice(11);
}

function day(d) {
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** `2026-03-01T03:12:09Z`, for commands. */
export function iso(unixS) {
  return `${new Date(unixS * 1000).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339, as documents say it, to Unix seconds; null when it is none. */
export function unix(text) {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : ms / 1000;
}

/** `java[3248] torquebox` */
export function processName(process) {
  return `${process.name}[${process.pid}]${process.label ? ` ${process.label}` : ''}`;
}
