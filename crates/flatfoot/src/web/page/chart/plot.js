// A picture with a time axis, by uPlot, and how it is handled: drag zooms, shift and drag pans, a double click resets;
// a finger pans, two zoom; arrows, + and -, 0 by keyboard. Charts, the birth raster and the lifelines are all made of it.

import { clock, durationShort, local } from '../format.js';
import { css } from './palette.js';

const uPlot = globalThis.uPlot;
const FONT = '12px system-ui, sans-serif';
const SYNCED = new Set(['mousemove', 'mouseleave', 'mouseenter']);

/** Steps of an axis of bytes: powers of two, so that labels are whole. */
const BYTE_STEPS = Array.from({ length: 56 }, (_, power) => 2 ** power);
/** Of things that are counted: whole. */
const COUNT_STEPS = Array.from({ length: 36 }, (_, at) => [1, 2, 5][at % 3] * 10 ** Math.floor(at / 3));

/** Labels of a time axis: the time, and the date below where it changes. */
export function timeLabels(splits, step) {
  let before = '';
  return splits.map((at) => {
    const text = local(at);
    const day = text.slice(0, 10);
    const time = step >= 86400 ? '' : step >= 60 ? text.slice(11, 16) : text.slice(11);
    const date = day === before ? '' : day.slice(5);
    before = day;
    if (!time) return day.slice(5);
    return date ? `${time}\n${date}` : time;
  });
}

/**
 * `options`: `series` (uPlot's, without the first), `scale` (uPlot's y), `format` (of the y axis), `bands`, `hooks`, `unit`,
 * `elapsed` (times count from 0), and what is to be told: `onZoom(from, to)`, `onReset()`, `onStep(factor, shift)`,
 * `onCursor(place)`.
 */
export class Plot {
  constructor(host, options, data, range) {
    this.host = host;
    this.options = options;
    this.range = range;
    this.busy = false;
    this.u = new uPlot(this.#settings(options), data, host);
    this.#watchSize();
    host.addEventListener('keydown', (event) => this.#key(event), { signal: this.#ended.signal });
    this.#handle(this.u.over);
  }

  #ended = new AbortController();

  /** New columns and the range they belong to; what is being dragged at stays. */
  update(data, range) {
    if (this.busy) return;
    this.range = range;
    this.u.batch(() => {
      this.u.setData(data, false);
      this.u.setScale('x', { min: range.from, max: range.to });
    });
  }

  /** Shows another part at once, until its figures come. */
  glide(from, to) {
    this.range = { from, to };
    this.u.setScale('x', { min: from, max: to });
  }

  /** Where the cursor is in the picture; null for nowhere. */
  get pointer() {
    const { left, top } = this.u.cursor;
    return left >= 0 ? { left, top } : null;
  }

  /** Puts the cursor there, when the picture has been laid out. */
  point(pointer) {
    queueMicrotask(() => this.u.setCursor(pointer));
  }

  /** The column under the cursor; null for none. */
  get cursor() {
    return this.u.cursor.idx ?? null;
  }

  destroy() {
    this.#ended.abort();
    this.observer.disconnect();
    this.u.destroy();
  }

  get width() {
    return Math.max(100, this.host.clientWidth);
  }

  #settings({ series, scale, format, bands, hooks, unit, elapsed, onCursor, splits }) {
    const grid = { stroke: css('--grid'), width: 1 };
    const axis = { stroke: css('--dim'), font: FONT, grid, ticks: { ...grid, size: 4 } };
    return {
      width: this.width,
      height: this.host.clientHeight || 240,
      padding: [10, 20, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, range: () => [this.range.from, this.range.to] }, y: scale },
      axes: [
        {
          ...axis,
          space: 80,
          incrs: TIME_STEPS,
          splits: (u, index, min, max, step) => timeSplits(min, max, step, elapsed),
          values: (u, at, index, space, step) => (elapsed ? at.map((s) => durationShort(s)) : timeLabels(at, step)),
          size: 40,
        },
        {
          ...axis,
          size: 58,
          space: 34,
          ...(STEPS[unit] ? { incrs: STEPS[unit] } : {}),
          ...(splits ? { splits } : {}),
          values: (u, at, index, space, step) => at.map((value) => format(value, step)),
        },
      ],
      series: [{}, ...series],
      bands,
      hooks: {
        ...hooks,
        setSelect: [() => this.#selected()],
        setCursor: [(u) => onCursor?.(u.cursor.idx)],
      },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        sync: { key: elapsed ? 'elapsed' : 'time', scales: ['x', null], setSeries: false, filters: { pub: (type) => SYNCED.has(type) } },
        bind: {
          dblclick: () => () => {
            this.options.onReset?.();
            return null;
          },
          mousedown: (u, target, handler) => (event) => {
            if (event.button !== 0 || event.shiftKey) return null;
            this.busy = true;
            addEventListener('mouseup', () => setTimeout(() => (this.busy = false)), { once: true });
            handler(event);
            return null;
          },
        },
      },
    };
  }

  #selected() {
    const { left, width } = this.u.select;
    if (width < 6) return;
    const from = this.u.posToVal(left, 'x');
    const to = this.u.posToVal(left + width, 'x');
    this.u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.options.onZoom?.(from, to);
  }

  /** One finger, or shift and the mouse, pans; two fingers zoom. What goes up and down scrolls the page (touch-action). */
  #handle(over) {
    const held = new Map();
    let start = null;
    let before = null;
    const places = () => [...held.values()].map((x) => x - over.getBoundingClientRect().left);
    const begin = () => (start = { ...this.range, at: places() });
    const listen = (name, run) => over.addEventListener(name, run, { signal: this.#ended.signal });
    listen('pointerdown', (event) => {
      const pans = event.pointerType === 'touch' || (event.shiftKey && event.button === 0);
      if (!pans || held.size === 2 || !this.options.onZoom) return;
      // uPlot's listeners are passive: what the shift key marked is let go instead.
      getSelection()?.empty();
      over.setPointerCapture(event.pointerId);
      if (!held.size) before = this.range;
      held.set(event.pointerId, event.clientX);
      begin();
    });
    listen('pointermove', (event) => {
      if (!held.has(event.pointerId)) return;
      held.set(event.pointerId, event.clientX);
      const at = places();
      if (!this.busy && at.every((x, finger) => Math.abs(x - start.at[finger]) < 6)) return;
      this.busy = true;
      this.glide(...grasped(start, at, over.clientWidth));
    });
    const end = (event) => {
      if (!held.delete(event.pointerId)) return;
      if (held.size) begin();
      else if (this.busy) {
        this.busy = false;
        // The browser took it for scrolling: nothing was meant.
        if (event.type === 'pointercancel') this.glide(before.from, before.to);
        else this.options.onZoom(this.range.from, this.range.to);
      }
    };
    listen('pointerup', end);
    listen('pointercancel', end);
  }

  #key(event) {
    if (event.target !== this.host || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [1, -0.25], ArrowRight: [1, 0.25], PageUp: [1, -1], PageDown: [1, 1] };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      this.options.onStep?.(...step);
    } else if (event.key === ',' || event.key === '.') {
      this.#walk(event.key === ',' ? -1 : 1);
    }
  }

  /** Moves the cursor by a column. */
  #walk(by) {
    const { u } = this;
    const times = u.data[0];
    const at = Math.min(times.length - 1, Math.max(0, (u.cursor.idx ?? times.length) + by));
    if (times.length) u.setCursor({ left: u.valToPos(times[at], 'x'), top: u.over.clientHeight / 2 });
  }

  #watchSize() {
    this.observer = new ResizeObserver(() => {
      const { width } = this;
      const height = this.host.clientHeight || 240;
      if (Math.abs(width - this.u.width) >= 1 || Math.abs(height - this.u.height) >= 1) this.u.setSize({ width, height });
    });
    this.observer.observe(this.host);
  }
}

/** Runs `paint(pen, box)` clipped to the plot; `box` has its edges and the pixels of a CSS pixel. */
export function within(u, paint) {
  const pen = u.ctx;
  const { left, top, width, height } = u.bbox;
  const ratio = devicePixelRatio || 1;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.font = FONT.replace('12px', `${12 * ratio}px`);
  pen.lineWidth = ratio;
  pen.textAlign = 'left';
  pen.textBaseline = 'alphabetic';
  paint(pen, { left, top, width, height, right: left + width, bottom: top + height, ratio });
  pen.restore();
}

const STEPS = { bytes: BYTE_STEPS, count: COUNT_STEPS };
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000];

/** Places of labels: whole minutes, hours and days of the reader's time zone. */
export function timeSplits(min, max, step, elapsed) {
  const offset = (at) => (elapsed ? 0 : -new Date(at * 1000).getTimezoneOffset() * 60);
  const usual = offset(min);
  const places = [];
  for (let at = Math.ceil((min + usual) / step) * step - usual; at <= max; at += step) {
    // Where summer time begins or ends, days go on from midnight to midnight.
    places.push(step >= 86400 ? at + usual - offset(at) : at);
  }
  return places;
}

/** What is seen when fingers that held `start` are at other places: what was under each stays under it. */
function grasped({ from, to, at: [first, second] }, [x, other], width) {
  const time = (place) => from + (place / width) * (to - from);
  const apart = second === undefined || Math.abs(other - x) < 20 ? null : (time(second) - time(first)) / (other - x);
  const perPixel = apart > 0 ? apart : (to - from) / width;
  const start = time(first) - x * perPixel;
  return [start, start + width * perPixel];
}

/** The time under the cursor, in words. */
export function cursorTime(at, elapsed) {
  return elapsed ? `after ${durationShort(at)}` : `${local(at).slice(0, 10)} ${clock(at)}`;
}
