// What is drawn around the figures: gaps as gaps, limits as lines, where the growth leads as dashes, restarts as marks.

import { duration } from '../format.js';
import { limitsInView, limitWords, outlook } from './data.js';
import { css, faint, hatch } from './palette.js';
import { within } from './plot.js';

const x = (u, at) => u.valToPos(at, 'x', true);
const y = (u, value) => u.valToPos(value, 'y', true);

/** Times of which nothing is known. */
export function gaps(u, doc) {
  if (!doc.gaps?.length) return;
  within(u, (pen, box) => {
    for (const gap of doc.gaps) {
      const from = Math.max(box.left, x(u, gap.from));
      const to = Math.min(box.right, x(u, gap.to));
      if (to <= from) continue;
      pen.fillStyle = hatch(pen, css('--grid'));
      pen.fillRect(from, box.top, to - from, box.height);
      const width = pen.measureText(gap.why).width;
      if (width + 12 * box.ratio > to - from) continue;
      pen.fillStyle = css('--dim');
      pen.textAlign = 'center';
      pen.fillText(gap.why, (from + to) / 2, box.top + box.height / 2);
    }
  });
}

/** Limits, near enough to be seen. */
export function limits(u, doc, top) {
  within(u, (pen, box) => {
    let free = -Infinity;
    const near = limitsInView(doc, top).sort((a, b) => b.value - a.value);
    for (const limit of near) {
      const at = Math.round(y(u, limit.value));
      if (at < box.top) continue;
      pen.strokeStyle = css('--limit');
      pen.setLineDash([]);
      pen.beginPath();
      pen.moveTo(box.left, at);
      pen.lineTo(box.right, at);
      pen.stroke();
      const base = Math.max(at - 4 * box.ratio, box.top + 11 * box.ratio);
      if (base - free < 13 * box.ratio) continue;
      label(pen, limitWords(doc, limit), box.left + 6 * box.ratio, base, css('--limit-text'), box);
      free = base;
    }
  });
}

/** Where the growth leads: dashed, in the cone of what the rate may be, until a limit stops it. */
export function ahead(u, doc, now) {
  const future = outlook(doc, now);
  if (!future) return;
  within(u, (pen, box) => {
    const end = u.scales.x.max;
    const start = [x(u, future.from), y(u, future.value)];
    const ray = (perS) => [x(u, end), y(u, future.value + perS * (end - future.from))];
    const [slow, fast] = [ray(Math.max(0, future.slow)), ray(future.fast)];
    pen.fillStyle = faint(css('--leak'), 0.12);
    pen.beginPath();
    pen.moveTo(...start);
    pen.lineTo(...fast);
    pen.lineTo(...slow);
    pen.fill();
    pen.strokeStyle = css('--leak');
    pen.lineWidth = 1.5 * box.ratio;
    pen.setLineDash([5 * box.ratio, 4 * box.ratio]);
    pen.beginPath();
    pen.moveTo(...start);
    pen.lineTo(...ray(future.perS));
    pen.stroke();
    const nearest = (doc.limits ?? []).filter((limit) => limit.eta_s != null).sort((a, b) => a.eta_s - b.eta_s)[0];
    if (!nearest) return;
    const at = future.from + nearest.eta_s;
    if (at <= end) {
      pen.setLineDash([]);
      pen.fillStyle = css('--leak');
      pen.beginPath();
      pen.arc(x(u, at), y(u, nearest.value), 3.5 * box.ratio, 0, 7);
      pen.fill();
    }
    pen.textAlign = 'right';
    label(pen, `${nearest.name} in ${duration(nearest.eta_s)} →`, box.right - 4 * box.ratio, box.bottom - 6 * box.ratio, css('--leak-text'), box);
  });
}

const MARKS = { restart: '--limit', reboot: '--limit', oom: '--leak', finding: '--leak', start: '--dim', end: '--dim' };

/** Restarts and other moments. */
export function markers(u, doc) {
  if (!doc.markers?.length) return;
  within(u, (pen, box) => {
    let free = -Infinity;
    for (const marker of doc.markers) {
      const at = Math.round(x(u, marker.at)) + 0.5;
      if (at < box.left || at > box.right) continue;
      const colour = css(MARKS[marker.kind] ?? '--dim');
      pen.strokeStyle = colour;
      pen.setLineDash([2 * box.ratio, 3 * box.ratio]);
      pen.beginPath();
      pen.moveTo(at, box.top);
      pen.lineTo(at, box.bottom);
      pen.stroke();
      pen.setLineDash([]);
      pen.fillStyle = colour;
      const size = 4 * box.ratio;
      pen.beginPath();
      pen.moveTo(at - size, box.top);
      pen.lineTo(at + size, box.top);
      pen.lineTo(at, box.top + 1.6 * size);
      pen.fill();
      const width = pen.measureText(marker.kind).width;
      if (at < free || at + width + 10 * box.ratio > box.right) continue;
      pen.textAlign = 'left';
      label(pen, marker.kind, at + 6 * box.ratio, box.top + 11 * box.ratio, css('--dim'), box);
      free = at + width + 16 * box.ratio;
    }
  });
}

/** Text that can be read on whatever is behind it. */
function label(pen, text, at, base, colour, box) {
  pen.lineJoin = 'round';
  pen.strokeStyle = css('--page');
  pen.setLineDash([]);
  pen.lineWidth = 3 * box.ratio;
  pen.strokeText(text, at, base);
  pen.fillStyle = colour;
  pen.fillText(text, at, base);
  pen.lineWidth = box.ratio;
}
