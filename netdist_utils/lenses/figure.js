// One pair of networks through all lenses: a row for each lens, with an axis of its own, on which
// stand all pairs of the chosen setting, the chosen pair, and the mean of each null.
// data: {settings, lenses, nulls, pairs: [[i, j]], values: [setting][lens][pair],
// means: [null][setting][lens], null where it does not apply}.

const ROW = 58; // height of a lens, in units of the drawing

function mount(root, data) {
  const n = 1 + Math.max(...data.pairs.flat());
  const choice = (name, texts) =>
    `<label class="choice">${name} <select>${texts.map((_, i) => `<option value="${i}"></option>`).join("")}</select></label>`;
  const networks = Array.from({ length: n }, (_, k) => `${k + 1}`);
  const texts = [data.settings, networks, networks];
  root.innerHTML =
    `<div class="bar">${choice("Setting", data.settings)}${choice("Network", networks)}${choice("and", networks)}</div>` +
    '<p class="key"></p><svg role="img"></svg><p><output role="status"></output></p>';
  const [setting, first, second] = root.querySelectorAll("select");
  [setting, first, second].forEach((select, s) =>
    select.querySelectorAll("option").forEach((option, i) => (option.textContent = texts[s][i])),
  );
  second.value = 1;
  const svg = root.querySelector("svg");
  const output = root.querySelector("output");
  root.querySelector(".key").innerHTML =
    '<span class="chosen">●</span> this pair, <span class="others">●</span> other pairs of the setting' +
    data.nulls.map((_, k) => `, <span class="together"><span class="null${k}">${"◆▼"[k]}</span> <span class="name"></span></span>`).join("");
  root.querySelectorAll(".key .name").forEach((span, k) => (span.textContent = data.nulls[k]));

  // Each lens keeps its axis over all settings, so that settings can be compared.
  const ends = data.lenses.map((_, l) => {
    const all = data.values.map((of) => of[l]).concat(data.means.map((of) => of.filter(Boolean).map((row) => row[l]))).flat();
    return [Math.min(...all), Math.max(...all)];
  });
  let x;

  function layout() {
    const width = breadth(root);
    svg.setAttribute("viewBox", `0 0 ${width} ${data.lenses.length * ROW + 8}`);
    x = ends.map(([low, high]) => scale(low, high > low ? high : low + 1, 14, width - 14));
    draw();
  }

  function draw() {
    const [s, a, b] = [setting, first, second].map((select) => Number(select.value));
    const pair = data.pairs.findIndex(([i, j]) => i === Math.min(a, b) && j === Math.max(a, b));
    const words = [];
    svg.innerHTML = data.lenses
      .map((_, l) => {
        const values = data.values[s][l];
        const middle = l * ROW + 30;
        const dot = (value, kind, r) => `<circle class="${kind}" r="${r}" cx="${x[l](value).toFixed(1)}" cy="${middle}"/>`;
        const marks = data.nulls.map((_, k) => {
          if (!data.means[k][s]) return "";
          const at = x[l](data.means[k][s][l]).toFixed(1);
          const shape = k ? "-6,-14 6,-14 0,-3" : "0,-7 6,0 0,7 -6,0";
          return `<polygon class="null${k}" points="${shape}" transform="translate(${at} ${middle})"/>`;
        });
        const [low, high] = ends[l].map((v) => v.toFixed(2).replace("-", "−"));
        return (
          `<text class="lens" x="8" y="${middle - 16}"></text>` +
          `<line class="axis" x1="8" x2="${breadth(root) - 8}" y1="${middle}" y2="${middle}"/>` +
          `<text class="end" x="8" y="${middle + 20}">${low}</text>` +
          `<text class="end" x="${breadth(root) - 8}" y="${middle + 20}" text-anchor="end">${high}</text>` +
          values.map((v) => dot(v, "others", 3.5)).join("") +
          marks.join("") +
          (pair < 0 ? "" : dot(values[pair], "chosen", 7))
        );
      })
      .join("");
    svg.querySelectorAll("text.lens").forEach((text, l) => (text.textContent = data.lenses[l]));
    if (pair < 0) {
      output.textContent = "Choose two different networks: a network and itself are alike in every lens.";
    } else {
      data.lenses.forEach((name, l) => {
        const value = data.values[s][l][pair];
        const beaten = data.nulls.filter((_, k) => data.means[k][s] && value <= data.means[k][s][l]);
        const number = value.toFixed(2).replace("-", "−");
        words.push(`${name} ${number}${beaten.length ? ` (no more than ${beaten.join(", ")})` : ""}`);
      });
      output.textContent = `${data.settings[s]}, networks ${a + 1} and ${b + 1}: ${words.join("; ")}.`;
    }
    svg.setAttribute("aria-label", `All lenses. ${output.textContent}`);
  }

  [setting, first, second].forEach((select) => select.addEventListener("change", draw));
  return layout;
}
