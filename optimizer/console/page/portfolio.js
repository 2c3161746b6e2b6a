/* Assumptions: chosen, edited in a form or as text, checked and planned. */

import { get, post } from "./api.js";
import { edited, formOf } from "./form.js";
import { live } from "./vendor/lit-html/directives/live.js";
import { html, nothing } from "./vendor/lit-html/lit-html.js";
import { idOf } from "./words.js";

export function openPortfolio(shell, id) {
  const problems = new Map();
  let form = null;
  let examples = [];
  let data = null;
  let text = null;
  let options = { time_limit_s: 300, gap_frac: 0.001 };

  async function load() {
    form = formOf(await get("/console/schema"), problems, (steps, value) => {
      data = edited(data, steps, value);
      shell.draw();
    });
    if (id) {
      data = (await get(`/console/portfolios/${id}`)).portfolio;
    } else {
      examples = (await get("/console/examples")).examples;
    }
  }

  function choose(event) {
    const name = event.target.value;
    if (name) {
      shell.attempt(async () => {
        data = (await get(`/console/examples/${name}`)).portfolio;
        text = text === null ? null : written(data);
        problems.clear();
        shell.tell(`${name} is loaded.`);
      });
    }
  }

  function asText() {
    text = written(data);
    shell.draw();
  }

  function asForm() {
    shell.attempt(async () => {
      data = read(text);
      text = null;
    });
  }

  /** What is sent to the server; where that finds problems, the form shows them as well. */
  async function sent(body) {
    data = text === null ? data : read(text);
    problems.clear();
    try {
      return await post("/console/portfolios", { portfolio: data, ...body });
    } catch (error) {
      for (const item of error.problems || []) {
        problems.set(item.path, item.fix ? `${item.message}; ${item.fix}` : item.message);
      }
      throw error;
    }
  }

  async function check() {
    await sent({ validate_only: true });
    shell.tell("The assumptions can be planned with.");
  }

  async function plan() {
    const stored = await sent({});
    location.hash = `#/plans/${idOf((await post("/console/plans", { portfolio: stored.name, options })).name)}`;
  }

  function submit(event) {
    event.preventDefault();
    shell.attempt(plan);
  }

  /** In a long form, Enter in a field is no wish to plan. */
  function keep(event) {
    if (event.key === "Enter" && event.target.tagName === "INPUT") {
      event.preventDefault();
    }
  }

  function option(name, label) {
    const change = (event) => { options = { ...options, [name]: event.target.valueAsNumber }; };
    return html`<label class="field"><span>${label}</span>
      <input type="number" min="0" step="any" .value=${live(String(options[name]))} @change=${change}></label>`;
  }

  function statements() {
    const editor = text === null ? html`<div class="form">${form(data)}</div>`
      : html`<label class="field wide"><span>Portfolio, as JSON</span>
        <textarea name="text" rows="24" spellcheck="false" .value=${live(text)}
          @input=${(event) => { text = event.target.value; }}></textarea></label>`;
    return html`<p class="row" role="group" aria-label="How to edit">
        <button type="button" aria-pressed=${text === null} @click=${text === null ? nothing : asForm}>Form</button>
        <button type="button" aria-pressed=${text !== null} @click=${text === null ? asText : nothing}>Text</button></p>
      ${editor}
      <div class="row">${option("time_limit_s", "Time limit, s")}${option("gap_frac", "Gap to prove, 0.01 is 1 %")}</div>
      <p class="row"><button class="primary">Plan</button>
        <button type="button" @click=${() => shell.attempt(check)}>Check</button></p>`;
  }

  function template() {
    return html`<h1>${id ? "Assumptions" : "New plan"}</h1>
      <form novalidate @submit=${submit} @keydown=${keep}>
      ${id ? nothing : html`<label class="field"><span>Begin with an example</span>
        <select name="example" @change=${choose}><option value="">choose …</option>
          ${examples.map((name) => html`<option>${name}</option>`)}</select></label>`}
      ${data === null ? nothing : statements()}</form>`;
  }

  queueMicrotask(() => shell.attempt(load));
  return { title: id ? "Assumptions" : "New plan", template };
}

function written(data) {
  return JSON.stringify(data, null, 2);
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The text is not JSON: ${error.message}`);
  }
}
