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

  Reveal.on("ready", fit);
  Reveal.on("slidechanged", fit);
  Reveal.initialize({ width: 1280, height: 720, margin: 0.02, hash: true, slideNumber: "c/t", center: false,
    transition: "none", plugins: [RevealNotes] });
  Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  });
})();
