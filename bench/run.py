#!/usr/bin/env python3
"""Run the benchmark programs in alternation and print one table. scripts/bench calls this.

Each measurement is a process of its own, so that no candidate meets the threads or the heap of
another. A round measures every candidate once; within a round the candidates of a work follow
each other directly, in odd rounds backwards, so that what drifts on the machine hits all alike.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import corpus
import machine
import plot
import table

# Per scale: rounds, seconds measured in each process, megabytes of text.
PLANS = {"tiny": (1, 0.001, 1), "quick": (5, 0.03, 16), "full": (7, 0.1, 256)}

# Untimed seconds before each measurement: on one worker the memory needs it, on several the
# system too, to spread new threads over the CPUs.
WARM_ALONE = 0.02
WARM_TOGETHER = 0.1

# What --neighbour puts beside every measurement, as the table says it.
NEIGHBOURS = {
    "pinned": "kept the last of the CPUs busy",
    "floating": "kept a CPU busy, where the system put it",
}

PEERS = ["tbb", "rayon"]  # built into the gcc program, where they were found

PROCESS_TIMEOUT = 600  # seconds: far above any measurement, so it hangs


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def pattern(text):
    try:
        re.compile(text)
    except re.error as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} is no pattern: {wrong}") from None
    return text


def new_folder(path):
    """The folder, made now: a run of minutes is not to end in an error."""
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as wrong:
        raise argparse.ArgumentTypeError(f"cannot write to {path}: {wrong.strerror}") from None
    return path


# Of the CPUs' time, taken by others: from here on the table says that it is not to be relied on.
QUIET_SHARE = 0.05


class Failure(Exception):
    """A benchmark program failed; the run ends."""


class Job:
    def __init__(self, key, program, candidate, workers):
        self.key = key  # of table.CANDIDATES, or serial-clang
        self.program = program
        self.candidate = candidate
        self.workers = workers


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", usage="scripts/bench --help tells the options", add_help=False
    )
    parser.add_argument("--programs", required=True, help="folder of the benchmark programs")
    parser.add_argument("--scale", choices=PLANS, default="full", help="size of the inputs")
    parser.add_argument("--rounds", type=positive, help="how often everything is measured")
    parser.add_argument("--filter", default="", type=pattern, help="only works whose name has this pattern")
    parser.add_argument("--out", type=new_folder, help="folder for table.md, results.csv and raw.json")
    parser.add_argument("--plot", type=plot.target, help="file for a picture (.svg or .png)")
    parser.add_argument("--text-mb", type=positive, help="how much text to look for")
    parser.add_argument("--neighbour", choices=NEIGHBOURS, help="a process that keeps a CPU busy meanwhile")
    parser.add_argument("--break", dest="broken", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", metavar="FILE", help="text for the word count")
    return parser.parse_args()


def program_paths(folder):
    """The two programs, and why the second is missing, if it is."""
    gcc = os.path.join(folder, "filch_bench")
    clang = os.path.join(folder, "filch_bench_clang")
    if os.path.exists(clang):
        return gcc, clang, None
    why = machine.read(clang + ".missing").strip() or "it is not there"
    return gcc, None, why


def info_of(program):
    return json.loads(subprocess.check_output([program, "--info"]))


def works_of(info, pattern):
    """The works whose names have the pattern; without one, those that are not extra."""
    return [
        work
        for work in info["works"]
        if (re.search(pattern, work["name"]) if pattern else not work["is_extra"])
    ]


def missing_of(programs, info, why_no_clang):
    """Candidate -> why it was not built."""
    missing = {"openmp-clang": why_no_clang} if why_no_clang else {}
    for peer in PEERS:
        if peer not in info["built"]:
            file = os.path.join(programs, f"peer_{peer}.missing")
            missing[peer] = machine.read(file).strip() or "it is not there"
    return missing


def jobs_of_work(work, gcc, clang, info):
    """What one round measures of one work, in order."""
    jobs = [Job("serial", gcc, "serial", 1)]
    if clang:
        jobs.append(Job("serial-clang", clang, "serial", 1))
    for workers in sorted({1, info["workers"]}):
        jobs.append(Job("channel", gcc, "channel", workers))
        jobs.append(Job("openmp-gcc", gcc, "openmp", workers))
        if clang:
            jobs.append(Job("openmp-clang", clang, "openmp", workers))
        jobs += [Job(peer, gcc, peer, workers) for peer in PEERS if peer in info["built"]]
        jobs.append(Job("filch", gcc, "filch", workers))
    return [job for job in jobs if job.candidate in work["candidates"]]


def measure(job, work, arguments, min_time, texts):
    """Run one process; returns its figures."""
    warm = 0 if arguments.scale == "tiny" else WARM_ALONE if job.workers == 1 else WARM_TOGETHER
    name = work["name"]
    command = [job.program, f"--work={name}", f"--candidate={job.candidate}"]
    command += [f"--workers={job.workers}", f"--scale={arguments.scale}"]
    command += [f"--min-time={min_time}", f"--warm-up={warm}"]
    command += [f"--text={text}" for text in texts if name == "wordcount"]
    if arguments.neighbour:
        command.append(f"--neighbour={arguments.neighbour}")
    if arguments.broken:
        command.append(f"--break={arguments.broken}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_TIMEOUT)
    except subprocess.TimeoutExpired as hung:
        raise Failure(f"hangs: {' '.join(command)}") from hung
    if done.returncode < 0 and -done.returncode == signal.SIGINT:
        raise KeyboardInterrupt
    if done.returncode != 0:
        raise Failure(f"{done.stderr.strip()}\nexit code {done.returncode}: {' '.join(command)}")
    figures = json.loads(done.stdout)
    figures["key"] = job.key
    figures["candidates"] = work["candidates"]
    return figures


def affinity_text(program, arguments):
    """How many indices change threads when a loop is run again, in words."""
    command = [program, "--affinity", "--candidate=filch"]
    if arguments.neighbour:
        command.append(f"--neighbour={arguments.neighbour}")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROCESS_TIMEOUT, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as wrong:
        raise Failure(f"{wrong}") from wrong
    figures = json.loads(done.stdout)
    return (
        f"{figures['moved_median']:.1%} of {figures['items']} indices of a balanced loop ran on"
        f" another thread when it was run again (filch, {figures['workers']} workers, median of"
        f" {figures['pairs']} pairs)"
    )


# ---- progress ----


class Progress:
    """One line on stderr: where we are and how long it still takes."""

    def __init__(self, total):
        self.total = total
        self.seconds = {}  # of each job seen so far
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


def measure_all(works, jobs, rounds, measure_one, runs):
    """Fill runs, so that the caller has what there is when this is interrupted."""
    progress = Progress(rounds * sum(len(jobs(work)) for work in works))
    try:
        for number in range(1, rounds + 1):
            for work in works:
                for job in jobs(work) if number % 2 else reversed(jobs(work)):
                    progress.show(f"round {number}, {work['name']}, {job.key}, {job.workers}")
                    figures = measure_one(job, work)
                    figures["round"] = number
                    runs.append(figures)
                    progress.done += 1
            progress.end_round(number, rounds)
    finally:
        progress.clear()


# ---- output ----


def write_outputs(arguments, runs, rows, text, about):
    if arguments.out:
        with open(os.path.join(arguments.out, "table.md"), "w", encoding="utf-8") as file:
            file.write(text)
        with open(os.path.join(arguments.out, "raw.json"), "w", encoding="utf-8") as file:
            json.dump({"about": about, "runs": runs}, file, indent=1)
        table.write_csv(os.path.join(arguments.out, "results.csv"), rows)
    if arguments.plot:
        plot.draw(rows, arguments.plot)


def main():
    arguments = parse_arguments()
    gcc, clang, why_no_clang = program_paths(arguments.programs)
    info = info_of(gcc)
    rounds, min_time, text_mb = PLANS[arguments.scale]
    rounds = arguments.rounds or rounds
    works = works_of(info, arguments.filter)
    names = [work["name"] for work in works]
    if arguments.files and "wordcount" not in names:
        print("no word count was asked for: the files are not read", file=sys.stderr)
    if not works:
        every = ", ".join(work["name"] for work in info["works"])
        print(f"no work matches {arguments.filter!r}: {every}", file=sys.stderr)
        return 2

    about = machine.describe()
    programs = [gcc] + ([clang] if clang else [])
    about["compilers"] = ", ".join(
        f"{info_of(program)['compiler']} with {info_of(program)['openmp']}" for program in programs
    )
    about["filch"] = f"{info['filch']}, {info['workers']} workers (limit: {info['reason']})"
    texts = arguments.files
    if "wordcount" not in names:
        pass
    elif not texts:
        texts = [os.path.join(arguments.programs, "corpus.txt")]
        limit = (arguments.text_mb or text_mb) * corpus.MB
        about["text"] = corpus.make(texts[0], limit)
    else:
        about["text"] = ", ".join(os.path.basename(text) for text in texts)

    runs = []
    status = 0
    start = time.monotonic()
    others = machine.Others()
    try:
        measure_all(
            works,
            lambda work: jobs_of_work(work, gcc, clang, info),
            rounds,
            lambda job, work: measure(job, work, arguments, min_time, texts),
            runs,
        )
        if not arguments.filter:
            about["affinity"] = affinity_text(gcc, arguments)
    except KeyboardInterrupt:
        status = 130
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    done = max((run["round"] for run in runs), default=0)
    about["rounds"] = f"{done} of {rounds}, in {time.monotonic() - start:.0f} s"
    if status:
        about["rounds"] += ": INTERRUPTED, the table is what there was"
    share = others.share()
    about["taken by other processes"] = f"{share:.0%} of the CPUs' time" + (
        ": THE MACHINE WAS NOT QUIET, do not rely on the figures" if share > QUIET_SHARE else ""
    )
    rows = table.rows_of(runs)
    text = table.report(rows, about, missing_of(arguments.programs, info, why_no_clang))
    if arguments.neighbour:
        text = f"Beside every measurement another process {NEIGHBOURS[arguments.neighbour]}.\n\n{text}"
    print(text, end="")
    write_outputs(arguments, runs, rows, text, about)
    return status


if __name__ == "__main__":
    sys.exit(main())
