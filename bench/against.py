"""Comparing a run with an earlier one, by the ratios to serial, which carry over when the machine
has become slower as a whole."""

import json

import statistic
import table

CHANGE = 0.03  # less is not worth a word, however sure
CLOSE = 0.05  # what two runs of the same on a quiet machine should not differ by

# What makes two runs hard to compare.
CONDITIONS = ("machine", "system", "compilers", "peers", "CPUs allowed", "CPU quota", "environment")


def read(path):
    """What a raw.json holds. Raises ValueError with a reason."""
    try:
        with open(path, encoding="utf-8") as file:
            earlier = json.load(file)
        table.rows_of(earlier["runs"])
        earlier["about"].get("commit")
        return earlier
    except OSError as wrong:
        raise ValueError(f"cannot read {path}: {wrong.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(f"{path} is no raw.json of a run: {wrong!r}") from None


def load(path):
    """(about, rows) of a raw.json. Raises as read does."""
    earlier = read(path)
    return earlier["about"], table.rows_of(earlier["runs"])


class Change:
    """Of a cell that both runs have."""

    def __init__(self, row, key, then, now):
        self.row = row
        self.key = key
        self.then = then.ratio  # Estimates of the ratio to serial
        self.now = now.ratio
        self.is_noisy = then.is_noisy or now.is_noisy or then.is_contended or now.is_contended
        self.factor = now.ratio.median / then.ratio.median

    @property
    def is_significant(self):
        is_sure = statistic.is_confident(min(self.now.count, self.then.count))
        return is_sure and self.now.is_apart_from(self.then) and abs(self.factor - 1) > CHANGE

    def sentence(self):
        word = "faster" if self.factor > 1 else "slower"
        factor = self.factor if self.factor > 1 else 1 / self.factor
        return (
            f"{self.row.name}, {table.plural(self.row.workers, 'worker')}, {table.HEADINGS[self.key]}:"
            f" {table.digits_text(factor)} times {word}"
            f" ({table.digits_text(self.then.median)} x serial then,"
            f" {table.digits_text(self.now.median)} x now)."
        )


def changes(before, rows):
    """One for each cell of both."""
    known = {(row.work, row.workers): row for row in before}
    found = []
    for row in rows:
        earlier = known.get((row.work, row.workers))
        if not earlier:
            continue
        for key, cell in row.cells.items():
            then = earlier.cells.get(key)
            if key == "serial" or not then or not then.ratio or not cell.ratio:
                continue
            if then.size == cell.size and then.baseline == cell.baseline:
                found.append(Change(row, key, then, cell))
    return found


def section(about, before, rows, about_now):
    """(heading, lines) for the report."""
    every = changes(before, rows)
    significant = sorted(
        (change for change in every if change.is_significant),
        key=lambda change: (change.key != "filch", change.factor),
    )
    far = [change for change in every if abs(change.factor - 1) >= CLOSE]
    lines = [
        f"{table.plural(len(every), 'cell')} of both runs are compared; {len(every) - len(far)} differ by"
        f" less than {CLOSE:.0%}, and of the other {len(far)} {sum(change.is_noisy for change in far)}"
        f" are marked as noisy or contended; {len(significant)} differ significantly (95 % intervals"
        f" apart, and more than {CHANGE:.0%})."
    ]
    for name in CONDITIONS:
        then, now = about.get(name, "not told"), about_now.get(name, "not told")
        if then != now:
            lines.append(f"Not the same: {name}, then {then}, now {now}.")
    lines += [change.sentence() for change in significant]
    return f"Compared with {about.get('commit', 'an earlier run')}, {about.get('date', '')}:", lines
