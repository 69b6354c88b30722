// Whether anybody looks at the page. Browsers open six connections to a host for all their tabs: one that nobody sees gives its own back.

/** A page is left alone for this long before it counts as away, so that a glance at another tab costs nothing. */
export const GRACE = 5000;

/** Calls `away()` once `page` has been hidden for a while, at once where it opens hidden, and `back()` when it is shown after that. */
export function followVisibility({ away, back }, { page = document, after = GRACE } = {}) {
  let timer = null;
  let isAway = false;
  const leave = () => {
    timer = null;
    isAway = true;
    away();
  };
  page.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    timer = null;
    if (page.visibilityState === "hidden") {
      if (!isAway) timer = setTimeout(leave, after);
    } else if (isAway) {
      isAway = false;
      back();
    }
  });
  if (page.visibilityState === "hidden") leave();
}
