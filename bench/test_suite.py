#!/usr/bin/env python3
"""Tests of run.py and table.py: on the real programs with tiny inputs, and on made-up figures.

    test_suite.py FOLDER_OF_THE_PROGRAMS
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

import machine
import plot
import table

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ""


def suite_command(*arguments):
    return [sys.executable, "-B", os.path.join(HERE, "run.py"), "--programs", PROGRAMS, *arguments]


def run_suite(*arguments):
    return subprocess.run(suite_command(*arguments), capture_output=True, text=True, check=False)


def figures(key, seconds, number=1, workers=1, items=1, work="w"):
    return {
        "key": key,
        "work": work,
        "workers": workers,
        "round": number,
        "title": "a work",
        "size": "some",
        "note": "",
        "item": "call" if items > 1 else "",
        "items": items,
        "seconds_median": seconds,
    }


class Tables(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_ratios_within_each_round(self):
        runs = []
        for number, (serial, filch) in enumerate([(4, 2), (90, 30), (5, 5)]):
            runs += [figures("serial", serial, number), figures("filch", filch, number)]
        cell = table.rows_of(runs)[0].cells["filch"]
        self.assertEqual(cell.median, 5)
        self.assertEqual(cell.ratio, 2)

    def test_items_are_compared_when_the_sizes_differ(self):
        runs = [figures("serial", 10, items=100), figures("channel", 2, items=4)]
        self.assertAlmostEqual(table.rows_of(runs)[0].cells["channel"].ratio, 0.2)

    def test_serial_stands_in_the_rows_of_all_worker_counts(self):
        runs = [figures("serial", 6)]
        runs += [figures("filch", 6 / workers, workers=workers) for workers in (1, 2)]
        rows = table.rows_of(runs)
        self.assertEqual([row.workers for row in rows], [1, 2])
        self.assertEqual([row.cells["filch"].ratio for row in rows], [1, 2])

    def test_clang_openmp_is_compared_with_a_clang_serial_that_differs(self):
        for clang_serial, baseline, ratio in ((2.0, "serial-clang", 4), (1.05, "serial", 2)):
            runs = [figures("serial", 1), figures("serial-clang", clang_serial)]
            runs += [figures("openmp-clang", 0.5)]
            row = table.rows_of(runs)[0]
            self.assertEqual(row.cells["openmp-clang"].baseline, baseline)
            self.assertAlmostEqual(row.cells["openmp-clang"].ratio, ratio)
            text = table.report([row], {}, {})
            self.assertEqual("†" in text, baseline != "serial")

    def test_a_row_that_filch_loses_is_said(self):
        runs = []
        for number, filch in enumerate([3, 3, 0.5]):
            runs += [figures("serial", 1, number), figures("filch", filch, number)]
        (sentence,) = table.loss_sentences(table.rows_of(runs))
        self.assertIn("serial is fastest; filch takes 3.00 times as long", sentence)
        self.assertIn("faster one in 1 of 3 rounds", sentence)

    def test_a_row_that_filch_wins_is_not(self):
        runs = [figures("serial", 1), figures("filch", 0.5), figures("openmp-gcc", 0.6)]
        self.assertEqual(table.loss_sentences(table.rows_of(runs)), [])

    def test_a_program_that_was_not_built_has_its_reason(self):
        rows = table.rows_of([figures("serial", 1), figures("filch", 1)])
        text = table.report(rows, {}, {"openmp-clang": "no clang"})
        self.assertIn("| not built", text)
        self.assertIn("OpenMP (clang): not built: no clang.", text)

    def test_a_missing_peer_is_said_only_where_a_work_would_have_it(self):
        runs = []
        for work, candidates in (("loop", ["serial", "filch", "tbb"]), ("tasks", ["serial", "filch"])):
            for key in ("serial", "filch"):
                runs.append({**figures(key, 1, work=work), "candidates": candidates})
        text = table.report(table.rows_of(runs), {}, {"tbb": "no TBB"})
        self.assertEqual(text.count("| not built"), 1)
        self.assertIn("TBB: not built: no TBB.", text)
        text = table.report(table.rows_of(runs[2:]), {}, {"tbb": "no TBB"})
        self.assertNotIn("TBB", text)

    def test_a_candidate_that_no_row_has_gets_no_column(self):
        rows = table.rows_of([figures("serial", 1), figures("rayon", 1), figures("filch", 1)])
        header = table.report(rows, {}, {}).split("\n", maxsplit=1)[0]
        self.assertEqual([name.strip() for name in header.split("|")[3:-1]], ["serial", "Rayon", "filch"])

    def test_times_keep_three_digits(self):
        said = [table.time_text(t) for t in (1.234, 0.0123456, 4.5678e-5, 3.9e-10)]
        self.assertEqual(said, ["1.23 s", "12.3 ms", "45.7 µs", "0.39 ns"])

    def test_the_picture_is_well_formed(self):
        runs = [figures("serial", 1), figures("filch", 0.5, workers=2)]
        runs.append(figures("channel", 0.8, workers=2))
        with tempfile.TemporaryDirectory() as folder:
            svg = os.path.join(folder, "picture.svg")
            plot.draw(table.rows_of(runs), svg)
            texts = xml.etree.ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}text")
            words = ["".join(text.itertext()).strip() for text in texts]
        for word in ("filch", "channel pool", "serial", "2.00", "1.25"):
            self.assertIn(word, words)


class Runs(unittest.TestCase):
    def test_a_run_prints_a_row_for_each_work_and_worker_count(self):
        with tempfile.TemporaryDirectory() as folder:
            svg = os.path.join(folder, "picture.svg")
            done = run_suite("--scale=tiny", "--out", folder, "--plot", svg)
            self.assertEqual(done.returncode, 0, done.stderr)
            names = ["raw.json", "results.csv", "table.md", "picture.svg"]
            for name in names:
                self.assertGreater(os.path.getsize(os.path.join(folder, name)), 0, name)
            with open(os.path.join(folder, "table.md"), encoding="utf-8") as file:
                self.assertEqual(file.read(), done.stdout)
        rows = re.findall(r"^\| ([^|]*?) +\| (\d+) ", done.stdout, re.MULTILINE)
        program = os.path.join(PROGRAMS, "filch_bench")
        info = json.loads(subprocess.check_output([program, "--info"], text=True))
        works = [work for work in info["works"] if not work["is_extra"]]
        self.assertEqual(len({title for title, _ in rows}), len(works))
        self.assertIn("- affinity: ", done.stdout)
        for title, workers in rows:
            self.assertEqual(rows.count((title, workers)), 1)

    def test_a_filter_finds_works_that_are_not_measured_otherwise(self):
        done = run_suite("--scale=tiny", "--rounds=1", "--filter=^saxpy-(in|asleep)-1$")
        self.assertEqual(done.returncode, 0, done.stderr)
        for title in ("saxpy inside, 1 floats", "saxpy asleep, 1 floats"):
            self.assertIn(f"| {title} (a loop)", done.stdout)

    def test_a_neighbour_is_said_above_the_table_and_does_not_stay(self):
        for kind, said in (("pinned", "the last of the CPUs busy"), ("floating", "kept a CPU busy")):
            done = run_suite("--scale=tiny", "--filter=short-16", f"--neighbour={kind}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(said, done.stdout.split("\n", maxsplit=1)[0])

    def test_a_neighbour_dies_with_its_program(self):
        program = os.path.join(PROGRAMS, "filch_bench")
        command = [program, "--work=short-16", "--candidate=serial", "--neighbour=pinned"]
        with subprocess.Popen(command + ["--min-time=60"], stdout=subprocess.DEVNULL) as process:
            children = f"/proc/{process.pid}/task/{process.pid}/children"
            neighbour = self.soon(lambda: machine.read(children).split())
            process.kill()
        stat = f"/proc/{neighbour[0]}/stat"
        # An orphan may stay as a zombie where nobody waits for it.
        self.soon(lambda: (machine.read(stat) or ") Z").rsplit(")", 1)[1].split()[0] in "ZX")

    def soon(self, ask):
        for _ in range(1000):
            answer = ask()
            if answer:
                return answer
            time.sleep(0.01)
        return self.fail("not within 10 seconds")

    def test_affinity_is_a_line_for_each_candidate(self):
        program = os.path.join(PROGRAMS, "filch_bench")
        said = subprocess.check_output([program, "--affinity", "--workers=2"], text=True)
        lines = [json.loads(line) for line in said.splitlines()]
        self.assertIn("filch", [line["candidate"] for line in lines])
        for line in lines:
            self.assertTrue(0 <= line["moved_min"] <= line["moved_median"] <= line["moved_max"] <= 1)

    def test_a_wrong_result_ends_the_run(self):
        for candidate in ("channel", "openmp", "filch"):
            done = run_suite("--scale=tiny", "--filter=dot", "--break", candidate)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"dot, {candidate}, ", done.stderr)
            self.assertIn("serial has", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_wrong_options_end_with_2(self):
        for wrong in ("--no-such-option", "--filter=no-such-work", "--rounds=0", "--scale=huge", "--plot=a.gif", "--neighbour=loud", "--filter=(", "--out=/dev/null/x"):
            done = run_suite(wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertNotEqual(done.stderr, "")

    def test_an_interrupted_run_prints_what_there_is(self):
        command = suite_command("--scale=tiny", "--filter=dot", "--rounds=100000")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            process.stderr.readline()  # how many measurements
            process.stderr.readline()  # the first round has ended
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 130)
        self.assertIn("| dot product", out)
        self.assertIn("INTERRUPTED", out)


if __name__ == "__main__":
    PROGRAMS = sys.argv.pop()
    unittest.main()
