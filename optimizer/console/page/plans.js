/* The list of plans. */

import { get } from "./api.js";
import { html } from "./vendor/lit-html/lit-html.js";
import { STATES, idOf, musd, percent, time } from "./words.js";

const SECONDS_BETWEEN_LOOKS = 3;

export function openPlans(shell) {
  const names = new Map();
  let plans = null;
  let timer = 0;

  async function look() {
    plans = (await get("/console/plans")).plans;
    for (const name of new Set(plans.map((plan) => plan.portfolio))) {
      if (!names.has(name)) {
        names.set(name, (await get(`/console/${name}`)).portfolio.name);
      }
    }
    if (plans.some((plan) => !plan.ended)) {
      timer = setTimeout(() => shell.attempt(look), SECONDS_BETWEEN_LOOKS * 1000);
    }
  }

  function row(plan) {
    const progress = plan.progress || {};
    return html`<tr>
      <th scope="row"><a href="#/plans/${idOf(plan.name)}">${names.get(plan.portfolio) || plan.portfolio}</a></th>
      <td data-label="State"><span class="state ${plan.state}">${STATES[plan.state]}</span></td>
      <td data-label="Best plan" class="n">${musd(progress.incumbent_usd)}</td>
      <td data-label="Gap" class="n">${percent(progress.gap_frac)}</td>
      <td data-label="Asked">${time(plan.create_time)}</td>
      <td data-label="Assumptions"><a href="#/${plan.portfolio}">Open<span class="hidden"> those of ${
        names.get(plan.portfolio)}</span></a></td></tr>`;
  }

  function template() {
    if (plans === null) {
      return html`<h1>Plans</h1><p>Looking …</p>`;
    }
    if (plans.length === 0) {
      return html`<h1>Plans</h1><p>There is no plan yet.</p>
        <p><a class="button primary" href="#/portfolios">Make the first</a></p>`;
    }
    return html`<h1>Plans</h1>
      <p><a class="button primary" href="#/portfolios">New plan</a></p>
      <table class="cards"><thead><tr><th scope="col">Portfolio</th><th scope="col">State</th>
        <th scope="col" class="n">Best plan</th><th scope="col" class="n">Gap</th><th scope="col">Asked</th>
        <th scope="col">Assumptions</th></tr></thead>
        <tbody>${plans.map(row)}</tbody></table>`;
  }

  queueMicrotask(() => shell.attempt(look));
  return { title: "Plans", template, close: () => clearTimeout(timer) };
}
