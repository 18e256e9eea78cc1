// Drag the rank k: the accuracy with k directions kept, and pictures rebuilt from k directions.
// data: {basis, scales, coordinates, originals, shape, dimensions, accuracy, full, share, enough,
// labels, low, high}; see chapter 3.

function mount(root, data) {
  const [height, width] = data.shape;
  const size = height * width;
  const basis = unpack(data.basis); // K x size, int8, each row times its scale
  const scales = unpack(data.scales);
  const coordinates = unpack(data.coordinates); // images x K
  const originals = unpack(data.originals); // images x size, uint8
  const directions = scales.length;
  const accuracy = unpack(data.accuracy); // for k = 0..K
  const all = data.dimensions.toLocaleString("en");
  const percent = (share, digits) => `${(100 * share).toFixed(digits)} %`;

  root.innerHTML =
    '<div class="bar"><label>Directions kept, k <input type="range" min="0"></label>' +
    '<output role="status"></output></div><div class="pictures"></div><svg role="img"></svg>';
  const slider = root.querySelector("input");
  const output = root.querySelector("output");
  slider.max = directions;
  slider.value = Math.min(20, directions);
  const row = root.querySelector(".pictures");
  const pictures = data.labels.map((label, i) => {
    const rebuilt = picture(row, width, height, label);
    const original = rebuilt.canvas.cloneNode();
    original.setAttribute("aria-label", `${label}, the original`);
    rebuilt.canvas.before(original);
    paint(original, (p) => Array(3).fill(originals[i * size + p]));
    return rebuilt;
  });
  const svg = root.querySelector("svg");
  const top = Math.ceil(10 * Math.max(...accuracy, data.full)) / 10;
  let x, y, mark;

  function layout() {
    const right = breadth(root) - 14;
    svg.setAttribute("viewBox", `0 0 ${right + 14} 200`);
    x = scale(0, directions, 46, right);
    y = scale(0, top, 156, 26);
    const ranks = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * directions));
    const level = (share, text) =>
      `<line class="guide" x1="46" y1="${y(share)}" x2="${right}" y2="${y(share)}"/>` +
      `<text x="${right}" y="${y(share) - 6}" text-anchor="end">${text}</text>`;
    const enough =
      data.enough === null
        ? ""
        : `<line class="guide" x1="${x(data.enough)}" y1="26" x2="${x(data.enough)}" y2="${y(0.32 * top)}"/>` +
          `<text x="${x(data.enough) + 6}" y="${y(0.45 * top) + 5}">${percent(data.share, 0)} of it at k = ${data.enough}</text>`;
    svg.innerHTML =
      axes(
        [46, right, 26, 156],
        { ticks: ranks.map((k) => [x(k), k]), title: "directions kept" },
        { ticks: [0, top / 2, top].map((v) => [y(v), percent(v, 0)]), title: "accuracy" },
      ) +
      level(data.full, `all ${all} directions`) +
      level(1 / data.classes, "chance") +
      enough +
      `<polyline class="curve" points="${polyline(Array.from(accuracy, (_, k) => x(k)), Array.from(accuracy, y))}"/>` +
      '<circle class="mark" r="7"/>';
    mark = svg.querySelector(".mark");
    draw();
  }

  function draw() {
    const k = Number(slider.value);
    const gray = scale(data.low, data.high, 0, 255);
    pictures.forEach(({ canvas }, i) => {
      const sum = new Float32Array(size);
      for (let r = 0; r < k; r++) {
        const c = coordinates[i * directions + r] * scales[r];
        for (let p = 0; p < size; p++) sum[p] += c * basis[r * size + p];
      }
      paint(canvas, (p) => Array(3).fill(gray(sum[p])));
      canvas.setAttribute("aria-label", `${data.labels[i]} rebuilt from ${k} directions`);
    });
    mark.setAttribute("cx", x(k));
    mark.setAttribute("cy", y(accuracy[k]));
    output.textContent = `k = ${k} of ${all}: accuracy ${percent(accuracy[k], 1)}`;
    slider.setAttribute("aria-valuetext", output.textContent);
    svg.setAttribute("aria-label", `Accuracy against directions kept. ${output.textContent}`);
  }

  slider.addEventListener("input", draw);
  drag(svg, (at) => {
    slider.value = Math.round(scale(x(0), x(directions), 0, directions)(at));
    draw();
  });
  return layout;
}
