"""Medians and their intervals, from few measurements and without assuming a distribution."""

import math
import statistics

CONFIDENCE = 0.95


def coverage(count, skipped):
    """How likely the median lies between the values that are left when `skipped` are taken away
    at either end of `count`, sorted."""
    outside = sum(math.comb(count, k) for k in range(skipped + 1)) / 2**count
    return max(0.0, 1 - 2 * outside)


def interval(values):
    """(low, high): the narrowest pair of the values that holds the median with CONFIDENCE; all
    of them where they are too few for that (fewer than six)."""
    values = sorted(values)
    skipped = 0
    while 2 * (skipped + 1) < len(values) and coverage(len(values), skipped + 1) >= CONFIDENCE:
        skipped += 1
    return values[skipped], values[len(values) - 1 - skipped]


def is_confident(count):
    return coverage(count, 0) >= CONFIDENCE


class Estimate:
    """A median and its interval."""

    def __init__(self, values):
        values = list(values)
        self.count = len(values)
        self.median = statistics.median(values)
        self.low, self.high = interval(values)

    @property
    def spread(self):
        """The interval's half width, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0

    def is_apart_from(self, other):
        return self.high < other.low or other.high < self.low
