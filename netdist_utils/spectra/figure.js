// Move the threshold of a power law: its exponent by maximum likelihood, the distance from the
// data, and how the exponent depends on the threshold. data: {samples: [{name, values, chosen,
// end}], least}; values ascending, chosen: the values in the tail that the automatic rule takes,
// end: where noise would end, or null.

// Exponent, standard error and Kolmogorov-Smirnov distance of the largest n values, one-sided as in
// Python: the law against the share of the tail below each value.
function fit(values, n) {
  const first = values.length - n;
  let logs = 0;
  for (let i = first; i < values.length; i++) logs += Math.log(values[i] / values[first]);
  const exponent = n / logs;
  let distance = 0;
  for (let i = first; i < values.length; i++) {
    if (values[i] === values[i - 1] && i > first) continue;
    const law = -Math.expm1(-exponent * Math.log(values[i] / values[first]));
    distance = Math.max(distance, Math.abs(law - (i - first) / n));
  }
  return { alpha: 1 + exponent, error: exponent / Math.sqrt(n), distance };
}

const HIGHEST = 12; // exponent, at which the curve is cut

function mount(root, data) {
  const options = data.samples.map((_, i) => `<option value="${i}"></option>`).join("");
  root.innerHTML =
    `<div class="bar"><label class="choice">Sample <select>${options}</select></label>` +
    '<label>Values in the tail <input type="range"></label>' +
    '<button type="button">Back to the fitted threshold</button></div><p><output role="status"></output></p>' +
    '<div class="plots"><svg role="img"></svg><svg role="img"></svg></div>';
  const select = root.querySelector("select");
  const [slider, output] = [root.querySelector("input"), root.querySelector("output")];
  const [sample, exponents] = root.querySelectorAll("svg");
  select.querySelectorAll("option").forEach((option, i) => (option.textContent = data.samples[i].name));
  const current = () => data.samples[Number(select.value)];
  const chosen = () => current().chosen;
  const cut = (alpha) => Math.min(HIGHEST, Math.max(1, alpha));
  let values, fits, n, x, y, alphaX, alphaY;

  function choose() {
    values = unpack(current().values);
    n = values.length;
    fits = Array.from({ length: n + 1 }, (_, k) => (k < data.least ? null : fit(values, k)));
    slider.min = data.least;
    slider.max = n;
    slider.value = chosen();
  }

  function layout() {
    const right = (breadth(root) < 500 ? breadth(root) : breadth(root) / 2) - 14;
    const box = [46, right, 26, 226];
    [sample, exponents].forEach((svg) => svg.setAttribute("viewBox", `0 0 ${right + 14} 270`));
    const log = Array.from(values, Math.log10);
    x = scale(log[0], log[n - 1], 46, right);
    y = scale(-Math.log10(n), 0, 226, 26);
    const ofLog = scale(Math.log10(data.least), Math.log10(n), 46, right);
    alphaX = (k) => ofLog(Math.log10(k));
    alphaY = scale(1, HIGHEST, 226, 26);
    const lengths = [data.least, 10, 30, 100, 300].filter((k) => k < 0.5 * n).concat(n);
    const tails = Array.from({ length: n + 1 - data.least }, (_, i) => i + data.least);
    // A dotted line where noise ends, its name on the side where there is room.
    const end = current().end;
    const ending = (at, height) => {
      const left = at > (46 + right) / 2;
      return (
        `<line class="ending" x1="${at}" x2="${at}" y1="26" y2="226"/>` +
        `<text class="name" x="${left ? at - 6 : at + 6}" y="${height}" text-anchor="${left ? "end" : "start"}">end of noise</text>`
      );
    };
    const power = (v) => Number(v.toPrecision(2)).toString();
    sample.innerHTML =
      axes(
        box,
        { ticks: [values[0], values[n - 1]].map((v) => [x(Math.log10(v)), power(v)]), title: "value (log scale)" },
        { ticks: [[y(0), "1"], [y(-Math.log10(n)), `1/${n}`]], title: "share at or above (log scale)" },
      ) +
      log.map((v, i) => `<circle class="dot" r="2" cx="${x(v).toFixed(1)}" cy="${y(Math.log10(1 - i / n)).toFixed(1)}"/>`).join("") +
      '<line class="law"/><line class="guide threshold" y1="26" y2="226"/>' +
      (end === null ? "" : ending(x(Math.log10(end)), 216));
    // One standard error around the curve: there below it, and back above.
    const around = [...tails].reverse();
    const low = tails.map((k) => fits[k].alpha - fits[k].error);
    const high = around.map((k) => fits[k].alpha + fits[k].error);
    exponents.innerHTML =
      axes(
        box,
        { ticks: lengths.map((k) => [alphaX(k), k]), title: "values in the tail (log scale)" },
        { ticks: [2, 4, 6, 8, 10, HIGHEST].map((a) => [alphaY(a), a]), title: "exponent α" },
      ) +
      `<polygon class="error" points="${polyline([...tails, ...around].map(alphaX), [...low, ...high].map((a) => alphaY(cut(a))))}"/>` +
      (end === null ? "" : ending(alphaX(Math.max(data.least, values.filter((v) => v >= end).length)), 40)) +
      `<polyline class="curve" points="${polyline(tails.map(alphaX), tails.map((k) => alphaY(cut(fits[k].alpha))))}"/>` +
      '<circle class="mark" r="7"/>';
    draw();
  }

  function draw() {
    const k = Number(slider.value);
    const { alpha, error, distance } = fits[k];
    const [from, to] = [Math.log10(values[n - k]), Math.log10(values[n - 1])];
    const share = Math.log10(k / n);
    const place = (element, ends) => Object.entries(ends).forEach(([name, v]) => element.setAttribute(name, v));
    // The line leaves the picture below where the law falls under one value in n.
    const last = Math.min(to, from + (share + Math.log10(n)) / (alpha - 1));
    place(sample.querySelector(".law"), { x1: x(from), y1: y(share), x2: x(last), y2: y(share - (alpha - 1) * (last - from)) });
    place(sample.querySelector(".threshold"), { x1: x(from), x2: x(from) });
    const mark = exponents.querySelector(".mark"); // hollow where the exponent is higher than the plot
    place(mark, { cx: alphaX(k), cy: alphaY(cut(alpha)) });
    mark.classList.toggle("beyond", alpha > HIGHEST);
    output.textContent =
      `${k} of ${n} values, at or above ${values[n - k].toPrecision(3)}: ` +
      `α = ${alpha.toFixed(2)} ± ${error.toFixed(2)}${alpha > HIGHEST ? ` (above the plot, which ends at ${HIGHEST})` : ""}, ` +
      `Kolmogorov-Smirnov distance ${distance.toFixed(3)}${k === chosen() ? ", the smallest of all thresholds" : ""}`;
    slider.setAttribute("aria-valuetext", output.textContent);
    sample.setAttribute("aria-label", `Share of values at or above each value. ${output.textContent}`);
    exponents.setAttribute("aria-label", `Exponent against the number of values in the tail. ${output.textContent}`);
  }

  // The tail that begins at a place of the left plot, or that has a length of the right one.
  function show(k) {
    slider.value = k; // the slider keeps it within its ends
    draw();
  }
  select.addEventListener("change", () => {
    choose();
    layout();
  });
  slider.addEventListener("input", draw);
  root.querySelector("button").addEventListener("click", () => show(chosen()));
  const length = (at) => 10 ** scale(alphaX(data.least), alphaX(n), Math.log10(data.least), Math.log10(n))(at);
  drag(exponents, (at) => show(Math.round(length(at))));
  drag(sample, (at) => show(values.filter((v) => x(Math.log10(v)) >= at).length));
  choose();
  return layout;
}
