#!/usr/bin/env python3
"""Weaken each memory order, one at a time, and see a model test fail.

    mutants.py --checker libmodel_checker.a [--compiler gcc] [--jobs N] [--only TEXT]

The table is mutant_table.py. Each mutant is a copy of the sources with one text replaced, for
which one model test is compiled and run: it must fail, with the words that the table says. A
survivor is the same, but must pass, and the table says why that does no harm.

Fails when a mutant survives or dies of something else, when a survivor fails, when the text to
replace is not in its file exactly once, and when an ORDER label of lib/ or include/ stands
nowhere in the table. Ends with the matrix of orders and tests.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from mutant_table import MUTANTS, OUTSIDE, SURVIVORS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = ("include/filch", "lib", "tests/model")
LABEL = re.compile(r"ORDER\(([\w-]+)\)")
SECONDS = 120  # for one run; a mutant that hangs has not failed


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def problems_of_table():
    """What in the table does not fit the sources."""
    for mutant in MUTANTS + SURVIVORS:
        places = [(mutant.file, mutant.text)] + list(mutant.mirrors)
        for path, text in places:
            count = read(path).count(text)
            if count != 1:
                yield f"{mutant.name}: {count} times in {path}, not once:\n{text}"
    for mutant in MUTANTS:
        if not mutant.words or mutant.why:
            yield f"{mutant.name}: needs the words of its failure, and no excuse"
    for mutant in SURVIVORS:
        if not mutant.why:
            yield f"{mutant.name}: survives without a reason"
    named = {label for mutant in MUTANTS + SURVIVORS for label in mutant.orders}
    labels = set()
    for folder in ("lib", "include/filch"):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if name.endswith((".c", ".h")):
                labels.update(LABEL.findall(read(f"{folder}/{name}")))
    for label in sorted(labels - named - set(OUTSIDE)):
        yield f"ORDER({label}) has no mutant, and no reason in OUTSIDE"
    for label in sorted((named | set(OUTSIDE)) - labels):
        yield f"ORDER({label}) of the table is nowhere in lib/ or include/"
    for label in sorted(named & set(OUTSIDE)):
        yield f"ORDER({label}) has a mutant, and stands in OUTSIDE, too"


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, **more)


def verdict_of(mutant, options):
    """Build and run one mutant: (what its test said, or how it went wrong)."""
    name, _, capacity = mutant.test.partition("@")
    with tempfile.TemporaryDirectory(prefix="filch-mutant-") as copy:
        for folder in SOURCES:
            shutil.copytree(os.path.join(ROOT, folder), os.path.join(copy, folder))
        path = os.path.join(copy, mutant.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(mutant.text, mutant.replacement))
        flags = ["-std=c11", "-O1", "-w", "-DNDEBUG", '-DFILCH_ATOMICS_HEADER="checker_atomics.h"',
                 *(f"-I{copy}/{folder}" for folder in ("tests/model", "include", "lib"))]
        if capacity:
            flags.append(f"-DFILCH_CAPACITY={capacity}")
        park, program = f"{copy}/park.o", f"{copy}/program"
        for command in (
            [*flags, "-fsanitize=thread", "-c", f"{copy}/lib/park.c", "-o", park],
            [*flags, f"{copy}/tests/model/{name}.c", park, options.checker, "-o", program],
        ):
            built = run([options.compiler, *command])
            if built.returncode:
                return f"does not compile:\n{built.stdout}"
        arguments = ["--quiet"] + ([f"--case={mutant.case}"] if mutant.case else [])
        try:
            ran = run([program, *arguments], timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"no end after {SECONDS} s"
    if ran.returncode == 0:
        return "passed" if "executions" in ran.stdout else "no case was run"
    failures = [line.strip() for line in ran.stdout.split("\n") if "FAILED: " in line]
    return failures[-1] if ran.returncode == 1 and failures else \
        f"exit status {ran.returncode}: {ran.stdout[-300:]}"


def print_matrix(tests):
    """Orders down, tests across: how many mutants of the order the test kills."""
    columns = sorted({mutant.test.partition("@")[0] for mutant in MUTANTS})
    orders = sorted({label for mutant in MUTANTS + SURVIVORS for label in mutant.orders})

    def count(mutants, label, column=None):
        found = sum(label in m.orders and (column is None or m.test.partition("@")[0] == column)
                    for m in mutants)
        return str(found) if found else "."

    print(f"\n{'mutants killed':<18}" + "".join(f"{column:>13}" for column in columns) +
          f"{'survivors':>13}")
    for label in orders:
        print(f"{label:<18}" + "".join(f"{count(tests, label, c):>13}" for c in columns) +
              f"{count(SURVIVORS, label):>13}")
    for label in sorted(OUTSIDE):
        print(f"{label:<18}not modelled: {OUTSIDE[label]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checker", required=True)
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="a part of a mutant's name or order")
    options = parser.parse_args()

    bad = list(problems_of_table())
    wanted = [mutant for mutant in MUTANTS + SURVIVORS
              if any(options.only in text for text in (mutant.name, *mutant.orders))]
    if not wanted:
        bad.append(f"no mutant is called {options.only}")
    killed = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, said in zip(wanted, pool.map(lambda m: verdict_of(m, options), wanted)):
            if mutant in SURVIVORS:
                is_right = said == "passed"
            else:
                is_right = said.startswith("FAILED: ") and mutant.words in said
            if is_right and mutant not in SURVIVORS:
                killed.append(mutant)
            kind = "survives" if is_right and mutant in SURVIVORS else \
                "killed" if is_right else "WRONG"
            said += f" ({mutant.why})" if mutant.why else ""
            print(f"{kind:<9}{mutant.test:<14}{' '.join(mutant.orders):<14} {mutant.name}: {said}",
                  flush=True)
            if not is_right:
                bad.append(f"{mutant.name}: {said}")
    if not options.only:
        print_matrix(killed)
    for problem in bad:
        print(f"PROBLEM: {problem}")
    print(f"{len(killed)} mutants killed, {len(bad)} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
