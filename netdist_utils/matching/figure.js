// Walk from network A to network B: the input weights of each hidden unit on the way, and the
// accuracy there. data: {shape, units, weights (A, B, B matched), accuracy and loss (B, B matched)}.

const NEGATIVE = [140, 81, 10];
const POSITIVE = [1, 102, 94];

function mount(root, data) {
  const [height, width] = data.shape;
  const size = height * width;
  const weights = unpack(data.weights); // 3 x units x size, int8
  const accuracy = data.accuracy.map(unpack);
  const loss = data.loss.map(unpack);
  const steps = accuracy[0].length;

  root.innerHTML =
    '<div class="bar"><label>From A to B <input type="range" min="0"></label>' +
    '<label class="choice"><input type="checkbox" checked> B\'s units matched to A\'s</label></div>' +
    '<p><output role="status"></output></p><div class="pictures"></div><svg role="img"></svg>' +
    '<p class="key"><span class="matched"></span> matched <span class="unmatched"></span> unmatched' +
    '<span class="negative"></span> negative weight <span class="positive"></span> positive</p>';
  const slider = root.querySelector("input[type=range]");
  const box = root.querySelector("input[type=checkbox]");
  const output = root.querySelector("output");
  slider.max = steps - 1;
  slider.value = (steps - 1) / 2;
  const row = root.querySelector(".pictures");
  const pictures = Array.from({ length: data.units }, (_, i) => picture(row, width, height, `unit ${i}`));
  const svg = root.querySelector("svg");
  let x, y, mark;

  function layout() {
    const right = breadth(root) - 14;
    svg.setAttribute("viewBox", `0 0 ${right + 14} 210`);
    x = scale(0, steps - 1, 46, right);
    y = scale(0, 1, 166, 26);
    const points = (values) => polyline(Array.from(values, (_, i) => x(i)), Array.from(values, y));
    const tick = (place, value) => [place(value), String(value)];
    svg.innerHTML =
      axes(
        [46, right, 26, 166],
        { ticks: [[x(0), "A"], [x(steps - 1), "B"]], title: "position on the line" },
        { ticks: [0, 0.5, 1].map((v) => tick(y, v)), title: "accuracy" },
      ) +
      `<polyline class="second" points="${points(accuracy[0])}"/>` +
      `<polyline class="curve" points="${points(accuracy[1])}"/><circle class="mark" r="7"/>`;
    mark = svg.querySelector(".mark");
    draw();
  }

  function draw() {
    const step = Number(slider.value);
    const which = Number(box.checked);
    const t = step / (steps - 1);
    pictures.forEach(({ canvas }, unit) => {
      const from = unit * size;
      const to = ((1 + which) * data.units + unit) * size;
      paint(canvas, (p) => {
        // White is 0; the largest weight of all networks is full colour.
        const v = ((1 - t) * weights[from + p] + t * weights[to + p]) / 127;
        return blend([255, 255, 255], v > 0 ? POSITIVE : NEGATIVE, Math.abs(v));
      });
      canvas.setAttribute("aria-label", `Input weights of unit ${unit} at ${t.toFixed(2)}`);
    });
    mark.setAttribute("cx", x(step));
    mark.setAttribute("cy", y(accuracy[which][step]));
    output.textContent =
      `${t.toFixed(2)} of the way, ${which ? "matched" : "unmatched"}: accuracy ` +
      `${accuracy[which][step].toFixed(3)}, loss ${loss[which][step].toFixed(2)} nats`;
    slider.setAttribute("aria-valuetext", output.textContent);
    svg.setAttribute("aria-label", `Accuracy on the line from A to B. ${output.textContent}`);
  }

  slider.addEventListener("input", draw);
  box.addEventListener("change", draw);
  drag(svg, (at) => {
    slider.value = Math.round(scale(x(0), x(steps - 1), 0, steps - 1)(at));
    draw();
  });
  return layout;
}
