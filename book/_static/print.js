// Pictures that a script paints (canvas) take their colours when they are drawn: on paper those of the light theme.
(() => {
  const root = document.documentElement;
  let theme = null;
  addEventListener("beforeprint", () => {
    theme = root.dataset.theme ?? null;
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    if (theme !== null) root.dataset.theme = theme;
  });
})();
