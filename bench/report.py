"""The report of a benchmark run: one HTML page that needs nothing else."""

import html

import plot
import table

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 76em; padding: 0 1em; color: #111; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .2em .6em; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.first { font-weight: bold; } small { color: #555; }
div.wide { overflow-x: auto; } div.table { width: max-content; max-width: 96vw; position: relative; left: 50%; transform: translateX(-50%); } svg { max-width: 100%; height: auto; }
p.headline { font-size: 1.15em; }
@media print { body { max-width: none; } h2 { page-break-after: avoid; } }
"""


def element(name, content, **attributes):
    """content: HTML."""
    text = "".join(f' {key.rstrip("_")}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<{name}{text}>{content}</{name}>"


def inline(svg):
    """A picture's <svg> element: the page is no XML document."""
    return svg[svg.index("<svg") :]


def figure(svg, caption):
    body = element("div", inline(svg), class_="wide")
    return element("figure", body + element("figcaption", html.escape(caption)))


def listing(heading, lines):
    if not lines:
        return ""
    items = "".join(element("li", html.escape(line)) for line in lines)
    return element("h2", html.escape(heading)) + element("ul", items)


def cell_html(row, key, missing):
    text = html.escape(table.cell_text(row, key, missing))
    if key not in row.cells:
        return element("td", text)
    cell = row.cells[key]
    if cell.ratio and key != "serial":
        text += f"<br><small>{cell.ratio.low:.3g} to {cell.ratio.high:.3g} x</small>"
    return element("td", text, class_="first" if row.behind(key) <= 1 + table.TIE else "")


def table_html(rows, missing):
    header, _ = table.table_lines(rows, missing)
    keys = [key for key, heading in table.HEADINGS.items() if heading in header]
    lines = [element("tr", "".join(element("th", html.escape(text)) for text in header))]
    for row in rows:
        cells = element("td", html.escape(row.name)) + element("td", str(row.workers))
        lines.append(element("tr", cells + "".join(cell_html(row, key, missing) for key in keys)))
    return element("div", element("table", "\n".join(lines)), class_="wide table")


PICTURES = ("heatmap.svg", "speedup.svg", "workers.svg", "latency.svg")


def pictures(rows, latencies):
    """(file name, caption, SVG) of each."""
    found = [
        ("heatmap.svg", "How far each candidate is from the best with the same kernels.", plot.heat_map(rows)),
        ("speedup.svg", "Speed-up over serial; lines: intervals (see below).", plot.bar_chart(rows)),
    ]
    curves = plot.speedup_curves(rows)
    if curves:
        found.append(("workers.svg", "Speed-up over the number of workers.", curves))
    if latencies:
        chart = plot.latency_chart(latencies)
        found.append(("latency.svg", "From a call to sleeping workers until two threads are at work: how long it takes.", chart))
    return found


def page(rows, about, missing, sections, drawn):
    """The HTML. drawn: of pictures()."""
    parts = [
        element("h1", "filch: benchmark report"),
        element("p", html.escape(table.headline(rows, about)), class_="headline"),
    ]
    parts += [figure(svg, caption) for _, caption, svg in drawn]
    parts.append(listing("Where filch is not the fastest", table.loss_sentences(rows)))
    parts += [listing(heading, lines) for heading, lines in sections]
    parts += [element("h2", "All figures"), table_html(rows, missing)]
    parts += [element("p", html.escape(line)) for line in table.legend_lines(rows, missing)]
    parts.append(
        element(
            "p",
            "Intervals hold the median with 95 % confidence, by order statistics; with fewer than"
            " six rounds they are the whole range. Bold: first of the row with its compiler's kernels, or within"
            f" {table.TIE:.0%}.",
        )
    )
    parts.append(listing("What was computed", table.size_lines(rows)))
    parts.append(listing("Where and how", [f"{name}: {value}" for name, value in about.items()]))
    head = (
        '<meta charset="utf-8"><title>filch: benchmark report</title>'
        '<meta name="viewport" content="width=device-width">' + element("style", STYLE)
    )
    body = "\n".join(part for part in parts if part)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
