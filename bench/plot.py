"""The pictures of a report, drawn by matplotlib.

Readable without colours, and in print: bars and lines of a candidate have a hatch or a marker of
their own and always the same order, cells of the heat map carry their number. The colours are
those of Okabe and Ito, and the map "cividis", which colour-blind people can tell apart.
"""

import io
import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

import table  # pylint: disable=wrong-import-position

# Candidate: colour, hatch of bars, marker of lines.
STYLES = {
    "serial": ("#000000", "", "x"),
    "channel": ("#E69F00", "//", "s"),
    "openmp-gcc": ("#56B4E9", "\\\\", "v"),
    "openmp-clang": ("#0072B2", "xx", "^"),
    "tbb": ("#CC79A7", "..", "D"),
    "rayon": ("#D55E00", "--", "P"),
    "filch": ("#009E73", "", "o"),
    "filch-clang": ("#F0E442", "++", "*"),
}
ROWS_A_CHART = 7  # of bars; more are drawn below each other
SLOWEST = 100  # times as long as the best: the end of the heat map's scale

plt.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "filch",  # the same picture from the same figures
        "font.size": 9,
        "hatch.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
)


def wrapped(title, most=17):
    """The title in lines of at most so many characters, where words allow."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = (lines[-1] + " " + word).strip()
    return "\n".join(lines)


def at_all_workers(rows):
    workers = max((row.workers for row in rows), default=1)
    return [row for row in rows if row.workers == workers]


def keys_of(rows, without=()):
    return [
        key
        for key in table.HEADINGS
        if key not in without and any(key in row.cells for row in rows)
    ]


def draw_legend(figure, handles, labels):
    """Above the charts."""
    figure.legend(
        handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=7, frameon=False
    )


def finished(figure):
    """The figure as SVG."""
    file = io.StringIO()
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    return file.getvalue()


def heat_map(rows):
    """Work x candidate at all workers: how many times as long as the best with its kernels."""
    rows = at_all_workers(rows)
    keys = keys_of(rows)
    figure, axes = plt.subplots(figsize=(2.6 + 0.95 * len(keys), 0.9 + 0.3 * len(rows)))
    values = [
        [math.log10(min(row.behind(key), SLOWEST)) if key in row.cells else math.nan for key in keys]
        for row in rows
    ]
    image = axes.imshow(values, cmap="cividis_r", aspect="auto", vmin=0, vmax=math.log10(SLOWEST))
    image.cmap.set_bad("white")
    for y, row in enumerate(rows):
        for x, key in enumerate(keys):
            if key not in row.cells:
                axes.text(x, y, "–", ha="center", va="center", color="#777777")
                continue
            text = table.digits_text(row.behind(key)) + table.marks_of(row.cells[key])
            axes.text(
                x, y, text, ha="center", va="center",
                color="white" if values[y][x] > 0.9 else "black",
                weight="bold" if row.behind(key) <= 1 + table.TIE else "normal",
            )  # fmt: skip
    axes.set_xticks(range(len(keys)), [table.HEADINGS[key] for key in keys])
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    workers = table.plural(rows[0].workers, "worker") if rows else ""
    axes.set_xlabel(
        f"times as long as the best with the same compiler's kernels, {workers};"
        f" bold: first, or within {table.TIE:.0%}"
    )
    return finished(figure)


def bar_chart(rows, title=""):
    """Speed-ups over serial at all workers, with their intervals."""
    rows = at_all_workers(rows)
    keys = keys_of(rows, without=("serial",))
    charts = [rows[i : i + ROWS_A_CHART] for i in range(0, len(rows), ROWS_A_CHART)] or [[]]
    figure, all_axes = plt.subplots(
        len(charts), 1, figsize=(11, 2.7 * len(charts)), squeeze=False, layout="constrained"
    )
    for part, axes in zip(charts, all_axes[:, 0]):
        draw_bars(axes, part, keys)
        axes.set_xlim(-0.5, max(len(part), min(ROWS_A_CHART, len(rows))) - 0.5)
    handles, labels = all_axes[0, 0].get_legend_handles_labels()
    if handles:
        draw_legend(figure, handles, labels)
    workers = table.plural(rows[0].workers, "worker") if rows else ""
    figure.supylabel(f"times as fast as serial, {workers}{title}")
    return finished(figure)


def draw_bars(axes, rows, keys):
    width = 0.84 / max(1, len(keys))
    for index, key in enumerate(keys):
        places, heights, below, above = [], [], [], []
        for place, row in enumerate(rows):
            ratio = row.cells[key].ratio if key in row.cells else None
            if ratio:
                places.append(place + (index - (len(keys) - 1) / 2) * width)
                heights.append(ratio.median)
                below.append(ratio.median - ratio.low)
                above.append(ratio.high - ratio.median)
        colour, hatch, _ = STYLES[key]
        axes.bar(
            places, heights, width * 0.92, yerr=[below, above], label=table.HEADINGS[key],
            color="white" if hatch else colour, edgecolor=colour, hatch=hatch,
            error_kw={"elinewidth": 0.8, "capsize": 1.5},
        )  # fmt: skip
        for x, height, over in zip(places, heights, above):
            text = table.digits_text(height) if height >= 0.01 else "<.01"
            axes.annotate(
                text, (x, height + over), (0, 2), textcoords="offset points",
                ha="center", va="bottom", rotation=90, fontsize=6.5,
            )  # fmt: skip
    axes.axhline(1, color="black", linewidth=1)
    axes.set_xticks(range(len(rows)), [wrapped(row.name) for row in rows], fontsize=8)
    axes.tick_params(axis="x", length=0)
    axes.margins(y=0.18)
    axes.grid(axis="y", linewidth=0.4)
    axes.set_axisbelow(True)


def speedup_curves(rows):
    """Speed-up over the number of workers, a small chart for each work; None with fewer than
    three numbers of workers, which the bars show as well."""
    works = {}
    for row in rows:
        works.setdefault(row.work, []).append(row)
    counts = sorted({row.workers for row in rows})
    if len(counts) < 3:
        return None
    columns = min(4, len(works))
    lines = -(-len(works) // columns)
    figure, all_axes = plt.subplots(
        lines, columns, figsize=(2.7 * columns, 2.2 * lines), squeeze=False, layout="constrained"
    )
    keys = keys_of(rows, without=("serial",))
    for axes in all_axes.flat[len(works) :]:
        axes.set_visible(False)
    for axes, group in zip(all_axes.flat, works.values()):
        for key in keys:
            points = [(row.workers, row.cells[key].ratio) for row in group if key in row.cells]
            points = [(workers, ratio) for workers, ratio in points if ratio]
            if not points:
                continue
            colour, _, marker = STYLES[key]
            medians = [ratio.median for _, ratio in points]
            below = [ratio.median - ratio.low for _, ratio in points]
            above = [ratio.high - ratio.median for _, ratio in points]
            axes.errorbar(
                [workers for workers, _ in points], medians, yerr=[below, above], color=colour,
                marker=marker, markersize=4, linewidth=1, elinewidth=0.6, label=table.HEADINGS[key],
            )  # fmt: skip
        axes.plot(counts, counts, color="#999999", linewidth=0.8, linestyle=":")
        axes.set_title(wrapped(group[0].name, 30), fontsize=8)
        axes.set_xticks(counts)
        axes.set_ylim(bottom=0)
    found = {}
    for axes in all_axes.flat:
        found.update(zip(*reversed(axes.get_legend_handles_labels())))
    labels = [table.HEADINGS[key] for key in keys if table.HEADINGS[key] in found]
    draw_legend(figure, [found[label] for label in labels], labels)
    figure.supxlabel("workers (dotted: ideal)")
    figure.supylabel("times as fast as serial")
    return finished(figure)


def latency_chart(distributions):
    """How many of the waits were over after so long; distributions: candidate -> {percentile:
    seconds}, percentiles as numbers."""
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for key in STYLES:
        if key not in distributions:
            continue
        colour, _, marker = STYLES[key]
        points = sorted(distributions[key].items())
        axes.plot(
            [seconds * 1e6 for _, seconds in points], [percent for percent, _ in points],
            color=colour, marker=marker, markersize=4, linewidth=1, label=table.HEADINGS[key],
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("µs from the call to sleepers until two threads are at work")
    axes.set_ylabel("per cent of the calls")
    axes.grid(linewidth=0.4)
    axes.legend(frameon=False)
    return finished(figure)
