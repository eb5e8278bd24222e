// What the theme leaves without a name, or out of the keyboard's reach.
function name() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  document.querySelectorAll(".md-typeset__scrollwrap").forEach((wrap, index) => {
    wrap.tabIndex = 0;
    wrap.setAttribute("role", "region");
    wrap.setAttribute("aria-label", `Table ${index + 1}`);
  });
  document.querySelectorAll(".md-code__nav").forEach((nav, index) => {
    nav.setAttribute("aria-label", `Code block ${index + 1}`);
  });
  document.querySelectorAll(".md-typeset th:empty").forEach((head) => {
    const cell = document.createElement("td");
    head.replaceWith(cell);
  });
}
// The theme makes some of these after the page is there.
const observer = new MutationObserver((changes) => {
  if (changes.some((change) => change.addedNodes.length)) {
    observer.disconnect();
    name();
    watch();
  }
});
function watch() {
  observer.observe(document.body, { childList: true, subtree: true });
}
name();
watch();
