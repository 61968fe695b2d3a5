"""Comparing a run with an earlier one, by the ratios to serial, which carry over when the machine
has become slower as a whole."""

import json

import table

CHANGE = 0.03  # less is not worth a word, however sure


def load(path):
    """(about, rows) of a raw.json. Raises ValueError with a reason."""
    try:
        with open(path, encoding="utf-8") as file:
            earlier = json.load(file)
        return earlier["about"], table.rows_of(earlier["runs"])
    except OSError as wrong:
        raise ValueError(f"cannot read {path}: {wrong.strerror}") from None
    except (ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"{path} is no raw.json of a run: {wrong!r}") from None


class Change:
    """Of a cell that both runs have."""

    def __init__(self, row, key, then, now):
        self.row = row
        self.key = key
        self.then = then  # Estimates of the ratio to serial
        self.now = now
        self.factor = now.median / then.median

    @property
    def is_significant(self):
        return self.now.is_apart_from(self.then) and abs(self.factor - 1) > CHANGE

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
                found.append(Change(row, key, then.ratio, cell.ratio))
    return found


def section(about, before, rows):
    """(heading, lines) for the report."""
    every = changes(before, rows)
    significant = sorted(
        (change for change in every if change.is_significant),
        key=lambda change: (change.key != "filch", change.factor),
    )
    close = sum(abs(change.factor - 1) < 0.05 for change in every)
    lines = [
        f"{table.plural(len(every), 'cell')} of both runs are compared; {close} differ by less than"
        f" 5%, {len(significant)} significantly (intervals apart, and more than {CHANGE:.0%})."
    ]
    lines += [change.sentence() for change in significant]
    return f"Compared with {about.get('commit', 'an earlier run')}, {about.get('date', '')}:", lines
