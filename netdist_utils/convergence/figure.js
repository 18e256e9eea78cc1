// Pick a unit of network 1: its filter, its one-to-one partner in each other network, and its
// correlations with all units there; click a dot to see that unit in the partner's place.
// data: {shape, filters, correlation, partners, order}.

function mount(root, data) {
  const [networks, units, height, width] = data.shape;
  const size = 3 * height * width;
  const filters = unpack(data.filters); // networks x units x height x width x 3
  const correlation = unpack(data.correlation); // (networks - 1) x units of network 1 x units

  root.innerHTML =
    '<div class="bar"><label>Unit of network 1, best match in network 2 first <input type="range" min="0"></label></div>' +
    '<p><output role="status"></output></p><div class="pictures"></div><svg role="img"></svg>' +
    '<p class="key"><span class="one"></span> its partner, one to one <span class="other"></span> another unit (click one to see its filter)</p>';
  const slider = root.querySelector("input");
  const output = root.querySelector("output");
  slider.max = units - 1;
  slider.value = 0;
  const row = root.querySelector(".pictures");
  const pictures = Array.from({ length: networks }, () => picture(row, width, height, ""));
  const svg = root.querySelector("svg");
  const bottom = 10 + 34 * (networks - 1);
  const level = (k) => 34 * k - 8; // of the strip of the k-th other network
  let shown, unit, x;

  const r = (k, other) => correlation[((k - 1) * units + unit) * units + other];
  const partner = (k) => data.partners[k - 1][unit];

  function layout() {
    const right = breadth(root) - 14;
    svg.setAttribute("viewBox", `0 0 ${right + 14} ${bottom + 42}`);
    x = scale(-1, 1, 90, right);
    draw();
  }

  function choose() {
    unit = data.order[Number(slider.value)];
    shown = [unit, ...data.partners.map((partners) => partners[unit])];
  }

  function draw() {
    pictures.forEach(({ canvas, caption }, k) => {
      const from = (k * units + shown[k]) * size;
      paint(canvas, (p) => [0, 1, 2].map((c) => filters[from + 3 * p + c]));
      caption.textContent = `network ${k + 1}, unit ${shown[k]}` + (k ? `\nr = ${r(k, shown[k]).toFixed(2)}` : "");
      canvas.setAttribute("aria-label", `Filter of network ${k + 1}, unit ${shown[k]}`);
    });
    const ticks = [-1, -0.5, 0, 0.5, 1].map((v) => [x(v), String(v)]);
    const title = `correlation with unit ${unit} of network 1`;
    let drawing = axes([90, x(1), 10, bottom], { ticks, title }, { ticks: [], title: "" });
    const circle = (k, other, kind, radius) =>
      `<circle class="${kind}" r="${radius}" cx="${x(r(k, other)).toFixed(1)}" cy="${level(k)}" data-network="${k}" data-unit="${other}"/>`;
    for (let k = 1; k < networks; k++) {
      drawing += `<text x="80" y="${level(k) + 5}" text-anchor="end">network ${k + 1}</text>`;
      for (let other = 0; other < units; other++) {
        if (other !== partner(k)) drawing += circle(k, other, "dot", 4);
      }
      drawing += circle(k, partner(k), "partner", 7);
      if (shown[k] !== partner(k)) drawing += circle(k, shown[k], "looked-at", 8);
    }
    svg.innerHTML = drawing;
    const others = Array.from({ length: networks - 1 }, (_, i) => i + 1);
    const best = others.filter((k) => Array.from({ length: units }, (_, other) => r(k, other)).every((v) => v <= r(k, partner(k))));
    output.textContent =
      `Unit ${unit}: correlations with its partners ${others.map((k) => r(k, partner(k)).toFixed(2)).join(", ")}; ` +
      `in ${best.length} of ${networks - 1} networks the partner is also the unit most like it`;
    slider.setAttribute("aria-valuetext", output.textContent);
    svg.setAttribute("aria-label", output.textContent);
  }

  slider.addEventListener("input", () => {
    choose();
    draw();
  });
  svg.addEventListener("click", (event) => {
    const { network, unit: other } = event.target.dataset;
    if (network === undefined) return;
    shown[Number(network)] = Number(other);
    draw();
  });
  choose();
  return layout;
}
