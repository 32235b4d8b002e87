// What happens on the host, told by the server (/api/v1/events). Reconnects by itself, slower each time; says when the
// connection is lost and how old the figures are; stops while nobody looks.

const LONGEST_WAIT_S = 30;

/** The connection to the server, as an EventTarget: `tick`, `findings`, `state`. */
export class Live extends EventTarget {
  #source = null;
  #timer = 0;
  #failures = 0;

  /** `waiting`, `live`, `lost`, `ended`, `paused` */
  status = 'waiting';
  /** When the next attempt is made, in milliseconds of performance.now(). */
  retryAt = 0;
  /** The newest tick. */
  tick = null;
  /** When it came, in milliseconds of performance.now(). */
  tickSeen = 0;

  start() {
    document.addEventListener('visibilitychange', () => this.#visible());
    addEventListener('pagehide', () => this.#close());
    addEventListener('pageshow', (event) => event.persisted && this.#visible());
    if (!document.hidden) this.#open();
  }

  /** The server's time now: its last word and what went by since. Null until it said one. */
  now() {
    return this.tick ? this.tick.at + (performance.now() - this.tickSeen) / 1000 : null;
  }

  #visible() {
    if (this.status === 'ended') return;
    if (document.hidden) {
      this.#close();
      this.#become('paused');
    } else if (!this.#source) {
      this.#open();
      this.dispatchEvent(new Event('resumed'));
    }
  }

  #open() {
    clearTimeout(this.#timer);
    const source = new EventSource('api/v1/events');
    this.#source = source;
    source.onopen = () => {
      const again = this.#failures > 0;
      this.#failures = 0;
      this.#become('live');
      if (again) this.dispatchEvent(new Event('resumed'));
    };
    source.onerror = () => this.#lost();
    source.addEventListener('tick', (event) => {
      const tick = read(event.data);
      if (!tick || typeof tick.at !== 'number') return;
      this.tick = tick;
      this.tickSeen = performance.now();
      this.dispatchEvent(new CustomEvent('tick', { detail: tick }));
    });
    source.addEventListener('findings', (event) => {
      const news = read(event.data);
      if (news) this.dispatchEvent(new CustomEvent('findings', { detail: news }));
    });
    source.addEventListener('end', () => {
      this.#close();
      this.#become('ended');
    });
  }

  #lost() {
    this.#close();
    const wait = Math.min(2 ** this.#failures, LONGEST_WAIT_S) * (0.8 + Math.random() * 0.4);
    this.#failures += 1;
    this.retryAt = performance.now() + wait * 1000;
    this.#become('lost');
    this.#timer = setTimeout(() => !document.hidden && this.#open(), wait * 1000);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #become(status) {
    this.status = status;
    this.dispatchEvent(new Event('state'));
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
