// Plots with many points: hover for values, drag to zoom, double click to go back. The SVG is there
// already; what is drawn here replaces its axes and its data and nothing else.
"use strict";
for (const figure of document.querySelectorAll("figure.plot")) {
  const source = figure.querySelector("script");
  if (!source) continue;
  const plot = JSON.parse(source.textContent);
  const [left, top, right, bottom] = plot.frame;
  const svg = figure.querySelector("svg");
  const axes = svg.querySelector(".axes"), data = svg.querySelector(".data");
  const node = (name, attributes, parent) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    return parent.appendChild(made);
  };
  const box = node("rect", {class: "zoom", width: 0, height: 0}, svg);
  const ring = node("circle", {class: "ring", r: 5, visibility: "hidden"}, svg);
  const tip = figure.appendChild(document.createElement("output"));
  tip.textContent = "hover for values, drag to zoom, double click to go back";
  let extent = plot.extent;
  const px = x => left + (x - extent[0]) / (extent[1] - extent[0]) * (right - left);
  const py = y => bottom - (y - extent[2]) / (extent[3] - extent[2]) * (bottom - top);
  const at = (x, y) => px(x).toFixed(1) + " " + py(y).toFixed(1);
  const short = v => String(+v.toPrecision(6));

  function ticks(low, high) {
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [10, 5, 2, 1].map(f => f * power).find(s => s <= 1.5 * rough) || power;
    const all = [];
    for (let n = Math.ceil(low / step); n <= Math.floor(high / step); n++) all.push(n * step);
    return all;
  }

  function draw() {
    axes.replaceChildren();
    for (const v of ticks(extent[0], extent[1])) {
      node("path", {d: `M${px(v)} ${top}V${bottom}`}, axes);
      node("text", {x: px(v), y: bottom + 15}, axes).textContent = short(v);
    }
    for (const v of ticks(extent[2], extent[3])) {
      node("path", {d: `M${left} ${py(v)}H${right}`}, axes);
      node("text", {class: "y", x: left - 5, y: py(v) + 4}, axes).textContent = short(v);
    }
    data.replaceChildren();
    if (plot.diagonal) {
      const low = Math.max(extent[0], extent[2]), high = Math.min(extent[1], extent[3]);
      if (low < high) node("path", {class: "diagonal", d: `M${at(low, low)}L${at(high, high)}`}, data);
    }
    for (const one of plot.series) {
      if (one.mark === "line") {
        const d = one.points.map((p, i) => (i ? "L" : "M") + at(p[0], p[1])).join("");
        node("path", {class: "line", stroke: one.hue, d}, data);
      } else {
        for (let layer = 0; layer < plot.layers; layer++) {
          let d = "";
          for (let i = layer; i < one.points.length; i += plot.layers)
            d += "M" + at(one.points[i][0], one.points[i][1]) + "h0";
          if (d) node("path", {class: one.class, stroke: one.hue, d}, data);
        }
      }
    }
    ring.setAttribute("visibility", "hidden");
  }

  const mouse = event => {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [Math.min(Math.max(p.x, left), right), Math.min(Math.max(p.y, top), bottom)];
  };
  let start = null;
  svg.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    start = mouse(event);
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  svg.addEventListener("pointermove", event => {
    const [x, y] = mouse(event);
    if (start) {
      box.setAttribute("x", Math.min(x, start[0]));
      box.setAttribute("y", Math.min(y, start[1]));
      box.setAttribute("width", Math.abs(x - start[0]));
      box.setAttribute("height", Math.abs(y - start[1]));
      return;
    }
    let best = 400, name, point;
    for (const one of plot.series) for (const p of one.points) {
      const distance = (px(p[0]) - x) ** 2 + (py(p[1]) - y) ** 2;
      if (distance < best) [best, name, point] = [distance, one.name, p];
    }
    ring.setAttribute("visibility", point ? "visible" : "hidden");
    if (!point) return;
    ring.setAttribute("cx", px(point[0]));
    ring.setAttribute("cy", py(point[1]));
    tip.textContent = `${name}: ${plot.x} ${short(point[0])}, ${plot.y} ${short(point[1])}`;
  });
  svg.addEventListener("pointerup", event => {
    if (!start) return;
    const [x, y] = mouse(event), [x0, y0] = start;
    start = null;
    box.setAttribute("width", 0);
    if (Math.abs(x - x0) < 6 || Math.abs(y - y0) < 6) return;
    const vx = p => extent[0] + (p - left) / (right - left) * (extent[1] - extent[0]);
    const vy = p => extent[2] + (bottom - p) / (bottom - top) * (extent[3] - extent[2]);
    extent = [vx(Math.min(x, x0)), vx(Math.max(x, x0)), vy(Math.max(y, y0)), vy(Math.min(y, y0))];
    draw();
  });
  svg.addEventListener("dblclick", () => { extent = plot.extent; draw(); });
}
