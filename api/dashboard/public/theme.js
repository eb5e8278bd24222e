// Before anything is painted, so that a chosen theme does not flash in the other one's colours.
try {
  const chosen = localStorage.getItem("parity-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme it is.
}
