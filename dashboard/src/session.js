// The operator's token: taken from the fragment of the address, which no server sees, and kept for this tab.

const key = 'hansa.token';

/**
 * Removes "token=…" from a fragment.
 * @param {string} fragment  with or without "#"
 * @returns {{ token: string | null, rest: string }}  rest: the fragment without the token and without "#"
 */
export function splitToken(fragment) {
  const text = fragment.replace(/^#/, '');
  const match = /(^|&)token=([^&]*)/.exec(text);
  if (!match) return { token: null, rest: text };
  const rest = (text.slice(0, match.index) + text.slice(match.index + match[0].length)).replace(/^&/, '');
  return { token: decode(match[2] ?? ''), rest };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Moves the token from the address to the tab's storage. */
export function takeTokenFromAddress() {
  const { token, rest } = splitToken(location.hash);
  if (token === null) return false;
  keepToken(token);
  history.replaceState(null, '', location.pathname + location.search + (rest ? `#${rest}` : ''));
  return true;
}

let inMemory = '';

/** @param {string} token */
export function keepToken(token) {
  inMemory = token;
  try {
    sessionStorage.setItem(key, token);
  } catch {
    // Storage is disabled: the token holds until the page is closed.
  }
}

/** The token, or "" if there is none. */
export function currentToken() {
  try {
    return sessionStorage.getItem(key) ?? inMemory;
  } catch {
    return inMemory;
  }
}
