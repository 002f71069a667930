--- How the report looks: light, calm, for a wide screen, a phone and paper.
return [[
:root { color-scheme: light dark; --ink: #23272e; --soft: #5b6470; --line: #dfe3e8;
  --paper: #ffffff; --link: #1f5fa8; --yes: #1d6b45; --if: #7a5200; --no: #a12b2b;
  --open: #4a5568; --yes-back: #eef7f1; --if-back: #fcf6e8; --no-back: #fcf0f0;
  --open-back: #f2f4f7; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e3e6ea; --soft: #a3acb8; --line: #333a43; --paper: #15181c; --link: #84b6ee;
    --yes: #7fd0a4; --if: #e3b964; --no: #f09a9a; --open: #b4bfcd; --yes-back: #14261c;
    --if-back: #2a2110; --no-back: #2c1616; --open-back: #20262d; }
  .paper { border-radius: .4rem; padding: .6rem; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; overflow-wrap: anywhere; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 600; margin: 0 0 .6rem; }
h2 { font-size: 1.35rem; font-weight: 600; margin: 3.5rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; font-weight: 600; margin: 1.8rem 0 .3rem; }
p { margin: .4rem 0; max-width: 42rem; }
a { color: var(--link); }
a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.lead { font-size: 1.1rem; color: var(--soft); }
.warning { font-weight: 600; color: var(--no); }
nav { margin: 1.2rem 0 0; font-size: .9rem; line-height: 2; }
nav a { margin-right: .9rem; white-space: nowrap; }
.statements { padding-left: 2.2rem; margin: 1.2rem 0; }
.plain { list-style: none; padding-left: 0; }
.paper { background: #ffffff; }
.overview a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
.overview td:last-child { min-width: 9rem; }
.statement { padding: .9rem 0 .9rem .2rem; border-bottom: 1px solid var(--line); }
.statement::marker { color: var(--soft); font-variant-numeric: tabular-nums; }
.claim { font-weight: 600; margin-top: 0; }
.verdict { display: inline-block; padding: .05rem .55rem; border: 1px solid currentColor;
  border-radius: 1rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.yes { color: var(--yes); background: var(--yes-back); }
.if { color: var(--if); background: var(--if-back); }
.no { color: var(--no); background: var(--no-back); }
.open { color: var(--open); background: var(--open-back); }
.measured { list-style: none; margin: .4rem 0 0; padding: 0; font-size: .85rem;
  color: var(--soft); }
.measured b, .spread { font-variant-numeric: tabular-nums; }
.measured b { color: var(--ink); }
.whole { white-space: nowrap; }
.spread { color: var(--soft); font-size: .85rem; }
.question { color: var(--soft); }
.answer { font-weight: 600; }
figure { margin: 1.4rem 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption, .note { color: var(--soft); font-size: .85rem; }
.scroll { overflow-x: auto; }
table { overflow-wrap: normal; border-collapse: collapse; font-size: .9rem;
  font-variant-numeric: tabular-nums;
  margin: 1rem 0 .3rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; padding: .3rem 1.1rem .3rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; }
th[scope=row] { font-weight: 400; }
td.n, th.n { text-align: right; }
td .note { margin: .2rem 0 0; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .15rem 1rem;
  margin: .3rem 0; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
dd span { color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) {
  main { padding: 1.4rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  .statements { padding-left: 1.7rem; }
  .cards thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px;
    overflow: hidden; }
  .cards, .cards tbody { display: block; width: 100%; }
  .cards tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .cards th, .cards td { display: block; border: 0; padding: .05rem 0; }
  .cards th[scope=row] { font-weight: 600; }
  .cards td::before { content: attr(data-label) ": "; color: var(--soft); }
  dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; }
}
@media print {
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  nav { display: none; } a { color: inherit; text-decoration: none; }
  h2, h3, caption { break-after: avoid; } thead { display: table-header-group; }
  .statement, figure, tr { break-inside: avoid; }
  figure svg { min-width: 0 !important; max-height: 22cm; } .scroll { overflow: visible; }
}
]]
