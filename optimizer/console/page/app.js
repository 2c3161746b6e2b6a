/* The frame: which page is shown, the bar above it, and what a call without a good token leads to. */

import { ApiError, keepToken } from "./api.js";
import { openPlan } from "./plan.js";
import { openPlans } from "./plans.js";
import { openPortfolio } from "./portfolio.js";
import { html, nothing, render } from "./vendor/lit-html/lit-html.js";

const TITLE = "Planning console";
const LINKS = [["#/plans", "Plans"], ["#/portfolios", "New plan"]];
const PAGES = [
  [/^#\/plans$/, openPlans],
  [/^#\/plans\/([^/]+)(?:\/beside\/([^/]+))?$/, openPlan],
  [/^#\/portfolios(?:\/([^/]+))?$/, openPortfolio],
];
const bar = document.getElementById("bar");
const main = document.getElementById("main");
let page = null;

/** Tells something that happened, also to who cannot see the page. */
function tell(text) {
  document.getElementById("told").textContent = text;
}

/** Runs what calls the server; an error is shown on the page, a token asked for where one is needed. */
async function attempt(work) {
  try {
    page.error = null;
    await work();
  } catch (error) {
    if (error.name === "AbortError") {
      return;
    }
    page.error = error instanceof ApiError ? error : new ApiError({ status: "UNKNOWN", message: String(error) });
    tell(page.error.message);
  }
  draw();
}

function draw() {
  render(barTemplate(), bar);
  const locked = page.error !== null && page.error.status === "UNAUTHENTICATED";
  render(locked ? tokenTemplate() : html`${errorTemplate(page.error)}${page.content.template()}`, main);
  if (!locked && page.content.drawn) {
    page.content.drawn();
  }
}

function barTemplate() {
  const link = ([address, name]) => html`<li>
    <a href=${address} aria-current=${location.hash === address ? "page" : nothing}>${name}</a></li>`;
  return html`<header class="bar"><a class="name" href="#/plans">Capacity planning</a>
    <nav aria-label="Pages"><ul>${LINKS.map(link)}</ul></nav></header>`;
}

function errorTemplate(error) {
  if (error === null) {
    return nothing;
  }
  const problem = (item) => html`<li>${item.path ? html`<code>${item.path}</code>: ` : nothing}${item.message}${
    item.fix ? html`; <em>${item.fix}</em>` : nothing}</li>`;
  return html`<div class="alarm" role="alert"><strong>${error.message}</strong>
    ${error.problems.length ? html`<ul>${error.problems.map(problem)}</ul>` : nothing}</div>`;
}

function tokenTemplate() {
  const enter = (event) => {
    event.preventDefault();
    keepToken(new FormData(event.target).get("token").trim());
    open();
  };
  return html`<h1>Token</h1>
    <p>This service asks for a token. It is kept in this tab until the tab is closed.</p>
    <form class="row" @submit=${enter}>
      <label class="field"><span>Token</span>
        <input name="token" type="password" required autocomplete="off" spellcheck="false"></label>
      <button class="primary">Enter</button>
    </form>`;
}

function open() {
  const found = PAGES.map(([pattern, opened]) => [pattern.exec(location.hash), opened]).find(([match]) => match);
  if (!found) {
    location.replace("#/plans");
    return;
  }
  if (page && page.content.close) {
    page.content.close();
  }
  render(nothing, main);
  tell("");
  const opening = { error: null, content: { template: () => nothing } };
  page = opening;
  const onlyIfOpen = (work) => (...given) => (page === opening ? work(...given) : undefined);
  const shell = { attempt: onlyIfOpen(attempt), draw: onlyIfOpen(draw), tell: onlyIfOpen(tell) };
  opening.content = found[1](shell, ...found[0].slice(1));
  document.title = `${opening.content.title} · ${TITLE}`;
  draw();
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

window.addEventListener("hashchange", open);
open();
