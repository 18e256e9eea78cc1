// What all movable figures share; each figure's own script follows, with its mount(root, data),
// which builds the controls once and returns layout(): everything that depends on the width of the
// page and on its theme. layout() is called again whenever one of them changes.

function start(root, data) {
  const layout = mount(root, data);
  layout();
  watch(root, layout);
  root.querySelectorAll("input, select, button").forEach((control) => {
    control.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab leaves them their keys
  });
}

// Call again when the figure has another width (a turned phone) or the page another theme.
function watch(root, layout) {
  let width = breadth(root);
  new ResizeObserver(() => {
    if (breadth(root) === width) return;
    width = breadth(root);
    layout();
  }).observe(root);
  new MutationObserver(layout).observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["data-theme"],
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", layout);
}

// The breadth of a plot, so that its letters are as large as the page's on a phone too.
function breadth(root) {
  return Math.max(280, Math.min(640, root.clientWidth || 640));
}

// [red, green, blue] of a colour of the page's theme, by its meaning.
function colour(root, meaning) {
  const hex = getComputedStyle(root).getPropertyValue(`--nd-${meaning}`).trim();
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

// Between two colours: 0 is the first, 1 the second.
function blend(from, to, share) {
  return from.map((c, k) => c + (to[k] - c) * share);
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

// Fill a canvas: rgb takes a pixel's number to [red, green, blue].
function paint(canvas, rgb) {
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  for (let p = 0; p < canvas.width * canvas.height; p++) pixels.data.set([...rgb(p), 255], 4 * p);
  context.putImageData(pixels, 0, 0);
}

// Two axes of a plot that fills left..right and top..bottom, each {ticks: [[place, text]], title}.
function axes([left, right, top, bottom], x, y) {
  const line = (x1, y1, x2, y2, kind) => `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
  return (
    line(left, bottom, right, bottom, "axis") +
    line(left, top, left, bottom, "axis") +
    x.ticks
      .map(([at, text]) => line(at, bottom, at, bottom + 5, "axis") + `<text x="${at}" y="${bottom + 19}" text-anchor="middle">${text}</text>`)
      .join("") +
    y.ticks
      .map(([at, text]) => line(left, at, right, at, "grid") + `<text x="${left - 6}" y="${at + 4}" text-anchor="end">${text}</text>`)
      .join("") +
    `<text x="${(left + right) / 2}" y="${bottom + 37}" text-anchor="middle">${x.title}</text>` +
    `<text x="${left}" y="${top - 12}">${y.title}</text>`
  );
}

// The points attribute of a polyline.
function polyline(xs, ys) {
  return Array.from(xs, (x, i) => `${x.toFixed(1)},${ys[i].toFixed(1)}`).join(" ");
}

// Clicks and drags on a plot, in the plot's own units; sideways only, so that a page still scrolls.
function drag(svg, move) {
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    const view = svg.viewBox.baseVal;
    move(((event.clientX - box.left) / box.width) * view.width, ((event.clientY - box.top) / box.height) * view.height);
  };
  let held = false;
  svg.classList.add("draggable");
  svg.addEventListener("pointerdown", (event) => {
    held = true;
    svg.setPointerCapture(event.pointerId);
    at(event);
  });
  svg.addEventListener("pointermove", (event) => held && at(event));
  ["pointerup", "pointercancel"].forEach((name) => svg.addEventListener(name, () => (held = false)));
}
