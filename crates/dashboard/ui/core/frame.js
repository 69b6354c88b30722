// Draws at most once in a frame, however often something changes meanwhile.

/** A function that asks for `draw` in the next frame. Times are kept for whoever measures. */
export function coalesced(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      const start = performance.now();
      draw();
      note(performance.now() - start);
    });
  };
}

/** Milliseconds that the last drawings took; a short ring, read by tests and by whoever is curious. */
export const drawings = [];
const KEPT = 600;

function note(milliseconds) {
  if (drawings.length >= KEPT) drawings.shift();
  drawings.push(milliseconds);
}
