// What all movable figures share; each figure's own script follows, with its mount(root, data).

// Draw the figure, and keep JupyterLab from taking the keys that are meant for its controls.
function start(root, data) {
  mount(root, data);
  root.querySelectorAll("input, select, button").forEach((control) => {
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  });
}

// An array that Python packed: {dtype, base64}.
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.base64), (c) => c.charCodeAt(0));
  const types = { float64: Float64Array, float32: Float32Array, int8: Int8Array, uint8: Uint8Array };
  return new types[packed.dtype](bytes.buffer);
}

// The straight map that takes from..to into low..high.
function scale(from, to, low, high) {
  return (value) => low + ((high - low) * (value - from)) / (to - from);
}

// A canvas with a caption in the row of pictures.
function picture(parent, width, height, text) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute("role", "img");
  const caption = document.createElement("figcaption");
  caption.textContent = text;
  figure.append(canvas, caption);
  parent.append(figure);
  return { canvas, caption };
}

// Fill a canvas: colour takes a pixel's number to [red, green, blue].
function paint(canvas, colour) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  for (let p = 0; p < canvas.width * canvas.height; p++) pixels.data.set([...colour(p), 255], 4 * p);
  context.putImageData(pixels, 0, 0);
}

// Two axes of a plot that fills left..right and top..bottom of its picture, with the ends' labels.
function axes(box, labels) {
  const [left, right, top, bottom] = box;
  return (
    `<line class="axis" x1="${left}" y1="${bottom}" x2="${right}" y2="${bottom}"/>` +
    `<line class="axis" x1="${left}" y1="${top}" x2="${left}" y2="${bottom}"/>` +
    `<text x="${left}" y="${bottom + 17}">${labels.x[0]}</text>` +
    `<text x="${right}" y="${bottom + 17}" text-anchor="end">${labels.x[1]}</text>` +
    `<text x="${(left + right) / 2}" y="${bottom + 33}" text-anchor="middle">${labels.x[2]}</text>` +
    `<text x="${left - 6}" y="${bottom + 4}" text-anchor="end">${labels.y[0]}</text>` +
    `<text x="${left - 6}" y="${top + 6}" text-anchor="end">${labels.y[1]}</text>` +
    `<text x="${left}" y="${top - 9}">${labels.y[2]}</text>`
  );
}

// The points attribute of a polyline.
function polyline(xs, ys) {
  return Array.from(xs, (x, i) => `${x.toFixed(1)},${ys[i].toFixed(1)}`).join(" ");
}

// The breadth of a plot, so that its letters are as large as the page's on a phone too.
function breadth(root) {
  return Math.max(280, Math.min(640, root.clientWidth || 640));
}
