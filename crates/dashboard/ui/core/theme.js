// Dark or light: what the system prefers, until somebody chooses.

const KEY = "gpulse.theme";

/** The theme that is in force. */
export function theme() {
  const chosen = stored();
  if (chosen) return chosen;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** Applies the theme now and whenever the system's changes; `onChange` redraws what has colours of its own. */
export function followTheme(onChange) {
  const apply = () => {
    document.documentElement.dataset.theme = theme();
    onChange();
  };
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", apply);
  apply();
  return () => {
    store(theme() === "dark" ? "light" : "dark");
    apply();
  };
}

/** The value of a colour of the style sheet, for canvases. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function stored() {
  try {
    const chosen = localStorage.getItem(KEY);
    return chosen === "dark" || chosen === "light" ? chosen : null;
  } catch {
    return null;
  }
}

function store(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    document.documentElement.dataset.theme = value;
  }
}
