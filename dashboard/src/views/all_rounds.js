// All rounds of a run, for an order in which each of them may come first.
import { api } from '../api.js';

/** @import { Round } from '../types.js' */
/** @import { RoundSeries } from '../series.js' */

const atOnce = 2000; // of a request

export class AllRounds {
  /** Of a longer run they would take more memory than a page should. */
  static most = 20_000;

  /** In the order of their numbers. @type {Round[]} */
  rounds = [];
  #run;
  #left;
  /** @type {Promise<void>} */
  #loading = Promise.resolve();

  /** @param {string} run @param {AbortSignal} left */
  constructor(run, left) {
    this.#run = run;
    this.#left = left;
  }

  /**
   * Fetches what is not there yet, up to this round. Fails as a request does; what has arrived stays.
   * @param {number} last @param {(known: number) => void} progress  called while more has to come
   */
  load(last, progress) {
    // One after the other, so that no round is there twice.
    this.#loading = this.#loading.catch(() => {}).then(() => this.#fetch(last, progress));
    return this.#loading;
  }

  /** Takes over evaluations that the stream added to rounds that are there. @param {RoundSeries} series */
  takeFrom(series) {
    const first = this.rounds[0]?.round ?? 1;
    for (const round of series.rounds.slice(-atOnce))
      if (this.rounds[round.round - first]?.evaluation.length === 0) this.rounds[round.round - first] = round;
  }

  /** @param {number} last @param {(known: number) => void} progress */
  async #fetch(last, progress) {
    for (;;) {
      const known = this.rounds.at(-1)?.round ?? 0;
      if (known >= last) return;
      if (last - known > 1) progress(this.rounds.length);
      const { rounds } = await api.rounds(this.#run, { after: known, limit: atOnce }, this.#left);
      if (rounds.length === 0) return;
      this.rounds.push(...rounds);
    }
  }
}
