"""The page's own script: draws the charts in the colours of the scheme, at the width of the screen or of the paper."""

DRAWING = """
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const touch = window.matchMedia("(pointer: coarse)");
  const colourKeys = new Set(["color", "fillcolor", "fgcolor", "bgcolor", "bordercolor",
    "colorscale"]);
  const config = { displayModeBar: false, displaylogo: false, responsive: false, showTips: false };

  function colour(name) {
    return getComputedStyle(root).getPropertyValue("--" + name).trim();
  }

  function painted(value, key) {
    if (typeof value === "string") {
      return colourKeys.has(key) && value.startsWith("@") ? colour(value.slice(1)) : value;
    }
    if (Array.isArray(value)) {
      return value.map((item) => painted(item, key));
    }
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, painted(item, name)]));
    }
    return value;
  }

  function axis(own, widthPx, places) {
    const shared = {
      automargin: true, gridcolor: colour("grid"), linecolor: colour("rule"), zerolinecolor: colour("muted"),
      zerolinewidth: 1, tickfont: { color: colour("muted") }, fixedrange: touch.matches,
      spikecolor: colour("muted"), spikethickness: 1,
    };
    if (own.type === "date") {
      Object.assign(shared, { nticks: Math.max(4, Math.floor(widthPx / 90)), showgrid: false, ticks: "outside" });
      shared.tickcolor = colour("rule");
    } else if (own.type === "category" && places > 0) {
      Object.assign(shared, { tickangle: 0, tick0: 0, dtick: Math.ceil(places * 50 / Math.max(widthPx - 70, 50)) });
    } else if (places > 0) {
      shared.nticks = Math.max(4, Math.floor(widthPx / 100));
    }
    return Object.assign(shared, own);
  }

  function layoutOf(figure, widthPx) {
    const own = painted(figure.layout, "");
    return Object.assign({
      font: { family: getComputedStyle(document.body).fontFamily, size: widthPx < 420 ? 11 : 12.5,
        color: colour("ink") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", bargap: 0.3, separators: ".,",
      margin: { l: 8, r: 16, t: 8, b: 8 },
      legend: {
        orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", traceorder: "normal",
        font: { color: colour("ink") },
      },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink") },
        align: "left" },
      dragmode: touch.matches ? false : "zoom",
    }, own, {
      xaxis: axis(own.xaxis || {}, widthPx, figure.traces[0].x.length), yaxis: axis(own.yaxis || {}, widthPx, 0),
      width: widthPx, height: figure.height, autosize: false,
    });
  }
"""
"""Functions that make of a figure what Plotly takes: ``painted`` its traces, ``layoutOf`` its layout."""

SCRIPT = (
    """
(function () {
  "use strict";
"""
    + DRAWING
    + """
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const paperPx = { wide: 690, small: 335 };

  function draw(onPaper) {
    for (const figure of figures) {
      const place = document.getElementById("chart-" + figure.slug);
      const widthPx = onPaper ? paperPx[figure.small ? "small" : "wide"] : place.clientWidth;
      Plotly.react(place, painted(figure.traces, ""), layoutOf(figure, widthPx), config).catch(console.error);
    }
  }

  let waiting = 0;
  function drawSoon() {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => draw(false), 150);
  }

  let opened = [];
  window.addEventListener("beforeprint", () => {
    root.classList.add("printing");
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach((item) => { item.open = true; });
    draw(true);
  });
  window.addEventListener("afterprint", () => {
    root.classList.remove("printing");
    opened.forEach((item) => { item.open = false; });
    draw(false);
  });
  window.addEventListener("resize", drawSoon);
  dark.addEventListener("change", () => draw(false));
  draw(false);
}());
"""
)
