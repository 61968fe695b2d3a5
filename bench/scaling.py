#!/usr/bin/env python3
"""How far a program scales: sweep the number of workers, fit two laws, draw. scripts/scaling
calls this, and its --help tells the options.

Strong scaling keeps the work and asks how much sooner it is done; weak scaling gives each worker
as much as one had, and asks how much more is done in the time. Either way `speed` is the
throughput relative to one worker.

Laws, for N workers:
  Amdahl     speed = 1 / (s + (1 - s) / N): a share s of one worker's time is serial
  Gustafson  speed = s + (1 - s) N: the same for weak scaling, where s does not grow
  Universal  speed = N / (1 + a (N - 1) + b N (N - 1)): a is contention, b is coherence, the
             talk between each and every worker, which makes more workers slower in the end
Intervals come from 1,000 resamplings of the measured rounds.

Sources: Amdahl, AFIPS 1967; Gustafson, CACM 31(5), 1988; Gunther, A simple capacity model of massively parallel transaction
systems, CMG 1993.
"""

import argparse
import csv
import os
import subprocess
import sys
import time

import numpy
from scipy.optimize import curve_fit

import machine
import measure
import plot
import table
from statistic import Estimate

RESAMPLINGS = 1000
NOTHING = 1e-6  # a parameter that was fitted as 0
SIZE = "{size}"  # in a command, for weak scaling


# ---- laws ----


def amdahl(workers, serial):
    return 1 / (serial + (1 - serial) / workers)


def gustafson(workers, serial):
    return serial + (1 - serial) * workers


def universal(workers, contention, coherence):
    return workers / (1 + contention * (workers - 1) + coherence * workers * (workers - 1))


class Law:
    def __init__(self, name, function, parameters, upper):
        self.name = name
        self.function = function
        self.parameters = parameters  # their names
        self.upper = upper

    def fit(self, workers, speeds):
        """The parameters that fit best, none below 0; errors are relative."""
        start = [min(0.01, bound / 2) for bound in self.upper]
        found, _ = curve_fit(
            self.function, workers, speeds, p0=start, sigma=speeds,
            bounds=([0] * len(start), self.upper), maxfev=10000,
        )  # fmt: skip
        return found


UNIVERSAL = Law("Universal Scalability Law", universal, ["contention", "coherence"], [1, 1])
STRONG_LAWS = [Law("Amdahl's law", amdahl, ["serial share"], [1]), UNIVERSAL]
WEAK_LAWS = [Law("Gustafson's law", gustafson, ["serial share"], [1]), UNIVERSAL]


class Fit:
    """A law's parameters with their intervals; speeds: workers -> one for each round."""

    def __init__(self, law, speeds, seed=1):
        self.law = law
        self.workers = numpy.array(sorted(speeds), dtype=float)
        medians = [numpy.median(speeds[count]) for count in sorted(speeds)]
        self.values = law.fit(self.workers, numpy.array(medians))
        random = numpy.random.default_rng(seed)
        samples = []
        for _ in range(RESAMPLINGS):
            chosen = [
                numpy.median(random.choice(speeds[count], len(speeds[count])))
                for count in sorted(speeds)
            ]
            samples.append(law.fit(self.workers, numpy.array(chosen)))
        self.samples = numpy.array(samples)
        self.low, self.high = numpy.percentile(self.samples, [2.5, 97.5], axis=0)

    @staticmethod
    def needs(law):
        """Numbers of workers: one says nothing, as its speed is 1."""
        return 1 + len(law.parameters)

    def curve(self, workers):
        """(value, low, high) for each number of workers."""
        every = numpy.array([self.law.function(workers, *sample) for sample in self.samples])
        low, high = numpy.percentile(every, [2.5, 97.5], axis=0)
        return self.law.function(workers, *self.values), low, high

    def sentence(self):
        parts = [
            f"{name} {value:.2%} (95 % interval {low:.2%} to {high:.2%})"
            for name, value, low, high in zip(self.law.parameters, self.values, self.low, self.high)
        ]
        return f"{self.law.name}: {', '.join(parts)}. {self.consequence()}"

    def consequence(self):
        if self.law.function is gustafson:
            return f"So each further worker does {1 - self.values[0]:.0%} of what the first one does."
        if self.law.function is amdahl:
            if self.values[0] < NOTHING:
                return "No limit was seen."
            return f"So it gets at most {1 / self.values[0]:.3g} times as fast, with any number of workers."
        contention, coherence = self.values
        if coherence < NOTHING:
            return "More workers do not make it slower, as far as was seen."
        best = max(1, numpy.sqrt(max(0, 1 - contention) / coherence))
        return (
            f"So it is fastest with {best:.0f} workers,"
            f" {universal(best, *self.values):.3g} times as fast as with one."
        )


# ---- what is swept ----


class Work:
    """A work of the benchmark program."""

    def __init__(self, programs, name, scale, is_weak):
        self.programs = programs
        self.name = name
        self.is_weak = is_weak
        self.measurer = measure.Measurer(scale)
        found = [work for work in programs.info["works"] if work["name"] == name]
        if not found:
            names = ", ".join(work["name"] for work in programs.info["works"])
            raise ValueError(f"no work {name!r}: {names} (a command stands after --)")
        self.work = found[0]
        if is_weak and not self.work["has_factor"]:
            names = [work["name"] for work in programs.info["works"] if work["has_factor"]]
            raise ValueError(f"{name} has no size that could grow; these have: {', '.join(names)}")

    def seconds(self, workers):
        job = measure.Job("filch", self.programs.gcc, "filch", workers)
        options = [f"--factor={workers}"] if self.is_weak else []
        return self.measurer.measure(job, self.work, options)["seconds_median"]


class Command:
    """Any program that takes its number of workers from FILCH_NUM_THREADS."""

    def __init__(self, words, base_size):
        self.words = words
        self.name = " ".join(words)
        self.base_size = base_size  # None: strong scaling

    def seconds(self, workers):
        size = str(self.base_size * workers) if self.base_size else ""
        words = [word.replace(SIZE, size) for word in self.words] if size else self.words
        environment = {**os.environ, "FILCH_NUM_THREADS": str(workers)}
        start = time.monotonic()
        done = subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False)
        elapsed = time.monotonic() - start
        if done.returncode:
            raise measure.Failure(f"exit code {done.returncode}: {self.name}")
        return elapsed


def sweep(what, counts, rounds, times):
    """Fill times: workers -> seconds of each round; in odd rounds backwards."""
    for number in range(rounds):
        for workers in counts if number % 2 == 0 else reversed(counts):
            times.setdefault(workers, []).append(what.seconds(workers))
        print(f"round {number + 1} of {rounds} done", file=sys.stderr)


# ---- output ----


def speeds_of(times, is_weak):
    """workers -> relative throughput of each round."""
    return {
        workers: [
            one / seconds * (workers if is_weak else 1)
            for one, seconds in zip(times[1], times[workers])
        ]
        for workers in times
    }


def fits_of(speeds, laws):
    """(fits, sentences on what could not be fitted, and on what to be wary of)."""
    fits, left_out = [], []
    allowed = len(os.sched_getaffinity(0))
    if max(speeds) > allowed:
        left_out.append(
            f"Beyond {table.plural(allowed, 'worker')} they share the CPUs that this process may"
            " use: those figures show that, and not the program."
        )
    for law in laws:
        if len(speeds) < Fit.needs(law):
            left_out.append(f"{law.name}: not fitted, it needs {Fit.needs(law)} numbers of workers.")
        else:
            fits.append(Fit(law, speeds))
    return fits, left_out


def text_of(title, times, speeds, fits, left_out, about):
    header = ["workers", "time", "speed", "interval", "efficiency"]
    lines = []
    for workers in sorted(times):
        speed = Estimate(speeds[workers])
        lines.append(
            [str(workers), table.time_text(Estimate(times[workers]).median)]
            + [f"{speed.median:.3g} x", f"{speed.low:.3g} to {speed.high:.3g}"]
            + [f"{speed.median / workers:.0%}"]
        )
    out = [title, ""] + table.markdown(header, lines) + [""]
    out += ["- " + fit.sentence() for fit in fits] + ["- " + line for line in left_out]
    out += table.bullets("Where and how:", [f"{name}: {value}" for name, value in about.items()])
    return "\n".join(out) + "\n"


def write_csv(path, times, speeds):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["workers", "round", "seconds", "speed"])
        for workers in sorted(times):
            for number, seconds in enumerate(times[workers]):
                writer.writerow(
                    [workers, number + 1, f"{seconds:.9g}", f"{speeds[workers][number]:.6g}"]
                )


def picture(title, speeds, fits):
    """Speed and efficiency over the workers, with the fits and their intervals, as SVG."""
    plt = plot.plt
    most = max(speeds)
    grid = numpy.linspace(1, most * 1.5, 100)
    counts = sorted(speeds)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    estimates = [Estimate(speeds[count]) for count in counts]
    for axes, divide in ((left, False), (right, True)):
        by = numpy.array(counts, dtype=float) if divide else numpy.ones(len(counts))
        medians = numpy.array([estimate.median for estimate in estimates]) / by
        below = medians - numpy.array([estimate.low for estimate in estimates]) / by
        above = numpy.array([estimate.high for estimate in estimates]) / by - medians
        axes.errorbar(
            counts, medians, yerr=[below, above], fmt="o", color="black", markersize=4,
            capsize=2, label="measured",
        )  # fmt: skip
        ideal = numpy.ones(len(grid)) if divide else grid
        axes.plot(grid, ideal, ":", color="#999999", linewidth=0.8, label="ideal")
        for fit, (colour, line) in zip(fits, (("#0072B2", "--"), ("#D55E00", "-"))):
            curve, low, high = (part / (grid if divide else 1) for part in fit.curve(grid))
            axes.plot(grid, curve, line, color=colour, linewidth=1, label=fit.law.name)
            axes.fill_between(grid, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_xlabel("workers")
        axes.set_ylim(bottom=0)
        axes.grid(linewidth=0.4)
    left.set_ylabel("times as fast as one worker")
    right.set_ylabel("efficiency: speed for each worker")
    left.legend(frameon=False, fontsize=8)
    figure.suptitle(plot.wrapped(title, 90), fontsize=10)
    return plot.finished(figure)


# ---- the program ----


def counts(text):
    found = sorted({int(word) for word in text.split(",")} | {1})
    if found[0] < 1 or len(found) < 2:
        raise ValueError
    return found


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/scaling", usage="scripts/scaling --help tells the options", add_help=False
    )
    parser.add_argument("--programs", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--workers", type=counts)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", choices=measure.PLANS, default="quick")
    parser.add_argument("--weak", action="store_true")
    parser.add_argument("--size", type=int)
    parser.add_argument("--command", action="store_true")
    parser.add_argument("what", nargs="+")
    return parser.parse_args()


def chosen(arguments, programs):
    """What is swept. Raises ValueError with a reason."""
    if not arguments.command:
        if len(arguments.what) > 1:
            raise ValueError("one work; a command stands after --")
        return Work(programs, arguments.what[0], arguments.scale, arguments.weak)
    if not arguments.weak:
        return Command(arguments.what, None)
    if not arguments.size or arguments.size < 1:
        raise ValueError("weak scaling of a command needs --size=N, of one worker's part")
    if not any(SIZE in word for word in arguments.what):
        raise ValueError(f"weak scaling of a command needs {SIZE} among its words")
    return Command(arguments.what, arguments.size)


def main():
    arguments = parse_arguments()
    programs = measure.Programs(arguments.programs)
    try:
        what = chosen(arguments, programs)
    except ValueError as wrong:
        print(f"scaling: {wrong}", file=sys.stderr)
        return 2
    os.makedirs(arguments.out, exist_ok=True)
    swept = arguments.workers or counts(f"1,{','.join(map(str, range(1, programs.info['workers'] + 1)))}")
    times = {}
    others = machine.Others()
    try:
        sweep(what, swept, arguments.rounds, times)
    except (measure.Failure, OSError) as failure:
        print(f"scaling: {failure}", file=sys.stderr)
        return 1
    about = machine.describe()
    about["rounds"] = arguments.rounds
    about["taken by other processes"] = f"{others.share():.0%} of the CPUs' time"
    kind = "weak" if arguments.weak else "strong"
    title = f"{what.name}: {kind} scaling"
    speeds = speeds_of(times, arguments.weak)
    fits, left_out = fits_of(speeds, WEAK_LAWS if arguments.weak else STRONG_LAWS)
    text = text_of(title, times, speeds, fits, left_out, about)
    print(text, end="")
    with open(os.path.join(arguments.out, "scaling.md"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(arguments.out, "scaling.svg"), "w", encoding="utf-8") as file:
        file.write(picture(title, speeds, fits))
    write_csv(os.path.join(arguments.out, "scaling.csv"), times, speeds)
    print(f"The picture: {os.path.join(arguments.out, 'scaling.svg')}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
