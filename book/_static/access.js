// What scrolls inside itself can be reached and scrolled with the keyboard, and fades where there is more of it.
(function () {
  "use strict";
  const boxes = ".bd-article :is(pre, table, .drawing, div.math, .pst-scrollable-table-container, .cell_output .output, .house), .netdist-figure svg";

  function mark(box) {
    const room = box.scrollWidth - box.clientWidth;
    const scrolls = room > 1 && /auto|scroll/.test(getComputedStyle(box).overflowX);
    box.classList.toggle("more-left", scrolls && box.scrollLeft > 1);
    box.classList.toggle("more-right", scrolls && box.scrollLeft < room - 1);
    const wasMine = "scrolls" in box.dataset;
    if (scrolls) {
      box.dataset.scrolls = "";
      if (box.tabIndex !== 0) box.tabIndex = 0; // also where the theme has set -1 too early
    } else if (wasMine) {
      delete box.dataset.scrolls;
      box.removeAttribute("tabindex");
    }
  }

  function start() {
    const seen = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
    document.querySelectorAll(boxes).forEach((box) => {
      seen.observe(box); // speaks when it is first laid out, too, as in a fold that opens
      box.addEventListener("scroll", () => mark(box), { passive: true });
    });
    // The theme sets tab stops after a while by sizes that it took earlier: ours come last.
    new MutationObserver((changes) => changes.forEach(({ target }) => {
      if ("scrolls" in target.dataset && target.tabIndex !== 0) target.tabIndex = 0;
    })).observe(document.body, { subtree: true, attributeFilter: ["tabindex"] });
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
