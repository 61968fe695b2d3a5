"""A bar chart of speed-ups over serial, drawn by gnuplot.

One group of bars for each work, at all workers. Readable without colours: the bars of a
candidate stand in the same place in each group, carry their value, and have a pattern of
their own; the colours are those of Okabe and Ito, which colour-blind people can tell apart.
"""

import argparse
import os
import shutil
import subprocess

import table

# Candidate, colour, gnuplot's fill.
BARS = [
    ("channel", "#E69F00", "pattern 2"),
    ("openmp-gcc", "#56B4E9", "pattern 1"),
    ("openmp-clang", "#0072B2", "pattern 4"),
    ("tbb", "#CC79A7", "pattern 5"),
    ("rayon", "#D55E00", "pattern 6"),
    ("filch", "#009E73", "solid 1.0"),
]
TERMINALS = {
    "svg": "svg size {},440 dynamic noenhanced background rgb 'white' font 'sans-serif,12'",
    "png": "pngcairo size {},660 noenhanced font 'sans-serif,16'",
}
BARS_WIDE = 0.8  # all bars of a group, of its 1
WIDE = {"svg": (960, 110), "png": (1440, 165)}  # the picture at least, and for each group


def wrapped(title, most=16):
    """The title in lines of at most so many characters, where words allow."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = (lines[-1] + " " + word).strip()
    return "\\n".join(lines)


def label(cell):
    text = table.digits_text(cell.ratio) if cell.ratio >= 0.01 else "<.01"
    return text + (" †" if cell.baseline != "serial" else "").replace(" ", "")


def quoted(text):
    """For gnuplot, whose single quotes know no escape but their doubling."""
    return "'" + text.replace("'", "''") + "'"


def script(rows, path):
    """gnuplot's commands."""
    workers = max((row.workers for row in rows), default=1)
    rows = [row for row in rows if row.workers == workers]
    ratios = [cell.ratio for row in rows for cell in row.cells.values() if cell.ratio]
    top = 1.15 * max(ratios + [workers])
    title = f"Times as fast as serial, {table.plural(workers, 'worker')} (higher is better)"
    if any(cell.baseline != "serial" for row in rows for cell in row.cells.values()):
        title += "; † compared with clang's own serial code"
    ending = path.rsplit(".", 1)[-1]
    least, each = WIDE[ending]
    bars = [bar for bar in BARS if any(bar[0] in row.cells for row in rows)]
    width = BARS_WIDE / max(1, len(bars))
    labels = [wrapped(row.title).replace("%", "%%") for row in rows]  # gnuplot formats them
    tics = ", ".join(f'"{text}" {number}' for number, text in enumerate(labels))
    out = [
        f"set terminal {TERMINALS[ending].format(max(least, each * len(rows)))}",
        f"set output {quoted(path)}",
        f'set title "{title}"',
        "set encoding utf8",
        f"set yrange [0:{top:g}]\nset ytics add ('serial' 1)",
        f"set xrange [-0.6:{len(rows) - 0.4:g}]\nset xtics ({tics}) scale 0\nset bmargin 4",
        "set grid ytics linetype 0\nset key outside top center horizontal samplen 2",
        f"set boxwidth {width * 0.9:g}",
        "set arrow from graph 0, first 1 to graph 1, first 1 nohead linewidth 1.5",
    ]
    data, plots = [], []
    for index, (key, colour, fill) in enumerate(bars):
        offset = (index - (len(bars) - 1) / 2) * width
        points = [
            f"{number + offset:.3f} {row.cells[key].ratio:.6g} {label(row.cells[key])}"
            for number, row in enumerate(rows)
            if key in row.cells and row.cells[key].ratio
        ]
        if not points:
            continue
        block = f"${key.replace('-', '_')}"
        data += [f"{block} << EOD", *points, "EOD"]
        plots.append(
            f"{block} using 1:2 with boxes fill {fill} border linecolor rgb '{colour}'"
            f" linecolor rgb '{colour}' title '{table.HEADINGS[key]}'"
        )
        plots.append(f"{block} using 1:2:3 with labels offset 0,0.6 font ',8' notitle")
    return "\n".join(out + data) + "\nplot " + ", \\\n    ".join(plots) + "\n"


def target(path):
    """path, if a picture can be drawn there; for argparse, so that it is known at once."""
    if path.rsplit(".", 1)[-1] not in TERMINALS:
        raise argparse.ArgumentTypeError(f"a picture ends with .svg or .png: {path}")
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise argparse.ArgumentTypeError(f"there is no folder {os.path.dirname(path)}")
    if not shutil.which("gnuplot"):
        raise argparse.ArgumentTypeError("pictures are drawn by gnuplot (Debian: gnuplot-nox)")
    return path


def draw(rows, path):
    """Write the picture; the ending of path, svg or png, decides its form."""
    subprocess.run(["gnuplot"], input=script(rows, path), text=True, check=True)
