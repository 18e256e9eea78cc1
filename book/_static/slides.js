// Slides: light or dark as the reader of the book has chosen, key D changes it; a figure with a handle fits its slide.
(function () {
  "use strict";
  const root = document.documentElement;
  try { if (localStorage.getItem("theme") === "dark") root.dataset.theme = "dark"; } catch (error) { /* no storage */ }

  function fit() {
    const slide = Reveal.getCurrentSlide();
    const box = slide && slide.querySelector(".movable, .math");
    if (!box || box.style.zoom) return;
    const room = 700 - box.offsetTop;
    box.style.zoom = Math.min(1, room / box.offsetHeight).toFixed(3);
  }

  // A slider keeps the arrow keys while it has the focus; PageUp and PageDown (clickers), N and P always walk, Escape leaves it.
  const walk = { PageDown: "next", n: "next", PageUp: "prev", p: "prev" };
  addEventListener("keydown", (event) => {
    if (!event.target.matches("input, select, button")) return;
    if (event.key === "Escape") event.target.blur();
    else if (walk[event.key]) { event.target.blur(); Reveal[walk[event.key]](); }
    else if (event.target.matches("select")) { event.stopImmediatePropagation(); return; } // its arrows choose
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  addEventListener("pointerup", (event) => { if (event.target.matches("input")) event.target.blur(); });

  Reveal.on("ready", fit);
  Reveal.on("slidechanged", fit);
  Reveal.initialize({ width: 1280, height: 720, margin: 0.02, hash: true, slideNumber: "c/t", center: false, pdfMaxPagesPerSlide: 1,
    transition: "none", plugins: [RevealNotes] });
  Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  });
})();
