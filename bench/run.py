#!/usr/bin/env python3
"""Run the benchmarks and leave a report. scripts/bench calls this; measure.py says how."""

import argparse
import json
import os
import re
import sys
import tempfile
import time

import against
import corpus
import machine
import measure
import report
import table

# What --neighbour puts beside every measurement, as the report says it.
NEIGHBOURS = {
    "pinned": "kept the last of the CPUs busy",
    "floating": "kept a CPU busy, where the system put it",
}


# ---- options ----


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def counts(text):
    return sorted({positive(word) for word in text.split(",")})


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


def earlier_run(path):
    try:
        return against.load(path)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def earlier_runs(path):
    """All that a raw.json holds."""
    try:
        return against.read(path)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", usage="scripts/bench --help tells the options", add_help=False
    )
    parser.add_argument("--programs", required=True, help="folder of the benchmark programs")
    parser.add_argument("--scale", choices=measure.PLANS, default="quick", help="size of the inputs")
    parser.add_argument("--rounds", type=positive, help="how often everything is measured")
    parser.add_argument("--workers", type=counts, help="numbers of workers")
    parser.add_argument("--filter", default="", type=pattern, help="only works whose name has this pattern")
    parser.add_argument("--out", type=new_folder, required=True, help="folder for the report")
    parser.add_argument("--from", dest="earlier", type=earlier_runs, help="raw.json: report on that, measure nothing")
    parser.add_argument("--against", type=earlier_run, help="raw.json of an earlier run")
    parser.add_argument("--image", help="for the works on a picture")
    parser.add_argument("--text-mb", type=positive, help="how much text to look for")
    parser.add_argument("--neighbour", choices=NEIGHBOURS, help="a process that keeps a CPU busy meanwhile")
    parser.add_argument("--break", dest="broken", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", metavar="FILE", help="text for the works that read some")
    return parser.parse_args()


# ---- what is measured, and where ----


def program_options(arguments):
    """Of every program of this run."""
    options = []
    if arguments.neighbour:
        options.append(f"--neighbour={arguments.neighbour}")
    if arguments.broken:
        options.append(f"--break={arguments.broken}")
    if arguments.image:
        options.append(f"--image={arguments.image}")
    return options


def texts_of(arguments, works, about):
    """The files for the works that read text; names them in about."""
    if not any(work.get("reads_text") for work in works):
        if arguments.files:
            print("no work that reads text was asked for: the files are not read", file=sys.stderr)
        return []
    if arguments.files:
        about["text"] = ", ".join(os.path.basename(text) for text in arguments.files)
        return arguments.files
    text = os.path.join(arguments.programs, "corpus.txt")
    limit = (arguments.text_mb or measure.PLANS[arguments.scale].text_mb) * corpus.MB
    about["text"] = corpus.make(text, limit)
    return [text]


def describe(programs):
    about = machine.describe()
    about["compilers"] = programs.compilers()
    about["peers"] = machine.peer_versions(p for p in measure.PEERS if p not in programs.missing)
    info = programs.info
    about["filch"] = f"{info['filch']}, {info['workers']} workers (limit: {info['reason']})"
    about["workers' CPUs"] = ", ".join(map(str, info["cpus"]))
    return about


def affinity_text(programs, options):
    """How many indices change threads when a loop is run again, in words."""
    (figures,) = measure.run_program([programs.gcc, "--affinity", "--candidate=filch", *options])
    return (
        f"{figures['moved_median']:.1%} of {figures['items']} indices of a balanced loop ran on"
        f" another thread when it was run again (filch, {figures['workers']} workers, median of"
        f" {figures['pairs']} pairs)"
    )


def latencies_of(programs, arguments, options):
    """What --latency prints: candidate -> figures."""
    jobs = measure.jobs_of({"candidates": programs.info["built"]}, programs, [programs.info["workers"]])
    found = {}
    for job in jobs:
        if job.candidate != "serial" and job.key != "filch-clang":  # no kernels in it
            command = [job.program, "--latency", f"--candidate={job.candidate}", f"--scale={arguments.scale}"]
            (found[job.key],) = measure.run_program(command + options)
    return found


def latency_section(latencies):
    """(heading, lines) for the report."""
    lines = []
    for key, figures in latencies.items():
        times = [table.time_text(figures["percentiles_us"][p] / 1e6) for p in ("50", "90", "99", "100")]
        lines.append(
            f"{table.HEADINGS[key]}: half within {times[0]}, 90 % within {times[1]}, 99 % within"
            f" {times[2]}, the longest {times[3]}; with nothing to do its threads take"
            f" {figures['idle_cpu']:.2%} of a CPU"
        )
    halves = {key: figures["percentiles_us"]["50"] for key, figures in latencies.items()}
    first = min(halves, key=halves.get)
    if "filch" in halves and halves["filch"] > halves[first] * (1 + table.TIE):
        times = table.digits_text(halves["filch"] / halves[first])
        lines.append(f"{table.HEADINGS[first]} is fastest; filch takes {times} times as long, by the medians")
    return "From a call, after a rest of 5 ms, until two threads are at work at the same time:", lines


def percentiles(latencies):
    """For the picture: candidate -> {percentile: seconds}."""
    return {
        key: {int(percent): us / 1e6 for percent, us in figures["percentiles_us"].items()}
        for key, figures in latencies.items()
    }


# ---- output ----


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def write_measurements(arguments, runs, latencies, about, missing):
    raw = {"about": about, "missing": missing, "runs": runs, "latencies": latencies}
    if os.path.exists(os.path.join(arguments.out, "raw.json")):
        os.replace(*(os.path.join(arguments.out, name) for name in ("raw.json", "raw.before.json")))
    write(arguments.out, "raw.json", json.dumps(raw, indent=1))


def write_report(arguments, runs, latencies, about, missing):
    """Print the table and write everything else."""
    rows = table.rows_of(runs)
    sections = []
    if latencies:
        sections.append(latency_section(latencies))
    if arguments.against:
        sections.append(against.section(*arguments.against, rows, about))
    text = table.report(rows, about, missing, sections)
    if "neighbour" in about:
        text = f"Beside every measurement another process {about['neighbour']}.\n\n{text}"
    print(text, end="")
    for name in report.PICTURES:  # of the run before
        if os.path.exists(os.path.join(arguments.out, name)):
            os.remove(os.path.join(arguments.out, name))
    drawn = report.pictures(rows, percentiles(latencies)) if rows else []
    write(arguments.out, "table.md", text)
    table.write_csv(os.path.join(arguments.out, "results.csv"), rows)
    for name, _, svg in drawn:
        write(arguments.out, name, svg)
    write(arguments.out, "report.html", report.page(rows, about, missing, sections, drawn))
    print(table.headline(rows, about), file=sys.stderr)
    print(f"The report: {os.path.join(arguments.out, 'report.html')}", file=sys.stderr)


def report_again(arguments):
    """On works of an earlier run whose names have the pattern."""
    raw = arguments.earlier
    runs = [run for run in raw["runs"] if re.search(arguments.filter, run["work"])]
    if not runs:
        print(f"no work of that run matches {arguments.filter!r}", file=sys.stderr)
        return 2
    latencies = {} if arguments.filter else raw.get("latencies", {})
    write_report(arguments, runs, latencies, raw["about"], raw.get("missing", {}))
    return 0


def main():
    arguments = parse_arguments()
    if arguments.earlier:
        return report_again(arguments)
    programs = measure.Programs(arguments.programs)
    works = programs.works(arguments.filter)
    if not works:
        every = ", ".join(work["name"] for work in programs.info["works"])
        print(f"no work matches {arguments.filter!r}: {every}", file=sys.stderr)
        return 2
    about = describe(programs)
    if arguments.neighbour:
        about["neighbour"] = NEIGHBOURS[arguments.neighbour]
    texts = texts_of(arguments, works, about)
    options = program_options(arguments)
    measurer = measure.Measurer(arguments.scale, texts, options)
    rounds = arguments.rounds or measurer.plan.rounds
    workers = arguments.workers or sorted({1, programs.info["workers"]})

    runs = []
    latencies = {}
    status = 0
    start = time.monotonic()
    others = machine.Others()
    try:
        measure.measure_all(
            works, lambda work: measure.jobs_of(work, programs, workers), rounds, measurer, runs
        )
        if not arguments.filter and programs.info["workers"] > 1:
            about["affinity"] = affinity_text(programs, options)
            latencies = latencies_of(programs, arguments, program_options(arguments))
    except KeyboardInterrupt:
        status, why = 130, "INTERRUPTED"
    except measure.Failure as failure:
        print(failure, file=sys.stderr)
        status, why = 1, f"FAILED ({failure})"
    done = max((run["round"] for run in runs), default=0)
    about["rounds"] = f"{done} of {rounds}, in {time.monotonic() - start:.0f} s"
    if status:
        about["rounds"] += f": {why}, the report is what there was"
    share = others.share()
    about["taken by other processes"] = f"{share:.0%} of the CPUs' time" + (
        ": THE MACHINE WAS NOT QUIET, do not rely on the figures" if share > table.QUIET_SHARE else ""
    )
    if runs:
        write_measurements(arguments, runs, latencies, about, programs.missing)
        write_report(arguments, runs, latencies, about, programs.missing)
    return status


if __name__ == "__main__":
    sys.exit(main())
