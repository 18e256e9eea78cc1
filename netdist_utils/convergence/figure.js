// Pick a unit of network 0: its filter, its one-to-one partner in each other network, and its
// correlations with all units there. data: {shape, filters, correlation, partners, order}.

function mount(root, data) {
  const [networks, units, height, width] = data.shape;
  const size = 3 * height * width;
  const filters = unpack(data.filters); // networks x units x height x width x 3
  const correlation = unpack(data.correlation); // (networks - 1) x units of 0 x units

  root.innerHTML =
    '<div class="bar"><label>Unit of network 0, best matched first <input type="range" min="0"></label></div>' +
    '<p><output role="status"></output></p><div class="pictures"></div><svg role="img"></svg>' +
    '<p class="key"><span class="partner"></span> its partner, one to one <span class="other"></span> another unit</p>';
  const slider = root.querySelector("input");
  const output = root.querySelector("output");
  slider.max = units - 1;
  slider.value = 0;
  const row = root.querySelector(".pictures");
  const pictures = Array.from({ length: networks }, () => picture(row, width, height, ""));

  const svg = root.querySelector("svg");
  const bottom = 10 + 34 * (networks - 1);
  const right = breadth(root) - 14;
  svg.setAttribute("viewBox", `0 0 ${right + 14} ${bottom + 40}`);
  const x = scale(-1, 1, 90, right);
  const level = (k) => 34 * k - 8; // of network k's strip

  function draw() {
    const unit = data.order[Number(slider.value)];
    const shown = [unit, ...data.partners.map((partner) => partner[unit])];
    const r = (k, other) => correlation[((k - 1) * units + unit) * units + other];
    pictures.forEach(({ canvas, caption }, k) => {
      const from = (k * units + shown[k]) * size;
      paint(canvas, (p) => [0, 1, 2].map((c) => filters[from + 3 * p + c]));
      caption.textContent = `network ${k}, unit ${shown[k]}` + (k ? `\nr = ${r(k, shown[k]).toFixed(2)}` : "");
      canvas.setAttribute("aria-label", `Filter of network ${k}, unit ${shown[k]}`);
    });
    let drawing =
      `<line class="axis" x1="90" y1="${bottom}" x2="${right}" y2="${bottom}"/>` +
      `<line class="axis" x1="${x(0)}" y1="10" x2="${x(0)}" y2="${bottom}"/>` +
      [-1, 0, 1].map((v) => `<text x="${x(v)}" y="${bottom + 17}" text-anchor="middle">${v}</text>`).join("") +
      `<text x="${x(0)}" y="${bottom + 33}" text-anchor="middle">correlation with unit ${unit} of network 0</text>`;
    for (let k = 1; k < networks; k++) {
      drawing += `<text x="80" y="${level(k) + 5}" text-anchor="end">network ${k}</text>`;
      for (let other = 0; other < units; other++) {
        if (other !== shown[k]) drawing += `<circle class="dot" r="4" cx="${x(r(k, other)).toFixed(1)}" cy="${level(k)}"/>`;
      }
      drawing += `<circle class="mark" r="7" cx="${x(r(k, shown[k])).toFixed(1)}" cy="${level(k)}"/>`;
    }
    svg.innerHTML = drawing;
    const best = shown.slice(1).filter((partner, i) =>
      Array.from({ length: units }, (_, other) => r(i + 1, other)).every((v) => v <= r(i + 1, partner)));
    output.textContent =
      `Unit ${unit}: correlations with its partners ${shown.slice(1).map((p, i) => r(i + 1, p).toFixed(2)).join(", ")}; ` +
      `in ${best.length} of ${networks - 1} networks the partner is also the unit most like it`;
    slider.setAttribute("aria-valuetext", output.textContent);
    svg.setAttribute("aria-label", output.textContent);
  }
  slider.addEventListener("input", draw);
  draw();
}
