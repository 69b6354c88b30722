// Tokens: one for each agent, kept in this tab's session and nowhere else.

const PREFIX = "gpulse.token ";

/** The token for the agent at `base`; an empty base is the agent that serves this page. */
export function tokenFor(base) {
  try {
    return sessionStorage.getItem(PREFIX + base);
  } catch {
    return memory.get(base) ?? null;
  }
}

/** Keeps a token, or forgets it. */
export function keepToken(base, token) {
  try {
    if (token) sessionStorage.setItem(PREFIX + base, token);
    else sessionStorage.removeItem(PREFIX + base);
  } catch {
    // A browser that keeps nothing: it holds until the page is loaded anew.
    if (token) memory.set(base, token);
    else memory.delete(base);
  }
}

const memory = new Map();
