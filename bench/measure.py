"""Measuring: a process for each candidate of each work, in alternation.

No candidate meets the threads or the heap of another. A round measures every candidate once;
within a round the candidates of a work follow each other directly, beginning with another one
each time and in even rounds backwards, so that what drifts on the machine hits all alike.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time

import machine

PEERS = ["tbb", "rayon"]  # built into the gcc program, where they were found

PROCESS_TIMEOUT = 600  # seconds: far above any measurement, so it hangs


class Failure(Exception):
    """A benchmark program failed; the run ends."""


class Plan:
    """How much is measured: rounds, seconds in each process, and untimed seconds before: on one
    worker the memory needs them, on several the system too, to spread threads over the CPUs.
    The seconds go into REPETITIONS, of which the median counts."""

    REPETITIONS = 3

    def __init__(self, rounds, seconds, warm_alone, warm_together, text_mb):
        self.rounds = rounds
        self.seconds = seconds
        self.warm_alone = warm_alone
        self.warm_together = warm_together
        self.text_mb = text_mb


PLANS = {
    "tiny": Plan(1, 0.003, 0, 0, 1),
    "quick": Plan(3, 0.015, 0.01, 0.03, 16),
    "full": Plan(7, 0.1, 0.02, 0.1, 256),
}


class Programs:
    """The benchmark programs of a build, and what they say of themselves."""

    def __init__(self, folder):
        self.folder = folder
        self.gcc = os.path.join(folder, "filch_bench")
        clang = os.path.join(folder, "filch_bench_clang")
        self.clang = clang if os.path.exists(clang) else None
        self.info = info_of(self.gcc)
        self.missing = {}  # candidate -> why it was not built
        if not self.clang:
            for key in ("openmp-clang", "filch-clang"):
                self.missing[key] = self.why_missing("filch_bench_clang.missing")
        for peer in PEERS:
            if peer not in self.info["built"]:
                self.missing[peer] = self.why_missing(f"peer_{peer}.missing")

    def why_missing(self, file):
        return machine.read(os.path.join(self.folder, file)).strip() or "it is not there"

    def compilers(self):
        infos = [self.info] + ([info_of(self.clang)] if self.clang else [])
        return ", ".join(f"{info['compiler']} with {info['openmp']}" for info in infos)

    def works(self, pattern):
        """Those whose names have the pattern; without one, those that are not extra."""
        return [
            work
            for work in self.info["works"]
            if (re.search(pattern, work["name"]) if pattern else not work["is_extra"])
        ]


def info_of(program):
    return json.loads(subprocess.check_output([program, "--info"]))


class Job:
    def __init__(self, key, program, candidate, workers):
        self.key = key  # of table.CANDIDATES, or serial-clang
        self.program = program
        self.candidate = candidate
        self.workers = workers


def jobs_of(work, programs, worker_counts):
    """What one round measures of one work, in order."""
    jobs = [Job("serial", programs.gcc, "serial", 1)]
    if programs.clang:
        jobs.append(Job("serial-clang", programs.clang, "serial", 1))
    for workers in worker_counts[-1:] if work.get("is_together") else worker_counts:
        jobs.append(Job("channel", programs.gcc, "channel", workers))
        jobs.append(Job("openmp-gcc", programs.gcc, "openmp", workers))
        if programs.clang:
            jobs.append(Job("openmp-clang", programs.clang, "openmp", workers))
            jobs.append(Job("filch-clang", programs.clang, "filch", workers))
        built = [peer for peer in PEERS if peer not in programs.missing]
        jobs += [Job(peer, programs.gcc, peer, workers) for peer in built]
        jobs.append(Job("filch", programs.gcc, "filch", workers))
    return [job for job in jobs if job.candidate in work["candidates"]]


def run_program(command):
    """What it prints, which is JSON a line."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_TIMEOUT)
    except subprocess.TimeoutExpired as hung:
        raise Failure(f"hangs: {' '.join(command)}") from hung
    if done.returncode < 0 and -done.returncode == signal.SIGINT:
        raise KeyboardInterrupt
    if done.returncode != 0:
        raise Failure(f"{done.stderr.strip()}\nexit code {done.returncode}: {' '.join(command)}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Measurer:
    """Runs jobs with one set of options."""

    def __init__(self, scale, texts=(), options=()):
        self.scale = scale
        self.plan = PLANS[scale]
        self.texts = texts
        self.options = list(options)  # for every program

    def measure(self, job, work, options=()):
        plan, name = self.plan, work["name"]
        warm = plan.warm_alone if job.workers == 1 else plan.warm_together
        command = [job.program, f"--work={name}", f"--candidate={job.candidate}"]
        command += [f"--workers={job.workers}", f"--scale={self.scale}"]
        command += [f"--min-time={plan.seconds / plan.REPETITIONS:.3g}", f"--warm-up={warm}"]
        command += [f"--repetitions={plan.REPETITIONS}"]
        command += [f"--text={text}" for text in self.texts if work.get("reads_text")]
        others = machine.Others()
        (figures,) = run_program(command + self.options + list(options))
        figures["other_ticks"], figures["all_ticks"] = others.ticks_since()
        figures["key"] = job.key
        figures["candidates"] = work["candidates"]
        return figures


class Progress:
    """One line on stderr: where we are and how long it still takes."""

    def __init__(self, total):
        self.total = total
        self.start = time.monotonic()
        self.done = 0
        self.is_terminal = sys.stderr.isatty()
        if not self.is_terminal:
            print(f"{total} measurements", file=sys.stderr)

    def show(self, text):
        if self.is_terminal:
            left = f", about {self.left_text()} left" if self.done else ""
            sys.stderr.write(f"\r\033[K{self.done} of {self.total} measured{left}: {text}")
            sys.stderr.flush()

    def left_text(self):
        seconds = (time.monotonic() - self.start) / self.done * (self.total - self.done)
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"

    def end_round(self, number, rounds):
        if not self.is_terminal and number < rounds:
            print(f"round {number} of {rounds} done, about {self.left_text()} left", file=sys.stderr)

    def clear(self):
        if self.is_terminal:
            sys.stderr.write("\r\033[K")


def in_turn(jobs, number, rounds):
    """The order in which a round takes them; see above."""
    first = len(jobs) * (number - 1) // rounds
    turned = jobs[first:] + jobs[:first]
    return turned if number % 2 else turned[::-1]


def measure_all(works, jobs, rounds, measurer, runs):
    """Fill runs, so that the caller has what there is when this is interrupted."""
    progress = Progress(rounds * sum(len(jobs(work)) for work in works))
    try:
        for number in range(1, rounds + 1):
            for work in works:
                for job in in_turn(jobs(work), number, rounds):
                    progress.show(f"round {number}, {work['name']}, {job.key}, {job.workers}")
                    figures = measurer.measure(job, work)
                    figures["round"] = number
                    runs.append(figures)
                    progress.done += 1
            progress.end_round(number, rounds)
    finally:
        progress.clear()
