/* Numbers, times and states in words. */

const USD_PER_MUSD = 1e6;
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const share = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 2 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const STATES = {
  "queued": "waiting", "running": "searching", "succeeded": "done", "failed": "failed", "cancelled": "discarded",
  "audit-failed": "audit failed",
};

/** A stage of the service as it is called elsewhere: ``STAGE_SOLVE`` is ``solve``. */
export function stageOf(named) {
  return named.replace("STAGE_", "").toLowerCase();
}

export function musd(usd) {
  return usd === null || usd === undefined ? "–" : `${money.format(usd / USD_PER_MUSD)} M USD`;
}

export function percent(frac) {
  return frac === null || frac === undefined ? "–" : share.format(frac);
}

export function seconds(elapsed) {
  return `${money.format(elapsed)} s`;
}

export function time(text) {
  return text ? moment.format(new Date(text)) : "–";
}

/** The last part of a name such as ``plans/1f2e``. */
export function idOf(name) {
  return name.slice(name.indexOf("/") + 1);
}
