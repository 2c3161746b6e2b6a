"""The style sheet: light and dark, from a phone to paper; charts and keys take the colours of the uses from it."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f6f8; --ink: #16202c; --muted: #56616e; --rule: #d5dae0; --grid: #e4e8ec;
  --good: #0b6b45; --bad: #a31818; --bad-panel: #fdeceb; --link: #0b5cab;
  --mining: #d98e04; --hosting: #0b6fb8; --hosting-soft: #84b9de; --gpu: #0fa37f; --sold: #b65fa0; --idle: #c9cfd6;
  --corporate: #b06a9b; --debt: #8c2d19;
}
@media screen and (prefers-color-scheme: dark) {
  :root:not(.printing) {
    --paper: #12161c; --panel: #1b212a; --ink: #e8ecf1; --muted: #a3adb9; --rule: #343d49; --grid: #2a323d;
    --good: #5fd0a0; --bad: #ff8f86; --bad-panel: #3a1716; --link: #7fb8f0;
    --mining: #e8a020; --hosting: #3f97dd; --hosting-soft: #27567d; --gpu: #1fb993; --sold: #c977b5; --idle: #4a525c;
    --corporate: #c583b3; --debt: #e0755a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 1.9rem; line-height: 1.2; text-wrap: balance; margin: 0.1em 0 0.4em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.2em 0 0.6em; padding-top: 0.7em; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 0 0 0.3em; overflow-wrap: anywhere; }
p { margin: 0 0 0.9em; max-width: 78ch; overflow-wrap: anywhere; }
a { color: var(--link); }
time { white-space: nowrap; }
.eyebrow { color: var(--muted); margin: 0; font-size: 0.95rem; }
.lead { font-size: 1.08rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 0.8em 0 0; }
.alarm { border: 3px solid var(--bad); background: var(--bad-panel); padding: 14px 18px; margin: 0 0 22px; }
.alarm strong { display: block; color: var(--bad); font-size: 1.35rem; line-height: 1.3; }
.alarm p { margin: 0.4em 0 0; }
.key-figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 12px; margin: 0; }
.key-figures div { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: 12px 14px; }
.key-figures dt { color: var(--muted); font-size: 0.88rem; }
.key-figures dd { margin: 0; font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
.key-figures dd + dd { font-size: 0.88rem; font-weight: 400; color: var(--muted); }
.passed { color: var(--good); } .failed { color: var(--bad); font-weight: 700; }
figure { margin: 0 0 26px; min-width: 0; }
figcaption { color: var(--muted); font-size: 0.88rem; max-width: 90ch; }
.chart { width: 100%; overflow: hidden; }
.small-charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 18px 24px; }
.small-charts figure { margin: 0; }
.colour-key { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; margin: 0 0 1em; }
.colour-key li { font-size: 0.9rem; }
.colour-key span { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.45em; vertical-align: -0.08em; }
.key-mining { background: var(--mining); } .key-hosting { background: var(--hosting); }
.key-gpu { background: var(--gpu); } .key-sold { background: var(--sold); } .key-idle { background: var(--idle); }
.key-limit { border-top: 2px dashed var(--ink); height: 0 !important; vertical-align: 0.25em !important; }
.table { overflow-x: auto; margin: 0 0 20px; }
table { min-width: min(100%, 480px); border-collapse: collapse; font-size: 0.88rem; line-height: 1.4; }
td, dd { font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding: 0 0 6px; }
th, td { text-align: left; vertical-align: top; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); }
thead th { font-weight: 600; vertical-align: bottom; border-bottom: 2px solid var(--rule); }
tbody th { font-weight: 500; overflow-wrap: break-word; min-width: 14ch; }
td.n, th.n { text-align: right; white-space: nowrap; }
thead th.n { white-space: normal; }
td.w { overflow-wrap: break-word; min-width: 7ch; }
tr.sum th, tr.sum td { font-weight: 600; border-top: 2px solid var(--rule); }
details { margin: 0 0 16px; }
summary { cursor: pointer; color: var(--link); margin-bottom: 8px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0 0 16px; }
dl.facts dt { color: var(--muted); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
footer { color: var(--muted); font-size: 0.88rem; margin-top: 40px; padding-bottom: 40px; }
@media (max-width: 560px) {
  body { font-size: 15px; }
  header, main, footer { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 1.5rem; }
  .key-figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
  .key-figures div { padding: 9px 10px; } .key-figures dd { font-size: 1.12rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: 8px; }
}
@page { margin: 14mm 12mm; }
@media print {
  :root { color-scheme: light; }
  body { font-size: 10.5pt; }
  header, main, footer { max-width: none; padding: 0; }
  nav, .download, noscript { display: none; }
  h2 { break-after: avoid; } h3 { break-after: avoid; }
  figure, .key-figures div, tr, .alarm { break-inside: avoid; }
  .small-charts { grid-template-columns: 1fr 1fr; }
  .key-figures { grid-template-columns: repeat(4, 1fr); gap: 8px; }
  .key-figures div { padding: 7px 9px; } .key-figures dd { font-size: 1.1rem; }
  .table { overflow: visible; }
  table { font-size: 7.6pt; } th, td { padding: 3px 7px 3px 0; }
  td.w, tbody th { min-width: 0; }
  details .table { break-inside: avoid; } summary { break-after: avoid; }
  .colour-key span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  summary { list-style: none; color: var(--muted); } summary::-webkit-details-marker { display: none; }
  thead { display: table-header-group; }
  a { color: inherit; text-decoration: none; }
}
"""
