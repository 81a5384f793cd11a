// The rounds of a run in pages, which are fetched when they are seen.
import { api } from '../api.js';
import { throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { Round } from '../types.js' */
/** @import { RoundSeries } from '../series.js' */

const pageSize = 200;
const pagesKept = 30;

/** The rounds that were fetched, in pages; the pages that were used longest ago are dropped. */
export class RoundPages {
  #context;
  #run;
  #series;
  #arrived;
  /** @type {Map<number, Map<number, Round>>} */
  #pages = new Map();
  /** @type {Set<number>} */
  #asked = new Set();
  /** @type {Set<number>} */
  #wanted = new Set();
  #askSoon;

  /** @param {ViewContext} context @param {string} run @param {RoundSeries} series @param {() => void} arrived */
  constructor(context, run, series, arrived) {
    this.#context = context;
    this.#run = run;
    this.#series = series;
    this.#arrived = arrived;
    this.first = series.rounds[0]?.round ?? 1;
    // While a reader scrolls fast, pages that are only passed are not fetched.
    this.#askSoon = throttle(() => this.#ask(), 60);
  }

  /** Rounds that came with the stream need no request, and it adds evaluations to those that a request fetched. */
  takeFromSeries() {
    for (const round of this.#series.rounds.slice(-pageSize)) {
      const page = this.#pages.get(this.#pageOf(round.round));
      if (!page?.get(round.round)?.evaluation.length) page?.set(round.round, round);
    }
  }

  /** @param {number} round */
  #pageOf(round) {
    return Math.floor((round - this.first) / pageSize);
  }

  /** @param {number} round @returns {Round | null} */
  get(round) {
    const number = this.#pageOf(round);
    const found = this.#pages.get(number)?.get(round);
    if (found) return found;
    if (!this.#asked.has(number)) {
      this.#wanted.add(number);
      this.#askSoon();
    }
    return null;
  }

  #ask() {
    // The pages that were asked for last are those that are seen now.
    const numbers = [...this.#wanted].slice(-3);
    this.#wanted.clear();
    for (const number of numbers) this.#fetch(number);
  }

  /** @param {number} number */
  async #fetch(number) {
    this.#asked.add(number);
    try {
      const after = this.first + number * pageSize - 1;
      const { rounds } = await api.rounds(this.#run, { after, limit: pageSize }, this.#context.left);
      this.#pages.delete(number);
      this.#pages.set(number, new Map(rounds.map((round) => [round.round, round])));
      this.takeFromSeries();
      for (const oldest of this.#pages.keys()) {
        if (this.#pages.size <= pagesKept) break;
        this.#pages.delete(oldest);
      }
    } catch {
      return; // The connection's state is shown; scrolling asks again.
    } finally {
      this.#asked.delete(number);
    }
    if (!this.#context.left.aborted) this.#arrived();
  }
}
