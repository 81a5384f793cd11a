// The stream of events (text/event-stream), read with fetch(), because EventSource cannot send the token.
import { ApiError, request } from './api.js';

/** @typedef {{ id: string, event: string, data: string }} StreamEvent */

/** Takes the stream apart: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export class EventParser {
  #rest = '';
  #event = '';
  #id = '';
  /** @type {string[]} */
  #data = [];

  /** @param {string} text  the next part of the stream, cut anywhere  @returns {StreamEvent[]} */
  push(text) {
    /** @type {StreamEvent[]} */
    const events = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  /** @param {string} line @returns {StreamEvent | null} */
  #line(line) {
    if (line === '') {
      const event = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
      const complete = this.#data.length > 0;
      this.#event = '';
      this.#data = [];
      return complete ? event : null;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return null; // a comment, which keeps the connection alive
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'id') this.#id = value;
    else if (field === 'data') this.#data.push(value);
    return null;
  }
}

/** Seconds until the next attempt: doubles from 0.5 to 15. @param {number} failures  1 or more */
export function backoffSeconds(failures) {
  return Math.min(15, 0.5 * 2 ** (failures - 1));
}

// The server sends a comment every 15 s, so a silence of three times that is a dead connection.
const silenceMax = 45_000;

/**
 * @typedef {object} StreamListener
 * @property {(event: StreamEvent) => void} onEvent
 * @property {() => void} onOpen  connected, also after an interruption
 * @property {(error: ApiError | null, retrySeconds: number) => void} onLost
 */

/** A connection that is made again, later and later, until it is closed. */
export class EventStream {
  #listener;
  #lastId = '';
  #failures = 0;
  #closed = false;
  #abort = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {StreamListener} listener */
  constructor(listener) {
    this.#listener = listener;
    this.#connect();
  }

  /** Tries now, instead of at the end of the pause. */
  retry() {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#failures = 0;
    if (!this.#closed) this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #connect() {
    const abort = new AbortController();
    this.#abort = abort;
    /** @type {ApiError | null} */
    let error = null;
    try {
      await this.#read(abort);
    } catch (thrown) {
      if (thrown instanceof ApiError) error = thrown;
    }
    if (this.#closed || this.#abort !== abort) return; // closed, or retry() has made another connection
    const pause = backoffSeconds(++this.#failures);
    this.#listener.onLost(error, pause);
    this.#timer = setTimeout(() => this.#connect(), pause * 1000);
  }

  /** @param {AbortController} abort */
  async #read(abort) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'text/event-stream' };
    if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
    const response = await request('events', { headers, signal: abort.signal });
    if (!response.body) return;
    this.#failures = 0;
    this.#listener.onOpen();
    const parser = new EventParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let silence = setTimeout(() => abort.abort(), silenceMax);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), silenceMax);
        for (const event of parser.push(decoder.decode(value, { stream: true }))) {
          if (event.id) this.#lastId = event.id;
          this.#listener.onEvent(event);
        }
      }
    } finally {
      clearTimeout(silence);
    }
  }
}
