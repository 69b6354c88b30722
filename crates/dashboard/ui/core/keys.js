// Keys that work everywhere but where somebody types.

/** `handlers` by key. A key with a modifier belongs to the browser. */
export function listen(handlers) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    const types = target instanceof HTMLElement && (target.matches("input, select, textarea") || target.isContentEditable);
    if (types && event.key !== "Escape") return;
    const handler = handlers[event.key];
    if (handler && handler(event) !== false) event.preventDefault();
  });
}
