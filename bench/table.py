"""The rows and cells of a benchmark run, from the measurements of measure.py, and as text.

A run is one process: one candidate of one work, at one number of workers, in one round. Times
are medians over the rounds. A ratio is the median of the ratios within each round, in which
the two were measured within seconds of each other. Both have intervals (statistic.py).

Who is ahead is told among candidates whose kernels the same compiler made: two compilers' codes
of one loop differ by more than two runtimes do.
"""

import csv

from statistic import Estimate, is_confident

# In the order of the columns: key, heading, the serial baseline of its own compiler.
CANDIDATES = [
    ("serial", "serial"),
    ("channel", "channel pool"),
    ("openmp-gcc", "OpenMP (gcc)"),
    ("openmp-clang", "OpenMP (clang)"),
    ("tbb", "TBB"),
    ("rayon", "Rayon"),
    ("filch", "filch"),
    ("filch-clang", "filch (clang)"),
]
HEADINGS = dict(CANDIDATES)
# The same library, called by kernels of either compiler.
FILCH = {"gcc": "filch", "clang": "filch-clang"}


def compiler_of(key):
    """Which compiler made a candidate's kernels."""
    return "clang" if key.endswith("-clang") else "gcc"


# The two compilers' serial code is never equal. From this difference on, a speed-up of clang's
# OpenMP over gcc's serial would say more of the compilers than of the runtime.
SERIAL_DIFFERS = 0.10

# Half the width of a ratio's interval, as a share of it: from here on the cell is marked.
NOISY_SPREAD = 0.05

# Of the CPUs' time, taken by others while a cell was measured: from here on it is marked.
QUIET_SHARE = 0.05

# What run.py writes beside a run that is not to be relied on.
WARNINGS = ("INTERRUPTED", "FAILED", "NOT QUIET")

# A candidate that is no slower than the first by more than this shares its place.
TIE = 0.03


class Row:
    """A work at a number of workers; cells: candidate -> Cell."""

    def __init__(self, work, workers):
        self.work = work
        self.workers = workers
        self.title = work
        self.item = ""
        self.cells = {}
        self.clang_serial = None
        self.candidates = None  # that the work has, built or not, by the program's names; None: all

    @property
    def name(self):
        article = "an" if self.item[:1] in tuple("aeiou") else "a"
        return f"{self.title} ({article} {self.item})" if self.item else self.title

    def same_kernels(self, key):
        """The cells of candidates with the same compiler's kernels: key -> Cell."""
        same = {k: cell for k, cell in self.cells.items() if compiler_of(k) == compiler_of(key)}
        if compiler_of(key) == "clang" and self.clang_serial:
            same["serial-clang"] = self.clang_serial
        return same

    def factors(self, key):
        """How many times as long as each of the others with the same kernels it takes, within
        each round: other key -> Estimate."""
        found = {}
        for other, cell in self.same_kernels(key).items():
            factor = cell.ratio_to(self.cells[key]) if other != key else None
            if factor:
                found[other] = factor
        return found

    def behind(self, key):
        """How many times as long as the best with the same kernels it takes; 1 for that one."""
        return max([1] + [factor.median for factor in self.factors(key).values()])

    def races(self):
        """One for each compiler with which filch has rivals."""
        found = []
        for compiler, key in FILCH.items():
            if key in self.cells:
                rivals = {k: f for k, f in self.factors(key).items() if not k.startswith("serial")}
                if rivals:
                    found.append(Race(self, compiler, rivals))
        return found

    def has(self, key):
        return self.candidates is None or key.split("-")[0] in self.candidates


class Race:
    """filch and the one, of those that run in parallel, that is farthest ahead of it or least
    behind, with the same kernels."""

    def __init__(self, row, compiler, rivals):
        self.row = row
        self.compiler = compiler
        self.rival = max(rivals, key=lambda key: rivals[key].median)
        self.factor = rivals[self.rival]  # how many times as long filch takes; an Estimate

    @property
    def is_first(self):
        """Or as good as: see TIE."""
        return self.factor.median <= 1 + TIE

    @property
    def is_sure(self):
        """That one of the two is faster."""
        return is_confident(self.factor.count) and not self.factor.low <= 1 <= self.factor.high

    @property
    def name(self):
        kernels = ", clang's kernels" if self.compiler == "clang" else ""
        return f"{self.row.title}, {plural(self.row.workers, 'worker')}{kernels}"


class Cell:
    def __init__(self, runs):
        first = runs[0]
        self.size = first["size"]
        self.note = first["note"]
        self.items = first["items"]
        # By round; an item is a call where the work counts calls, else a whole run.
        self.seconds = {run["round"]: run["seconds_median"] / run["items"] for run in runs}
        self.time = Estimate(self.seconds.values())
        self.fastest = min(run["seconds_min"] / run["items"] for run in runs)
        self.baseline = "serial"
        self.ratio = None  # Estimate of the speed-up over the baseline
        ticks = sum(run["all_ticks"] for run in runs)
        # Each figure is a tick or two off, either way; in the sum that evens out.
        others = sum(run["other_ticks"] for run in runs)
        self.others = max(0.0, others / ticks) if ticks else 0.0

    @property
    def median(self):
        return self.time.median

    @property
    def is_noisy(self):
        return (self.ratio or self.time).spread > NOISY_SPREAD

    @property
    def is_contended(self):
        return self.others > QUIET_SHARE

    def ratio_to(self, other):
        """How many times as fast as the other; an Estimate, or None."""
        rounds = self.seconds.keys() & other.seconds.keys()
        if not rounds:
            return None
        return Estimate(other.seconds[r] / self.seconds[r] for r in rounds)


def rows_of(runs):
    """The rows, in the order in which their works were first run, few workers first."""
    groups = {}
    for run in runs:
        groups.setdefault(run["work"], {}).setdefault((run["key"], run["workers"]), []).append(run)
    rows = []
    for work, cells in groups.items():
        serial = cells.get(("serial", 1))
        clang_serial = cells.get(("serial-clang", 1))
        counts = sorted({workers for key, workers in cells if not key.startswith("serial")})
        for workers in counts or [1]:
            row = Row(work, workers)
            if serial:
                row.cells["serial"] = Cell(serial)
            if clang_serial:
                row.clang_serial = Cell(clang_serial)
            for key, _ in CANDIDATES[1:]:
                if (key, workers) in cells:
                    row.cells[key] = Cell(cells[key, workers])
            if row.cells:
                finish_row(row, next(iter(cells.values()))[0])
                rows.append(row)
    return rows


def finish_row(row, any_run):
    row.title = any_run["title"]
    row.item = any_run["item"]
    row.candidates = any_run.get("candidates")
    serial = row.cells.get("serial")
    for key, cell in row.cells.items():
        if not serial or key == "serial":
            continue
        cell.ratio = cell.ratio_to(serial)
        if key.endswith("-clang") and row.clang_serial and clang_differs(row):
            cell.ratio = cell.ratio_to(row.clang_serial)
            cell.baseline = "serial-clang"


def clang_differs(row):
    ratio = row.clang_serial.ratio_to(row.cells["serial"])
    return ratio is not None and abs(ratio.median - 1) > SERIAL_DIFFERS


# ---- numbers as text ----


def time_text(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            break
    else:
        unit, scale = "ns", 1e9
    return digits_text(seconds * scale) + " " + unit


def digits_text(value):
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 0.095:
        return f"{value:.2f}"
    return f"{value:.2g}" if value >= 0.0001 else f"{value:.5f}"


def plural(count, what):
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


# ---- the table ----


def cell_text(row, key, missing):
    if key not in row.cells:
        return "not built" if key in missing and row.has(key) else "-"
    cell = row.cells[key]
    text = time_text(cell.median)
    if key != "serial" and cell.ratio is not None:
        text += f", {digits_text(cell.ratio.median)} x"
    return (text + " " + marks_of(cell)).rstrip()


def marks_of(cell):
    return (
        ("†" if cell.baseline != "serial" else "")
        + ("~" if cell.is_noisy else "")
        + ("!" if cell.is_contended else "")
    )


def markdown(header, lines):
    widths = [max(len(line[i]) for line in [header] + lines) for i in range(len(header))]
    out = []
    for line in [header, ["-" * width for width in widths]] + lines:
        out.append("| " + " | ".join(t.ljust(w) for t, w in zip(line, widths)) + " |")
    return out


def table_lines(rows, missing):
    """A candidate that no row has gets no column."""
    keys = [key for key in HEADINGS if any(cell_text(row, key, missing) != "-" for row in rows)]
    header = ["work", "workers"] + [HEADINGS[key] for key in keys]
    lines = []
    for row in rows:
        lines.append([row.name, str(row.workers)] + [cell_text(row, key, missing) for key in keys])
    return header, lines


def races_at_all_workers(rows):
    workers = max((row.workers for row in rows), default=1)
    return workers, [race for row in rows if row.workers == workers for race in row.races()]


def standing_sentence(rows):
    """At all workers, where it matters."""
    workers, races = races_at_all_workers(rows)
    parts = []
    for compiler in FILCH:
        here = [race for race in races if race.compiler == compiler]
        if here:
            first = sum(race.is_first for race in here)
            parts.append(f"in {first} of {plural(len(here), 'row')} with {compiler}'s kernels")
    if not parts:
        return "There is nothing to compare filch with."
    return (
        f"With {plural(workers, 'worker')} filch is the first of those that run in parallel, or within"
        f" {TIE:.0%} of the first, {' and '.join(parts)}."
    )


def headline(rows, about):
    """The standing, and what speaks against it."""
    warnings = [value for value in about.values() if any(word in value for word in WARNINGS)]
    return " ".join([standing_sentence(rows)] + [f"But: {value}." for value in warnings])


def loss_sentences(rows):
    """One for each row and compiler with which another candidate that runs in parallel is ahead
    by more than a tie, one of the ties, and one of all rows in which serial is ahead."""
    sentences, ties = [], []
    for race in (race for row in rows for race in row.races()):
        factor = race.factor
        if factor.median <= 1:
            continue
        times = digits_text(factor.median)
        if race.is_first:
            ties.append(f"{race.name} ({HEADINGS[race.rival]}, {times})")
            continue
        doubt = "" if race.is_sure else ", no sure difference"
        sentences.append(
            f"{race.name}: {HEADINGS[race.rival]} is faster; filch takes {times} times as long"
            f" ({digits_text(factor.low)} to {digits_text(factor.high)}{doubt})."
        )
    if ties:
        sentences.append(f"Behind by up to {TIE:.0%}, which counts as a tie: {'; '.join(ties)}.")
    slower = [
        f"{row.title}, {plural(row.workers, 'worker')} ({digits_text(row.behind('filch'))} times)"
        for row in rows
        if "filch" in row.cells and is_serial_ahead(row)
    ]
    if slower:
        sentences.append(f"Serial is faster than all, and filch takes so many times as long: {', '.join(slower)}.")
    return sentences


def is_serial_ahead(row):
    """Of all with its kernels, and of filch by more than a tie."""
    serial = row.cells.get("serial")
    return serial is not None and row.behind("serial") == 1 and row.behind("filch") > 1 + TIE


def size_lines(rows):
    """The size of each work, and what a candidate did otherwise than the rest."""
    lines = []
    seen = set()
    for row in rows:
        if row.work in seen:
            continue
        seen.add(row.work)
        by_size = {}
        for key, cell in row.cells.items():
            by_size.setdefault(cell.size, []).append(HEADINGS[key])
        if len(by_size) == 1:
            line = f"{row.title}: {next(iter(by_size))}"
        else:
            parts = [f"{size} for {', '.join(names)}" for size, names in by_size.items()]
            line = f"{row.title}: {'; '.join(parts)} (times are for one {row.item})"
        notes = {}
        for key, cell in row.cells.items():
            notes.setdefault(cell.note, []).append(HEADINGS[key])
        for note, names in notes.items():
            if note:
                whose = "all" if len(names) == len(row.cells) else ", ".join(names)
                line += f". {whose}: {note}"
        lines.append(line + ".")
    return lines


def clang_lines(rows):
    lines = []
    seen = set()
    for row in rows:
        if row.work in seen or not row.clang_serial or "serial" not in row.cells:
            continue
        seen.add(row.work)
        lines.append(
            f"{row.title}: {time_text(row.clang_serial.median)},"
            f" {digits_text(row.clang_serial.ratio_to(row.cells['serial']).median)} x"
        )
    return lines


def legend_lines(rows, missing):
    """What the words and marks of the table mean, as far as it has them."""
    cells = [cell for row in rows for cell in row.cells.values()]
    lines = [
        "Time: median over the rounds. x: how many times as fast as serial (gcc -O3, the same"
        " source), the median of the ratios within each round; above 1 is faster than serial."
        " Who is first, and by how much, is told by the same kind of ratio, not by these medians."
    ]
    if any(cell.baseline != "serial" for cell in cells):
        lines.append(
            "†: x is taken to clang's serial, which differs from gcc's by more than"
            f" {SERIAL_DIFFERS:.0%}; the time can be compared with the other columns."
        )
    if any(cell.is_noisy for cell in cells):
        many = is_confident(min(cell.time.count for cell in cells))
        kind = "95 % interval" if many else "range over the rounds"
        lines.append(f"~: noisy, the {kind} is wider than ±{NOISY_SPREAD:.0%}.")
    if any(cell.is_contended for cell in cells):
        lines.append(
            f"!: contended, other processes took more than {QUIET_SHARE:.0%} of the CPUs' time"
            " meanwhile."
        )
    for key, why in missing.items():
        if any(row.has(key) for row in rows):
            lines.append(f"{HEADINGS[key]}: not built: {why}.")
    clang = clang_lines(rows)
    if clang:
        lines.append("clang's serial, x to gcc's: " + "; ".join(clang) + ".")
    return lines


def bullets(heading, lines):
    return ["", heading, ""] + ["- " + line for line in lines] if lines else []


def report(rows, machine, missing, sections=()):
    """The whole text, as Markdown. missing: candidate -> why it was not built; sections: more
    of (heading, lines)."""
    out = markdown(*table_lines(rows, missing))
    for line in legend_lines(rows, missing):
        out += ["", line]
    out += ["", headline(rows, machine)]
    out += bullets("Where filch is not the fastest:", loss_sentences(rows))
    for heading, lines in sections:
        out += bullets(heading, lines)
    out += bullets("What was computed:", size_lines(rows))
    out += bullets("Where and how:", [f"{name}: {value}" for name, value in machine.items()])
    return "\n".join(out) + "\n"


def write_csv(path, rows):
    """Times are seconds of a whole run; an interval is low to high."""
    header = (
        "work title size workers candidate rounds items median_s low_s high_s min_s"
        " ratio ratio_low ratio_high baseline others_share"
    )
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split())
        for row in rows:
            for key, cell in row.cells.items():
                time, ratio = cell.time, cell.ratio
                seconds = [time.median, time.low, time.high, cell.fastest]
                ratios = [ratio.median, ratio.low, ratio.high] if ratio else []
                writer.writerow(
                    [row.work, row.title, cell.size, row.workers, key, time.count, f"{cell.items:.0f}"]
                    + [f"{value * cell.items:.9g}" for value in seconds]
                    + [f"{value:.6g}" for value in ratios] + [""] * (3 - len(ratios))
                    + [cell.baseline, f"{cell.others:.3f}"]
                )
