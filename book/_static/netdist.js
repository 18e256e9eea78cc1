// On a phone, a tap on a drawing enlarges it, and another makes it small again.
document.addEventListener("click", (event) => {
  event.target.closest(".drawing")?.classList.toggle("enlarged");
});
// The other way to set formulas is not on this site: the menu of formulas does not offer it.
addEventListener("load", () => {
  window.MathJax?.startup?.promise?.then(() => {
    MathJax.startup.document.menu?.menu.findID("Settings", "Renderer")?.disable();
  });
});
