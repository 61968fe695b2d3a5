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

import against
import machine
import measure
import plot
import report
import scaling
import statistic
import table

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ""


def suite_command(*arguments):
    return [sys.executable, "-B", os.path.join(HERE, "run.py"), "--programs", PROGRAMS, *arguments]


def run_suite(*arguments):
    """Into a folder that goes at once, unless another one is named."""
    with tempfile.TemporaryDirectory() as folder:
        command = suite_command("--out", folder, *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=False)


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
        "seconds_min": seconds,
        "other_ticks": 0,
        "all_ticks": 100,
    }


class Tables(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_ratios_within_each_round(self):
        runs = []
        for number, (serial, filch) in enumerate([(4, 2), (90, 30), (5, 5)]):
            runs += [figures("serial", serial, number), figures("filch", filch, number)]
        cell = table.rows_of(runs)[0].cells["filch"]
        self.assertEqual(cell.median, 5)
        self.assertEqual(cell.ratio.median, 2)

    def test_items_are_compared_when_the_sizes_differ(self):
        runs = [figures("serial", 10, items=100), figures("channel", 2, items=4)]
        self.assertAlmostEqual(table.rows_of(runs)[0].cells["channel"].ratio.median, 0.2)

    def test_serial_stands_in_the_rows_of_all_worker_counts(self):
        runs = [figures("serial", 6)]
        runs += [figures("filch", 6 / workers, workers=workers) for workers in (1, 2)]
        rows = table.rows_of(runs)
        self.assertEqual([row.workers for row in rows], [1, 2])
        self.assertEqual([row.cells["filch"].ratio.median for row in rows], [1, 2])

    def test_clang_openmp_is_compared_with_a_clang_serial_that_differs(self):
        for clang_serial, baseline, ratio in ((2.0, "serial-clang", 4), (1.05, "serial", 2)):
            runs = [figures("serial", 1), figures("serial-clang", clang_serial)]
            runs += [figures("openmp-clang", 0.5), figures("filch-clang", 0.5)]
            row = table.rows_of(runs)[0]
            for key in ("openmp-clang", "filch-clang"):
                self.assertEqual(row.cells[key].baseline, baseline)
                self.assertAlmostEqual(row.cells[key].ratio.median, ratio)
            text = table.report([row], {}, {})
            self.assertEqual("†" in text, baseline != "serial")

    def test_a_row_that_filch_loses_is_said(self):
        runs = []
        for number, filch in enumerate([3, 3, 0.5]):
            runs += [figures("serial", 9, number), figures("tbb", 1, number), figures("filch", filch, number)]
        (sentence,) = table.loss_sentences(table.rows_of(runs))
        self.assertIn("TBB is faster; filch takes 3.00 times as long", sentence)
        self.assertIn("(0.50 to 3.00, no sure difference)", sentence)

    def test_a_difference_is_sure_when_the_interval_says_so(self):
        runs = []
        for number in range(6):
            runs += [figures("tbb", 1, number), figures("filch", 2 + number / 10, number)]
        (sentence,) = table.loss_sentences(table.rows_of(runs))
        self.assertIn("filch takes 2.25 times as long (2.00 to 2.50).", sentence)

    def test_a_tie_is_said_as_one(self):
        runs = [figures("serial", 9), figures("tbb", 1), figures("filch", 1.02)]
        (sentence,) = table.loss_sentences(table.rows_of(runs))
        self.assertEqual(
            sentence,
            "Behind by up to 3%, which counts as a tie: a work, 1 worker (TBB, 1.02).",
        )

    def test_a_row_where_serial_is_faster_than_all_is_said_apart(self):
        runs = [figures("serial", 1), figures("tbb", 4), figures("filch", 3)]
        rows = table.rows_of(runs)
        (sentence,) = table.loss_sentences(rows)
        self.assertIn("Serial is faster than all, and filch takes so many times as long: a work, 1 worker (3.00", sentence)
        self.assertIn("in 1 of 1 row", table.standing_sentence(rows))

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

    def test_marks_tell_what_not_to_rely_on(self):
        runs = []
        for number in range(6):
            runs += [figures("serial", 1, number), figures("filch", 0.5, number)]
            runs.append(figures("channel", 0.5 + number / 10, number))
            runs.append({**figures("openmp-gcc", 0.5, number), "other_ticks": 30})
        row = table.rows_of(runs)[0]
        marks = {key: table.marks_of(cell) for key, cell in row.cells.items()}
        self.assertEqual(marks, {"serial": "", "filch": "", "channel": "~", "openmp-gcc": "!"})

    def test_a_serial_candidate_is_noisy_by_its_times(self):
        row = table.rows_of([figures("serial", 1 + n, n) for n in range(6)])[0]
        self.assertEqual(table.marks_of(row.cells["serial"]), "~")

    def test_ticks_that_others_seem_to_take_and_to_give_even_out(self):
        runs = [{**figures("filch", 1, n), "other_ticks": 30 * (-1) ** n} for n in range(6)]
        self.assertFalse(table.rows_of(runs)[0].cells["filch"].is_contended)

    def test_filch_races_those_with_the_same_compilers_kernels(self):
        runs = [figures("serial", 9), figures("openmp-gcc", 2), figures("filch", 3)]
        runs += [figures("serial-clang", 5), figures("openmp-clang", 1), figures("filch-clang", 1)]
        rows = table.rows_of(runs)
        said = table.standing_sentence(rows)
        self.assertIn("in 0 of 1 row with gcc's kernels and in 1 of 1 row with clang's kernels", said)
        (sentence,) = table.loss_sentences(rows)
        self.assertIn("OpenMP (gcc) is faster; filch takes 1.50 times as long", sentence)
        self.assertEqual([rows[0].behind(key) for key in ("filch", "openmp-clang")], [1.5, 1])

    def test_who_is_behind_is_told_by_the_ratios_within_rounds(self):
        runs = []
        for number, drift in enumerate([1, 2, 3]):  # of the machine
            runs += [figures("tbb", drift, number), figures("filch", 1.2 * drift, number)]
        row = table.rows_of(runs)[0]
        row.cells["filch"].time.median = 0.5
        self.assertAlmostEqual(row.behind("filch"), 1.2)
        self.assertEqual(row.behind("tbb"), 1)

    def test_filch_races_who_is_farthest_ahead(self):
        runs = [figures("filch", 3), figures("tbb", 2), figures("rayon", 1), figures("channel", 9)]
        (race,) = table.rows_of(runs)[0].races()
        self.assertEqual((race.rival, race.factor.median), ("rayon", 3))

    def test_the_standing_counts_ties_as_first(self):
        runs = [figures("serial", 10), figures("filch", 1.02, workers=2), figures("tbb", 1, workers=2)]
        runs += [{**run, "work": "v"} for run in runs]
        runs[-2]["seconds_median"] = 1.1
        said = table.standing_sentence(table.rows_of(runs))
        self.assertIn("or within 3% of the first, in 1 of 2 rows", said)


class Statistics(unittest.TestCase):
    def test_an_interval_leaves_out_what_it_can(self):
        self.assertEqual(statistic.interval([3, 1, 2]), (1, 3))
        self.assertEqual(statistic.interval(range(8)), (0, 7))
        self.assertEqual(statistic.interval(range(9)), (1, 7))
        self.assertEqual(statistic.interval(range(20)), (5, 14))

    def test_coverage_is_that_of_the_sign_test(self):
        self.assertAlmostEqual(statistic.coverage(5, 0), 0.9375)
        self.assertAlmostEqual(statistic.coverage(9, 1), 1 - 2 * 10 / 512)
        self.assertFalse(statistic.is_confident(5))
        self.assertTrue(statistic.is_confident(6))


class Against(unittest.TestCase):
    def rows(self, filch):
        runs = []
        for number in range(7):
            noise = 1 + number / 1000
            runs += [figures("serial", 1, number), figures("filch", filch * noise, number)]
        return runs

    def test_only_what_is_apart_is_significant(self):
        before = table.rows_of(self.rows(0.5))
        for now, said in ((0.5, 0), (0.501, 0), (0.25, 1), (0.8, 1)):
            found = against.changes(before, table.rows_of(self.rows(now)))
            self.assertEqual([change.is_significant for change in found], [bool(said)])
        self.assertIn("1.60 times slower (1.99 x serial then, 1.25 x now)", found[0].sentence())

    def test_few_rounds_are_never_significant(self):
        before, now = self.rows(0.5)[:10], self.rows(0.1)[:10]
        (change,) = against.changes(table.rows_of(before), table.rows_of(now))
        self.assertFalse(change.is_significant)

    def test_what_makes_runs_hard_to_compare_is_said(self):
        rows = table.rows_of(self.rows(0.5))
        _, lines = against.section({"machine": "a"}, rows, rows, {"machine": "b"})
        self.assertIn("Not the same: machine, then a, now b.", lines)

    def test_a_run_is_compared_with_its_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "raw.json")
            with open(file, "w", encoding="utf-8") as out:
                json.dump({"about": {"commit": "abc"}, "runs": self.rows(0.5)}, out)
            about, before = against.load(file)
            heading, lines = against.section(about, before, table.rows_of(self.rows(0.25)), about)
        self.assertIn("abc", heading)
        self.assertIn("1 cell of both runs are compared; 0 differ by less than 5%, and of the other 1 0", lines[0])
        self.assertIn("1 differ significantly", lines[0])

    def test_what_is_no_run_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"about": 1}')
            file.flush()
            self.assertRaises(ValueError, against.load, file.name)
        self.assertRaises(ValueError, against.load, "/no/such/file")


class Pictures(unittest.TestCase):
    def rows(self):
        runs = [figures("serial", 1), figures("channel", 0.8, workers=2)]
        runs += [figures("filch", 1 / workers, workers=workers) for workers in (1, 2)]
        return table.rows_of(runs)

    def words(self, svg):
        texts = xml.etree.ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
        return ["".join(text.itertext()).strip() for text in texts]

    def test_each_is_well_formed_and_names_what_it_shows(self):
        for _, _, svg in report.pictures(self.rows(), {"filch": {50: 3e-5, 99: 1e-4}}):
            self.assertIn("filch", self.words(svg))
        self.assertIn("1.25", self.words(plot.bar_chart(self.rows())))
        self.assertIn("1.60", self.words(plot.heat_map(self.rows())))

    def test_the_same_figures_make_the_same_picture(self):
        self.assertEqual(plot.heat_map(self.rows()), plot.heat_map(self.rows()))

    def test_curves_need_three_numbers_of_workers(self):
        self.assertIsNone(plot.speedup_curves(self.rows()))
        more = [figures("serial", 1)] + [figures("filch", 1 / n, workers=n) for n in (1, 2, 4)]
        self.assertIn("filch", self.words(plot.speedup_curves(table.rows_of(more))))

    def test_what_speaks_against_a_run_stands_in_the_headline(self):
        about = {"rounds": "1 of 3, in 2 s: INTERRUPTED, the report is what there was"}
        self.assertNotIn("But", table.headline(self.rows(), {"machine": "quiet"}))
        self.assertIn("But: 1 of 3, in 2 s: INTERRUPTED", table.headline(self.rows(), about))

    def test_the_page_is_whole_and_needs_nothing_else(self):
        rows = self.rows()
        text = report.page(rows, {"machine": "a <b>"}, {}, [], report.pictures(rows, None))
        self.assertIn("machine: a &lt;b&gt;", text)
        self.assertEqual(text.count("<svg"), 2)
        outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text)
        self.assertEqual(outside, [])


class Scaling(unittest.TestCase):
    def test_a_fit_finds_the_parameters_that_made_the_figures(self):
        workers = [1, 2, 4, 8, 16]
        for law, values in (
            (scaling.STRONG_LAWS[0], [0.07]),
            (scaling.WEAK_LAWS[0], [0.2]),
            (scaling.UNIVERSAL, [0.05, 0.003]),
        ):
            speeds = {
                n: [float(law.function(n, *values)) * noise for noise in (0.999, 1, 1.001)]
                for n in workers
            }
            fit = scaling.Fit(law, speeds)
            for found, low, high, value in zip(fit.values, fit.low, fit.high, values):
                self.assertAlmostEqual(found, value, delta=0.02 * value)
                self.assertTrue(low <= found <= high)

    def test_what_cannot_be_fitted_is_said(self):
        fits, left_out = scaling.fits_of({1: [1, 1], 2: [1.9, 1.8]}, scaling.STRONG_LAWS)
        self.assertEqual([fit.law.name for fit in fits], ["Amdahl's law"])
        self.assertIn("Universal Scalability Law: not fitted, it needs 3", " ".join(left_out))

    def test_weak_scaling_counts_the_work_that_grew(self):
        times = {1: [2.0, 2.0], 4: [4.0, 2.0]}
        self.assertEqual(scaling.speeds_of(times, True)[4], [2, 4])
        self.assertEqual(scaling.speeds_of(times, False)[4], [0.5, 1])

    def run_scaling(self, folder, *arguments):
        command = [sys.executable, "-B", os.path.join(HERE, "scaling.py"), "--programs", PROGRAMS]
        command += ["--out", folder, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_a_command_is_swept_with_its_number_of_workers_and_its_size(self):
        with tempfile.TemporaryDirectory() as folder:
            seen = os.path.join(folder, "seen")
            shell = f"echo $FILCH_NUM_THREADS $0 >>{seen}"
            arguments = ["--workers=1,3", "--rounds=2", "--weak", "--size=10", "--command"]
            done = self.run_scaling(folder, *arguments, "--", "sh", "-c", shell, "{size}")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(seen, encoding="utf-8") as file:
                self.assertEqual(file.read().split("\n")[:-1], ["1 10", "3 30", "3 30", "1 10"])
            for name in ("scaling.md", "scaling.svg", "scaling.csv"):
                self.assertGreater(os.path.getsize(os.path.join(folder, name)), 0, name)

    def test_a_work_is_swept(self):
        with tempfile.TemporaryDirectory() as folder:
            for kind in ([], ["--weak"]):
                arguments = ["--scale=tiny", "--workers=1,2", "--rounds=1", *kind, "dot"]
                done = self.run_scaling(folder, *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stdout, r"\| 2 +\|")

    def test_what_cannot_be_swept_is_refused(self):
        wrongs = (["no-such-work"], ["--weak", "nqueens"], ["--weak", "--command", "true"])
        with tempfile.TemporaryDirectory() as folder:
            for wrong in wrongs:
                done = self.run_scaling(folder, *wrong)
                self.assertEqual((done.returncode, done.stdout), (2, ""), wrong)
                self.assertNotEqual(done.stderr, "")
            done = self.run_scaling(folder, "--rounds=1", "--command", "false")
            self.assertEqual(done.returncode, 1)


class Runs(unittest.TestCase):
    def test_a_run_prints_a_row_for_each_work_and_worker_count(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run_suite("--scale=tiny", "--out", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            names = ["raw.json", "results.csv", "table.md", "report.html"]
            names += ["heatmap.svg", "speedup.svg", "latency.svg"]
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
            self.assertIn("FAILED (dot, ", done.stdout)

    def test_a_report_is_made_again_from_the_measurements(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run_suite("--scale=tiny", "--filter=^(dot|fib)$", "--out", folder)
            again = run_suite("--from", os.path.join(folder, "raw.json"), "--filter=^dot$")
            self.assertEqual(again.returncode, 0, again.stderr)
            rows = [re.findall(r"^\| dot .*(?=\|)", run.stdout, re.MULTILINE) for run in (done, again)]
            cells = [[" ".join(row.split()).replace("| - ", "") for row in found] for found in rows]
            self.assertEqual(cells[0], cells[1])
            self.assertTrue(cells[0])
            self.assertNotIn("| fib", again.stdout)
            again = run_suite("--from", os.path.join(folder, "raw.json"), "--filter=dot", "--out", folder)
            self.assertEqual(again.returncode, 0, again.stderr)
            with open(os.path.join(folder, "raw.json"), encoding="utf-8") as file:
                self.assertEqual({run["work"] for run in json.load(file)["runs"]}, {"dot", "fib"})
            none = run_suite("--from", os.path.join(folder, "raw.json"), "--filter=^nothing$")
            self.assertEqual(none.returncode, 2)

    def test_a_run_keeps_the_measurements_of_the_one_before(self):
        with tempfile.TemporaryDirectory() as folder:
            for work in ("dot", "fib"):
                done = run_suite("--scale=tiny", f"--filter=^{work}$", "--out", folder)
                self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(folder, "raw.before.json"), encoding="utf-8") as file:
                self.assertEqual({run["work"] for run in json.load(file)["runs"]}, {"dot"})

    def test_one_worker_alone_gets_its_report(self):
        cpu = str(min(os.sched_getaffinity(0)))
        with tempfile.TemporaryDirectory() as folder:
            command = ["taskset", "-c", cpu, *suite_command("--scale=tiny", "--out", folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| fib, cut off by hand ", done.stdout)

    def test_each_round_begins_with_another_candidate(self):
        jobs = list(range(6))
        orders = [measure.in_turn(jobs, number, 3) for number in (1, 2, 3)]
        self.assertEqual(orders[0], jobs)
        self.assertEqual(orders[1], [1, 0, 5, 4, 3, 2])
        self.assertEqual(orders[2], [4, 5, 0, 1, 2, 3])

    def test_wrong_options_end_with_2(self):
        for wrong in ("--no-such-option", "--filter=no-such-work", "--rounds=0", "--scale=huge", "--against=/no/such", "--workers=0", "--neighbour=loud", "--filter=(", "--out=/dev/null/x"):
            done = run_suite(wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertNotEqual(done.stderr, "")

    def test_an_interrupted_run_prints_what_there_is(self):
        options = ("--scale=tiny", "--filter=dot", "--rounds=100000")
        with tempfile.TemporaryDirectory() as folder:
            command = suite_command("--out", folder, *options)
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as process:
                process.stderr.readline()  # how many measurements
                process.stderr.readline()  # the first round has ended
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130)
            self.assertIn("INTERRUPTED", machine.read(os.path.join(folder, "report.html")))
        self.assertIn("| dot product", out)
        self.assertIn("INTERRUPTED", out)


if __name__ == "__main__":
    PROGRAMS = sys.argv.pop()
    unittest.main()
