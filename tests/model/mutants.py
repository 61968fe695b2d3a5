#!/usr/bin/env python3
"""Weaken each memory order, one at a time, and see a model test fail.

    mutants.py --checker libmodel_checker.a [--compiler gcc] [--jobs N] [--only TEXT]
    mutants.py --checker libmodel_checker.a --self-test    see it find each kind of problem
    mutants.py --matrix                                    the matrix as the table has it

The table is mutant_table.py. Each mutant is a copy of the sources with one text replaced, for
which one model test is compiled and run: it must fail, with the words that the table says. A
survivor is the same, but must pass, and the table says why that does no harm.

Fails when a mutant survives or dies of something else, when a survivor fails, when the text to
replace is not in its file exactly once, and when an ORDER label of lib/ or include/ stands
nowhere in the table. Ends with the matrix of orders and tests: how many mutants of an order
each test kills. Mutants without an order take something else away that a test must miss.
"""

import argparse
import concurrent.futures
import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True
from mutant_table import MUTANTS, SURVIVORS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ("include/filch", "lib", "tests/model", "bench/channel.c", "bench/channel.h")
# What is linked to a test, besides lib/park.c, as in CMakeLists.txt.
WITH = {
    "inject": ("lib/inject.c",),
    "serving": ("lib/inject.c",),
    "pieces": ("lib/inject.c",),
    "reclaim": ("lib/inject.c",),
    "idlers": ("lib/inject.c",),
    "fpenv": ("lib/inject.c",),
    "channel": ("bench/channel.c",),
}
INSTRUMENTED = ("pieces", "spares", "asking", "chained")
LABEL = re.compile(r"ORDER\(([\w-]+)\)")
OPERATION = re.compile(r"\bfl_(?:load|store|swap|add|sub|or|and)_(?:acquire|release|acq_rel)\b"
                       r"|\bfl_cas_\w+|\bfl_fence_(?!acquire|release)\w+"
                       r"|\bFILCH_(?:STORE_RELEASE|FENCE_LIGHT)\b")
DEFINERS = ("atomics.h", "hot.h")  # the names themselves
SECONDS = 120  # of CPU time for one run; a mutant that does not end has not failed
WAIT_SECONDS = 600  # for these, on a machine with other things to do


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def sources():
    for folder in ("lib", "include/filch"):
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            if name.endswith((".c", ".h")):
                yield f"{folder}/{name}"


def operations_without_mutant(path, mutants):
    """The operations that order memory, each of which must lie in the text of a mutant; one
    that acquires and releases needs a mutant, or a survivor, without either."""
    text = read(path)
    spans = []  # (begin, end, replacement)
    for mutant in mutants:
        spans += [(text.find(mutant.text), len(mutant.text), mutant.replacement)
                  ] if mutant.file == path else []
        spans += [(text.find(mirror), len(mirror), "") for where, mirror in mutant.mirrors
                  if where == path]
    for found in OPERATION.finditer(text) if os.path.basename(path) not in DEFINERS else ():
        inside = [replacement for begin, length, replacement in spans
                  if 0 <= begin <= found.start() and found.end() <= begin + length]
        number = text.count("\n", 0, found.start()) + 1
        if not inside:
            yield f"{path}:{number}: {found.group()} has no mutant"
        base, is_both, _ = found.group().partition("_acq_rel")
        for half in ("_acquire", "_release") if is_both else ():
            if not any(base + half in replacement for replacement in inside):
                yield f"{path}:{number}: {found.group()} has no mutant with {base}{half}"


def problems_of_table(mutants, survivors):
    """What in the table does not fit the sources."""
    for mutant in mutants + survivors:
        places = [(mutant.file, mutant.text)] + list(mutant.mirrors)
        for path, text in places:
            count = read(path).count(text)
            if count != 1:
                yield f"{mutant.name}: {count} times in {path}, not once:\n{text}"
    for mutant in mutants:
        if not mutant.words or mutant.why:
            yield f"{mutant.name}: needs the words of its failure, and no excuse"
    for mutant in survivors:
        if not mutant.why:
            yield f"{mutant.name}: survives without a reason"
    named = {label for mutant in mutants + survivors for label in mutant.orders}
    labels = set()
    for path in sources():
        labels.update(LABEL.findall(read(path)))
        yield from operations_without_mutant(path, mutants + survivors)
    for label in sorted(labels - named):
        yield f"ORDER({label}) has no mutant"
    for label in sorted(named - labels):
        yield f"ORDER({label}) of the table is nowhere in lib/ or include/"


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, **more)


def verdict_of(mutant, options):
    """Build and run one mutant: (what its test said, or how it went wrong)."""
    name, _, capacity = mutant.test.partition("@")
    with tempfile.TemporaryDirectory(prefix="filch-mutant-") as copy:
        for source in SOURCES:
            place = os.path.join(copy, source)
            if os.path.isdir(os.path.join(ROOT, source)):
                shutil.copytree(os.path.join(ROOT, source), place)
            else:
                os.makedirs(os.path.dirname(place), exist_ok=True)
                shutil.copy(os.path.join(ROOT, source), place)
        path = os.path.join(copy, mutant.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(mutant.text, mutant.replacement))
        flags = ["-std=c11", "-O1", "-w", "-DNDEBUG", '-DFILCH_ATOMICS_HEADER="checker_atomics.h"',
                 "-DCHANNEL_FIRST_SLOTS=1",
                 *(f"-I{copy}/{folder}"
                   for folder in ("tests/model", "tests/model/replaced", "include", "lib"))]
        if capacity:
            flags.append(f"-DFILCH_CAPACITY={capacity}")
        program = f"{copy}/program"
        sources = ("lib/park.c", *WITH.get(name, ()))
        objects = [f"{copy}/{os.path.basename(source)}.o" for source in sources]
        commands = [[*flags, "-fsanitize=thread", "-c", f"{copy}/{source}", "-o", made]
                    for source, made in zip(sources, objects)]
        if name in INSTRUMENTED:
            commands.append([*flags, "-fsanitize=thread", "-c", f"{copy}/tests/model/{name}.c",
                             "-o", f"{copy}/test.o"])
            test = f"{copy}/test.o"
        else:
            test = f"{copy}/tests/model/{name}.c"
        commands.append([*flags, test, *objects, options.checker,
                         "-o", program])
        for command in commands:
            built = run([options.compiler, *command])
            if built.returncode:
                return f"does not compile:\n{built.stdout}"
        arguments = ["--quiet"] + ([f"--case={mutant.case}"] if mutant.case else [])
        limited = ["sh", "-c", f'ulimit -t {SECONDS}; exec "$0" "$@"', program]
        try:
            ran = run([*limited, *arguments], timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            return f"no end after {WAIT_SECONDS} s"
    if -ran.returncode in (signal.SIGXCPU, signal.SIGKILL):
        return f"no end after {SECONDS} s of CPU time"
    if ran.returncode == 0:
        return "passed" if "executions" in ran.stdout else "no case was run"
    failures = [line.strip() for line in ran.stdout.split("\n") if "FAILED: " in line]
    return failures[-1] if ran.returncode == 1 and failures else \
        f"exit status {ran.returncode}: {ran.stdout[-300:]}"


def print_matrix(killed, survivors):
    """Orders down, tests across, as Markdown."""
    columns = sorted({mutant.test.partition("@")[0] for mutant in MUTANTS})
    orders = sorted({label for mutant in MUTANTS + SURVIVORS for label in mutant.orders})

    def count(mutants, label, column=None):
        found = sum((label in m.orders or not (label or m.orders)) and
                    (column is None or m.test.partition("@")[0] == column) for m in mutants)
        return str(found) if found else ""

    rows = [["ORDER, its mutants killed by", *columns, "survivors"]]
    rows += [[label or "(no order)", *(count(killed, label, c) for c in columns),
              count(survivors, label)] for label in [*orders, ""]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    print()
    for row in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def run_all(mutants, survivors, options):
    """Run them; (those that were killed as they should, problems)."""
    killed, problems = [], []
    tests = mutants + survivors
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, said in zip(tests, pool.map(lambda m: verdict_of(m, options), tests)):
            if mutant in survivors:
                is_right = said == "passed"
            else:
                is_right = said.startswith("FAILED: ") and mutant.words in said
            if is_right and mutant not in survivors:
                killed.append(mutant)
            kind = "survives" if is_right and mutant in survivors else \
                "killed" if is_right else "WRONG"
            said += f" ({mutant.why})" if mutant.why else ""
            print(f"{kind:<9}{mutant.test:<14}{' '.join(mutant.orders):<14} {mutant.name}: {said}",
                  flush=True)
            if not is_right:
                problems.append(f"{mutant.name}: {said}")
    return killed, problems


def conclude(killed, problems):
    for problem in problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(killed)} mutants killed, {len(problems)} problems")
    return 1 if problems else 0


def self_test(options):
    """Small tables with one problem each: found, and the exit status says so."""
    good = next(m for m in MUTANTS if m.test == "latch")
    excused = next(m for m in SURVIVORS if m.test == "latch")
    bad = [
        ("a mutant that survives", [replace(good, replacement=good.text + " ")], [], "passed"),
        ("one that dies of something else", [replace(good, words="an end")], [], "FAILED: "),
        ("a survivor that fails", [], [replace(good, words="", why="none")], "FAILED: "),
        ("one that does not compile", [replace(good, replacement="(")], [], "not compile"),
        ("a text that is not there", [replace(good, text="nowhere")], [], "0 times in"),
        ("a survivor without a reason", [], [replace(excused, why="")], "without a reason"),
        ("a mutant without words", [replace(good, words="")], [], "needs the words"),
        ("an order without a mutant", [good], [], "has no mutant"),
    ]
    wrong = []
    for name, mutants, survivors, words in [("nothing wrong", [good], [excused], ""), *bad]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            problems = list(problems_of_table(mutants, survivors))
            # Not about this one: all other orders.
            if words != "has no mutant":
                problems = [problem for problem in problems if "has no mutant" not in problem]
            killed = []
            if not problems:
                killed, problems = run_all(mutants, survivors, options)
            status = conclude(killed, problems)
        is_right = status == 1 and any(words in problem for problem in problems) if words \
            else status == 0 and killed == [good]
        print(f"{'ok' if is_right else 'FAILED':<8}{name}")
        if not is_right:
            print(output.getvalue())
            wrong.append(name)
    print("self-test failed" if wrong else "self-test passed")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checker")
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="a part of a mutant's name, order or test")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--matrix", action="store_true")
    options = parser.parse_args()

    if options.matrix:
        print_matrix(MUTANTS, SURVIVORS)
        return 0
    if not options.checker:
        parser.error("--checker is needed")
    if options.self_test:
        return self_test(options)
    bad = list(problems_of_table(MUTANTS, SURVIVORS))
    mutants, survivors = ([m for m in table if any(options.only in text
                                                   for text in (m.name, m.test, *m.orders))]
                          for table in (MUTANTS, SURVIVORS))
    if not mutants and not survivors:
        bad.append(f"no mutant is called {options.only}")
    killed, problems = run_all(mutants, survivors, options)
    if not options.only:
        print_matrix(killed, survivors)
    return conclude(killed, bad + problems)


if __name__ == "__main__":
    sys.exit(main())
