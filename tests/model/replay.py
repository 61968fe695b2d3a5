#!/usr/bin/env python3
"""Run what fails again, from what was printed, and see the same trace.

    replay.py PROGRAM...

Each program is a model test with cases that must fail. They are searched in the three ways
(all states, all executions, random); every failure prints a path, and the path must bring back
the same trace, step by step, and the same words. A random search must also be the same when it
is done again with its seed. Fails when one differs, or when nothing failed.
"""

import re
import subprocess
import sys

WAYS = (("all states",), ("all executions", "--plain"), ("random", "--random=20000", "--seed=7"))
AGAIN = re.compile(r"^  again: \S+ --case='(.*)' --path=(\S+)$", re.MULTILINE)


def failures(program, *options):
    """{case: (path, what was printed of it)}"""
    ran = subprocess.run([program, "--show", *options], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, universal_newlines=True)
    # A random search need not find what goes on for ever.
    if ran.returncode not in (0, 1) or "FAILED: outcomes" in ran.stdout:
        sys.exit(f"{program} {' '.join(options)}: status {ran.returncode}\n{ran.stdout}")
    found = {}
    for block in re.split(r"\n(?=\S)", ran.stdout):
        again = AGAIN.search(block)
        if again and "FAILED: no execution failed" not in block:
            lines = [line for line in block.split("\n")[1:]
                     if line and not line.startswith("  run ")]
            found[again.group(1)] = again.group(2), lines
    return found


def main():
    bad = 0
    for program in sys.argv[1:]:
        for way, *options in WAYS:
            found = failures(program, *options)
            wrong = []
            for case, (path, lines) in found.items():
                again = failures(program, f"--case={case}", f"--path={path}")
                if again.get(case) != (path, lines):
                    wrong.append(f"{case}: {path}: {again.get(case)}")
            if way == "random" and failures(program, *options) != found:
                wrong.append("not the same with the same seed")
            if not found:
                wrong.append("nothing failed")
            print(f"{program}: {way}: {len(found)} failures replayed, {len(wrong)} problems")
            for problem in wrong:
                print(f"PROBLEM: {problem}")
            bad += len(wrong)
    return 1 if bad or not sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
