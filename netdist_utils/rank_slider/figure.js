// Drag the rank k: the accuracy with k directions kept, and pictures rebuilt from k directions.
// data: {basis, mean, coordinates, shape, ranks, accuracy, labels, low, high}; see chapter 3.

function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.base64), (c) => c.charCodeAt(0));
  const types = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };
  return new types[packed.dtype](bytes.buffer);
}

function mount(root, data) {
  const [height, width] = data.shape;
  const size = height * width;
  const basis = unpack(data.basis); // K x size, int8, each row times its scale
  const scales = unpack(data.scales);
  const coordinates = unpack(data.coordinates); // images x K
  const directions = scales.length;
  const images = coordinates.length / directions;
  const accuracy = unpack(data.accuracy); // for k = 0..K

  root.innerHTML =
    '<div class="bar"><label>Directions kept, k <input type="range" min="0"></label>' +
    '<output></output></div><div class="pictures"></div><svg role="img"></svg>';
  const slider = root.querySelector("input");
  const output = root.querySelector("output");
  slider.max = directions;
  slider.value = Math.min(20, directions);

  const canvases = [];
  for (let i = 0; i < images; i++) {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.setAttribute("role", "img");
    const caption = document.createElement("figcaption");
    caption.textContent = data.labels[i];
    figure.append(canvas, caption);
    root.querySelector(".pictures").append(figure);
    canvases.push(canvas);
  }

  const svg = root.querySelector("svg");
  svg.setAttribute("viewBox", "0 0 640 190");
  const x = (k) => 46 + (580 * k) / directions;
  const top = Math.max(...accuracy);
  const y = (a) => 150 - (130 * a) / top;
  const line = Array.from(accuracy, (a, k) => `${x(k).toFixed(1)},${y(a).toFixed(1)}`).join(" ");
  svg.innerHTML =
    `<line class="axis" x1="46" y1="150" x2="626" y2="150"/><line class="axis" x1="46" y1="20" x2="46" y2="150"/>` +
    `<polyline class="curve" points="${line}"/><circle class="mark" r="6"/>` +
    `<text x="46" y="168">0</text><text x="626" y="168" text-anchor="end">${directions}</text>` +
    `<text x="336" y="184" text-anchor="middle">directions kept</text>` +
    `<text x="40" y="26" text-anchor="end">${top.toFixed(2)}</text><text x="40" y="154" text-anchor="end">0</text>`;
  const mark = svg.querySelector(".mark");

  function draw() {
    const k = Number(slider.value);
    for (let i = 0; i < images; i++) {
      const context = canvases[i].getContext("2d");
      const pixels = context.createImageData(width, height);
      const sum = new Float32Array(size);
      for (let r = 0; r < k; r++) {
        const c = coordinates[i * directions + r] * scales[r];
        for (let p = 0; p < size; p++) sum[p] += c * basis[r * size + p];
      }
      for (let p = 0; p < size; p++) {
        const v = (255 * (sum[p] - data.low)) / (data.high - data.low);
        pixels.data.set([v, v, v, 255], 4 * p);
      }
      context.putImageData(pixels, 0, 0);
      canvases[i].setAttribute("aria-label", `${data.labels[i]} rebuilt from ${k} directions`);
    }
    mark.setAttribute("cx", x(k));
    mark.setAttribute("cy", y(accuracy[k]));
    output.textContent = `k = ${k} of ${data.dimensions}: accuracy ${accuracy[k].toFixed(3)}`;
    slider.setAttribute("aria-valuetext", output.textContent);
    svg.setAttribute("aria-label", `Accuracy against directions kept. ${output.textContent}`);
  }
  slider.addEventListener("input", draw);
  draw();
}
