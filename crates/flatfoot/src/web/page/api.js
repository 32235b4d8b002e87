// The client of /api/v1 (docs/api.md is the contract). A request that is overtaken by a newer one of the same slot is
// cancelled; errors keep the server's own words and hint.

const BASE = 'api/v1';

/** An answer that says no, or none at all. */
export class ApiError extends Error {
  constructor(status, error, hint) {
    super(error);
    this.status = status;
    this.hint = hint;
  }
}

/** No answer at all. */
export function silence() {
  return new ApiError(0, 'flatfoot serve does not answer', 'is it still running, and the ssh tunnel open? The page asks again by itself');
}

const slots = new Map();

/** The path of a request; parameters that are null are left out. */
export function url(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value != null && value !== '') query.set(name, typeof value === 'number' ? Number(value.toFixed(3)) : value);
  }
  const text = query.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

/** Gets a document. In a slot only the newest request lives: older ones reject with an AbortError. */
export async function get(path, params, slot) {
  const controller = new AbortController();
  if (slot) {
    slots.get(slot)?.abort();
    slots.set(slot, controller);
  }
  try {
    return await ask(url(path, params), controller.signal);
  } finally {
    if (slots.get(slot) === controller) slots.delete(slot);
  }
}

/** Cancels what is under way: another page is shown. */
export function cancelAll() {
  for (const controller of slots.values()) controller.abort();
  slots.clear();
}

/** Was it only overtaken? */
export function overtaken(error) {
  return error.name === 'AbortError';
}

async function ask(address, signal) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(address, { signal, headers: { accept: 'application/json' } }).catch((error) => {
      if (overtaken(error)) throw error;
      throw silence();
    });
    const body = await answer.json().catch((error) => {
      if (overtaken(error)) throw error;
      return null;
    });
    if (answer.ok && body) return body;
    if (answer.status === 503 && attempt < 3) {
      await pause(Math.min(Number(answer.headers.get('retry-after')) || 1, 5), signal);
      continue;
    }
    throw new ApiError(answer.status, body?.error ?? `answer ${answer.status} without an explanation`, body?.hint);
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('overtaken', 'AbortError'));
    });
  });
}
