// Pauses between attempts: they double up to a bound, give or take a quarter, so that many pages do not come at once.

const FIRST = 500;
const LONGEST = 10_000;

export class Backoff {
  constructor(random = Math.random) {
    this.random = random;
    this.reset();
  }

  /** Forgets failures: the next pause is the first again. */
  reset() {
    this.pause = FIRST;
  }

  /** The next pause in milliseconds. */
  next() {
    const pause = this.pause * (0.75 + this.random() / 2);
    this.pause = Math.min(this.pause * 2, LONGEST);
    return pause;
  }
}

/** Waits; ends early, without a word, when `signal` says so. */
export function sleep(milliseconds, signal) {
  return new Promise((done) => {
    if (signal?.aborted) {
      done();
      return;
    }
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    }, { once: true });
  });
}
