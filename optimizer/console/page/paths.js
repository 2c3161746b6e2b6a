/* Paths of the numbers of a portfolio, as what-ifs take them. */

const PATH_KEYS = new Set(["value", "growth_per_year_frac", "points"]);
const LEFT_OUT = new Set(["horizon", "series", "risk"]);
const ALL = [
  "market.btc_usd", "market.network_eh_s", "offers[*].price_usd_per_kw_month",
  "offers[*].sites[*].capex_usd_per_critical_mw",
];

/** Paths that can be multiplied: a few that hold for all, then each number that is stated. */
export function numberPaths(portfolio) {
  const found = Object.entries(portfolio).filter(([name]) => !LEFT_OUT.has(name))
    .flatMap(([name, value]) => below(value, name));
  const general = ALL.filter((path) => {
    const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("[*]", "\\[[^\\]]*\\]")}$`);
    return found.some((item) => pattern.test(item));
  });
  return [...new Set([...general, ...found])];
}

function below(value, path) {
  if (typeof value === "number") {
    return [path];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, place) => (typeof item === "object" ? below(item, `${path}[${called(item, place)}]`) : []));
  }
  if (value === null || typeof value !== "object") {
    return [];
  }
  if (Object.keys(value).every((key) => PATH_KEYS.has(key))) {
    return [path];
  }
  return Object.entries(value).flatMap(([name, item]) => below(item, `${path}.${name}`));
}

function called(item, place) {
  const name = item.name ?? item.site ?? "";
  return name && !name.includes("]") ? name : place;
}
