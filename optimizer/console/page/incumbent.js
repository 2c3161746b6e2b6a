/* The best plan so far, while better ones are searched for: its contracts, and what every site is used for by year. */

import { html, nothing } from "./vendor/lit-html/lit-html.js";

const USES = [["mining_mw", "mining"], ["hosting_mw", "hosting"], ["gpu_mw", "gpu"]];
const WORDS = { mining: "mining", hosting: "contracts", gpu: "own GPUs" };
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Tables of an ``Incumbent`` message in ProtoJSON, whose whole numbers are texts; nothing before there is one. */
export function incumbentTables(incumbent) {
  return incumbent === undefined ? nothing : html`${contractsOf(incumbent.contracts || [])}${useOf(incumbent.use || [])}`;
}

function monthOf({ year, month }) {
  return `${year}-${String(month).padStart(2, "0")}`;
}

function contractsOf(contracts) {
  const row = (item) => html`<tr><th scope="row">${item.offer}</th><td>${item.site}</td><td>${
    monthOf(item.sign_month)}</td><td class="n">${whole.format(item.critical_mw)}</td></tr>`;
  return html`<div class="table" tabindex="0" role="region" aria-label="Contracts of the best plan so far">
    <table><caption>Contracts of the best plan so far</caption><thead><tr><th scope="col">offer</th><th scope="col">site</th>
    <th scope="col">signed</th><th scope="col" class="n">MW of critical IT</th></tr></thead>
    <tbody>${contracts.length ? contracts.map(row) : html`<tr><td colspan="4">none</td></tr>`}</tbody></table></div>`;
}

function useOf(rows) {
  const years = [...new Set(rows.map((item) => item.year))].sort((a, b) => a - b);
  const sites = [...new Set(rows.map((item) => item.site))];
  const used = new Map(rows.map((item) => [`${item.site} ${item.year}`, item]));
  const total = (item) => USES.reduce((sum, [field]) => sum + (item[field] || 0), 0);
  const most = Math.max(...rows.map(total), 1);
  const bar = (item, [field, use]) => html`<span class="key-${use}" style="width: ${100 * (item[field] || 0) / most}%"></span>`;
  const told = (item) => USES.filter(([field]) => item[field] >= 0.5)
    .map(([field, use]) => `${whole.format(item[field])} MW ${WORDS[use]}`).join(", ") || "idle";
  const cell = (item) => (item === undefined ? html`<td></td>` : html`<td title=${told(item)}>
    <span class="hidden">${told(item)}</span><span class="uses" aria-hidden="true">${USES.map((use) => bar(item, use))}</span>
    </td>`);
  return html`<div class="table" tabindex="0" role="region" aria-label="What sites are used for in the best plan so far">
    <table><caption>What sites are used for: ${USES.map(([, use]) => html`<span class="uses-key key-${use}"></span> ${
    WORDS[use]} `)}</caption>
    <thead><tr><th scope="col">site</th>${years.map((year) => html`<th scope="col">${year}</th>`)}</tr></thead>
    <tbody>${sites.map((site) => html`<tr><th scope="row">${site}</th>${
    years.map((year) => cell(used.get(`${site} ${year}`)))}</tr>`)}</tbody></table></div>`;
}
