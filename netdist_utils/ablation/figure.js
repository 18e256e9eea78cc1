// Switch units on and off; the decision map, the loss and its rank are worked out here, from the
// weights. data: {units, dead, weight, bias, margin, offset, x, y, quantiles, best, radius}.

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

// The centres of the cells of a map of the square from -2 to 2, row by row from its top.
function gridPoints(side) {
  const points = new Float64Array(2 * side * side);
  for (let k = 0; k < side * side; k++) {
    points[2 * k] = -2 + (4 * ((k % side) + 0.5)) / side;
    points[2 * k + 1] = 2 - (4 * (Math.floor(k / side) + 0.5)) / side;
  }
  return points;
}

// Percent of all values below this one, from their quantiles.
function percentile(quantiles, value) {
  let [low, high] = [0, quantiles.length - 1];
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

function mount(root, data) {
  const n = data.units;
  const side = 100; // cells of the map
  const net = { weight: unpack(data.weight), bias: unpack(data.bias), margin: unpack(data.margin) };
  const y = unpack(data.y);
  const quantiles = unpack(data.quantiles);
  const atCells = contributions(gridPoints(side), net, n);
  const atPoints = contributions(unpack(data.x), net, n);
  const subset = (number) => Array.from({ length: n }, (_, i) => Boolean((number >> i) & 1));
  const count = (2 ** n).toLocaleString("en");
  let mask = new Array(n).fill(true);
  let timer = null;

  root.innerHTML =
    '<div class="columns"><div class="map"><canvas role="img"></canvas></div><div class="side">' +
    '<p class="reading" aria-live="polite"></p><p class="spoken" role="status"></p>' +
    '<fieldset><legend>Units kept</legend><div class="units"></div></fieldset>' +
    '<p class="buttons"><button type="button" data-do="all">All on</button> <button type="button" data-do="none">All off</button> ' +
    '<button type="button" data-do="flip">Flip all</button> <button type="button" data-do="path">Play a flip path</button></p>' +
    '<label class="best">Best subnetwork with k units <input type="range" min="0"></label> <output></output>' +
    '<p class="key"><span class="inside"></span> inside the circle <span class="outside"></span> outside' +
    (data.dead.length ? " · gray, struck out: dead, puts out zero at every point" : "") +
    "</p></div></div>";
  const canvas = root.querySelector("canvas");
  canvas.width = canvas.height = 4 * side;
  const reading = root.querySelector(".reading");
  const spoken = root.querySelector(".spoken");
  const play = root.querySelector('[data-do="path"]');
  const best = root.querySelector("input[type=range]");
  best.max = n;

  const boxes = mask.map((_, i) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    const dead = data.dead.includes(i);
    box.type = "checkbox";
    box.addEventListener("change", () => set(mask.map((on, k) => (k === i ? box.checked : on))));
    label.append(box, ` ${i}`);
    label.classList.toggle("dead", dead);
    label.title = dead ? `unit ${i} is never on: removing it changes nothing` : `unit ${i}`;
    box.setAttribute("aria-label", dead ? `unit ${i}, never on` : `unit ${i}`);
    root.querySelector(".units").append(label);
    return box;
  });

  // Logits of class "outside" under a mask, less those of "inside".
  function margins(parts, kept) {
    const out = new Float64Array(parts[0].length).fill(data.offset);
    for (let i = 0; i < n; i++) {
      if (kept[i]) for (let p = 0; p < out.length; p++) out[p] += parts[i][p];
    }
    return out;
  }

  function loss(kept) {
    const z = margins(atPoints, kept);
    let sum = 0;
    for (let p = 0; p < y.length; p++) {
      const s = y[p] ? -z[p] : z[p]; // log(1 + e^s), without overflow
      sum += Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)));
    }
    return sum / y.length;
  }
  const leastLoss = data.best.map((number) => loss(subset(number)));

  // The whole state is the mask: boxes, slider, map and words follow it.
  function set(now) {
    stop();
    mask = now;
    draw();
  }

  function drawMap() {
    const [inside, outside, undecided] = ["inside", "outside", "paper"].map((name) => colour(root, name));
    const z = margins(atCells, mask);
    const small = document.createElement("canvas");
    small.width = small.height = side;
    paint(small, (p) => {
      const t = 1 / (1 + Math.exp(-z[p])); // probability of "outside"
      return blend(undecided, t > 0.5 ? outside : inside, Math.abs(2 * t - 1));
    });
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    context.strokeStyle = getComputedStyle(root).getPropertyValue("--nd-ink");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(canvas.width / 2, canvas.height / 2, (data.radius * canvas.width) / 4, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([6, 6]);
    context.strokeRect(canvas.width / 4, canvas.height / 4, canvas.width / 2, canvas.height / 2);
    context.setLineDash([]);
  }

  function draw() {
    drawMap();
    const value = loss(mask);
    const kept = mask.filter(Boolean).length;
    const rank = percentile(quantiles, value);
    boxes.forEach((box, i) => (box.checked = mask[i]));
    const place =
      rank < 0.1 ? `among the lowest 0.1 % of all ${count} subnetworks` : `lower than that of ${(100 - rank).toFixed(1)} % of all ${count} subnetworks`;
    reading.textContent = `${kept} of ${n} units kept. Loss ${value.toFixed(4)} nats (a coin flip: ${Math.LN2.toFixed(2)}), ${place}.`;
    canvas.setAttribute("aria-label", `Decision map on the square from -2 to 2. ${reading.textContent}`);
    best.value = kept;
    const least = leastLoss[kept];
    root.querySelector("output").textContent =
      value <= least + 1e-6 ? `k = ${kept}: this is the best` : `k = ${kept}: the best has ${least.toFixed(4)} nats`;
    best.setAttribute("aria-valuetext", `${kept} units`);
    root.dataset.loss = value;
    root.dataset.percentile = rank;
    root.dataset.draws = Number(root.dataset.draws || 0) + 1;
  }

  function stop() {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    play.textContent = "Play a flip path";
    reading.setAttribute("aria-live", "polite");
    spoken.textContent = "The path has ended.";
  }

  // A random start, then every unit flipped once in random order; announced once, not at each step.
  function playPath() {
    reading.setAttribute("aria-live", "off");
    spoken.textContent = `Playing a path of ${n} flips.`;
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

  const all = { all: () => true, none: () => false, flip: (on) => !on };
  root.querySelectorAll("button").forEach((button) =>
    button.addEventListener("click", () => {
      const playing = timer !== null;
      if (button.dataset.do !== "path") set(mask.map(all[button.dataset.do]));
      else if (playing) stop();
      else playPath();
    }),
  );
  best.addEventListener("input", () => set(subset(data.best[Number(best.value)])));
  return draw;
}
