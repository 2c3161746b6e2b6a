/* Charts: figures of the report, drawn by its own script in the colours of the scheme. */

import { config, dark, layoutOf, painted } from "/drawing.js";

let loading = null;

/** Draws figures into the elements ``chart-SLUG``, and again when width or scheme change, until it is told to end. */
export function drawnCharts(figures) {
  const shown = new WeakMap();  // places and the figures in them
  let waiting = 0;
  const draw = (anew = false) => plotly().then((library) => {
    for (const figure of figures()) {
      const place = document.getElementById(`chart-${figure.slug}`);
      if (place && place.clientWidth > 0 && (anew || shown.get(place) !== figure)) {
        shown.set(place, figure);
        library.react(place, painted(figure.traces, ""), layoutOf(figure, place.clientWidth), config);
      }
    }
  });
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => draw(true), 150);
  };
  window.addEventListener("resize", soon);
  dark.addEventListener("change", soon);
  return {
    draw: () => draw(),
    end() {
      clearTimeout(waiting);
      window.removeEventListener("resize", soon);
      dark.removeEventListener("change", soon);
    },
  };
}

/** How best plan and bound come together over the seconds of a search; nothing before there is one of them. */
export function progressFigures(seen) {
  const found = seen.filter((item) => item.incumbent_usd !== undefined || item.bound_usd !== undefined);
  const line = (name, field, colour, dash) => ({
    type: "scatter", mode: "lines+markers", name, x: found.map((item) => item.elapsed_s),
    y: found.map((item) => (item[field] === undefined ? null : item[field] / 1e6)),
    line: { color: colour, dash, shape: "hv", width: 2 }, marker: { color: colour, size: 5 },
    hovertemplate: `%{y:,.2f} M USD at %{x:.1f} s<extra>${name}</extra>`,
  });
  return found.length === 0 ? [] : [{
    slug: "progress", height: 300, small: false,
    traces: [
      line("best plan", "incumbent_usd", "@hosting", "solid"), line("no plan is worth more", "bound_usd", "@debt", "dot"),
    ],
    layout: {
      xaxis: { title: { text: "seconds" }, rangemode: "tozero" }, yaxis: { title: { text: "M USD" } },
    },
  }];
}

function plotly() {
  loading ||= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/plotly.min.js";
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error("The charts could not be loaded.")));
    document.head.append(script);
  });
  return loading;
}
