// Numbers, times and names as text. Pure functions. "–" stands for what is not known.

export const unknown = '–';

/** Between a number and its unit: lines do not break there. */
export const nbsp = '\u00a0';

/** @param {number | null | undefined} value @returns {value is number} */
export function isNumber(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 12,345 @param {number | null | undefined} value */
export function count(value) {
  return isNumber(value) ? whole.format(value) : unknown;
}

/** 1 round, 2 rounds @param {number} value @param {string} one @param {string} [many] */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Three or more significant digits, never more than needed. @param {number | null | undefined} value */
export function decimal(value) {
  if (!isNumber(value)) return unknown;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.001 || size >= 1e7) return value.toExponential(2);
  if (size >= 1000) return whole.format(value);
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

/** Decimal units, as the rest of Hansa prints them. @param {number | null | undefined} value */
export function bytes(value) {
  if (!isNumber(value)) return unknown;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 999.5 && unit + 1 < units.length) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? whole.format(size) : size.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)}${nbsp}${units[unit]}`;
}

/** 0.42 s, 8.1 s, 3 min 5 s, 2 h 4 min, 3 d 1 h @param {number | null | undefined} seconds @returns {string} */
export function duration(seconds) {
  if (!isNumber(seconds)) return unknown;
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 1) return `${seconds.toFixed(2)}${nbsp}s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}${nbsp}s`;
  const parts = Math.round(seconds);
  const pair = (
    /** @type {number} */ unit,
    /** @type {string} */ a,
    /** @type {number} */ small,
    /** @type {string} */ b,
  ) => {
    const rest = Math.floor((parts % unit) / small);
    return `${Math.floor(parts / unit)}${nbsp}${a}${rest ? `${nbsp}${rest}${nbsp}${b}` : ''}`;
  };
  if (parts < 3600) return pair(60, 'min', 1, 's');
  if (parts < 86_400) return pair(3600, 'h', 60, 'min');
  return pair(86_400, 'd', 3600, 'h');
}

/** A length of time without false precision: "40 s", "12 min", "3 h 20 min". @param {number | null | undefined} seconds */
export function roughDuration(seconds) {
  if (!isNumber(seconds)) return unknown;
  if (seconds < 1) return 'under 1 s';
  if (seconds < 60) return `${Math.round(seconds)}${nbsp}s`;
  if (seconds < 600) return duration(Math.round(seconds / 10) * 10);
  if (seconds < 36_000) return duration(Math.round(seconds / 60) * 60);
  return duration(seconds);
}

/** @param {string | null | undefined} text  RFC 3339 @returns {number | null} milliseconds since 1970 */
export function parseTime(text) {
  const value = text ? Date.parse(text) : NaN;
  return Number.isFinite(value) ? value : null;
}

const two = (/** @type {number} */ value) => String(value).padStart(2, '0');

/** Local time of day, 14:05:09 @param {string | null | undefined} text */
export function clock(text) {
  const value = parseTime(text);
  if (value === null) return unknown;
  const date = new Date(value);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Local date and time, 2026-11-30 14:05:09 @param {string | null | undefined} text */
export function dateTime(text) {
  const value = parseTime(text);
  if (value === null) return unknown;
  const date = new Date(value);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(text)}`;
}

/** "3 min ago" @param {string | null | undefined} text @param {number} now  milliseconds since 1970 */
export function ago(text, now) {
  const value = parseTime(text);
  if (value === null) return unknown;
  const seconds = (now - value) / 1000;
  if (seconds < 5) return 'now';
  const unit = seconds < 60 ? 1 : seconds < 3600 ? 60 : seconds < 86_400 ? 3600 : 86_400;
  const names = new Map([
    [1, 's'],
    [60, 'min'],
    [3600, 'h'],
    [86_400, 'd'],
  ]);
  return `${Math.floor(seconds / unit)}${nbsp}${names.get(unit)} ago`;
}

/** The same rule as `[store] metric` (docs/runs.md): for which metrics lower values are better. @param {string} metric */
export function lowerIsBetter(metric) {
  const name = metric.toLowerCase();
  return /loss|error|perplexity/.test(name) || /^(mse|rmse|mae)$/.test(name);
}

/** @param {string} metric */
function isFraction(metric) {
  return /accuracy|precision|recall|auc|f1/i.test(metric);
}

/** Accuracy and the like in per cent. @param {string} metric @param {number | null | undefined} value */
export function metricValue(metric, value) {
  if (!isNumber(value)) return unknown;
  return isFraction(metric) && value >= 0 && value <= 1
    ? `${(100 * value).toFixed(1)}${nbsp}%`
    : decimal(value);
}

/** A difference, with its sign. @param {string} metric @param {number | null | undefined} value */
export function metricChange(metric, value) {
  if (!isNumber(value)) return unknown;
  const sign = value > 0 ? '+' : value < 0 ? '−' : '±';
  const size = Math.abs(value);
  return isFraction(metric) ? `${sign}${(100 * size).toFixed(1)}${nbsp}points` : `${sign}${decimal(size)}`;
}

/** 86.4 % @param {number | null | undefined} value  0 to 1 */
export function percent(value) {
  return isNumber(value) ? `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)}${nbsp}%` : unknown;
}

/**
 * Makes characters visible that would change how the text around them looks: control characters, marks of direction,
 * and characters without width.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => escapes.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const escapes = new Map([
  ['\n', '\\n'],
  ['\t', '\\t'],
]);

/** The first characters of a digest. @param {string} digest */
export function short(digest) {
  return digest.length > 12 ? digest.slice(0, 12) : digest || unknown;
}

const outcomes = {
  counted: 'counted',
  no_answer: 'no answer',
  disconnected: 'disconnected',
  declined: 'declined',
  rejected: 'rejected',
  late: 'too late',
};

/** @param {string} outcome */
export function outcomeText(outcome) {
  return outcomes[/** @type {keyof typeof outcomes} */ (outcome)] ?? outcome.replaceAll('_', ' ');
}

/** The first letter large, for headings. @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const names = new Intl.Collator('en', { numeric: true });

/** The order of names in which "client-9" is before "client-10". @param {string} a @param {string} b */
export function compareNames(a, b) {
  return names.compare(a, b);
}
