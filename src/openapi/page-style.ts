// A table of styles for the reference page: colours first, then the page from the outside in.

/**
 * The style of the reference page. It stands in the page as it is here, and the page's content security policy names
 * its hash, so nothing else can style the page.
 */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --side: #f5f8f7; --raised: #f5f8f7; --line: #dce5e2; --soft: #e9efed;
  --text: #12211d; --muted: #51625d; --accent: #08695a; --accent-soft: #dff1ec;
  --code: #10231e; --code-head: #172e28; --code-line: #2a443d; --code-text: #dcebe6; --code-muted: #9db5ae;
  --key: #8fd8ff; --string: #a9e5b5; --value: #ffc98a;
  --get: #0a4f86; --get-soft: #e1effa; --post: #155f2f; --post-soft: #def3e3; --put: #754700; --put-soft: #fcefd3;
  --patch: #5a2e9b; --patch-soft: #eee7fb; --delete: #9b1c13; --delete-soft: #fde7e4;
  --warn: #754700; --warn-soft: #fcefd3;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1513; --side: #0a1110; --raised: #141f1c; --line: #263632; --soft: #1b2825;
    --text: #e5eeeb; --muted: #9cb0aa; --accent: #5fd8bf; --accent-soft: #12342d;
    --code: #0a1110; --code-head: #101b18; --code-line: #22322e;
    --get: #92cbf7; --get-soft: #112c42; --post: #8fdba3; --post-soft: #12331d; --put: #f5c76f; --put-soft: #392a0d;
    --patch: #c8aef6; --patch-soft: #2c1f47; --delete: #ffa79e; --delete-soft: #431a17;
    --warn: #f5c76f; --warn-soft: #392a0d;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.6 var(--sans); }
a { color: var(--accent); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
h1, h2, h3, h4, p, dl, dd, ul, pre, figure { margin: 0; }
ul { padding: 0; list-style: none; }
code, pre { font-family: var(--mono); font-size: .875em; }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 3; padding: .6rem 1rem; border-radius: 8px; background: var(--accent); color: var(--ground); font-weight: 600; }
.skip:focus { top: 1rem; }

.page { display: grid; grid-template-columns: 19rem minmax(0, 1fr); min-height: 100vh; }
.side { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.75rem 1.25rem 2rem; background: var(--side); border-right: 1px solid var(--line); }
.bar { display: none; }
.brand { display: flex; align-items: center; gap: .7rem; color: var(--text); text-decoration: none; font-weight: 650; font-size: 1.05rem; line-height: 1.3; overflow-wrap: anywhere; }
.brand svg { flex: none; width: 2rem; height: 2rem; color: var(--accent); }
.brand small { display: block; color: var(--muted); font-weight: 450; font-size: .8rem; }
.side nav { margin-top: 1.75rem; }
.group { margin-top: 1.5rem; font-size: .72rem; font-weight: 650; letter-spacing: .09em; text-transform: uppercase; color: var(--muted); overflow-wrap: anywhere; }
.group + ul { margin: .45rem -.6rem 0; }
.links a { display: grid; grid-template-columns: 3.4rem minmax(0, 1fr); gap: .5rem; align-items: baseline; padding: .3rem .6rem; border-radius: 7px; color: var(--text); text-decoration: none; font: .8125rem/1.45 var(--mono); overflow-wrap: anywhere; }
.links a:hover { background: var(--soft); }
.links code { font-size: 1em; } .links b { font-weight: 400; color: var(--muted); }
.links.plain a { display: block; font: .875rem/1.45 var(--sans); }
.verb { font: 700 .6875rem/1.45 var(--mono); letter-spacing: .02em; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .patch { color: var(--patch); } .delete { color: var(--delete); }

main { padding: 3rem clamp(1.25rem, 4vw, 4rem) 4rem; min-width: 0; max-width: 88rem; }
.hero h1 { font-size: clamp(1.9rem, 1.4rem + 2vw, 2.75rem); line-height: 1.12; letter-spacing: -.025em; font-weight: 720; overflow-wrap: anywhere; }
.hero p { margin-top: .9rem; max-width: 44rem; color: var(--muted); font-size: 1.0625rem; }
.pill { display: inline-block; vertical-align: middle; padding: .1rem .6rem; border-radius: 99px; background: var(--accent-soft); color: var(--accent); font: 600 .8125rem/1.6 var(--mono); letter-spacing: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 1rem; align-content: start; }
.hero .columns { margin-top: 2rem; }
.hero .samples { position: static; }
.wide { grid-column: 1 / -1; }
.card { padding: 1.1rem 1.25rem 1.2rem; border: 1px solid var(--line); border-radius: 12px; background: var(--raised); min-width: 0; }
.card h2 { font-size: .9375rem; letter-spacing: 0; font-weight: 650; }
.card p { margin-top: .35rem; color: var(--muted); font-size: .9rem; line-height: 1.55; }
.card p code { color: var(--text); overflow-wrap: anywhere; }

.card dl { display: grid; gap: .2rem; margin-top: .45rem; font-size: .9rem; }
.card.wide dl { grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); gap: .2rem 1.5rem; }
.card dl div { display: grid; grid-template-columns: minmax(4.5rem, max-content) minmax(0, 1fr); gap: .75rem; }
.card dt { color: var(--muted); } .card dt code { color: var(--text); } .card dd { overflow-wrap: anywhere; }

.tag { margin-top: 4rem; }
.tag > h2, .more > h2 { font-size: 1.55rem; line-height: 1.25; letter-spacing: -.015em; font-weight: 690; overflow-wrap: anywhere; }
.more { margin-top: 4rem; }
.more > p { margin-top: .4rem; max-width: 44rem; color: var(--muted); }
.route { margin-top: 1.75rem; padding-top: 2rem; border-top: 1px solid var(--line); scroll-margin-top: 0; }
.route:target { border-top-color: var(--accent); box-shadow: 0 -1px var(--accent); }
.route h3 { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; font-size: 1rem; font-weight: 600; }
.route h3 code { font-size: 1.0625rem; overflow-wrap: anywhere; }
.route h3 b { color: var(--accent); font-weight: 600; }
.badge { padding: .16rem .55rem; border-radius: 6px; font: 700 .75rem/1.5 var(--mono); letter-spacing: .03em; }
.badge.get { background: var(--get-soft); } .badge.post { background: var(--post-soft); } .badge.put { background: var(--put-soft); }
.badge.patch { background: var(--patch-soft); } .badge.delete { background: var(--delete-soft); }
.anchor { padding: 0 .35rem; color: var(--muted); text-decoration: none; font-weight: 400; }
.anchor:hover { color: var(--accent); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); gap: 1.5rem clamp(1.5rem, 3vw, 3rem); align-items: start; margin-top: 1.1rem; }
.facts { display: grid; gap: .5rem; font-size: .9375rem; }
.facts div { display: grid; grid-template-columns: 4rem minmax(0, 1fr); gap: .75rem; }
.facts dt { color: var(--muted); }
.facts dd { overflow-wrap: anywhere; }
.note { color: var(--muted); font-size: .875rem; }
.open { display: inline-block; margin-right: .4rem; padding: .02rem .5rem; border-radius: 5px; background: var(--warn-soft); color: var(--warn); font-size: .8125rem; font-weight: 600; }
.part { margin-top: 1.6rem; }
.part > h4 { display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: baseline; padding-bottom: .45rem; border-bottom: 1px solid var(--line); font-size: .9375rem; font-weight: 650; }
.part > h4 span { color: var(--muted); font-weight: 450; font-size: .8125rem; }
.fields li { padding: .65rem 0; border-bottom: 1px solid var(--soft); }
.fields li:last-child { border-bottom: 0; }
.fields .line { display: flex; flex-wrap: wrap; gap: .1rem .65rem; align-items: baseline; }
.fields .name { font-weight: 650; overflow-wrap: anywhere; }
.fields .type { color: var(--muted); font-size: .875rem; overflow-wrap: anywhere; min-width: 0; }
.fields .must { color: var(--delete); font-size: .75rem; font-weight: 600; }
.fields .may { color: var(--muted); font-size: .75rem; }
.fields .bounds { color: var(--muted); font-size: .875rem; overflow-wrap: anywhere; }
.fields .text { margin-top: .15rem; font-size: .9rem; }
.fields .d1, .fields .d2, .fields .d3, .fields .d4, .fields .d5 { padding-left: 1rem; border-left: 2px solid var(--line); }
.fields .d2 { margin-left: 1rem; } .fields .d3 { margin-left: 2rem; } .fields .d4 { margin-left: 2.75rem; } .fields .d5 { margin-left: 3.25rem; }
.fields .choice { color: var(--muted); font-size: .875rem; font-style: italic; }
details.part > summary { padding: .2rem 0; cursor: pointer; font-size: .9375rem; font-weight: 650; }
.refusals { margin-top: .35rem; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.refusals div { display: grid; grid-template-columns: 3.25rem minmax(0, 1fr); padding: .5rem .9rem; font-size: .875rem; border-top: 1px solid var(--soft); }
.refusals div:first-child { border-top: 0; }
.refusals dt { font: 650 .8125rem/1.75 var(--mono); }
.refusals dd code { color: var(--muted); font-size: .78rem; overflow-wrap: anywhere; }

.samples { display: grid; gap: 1rem; min-width: 0; position: sticky; top: 1.5rem; }
.sample { border: 1px solid var(--code-line); border-radius: 12px; overflow: hidden; background: var(--code); color: var(--code-text); }
.sample figcaption { display: flex; justify-content: space-between; gap: 1rem; padding: .5rem 1rem; background: var(--code-head); color: var(--code-muted); font-size: .8125rem; }
.sample figcaption b { color: var(--code-text); font-weight: 600; }
.sample pre { padding: .9rem 1rem 1rem; overflow: auto; max-height: 30rem; font-size: .8125rem; line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
.sample pre:focus-visible { outline-offset: -3px; outline-color: var(--key); }
.k { color: var(--key); } .s { color: var(--string); } .v { color: var(--value); }
.rows { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1rem; margin-top: 1.25rem; }
.rows .card h3 { font-size: 1rem; font-weight: 650; }
.rows .card h3 span { color: var(--muted); font-weight: 450; font-size: .875rem; }
.rows dl { gap: .45rem; margin-top: .7rem; }
footer { margin-top: 5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .875rem; }

@media (max-width: 75rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .samples { position: static; }
}
@media (max-width: 56rem) {
  .page { display: block; }
  .side { display: none; }
  .bar { display: block; position: sticky; top: 0; z-index: 2; background: var(--side); border-bottom: 1px solid var(--line); }
  .bar:has(details[open]) { position: static; }
  .bar details > summary { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .75rem 1.25rem; cursor: pointer; list-style: none; }
  .bar summary::-webkit-details-marker { display: none; }
  .bar .menu { flex: none; padding: .25rem .75rem; border: 1px solid var(--line); border-radius: 8px; background: var(--ground); font-size: .875rem; font-weight: 600; }
  .bar nav { padding: 0 1.25rem 1.25rem; border-top: 1px solid var(--line); }
  main { padding-top: 2rem; }
  html { scroll-padding-top: 4.5rem; }
  .links a { padding: .5rem .6rem; }
}
@media print { .side, .bar { display: none; } .page { display: block; } .sample pre { max-height: none; white-space: pre-wrap; } }
`
