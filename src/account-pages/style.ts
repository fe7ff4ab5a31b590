// A table of styles for the account pages: colours first, then the frame, then what stands in it.

/** The style of the account pages. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f9f8; --paper: #ffffff; --line: #d5dfdc; --field-line: #7d8d88; --soft: #e9efed;
  --text: #12211d; --muted: #4f605b; --accent: #08695a; --accent-strong: #065547; --accent-soft: #dff1ec; --on-accent: #ffffff;
  --bad: #9b1c13; --bad-soft: #fdeeec; --bad-line: #e3aaa5;
  --panel: #0a3b33; --panel-end: #07241f; --panel-text: #e6f4f0; --panel-muted: #b3d3ca; --panel-line: #4f9c8b;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1513; --paper: #131e1b; --line: #283934; --field-line: #6c827b; --soft: #1d2b27;
    --text: #e5eeeb; --muted: #a3b6b0; --accent: #5fd8bf; --accent-strong: #86e6d2; --accent-soft: #12342d; --on-accent: #06231d;
    --bad: #ffa79e; --bad-soft: #34191a; --bad-line: #7a3a36;
    --panel: #0d2c26; --panel-end: #091a16; --panel-text: #e5f2ee; --panel-muted: #a6c6bd; --panel-line: #3d7a6c;
  }
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.55 var(--sans); overflow-wrap: break-word; }
h1, h2, p, ul, ol, dl, dd { margin: 0; }
ul, ol { padding: 0; list-style: none; }
h1 { font-size: clamp(1.625rem, 1.4rem + 1vw, 2rem); line-height: 1.18; letter-spacing: -.022em; font-weight: 690; text-wrap: balance; }
h2 { font-size: 1.0625rem; line-height: 1.4; font-weight: 650; letter-spacing: -.005em; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:hover { color: var(--accent-strong); text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
h1:focus, h2:focus, .alert:focus { outline: none; }
.unseen { position: absolute !important; width: 1px !important; height: 1px !important; min-height: 0 !important; margin: -1px; padding: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0; }
.skip { position: absolute; left: 1rem; top: -5rem; z-index: 2; padding: .7rem 1rem; border-radius: 8px; background: var(--accent); color: var(--on-accent); font-weight: 600; }
.skip:focus { top: 1rem; color: var(--on-accent); }
.noscript { max-width: 40rem; margin: 0 auto; padding: 1.5rem; color: var(--muted); }

.split { display: grid; grid-template-columns: minmax(22rem, 5fr) 7fr; min-height: 100vh; min-height: 100dvh; }
.panel { position: relative; isolation: isolate; overflow: hidden; display: flex; flex-direction: column; gap: 2.5rem; padding: 2.5rem clamp(2rem, 4vw, 4rem); background: linear-gradient(165deg, var(--panel), var(--panel-end)); color: var(--panel-text); }
.panel :focus-visible { outline-color: var(--panel-text); }
.ripples { position: absolute; z-index: -1; right: -9rem; bottom: -7rem; width: min(46rem, 130%); color: var(--panel-line); opacity: .3; overflow: visible; mask-image: radial-gradient(circle at 78% 87%, #000 20%, transparent 88%); }
.brand { display: flex; align-items: center; gap: .75rem; font-weight: 640; font-size: 1.0625rem; line-height: 1.3; min-width: 0; }
.site { min-width: 0; overflow-wrap: anywhere; }
.tile { flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem; border-radius: 10px; background: var(--panel-text); color: var(--panel); font-weight: 750; font-size: 1.125rem; }
.story { margin: auto 0; max-width: 27rem; }
.story h2 { font-size: clamp(1.375rem, 1.1rem + 1vw, 1.75rem); line-height: 1.25; letter-spacing: -.018em; font-weight: 640; text-wrap: balance; }
.story ul, .story ol { display: grid; gap: 1rem; margin-top: 1.75rem; color: var(--panel-muted); }
.story li { display: grid; grid-template-columns: 1.75rem minmax(0, 1fr); gap: .875rem; }
.steps { counter-reset: step; }
.steps li::before { counter-increment: step; content: counter(step); display: grid; place-items: center; width: 1.75rem; height: 1.75rem; border: 1.5px solid var(--panel-line); border-radius: 50%; color: var(--panel-text); font-size: .875rem; font-weight: 640; }
.facts li::before { content: ""; width: .5rem; height: .5rem; margin: .52rem 0 0 .625rem; border-radius: 50%; background: var(--panel-line); }
.where { max-width: 27rem; padding-top: 1.25rem; border-top: 1px solid color-mix(in srgb, var(--panel-line) 55%, transparent); color: var(--panel-muted); font-size: .9rem; }
.where strong { color: var(--panel-text); font-weight: 640; overflow-wrap: anywhere; }
main { min-width: 0; }
.split main { display: grid; align-items: center; padding: 3rem clamp(1.25rem, 5vw, 5rem); }
.column { width: 100%; max-width: 25rem; margin: 0 auto; }
.lead { margin-top: .5rem; color: var(--muted); overflow-wrap: anywhere; }
.quiet:not(.button) { color: var(--muted); font-size: .9rem; }
.other { margin-top: 1.75rem; color: var(--muted); }

form { display: grid; gap: 1.375rem; margin-top: 2rem; }
.label { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; margin-bottom: .4375rem; font-size: .9375rem; }
.label label { font-weight: 600; }
.optional { font-weight: 400; color: var(--muted); }
input:not([type=checkbox]) { width: 100%; min-height: 3rem; padding: .625rem .875rem; border: 1px solid var(--field-line); border-radius: 10px; background: var(--paper); color: var(--text); font: inherit; }
input:not([type=checkbox]):focus-visible { outline: 3px solid var(--accent); outline-offset: -1px; border-color: var(--accent); border-radius: 10px; }
input[aria-invalid=true]:not([type=checkbox]) { border-color: var(--bad); box-shadow: inset 0 0 0 1px var(--bad); }
.with-show { position: relative; }
.with-show input { padding-right: 4.75rem !important; }
.show { position: absolute; right: .3125rem; top: .3125rem; min-width: 3.75rem; height: 2.375rem; padding: 0 .75rem; border: 0; border-radius: 7px; background: none; color: var(--accent); font: 600 .875rem/1 var(--sans); cursor: pointer; }
.show:hover { background: var(--accent-soft); }
.hint { margin-top: .5rem; color: var(--muted); font-size: .875rem; line-height: 1.45; }
.length { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: .625rem; align-items: center; margin-top: .625rem; }
.length .hint { margin: 0; font-variant-numeric: tabular-nums; }
progress { appearance: none; display: block; width: 100%; height: .375rem; border: 0; border-radius: 99px; overflow: hidden; background: var(--line); }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); border-radius: 99px; }
progress::-moz-progress-bar { background: var(--accent); border-radius: 99px; }
.error { margin-top: .5rem; padding-left: 1.5rem; position: relative; color: var(--bad); font-size: .9rem; line-height: 1.45; }
.error::before { content: "!"; position: absolute; left: 0; top: .14em; display: grid; place-items: center; width: 1.0625rem; height: 1.0625rem; border-radius: 50%; background: var(--bad); color: var(--paper); font: 750 .75rem/1 var(--sans); }
.alert { padding: .8125rem 1rem; border: 1px solid var(--bad-line); border-left: 4px solid var(--bad); border-radius: 10px; background: var(--bad-soft); color: var(--bad); font-size: .9375rem; font-variant-numeric: tabular-nums; }
.notice { margin-bottom: 1.5rem; padding: .8125rem 1rem; border-radius: 10px; background: var(--accent-soft); color: var(--text); font-size: .9375rem; }
.check { display: grid; grid-template-columns: 1.25rem minmax(0, 1fr); gap: .75rem; align-items: center; min-height: 2.75rem; font-weight: 600; font-size: .9375rem; cursor: pointer; }
.check input { width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent); }

.button { display: inline-flex; align-items: center; justify-content: center; gap: .625rem; min-height: 3rem; padding: .625rem 1.25rem; border: 1px solid transparent; border-radius: 10px; font: 620 1rem/1.25 var(--sans); font-variant-numeric: tabular-nums; text-align: center; text-decoration: none; cursor: pointer; }
.button:focus-visible { border-radius: 10px; }
.main { background: var(--accent); color: var(--on-accent); }
.main:hover { background: var(--accent-strong); color: var(--on-accent); }
.button.quiet { border-color: var(--field-line); background: var(--paper); color: var(--text); }
.button.quiet:hover { background: var(--soft); }
.button.danger { border-color: var(--bad); background: none; color: var(--bad); }
.button.danger:hover { background: var(--bad-soft); }
.actions .button.danger { background: var(--bad); color: var(--paper); }
.button.plain { background: none; color: var(--muted); }
.button.plain:hover { background: var(--soft); color: var(--text); }
.button.small { min-height: 2.75rem; padding: .4rem 1rem; font-size: .9375rem; }
.button[disabled] { cursor: default; opacity: .75; }
.button[aria-disabled=true] { cursor: progress; }
.button[data-busy=wait] { border-color: var(--line); background: var(--soft); color: var(--muted); cursor: default; }
.spinner { display: none; width: 1.125rem; height: 1.125rem; border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%; }
.button[data-busy=""] .spinner { display: block; }
@media (prefers-reduced-motion: no-preference) {
  .spinner { animation: turn .8s linear infinite; }
  .bone { animation: breathe 1.6s ease-in-out infinite alternate; }
  .button, .show { transition: background-color .12s; }
  progress::-webkit-progress-value { transition: width .15s; }
}
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes breathe { to { opacity: .45; } }

[data-state] > .mark { display: grid; place-items: center; width: 3.25rem; height: 3.25rem; margin-bottom: 1.5rem; border-radius: 50%; background: var(--accent-soft); color: var(--accent); }
.mark.bad { background: var(--bad-soft) !important; color: var(--bad) !important; }
.mark svg { width: 1.625rem; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.mark ~ p { margin-top: .875rem; }
.mark ~ .button { margin-top: 1.75rem; }
.mark ~ .other { margin-top: 1.75rem; }
.typed { overflow-wrap: anywhere; }

.bar { background: linear-gradient(100deg, var(--panel), var(--panel-end)); color: var(--panel-text); }
.bar-inside { display: flex; align-items: center; justify-content: space-between; gap: 1rem; max-width: 62rem; margin: 0 auto; padding: .875rem clamp(1.25rem, 4vw, 2rem); }
.bar form { display: flex; align-items: center; gap: 1rem; margin: 0; }
.bar .button { flex: none; min-height: 2.75rem; padding: .4rem 1rem; border-color: var(--panel-line); background: none; color: var(--panel-text); font-size: .9375rem; }
.bar .button:hover { background: color-mix(in srgb, var(--panel-line) 30%, transparent); }
.bar :focus-visible { outline-color: var(--panel-text); }
.bar .alert { padding: .5rem .75rem; }
.wide { max-width: 62rem; margin: 0 auto; padding: 2.75rem clamp(1.25rem, 4vw, 2rem) 5rem; }
.title { margin-bottom: 2.25rem; }
.block { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 1rem clamp(1.5rem, 4vw, 3rem); padding: 2rem 0; border-top: 1px solid var(--line); }
.about p { margin-top: .25rem; color: var(--muted); font-size: .9375rem; }
.card { min-width: 0; }
.card > form, .inside > form { margin-top: 0; }
.card .notice { margin-bottom: 1.25rem; }
.field:has(> .error:not([hidden])) > .hint { display: none; }
#export { justify-items: start; }
.row-form { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .75rem; align-items: end; }
.row-form .field { display: contents; }
.row-form .label { grid-column: 1 / -1; margin-bottom: -.3rem; }
.row-form .error { grid-column: 1 / -1; grid-row: 3; margin: 0; }
dl { display: grid; gap: .375rem; margin-top: 1.25rem; font-size: .9375rem; }
dl div { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 1rem; }
dt { color: var(--muted); }
dd { overflow-wrap: anywhere; }
.value { margin-bottom: 1rem; font-weight: 600; overflow-wrap: anywhere; }
summary { list-style: none; }
summary::-webkit-details-marker { display: none; }
details[open] > summary { display: none; }
.inside { max-width: 30rem; padding: 1.5rem; border: 1px solid var(--line); border-radius: 14px; background: var(--paper); }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; }
.sessions { margin: -.875rem 0 1rem; }
.sessions li:not(.bone) { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .875rem 0; border-bottom: 1px solid var(--line); }
.session { min-width: 0; }
.session strong { font-weight: 600; overflow-wrap: anywhere; }
.address { overflow-wrap: anywhere; }
.badge { display: inline-block; margin-left: .25rem; padding: .05rem .6rem; border-radius: 99px; background: var(--accent-soft); color: var(--accent); font-size: .8125rem; font-weight: 620; white-space: nowrap; }
.sessions .button { flex: none; }
[data-alone] { margin-bottom: 1rem; }
.bone { height: 4.5rem; margin: .875rem 0; border-radius: 12px; background: var(--soft); }
.title-bone { width: 14rem; max-width: 70%; height: 2.25rem; margin-bottom: 2.5rem; }

@media (max-width: 56rem) {
  .split { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto 1fr; min-height: 100vh; min-height: 100dvh; }
  .panel { display: grid; gap: .625rem; padding: 1.125rem clamp(1.25rem, 5vw, 5rem); }
  .panel > .brand, .panel > .where { width: 100%; max-width: 25rem; margin: 0 auto; }
  .where { padding: 0; border: 0; font-size: .8125rem; line-height: 1.45; }
  .story { display: none; }
  .ripples { width: 22rem; right: -10rem; bottom: -9rem; }
  .split main { align-items: start; padding-top: 2.25rem; }
}
@media (max-width: 44rem) {
  .block { grid-template-columns: minmax(0, 1fr); padding: 1.75rem 0; }
}
@media (max-width: 26rem) {
  .column > [data-state] > .button, .column form .button.main { width: 100%; }
  .inside { padding: 1.125rem; }
  .actions .button { width: 100%; }
  dl div { grid-template-columns: 7rem minmax(0, 1fr); }
  .sessions li:not(.bone) { flex-wrap: wrap; }
}
@media (forced-colors: active) { .button, .tile, .badge { border: 1px solid; } progress { border: 1px solid; } }
`
