"""A bar chart of speed-ups over serial, as SVG, with nothing but the standard library.

One group of bars for each work, at all workers. Readable without colours: the bars of a
candidate stand in the same place in each group, carry their value, and have a pattern of
their own; the colours are those of Okabe and Ito, which colour-blind people can tell apart.
"""

from xml.sax.saxutils import escape

import table

# Candidate, colour, pattern (lines in a 6 x 6 square; none: plain).
BARS = [
    ("channel", "#E69F00", "M0,6 L6,0"),
    ("openmp-gcc", "#56B4E9", "M0,3 L6,3"),
    ("openmp-clang", "#0072B2", "M3,0 L3,6"),
    ("filch", "#009E73", ""),
]

WIDTH = 960
LEFT = 50
TOP = 70
PLOT_HEIGHT = 300
BOTTOM = 60
BAR = 26


def text_at(x, y, text, anchor="middle", size=12, extra=""):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>'
        f"{escape(text)}</text>"
    )


def patterns():
    out = ["<defs>"]
    for key, colour, path in BARS:
        out.append(f'<pattern id="{key}" width="6" height="6" patternUnits="userSpaceOnUse">')
        out.append(f'<rect width="6" height="6" fill="{colour}"/>')
        if path:
            out.append(f'<path d="{path}" stroke="#ffffff" stroke-width="1.2"/>')
        out.append("</pattern>")
    return out + ["</defs>"]


def legend():
    out = []
    x = LEFT
    for key, _, _ in BARS:
        heading = table.HEADINGS[key]
        out.append(f'<rect x="{x}" y="36" width="18" height="14" fill="url(#{key})"/>')
        out.append(text_at(x + 24, 48, heading, "start"))
        x += 40 + 8 * len(heading)
    return out


def wrapped(title, most=18):
    """The title in lines of at most so many characters, where words allow."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = (lines[-1] + " " + word).strip()
    return lines


def group(row, left, width, height_of):
    out = []
    base = TOP + PLOT_HEIGHT
    x = left + (width - BAR * len(BARS)) / 2
    for key, _, _ in BARS:
        cell = row.cells.get(key)
        if cell and cell.ratio is not None:
            height = height_of(cell.ratio)
            out.append(
                f'<rect x="{x + 1:.1f}" y="{base - height:.1f}" width="{BAR - 2}"'
                f' height="{height:.1f}" fill="url(#{key})"/>'
            )
            value = table.digits_text(cell.ratio)
            out.append(text_at(x + BAR / 2, base - height - 4, value, size=9))
        x += BAR
    for number, line in enumerate(wrapped(row.title)):
        out.append(text_at(left + width / 2, base + 16 + 13 * number, line, size=11))
    return out


def picture(rows):
    workers = max((row.workers for row in rows), default=1)
    rows = [row for row in rows if row.workers == workers]
    ratios = [cell.ratio for row in rows for cell in row.cells.values() if cell.ratio is not None]
    top = 1.1 * max(ratios + [workers, 1])

    def height_of(ratio):
        return PLOT_HEIGHT * ratio / top

    height = TOP + PLOT_HEIGHT + BOTTOM
    title = f"Times as fast as serial, {table.plural(workers, 'worker')} (higher is better)"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' font-family="sans-serif" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text_at(LEFT, 22, title, "start", 16),
    ]
    out += patterns() + legend()
    step = max(1, round(top / 8))
    for tick in range(0, int(top) + 1, step):
        y = TOP + PLOT_HEIGHT - height_of(tick)
        colour, dash = ("#000000", "") if tick <= 1 else ("#bbbbbb", ' stroke-dasharray="4 3"')
        out.append(
            f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"'
            f' stroke="{colour}" stroke-width="0.8"{dash}/>'
        )
        out.append(text_at(LEFT - 8, y + 4, "serial" if tick == 1 else str(tick), "end", 11))
    width = (WIDTH - 10 - LEFT) / max(len(rows), 1)
    for number, row in enumerate(rows):
        out += group(row, LEFT + number * width, width, height_of)
    return "\n".join(out + ["</svg>"]) + "\n"
