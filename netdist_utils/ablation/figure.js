// Switch units on and off; the decision map, the loss and its rank are worked out here, from the
// weights. data: {units, weight, bias, margin, offset, x, y, quantiles, best, radius}.

// What each unit adds to the logit at each point: margin_i * relu(w_i . x + b_i).
function contributions(points, net, n) {
  const count = points.length / 2;
  return Array.from({ length: n }, (_, i) => {
    const out = new Float64Array(count);
    for (let p = 0; p < count; p++) {
      const z = net.weight[2 * i] * points[2 * p] + net.weight[2 * i + 1] * points[2 * p + 1];
      out[p] = net.margin[i] * Math.max(0, z + net.bias[i]);
    }
    return out;
  });
}

function mount(root, data) {
  const n = data.units;
  const grid = 100; // cells a side of the map on [-2, 2]^2
  const net = { weight: unpack(data.weight), bias: unpack(data.bias), margin: unpack(data.margin) };
  const x = unpack(data.x);
  const y = unpack(data.y);
  const quantiles = unpack(data.quantiles);
  const cells = new Float64Array(2 * grid * grid);
  for (let r = 0; r < grid; r++) {
    for (let c = 0; c < grid; c++) {
      cells[2 * (r * grid + c)] = -2 + (4 * (c + 0.5)) / grid;
      cells[2 * (r * grid + c) + 1] = 2 - (4 * (r + 0.5)) / grid;
    }
  }
  const atCells = contributions(cells, net, n);
  const atPoints = contributions(x, net, n);
  let mask = new Array(n).fill(true);
  let timer = null;

  root.innerHTML =
    '<div class="columns"><div class="map"><canvas role="img"></canvas></div><div class="side">' +
    '<p class="reading" role="status"></p><fieldset><legend>Units kept</legend><div class="units"></div></fieldset>' +
    '<p class="buttons"><button type="button" data-do="all">All on</button> <button type="button" data-do="none">All off</button> ' +
    '<button type="button" data-do="flip">Flip all</button> <button type="button" data-do="path">Play a flip path</button></p>' +
    '<label class="best">Best subnetwork with k units <input type="range" min="0"></label> <output></output>' +
    '<p class="key"><span class="inside"></span> inside the circle <span class="outside"></span> outside</p></div></div>';
  const canvas = root.querySelector("canvas");
  canvas.width = canvas.height = 4 * grid;
  const context = canvas.getContext("2d");
  const small = document.createElement("canvas");
  small.width = small.height = grid;
  const pixels = small.getContext("2d").createImageData(grid, grid);
  const reading = root.querySelector(".reading");
  const play = root.querySelector('[data-do="path"]');
  const best = root.querySelector("input[type=range]");
  best.max = n;
  best.value = n;

  const boxes = mask.map((_, i) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.addEventListener("change", () => {
      stop();
      mask[i] = box.checked;
      draw();
    });
    label.append(box, ` ${i}`);
    label.title = `unit ${i}`;
    box.setAttribute("aria-label", `unit ${i}`);
    root.querySelector(".units").append(label);
    return box;
  });

  function logits(parts, count) {
    const out = new Float64Array(count).fill(data.offset);
    for (let i = 0; i < n; i++) {
      if (mask[i]) for (let p = 0; p < count; p++) out[p] += parts[i][p];
    }
    return out;
  }

  function loss() {
    const z = logits(atPoints, y.length);
    let sum = 0;
    for (let p = 0; p < y.length; p++) {
      const s = y[p] ? -z[p] : z[p]; // log(1 + e^s), without overflow
      sum += Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)));
    }
    return sum / y.length;
  }

  // Percent of all subnetworks that have a lower loss.
  function percentile(value) {
    let low = 0;
    let high = quantiles.length - 1;
    if (value <= quantiles[0]) return 0;
    if (value >= quantiles[high]) return 100;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (quantiles[middle] < value) low = middle;
      else high = middle;
    }
    const part = (value - quantiles[low]) / (quantiles[high] - quantiles[low] || 1);
    return (100 * (low + part)) / (quantiles.length - 1);
  }

  function draw() {
    const began = performance.now();
    const z = logits(atCells, grid * grid);
    for (let p = 0; p < z.length; p++) {
      const t = 1 / (1 + Math.exp(-z[p])); // probability of "outside"
      const fade = Math.abs(2 * t - 1); // white where undecided
      const to = t > 0.5 ? [0, 114, 178] : [230, 159, 0];
      for (let k = 0; k < 3; k++) pixels.data[4 * p + k] = 255 + (to[k] - 255) * fade;
      pixels.data[4 * p + 3] = 255;
    }
    small.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    context.strokeStyle = "#000";
    context.lineWidth = 2;
    context.beginPath();
    context.arc(canvas.width / 2, canvas.height / 2, (data.radius * canvas.width) / 4, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([6, 6]);
    context.strokeRect(canvas.width / 4, canvas.height / 4, canvas.width / 2, canvas.height / 2);
    context.setLineDash([]);

    const value = loss();
    const kept = mask.filter(Boolean).length;
    boxes.forEach((box, i) => (box.checked = mask[i]));
    const worse = 100 - percentile(value);
    const share = worse > 99.9 ? "more than 99.9" : worse.toFixed(1);
    reading.textContent =
      `${kept} of ${n} units. Loss ${value.toFixed(4)} nats: lower than ` +
      `${share} % of all ${(2 ** n).toLocaleString("en")} subnetworks.`;
    canvas.setAttribute("aria-label", `Decision map on the square from -2 to 2. ${reading.textContent}`);
    root.querySelector("output").textContent = `k = ${best.value}`;
    best.setAttribute("aria-valuetext", `${best.value} units`);
    root.dataset.loss = value;
    root.dataset.percentile = percentile(value);
    root.dataset.milliseconds = performance.now() - began;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play a flip path";
  }

  // A random start, then every unit flipped once in random order.
  function playPath() {
    mask = mask.map(() => Math.random() < 0.5);
    const order = [...mask.keys()];
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    draw();
    play.textContent = "Stop";
    timer = setInterval(() => {
      if (!order.length) return stop();
      const unit = order.pop();
      mask[unit] = !mask[unit];
      draw();
    }, 350);
  }

  root.querySelectorAll("button").forEach((button) =>
    button.addEventListener("click", () => {
      const playing = timer !== null;
      stop();
      if (button.dataset.do === "path") {
        if (!playing) playPath();
        return;
      }
      mask = mask.map((on) => ({ all: true, none: false, flip: !on })[button.dataset.do]);
      draw();
    }),
  );
  best.addEventListener("input", () => {
    stop();
    mask = mask.map((_, i) => Boolean((data.best[Number(best.value)] >> i) & 1));
    draw();
  });
  draw();
}
