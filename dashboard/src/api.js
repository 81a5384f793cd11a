// The HTTP API of the server that this page came from.
import { currentToken } from './session.js';

/** @import { Federation, Run, RunDetail, Round, RoundDetail, Model, ConfigurationVersion, Privacy, Device, DeviceDetail, Live, LogRecord, Invitation } from './types.js' */

/** An answer that is not a success, or no answer: status 0. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {string} [hint] */
  constructor(status, code, message, hint) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.hint = hint ?? '';
  }
}

// Relative to the page, so that a proxy may serve it below a path.
const base = () => new URL('api/v1/', document.baseURI);

/** @param {Record<string, string | number | undefined>} parameters */
function query(parameters) {
  const result = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) result.set(name, String(value));
  }
  const text = result.toString();
  return text ? `?${text}` : '';
}

/** @param {string} path @param {RequestInit} [options] */
export async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  const token = currentToken();
  if (token) headers.set('Authorization', `Bearer ${token}`);
  let response;
  try {
    response = await fetch(new URL(path, base()), {
      ...options,
      headers,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(
      0,
      'unreachable',
      'The server does not answer.',
      'Is the aggregator or `hansa dashboard` running?',
    );
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

/** @param {Response} response */
async function errorOf(response) {
  /** @type {{ error?: { code?: string, message?: string, hint?: string } }} */
  let body = {};
  try {
    body = await response.json();
  } catch {
    // Not JSON, for example from a proxy: the status has to do.
  }
  const { code, message, hint } = body.error ?? {};
  return new ApiError(
    response.status,
    code ?? 'http',
    message ?? `The server answered with status ${response.status}.`,
    hint,
  );
}

/** @template T @param {string} path @param {AbortSignal} [signal] @returns {Promise<T>} */
async function get(path, signal) {
  return (await request(path, { signal: signal ?? null })).json();
}

/** @template T @param {string} path @param {object} body @returns {Promise<T>} */
async function post(path, body) {
  const response = await request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.json();
}

const part = encodeURIComponent;

/** @typedef {AbortSignal | undefined} Signal */

export const api = {
  /** @param {Signal} [signal] @returns {Promise<Federation>} */
  federation: (signal) => get('federation', signal),
  /** @param {Signal} [signal] @returns {Promise<Run[]>} */
  runs: (signal) => get('runs', signal),
  /** @param {string} run @param {Signal} [signal] @returns {Promise<RunDetail>} */
  run: (run, signal) => get(`runs/${part(run)}`, signal),
  /**
   * @param {string} run @param {{ after?: number, limit?: number, points?: number }} range @param {Signal} [signal]
   * @returns {Promise<{ rounds: Round[], last: number }>}
   */
  rounds: (run, range, signal) => get(`runs/${part(run)}/rounds${query(range)}`, signal),
  /** @param {string} run @param {number} round @param {Signal} [signal] @returns {Promise<RoundDetail>} */
  round: (run, round, signal) => get(`runs/${part(run)}/rounds/${round}`, signal),
  /** @param {string} run @param {Signal} [signal] @returns {Promise<Model>} */
  model: (run, signal) => get(`runs/${part(run)}/model`, signal),
  /** @param {string} run @param {number} round @returns {Promise<Blob>} */
  modelValues: async (run, round) => (await request(`runs/${part(run)}/rounds/${round}/model`)).blob(),
  /** @param {string} run @param {Signal} [signal] @returns {Promise<ConfigurationVersion[]>} */
  configuration: (run, signal) => get(`runs/${part(run)}/configuration`, signal),
  /** @param {string} run @param {Signal} [signal] @returns {Promise<Privacy>} */
  privacy: (run, signal) => get(`runs/${part(run)}/privacy`, signal),
  /** @param {Signal} [signal] @returns {Promise<Device[]>} */
  devices: (signal) => get('devices', signal),
  /** @param {string} name @param {Signal} [signal] @returns {Promise<DeviceDetail>} */
  device: (name, signal) => get(`devices/${part(name)}`, signal),
  /** @param {Signal} [signal] @returns {Promise<Live>} */
  live: (signal) => get('live', signal),
  /**
   * @param {{ after?: number, before?: number, limit?: number }} range @param {Signal} [signal]
   * @returns {Promise<{ records: LogRecord[], newest: number }>}
   */
  log: (range, signal) => get(`log${query(range)}`, signal),

  stopAfterRound: () => post('actions/stop', { after_round: true }),
  /** @param {string} name @param {string} reason @returns {Promise<Device>} */
  quarantine: (name, reason) => post(`devices/${part(name)}/quarantine`, { reason }),
  /** @param {string} name @param {string} reason @returns {Promise<Device>} */
  release: (name, reason) => post(`devices/${part(name)}/release`, { reason }),
  /** @param {string} name @param {string} reason @returns {Promise<Device>} */
  revoke: (name, reason) => post(`devices/${part(name)}/revoke`, { reason }),
  /** @param {{ uses: number, expires_seconds: number, label?: string }} terms @returns {Promise<Invitation>} */
  invite: (terms) => post('invitations', terms),
};
