// The style sheet of reports: light and dark by the reader's preference, for phones, desks and paper. Header-only.
#pragma once
#include <string_view>

namespace hansa::tools {

inline constexpr std::string_view report_css = R"(
:root{color-scheme:light dark;--text:#1b1f24;--dim:#57606a;--ground:#fff;--line:#d0d7de;--stripe:#f6f8fa;--good:#116329;--bad:#a40e26}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--dim:#9da7b3;--ground:#12161b;--line:#373e47;--stripe:#1a2027;--good:#56d364;--bad:#ff938a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:68rem;padding:1.5rem 1rem 4rem;font:1rem/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground)}
h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.2rem;margin:2.5rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
p{max-width:48rem}a{color:inherit}nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;margin:1rem 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
figure{margin:1rem 0;overflow-x:auto}svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding:.25rem 0}
th,td{padding:.3rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{border-bottom:2px solid var(--line)}tbody tr:nth-child(even){background:var(--stripe)}
th.number,td.number{text-align:right}td.number{white-space:nowrap}td.text,tbody th.text{overflow-wrap:anywhere}td.text:not(:empty),tbody th.text{min-width:8rem}
pre{overflow-x:auto;background:var(--stripe);border:1px solid var(--line);border-radius:.4rem;padding:.75rem;font-size:.8rem}
:focus-visible{outline:2px solid #0072b2;outline-offset:2px}
@media (max-width:40rem){figure svg{min-width:38rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media print{:root{color-scheme:light;--text:#000;--dim:#444;--ground:#fff;--line:#bbb;--stripe:#fff;--good:#000;--bad:#000}
@page{margin:15mm}@page wide{size:landscape}section.page{page:wide}body{max-width:none;padding:0;font-size:10pt}nav{display:none}.scroll{overflow:visible}table{font-size:7.5pt}
th,td{padding:.15rem .2rem}td.number{white-space:normal}tbody th.text,td.text:not(:empty){min-width:4rem}
h2{break-after:avoid}figure,tr{break-inside:avoid}thead{display:table-header-group}section.page{break-before:page}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:none;padding:0}}
)";

}  // namespace hansa::tools
