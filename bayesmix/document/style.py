"""How the report looks: on a desk, on a phone, in the dark, on paper."""

CSS = """
:root { --ink: #1c2430; --soft: #5a6675; --line: #dde2e8; --paper: #fff; --band: #f5f7f9;
  --link: #0b5cad; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #a3adba; --line: #39424e;
  --paper: #14181d; --band: #1d232a; --link: #7db8f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem 1.2rem 4rem; color: var(--ink);
  background: var(--paper); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: .5rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
h1, h2, h3, p, li { overflow-wrap: anywhere; }
a { color: var(--link); }
nav ul { columns: 3 13rem; padding-left: 1.1rem; margin: .6rem 0; }
.soft { color: var(--soft); }
.note { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .8rem; color: var(--soft);
  white-space: pre-line; }
.wide { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .22rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
tbody th { text-align: left; font-weight: 500; white-space: nowrap; }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom; }
thead tr th[colspan] { text-align: center; }
thead th[rowspan] { text-align: left; }
td.words { text-align: left; min-width: 16rem; }
tbody tr:nth-child(even) { background: var(--band); }
pre { background: var(--band); padding: .7rem .9rem; overflow-x: auto; font-size: .84rem;
  line-height: 1.45; }
figure { margin: .8rem 0 1.2rem; overflow-x: auto; }
figure img { max-width: 100%; height: auto; background: #fff; }
figcaption { color: var(--soft); font-size: .88rem; }
.formula { font-family: Cambria, Georgia, "Times New Roman", serif; font-size: 1.08rem;
  overflow-x: auto; padding: .25rem 0; line-height: 1.9; }
.formula sub { font-size: .72em; }
details > summary { cursor: pointer; margin: .8rem 0 .3rem; color: var(--link); }
@media (max-width: 40rem) { body { padding: .6rem .8rem 3rem; font-size: 15px; }
  th, td { padding: .2rem .45rem; } tbody th { position: sticky; left: 0; background: inherit; }
  tbody tr { background: var(--paper); } figure img.large { max-width: none; width: 52rem; } }
@media print { :root { --ink: #000; --soft: #333; --line: #bbb; --paper: #fff; --band: #fff;
  --link: #000; } body { max-width: none; font-size: 10.5pt; padding: 0; } nav { display: none; }
  h2 { break-after: avoid; } h3 { break-after: avoid; } figure, tr { break-inside: avoid; }
  .wide, pre, .formula { overflow: visible; } pre { white-space: pre-wrap; }
  table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; } .screen { display: none; } }
"""
