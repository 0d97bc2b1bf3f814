"""tests/run: how results are counted, and what counts as a failure though nobody says so."""
import importlib.machinery
import importlib.util
import unittest
from pathlib import Path

PATH = str(Path(__file__).parents[1] / "run")
loader = importlib.machinery.SourceFileLoader("run", PATH)
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)


def tally(*lines, code=0, noise=""):
    result = run.Tally("group")
    for line in lines:
        result.take(line)
    result.end(code, noise)
    return result


class Counting(unittest.TestCase):
    def test_results(self):
        t = tally("1..4", "ok 1 - a", "ok", "not ok 3 - b", "# why", "#  more", "noise", "# not this",
                  "ok 4 - c # SKIP no such machine", code=1)
        self.assertEqual(t.passed, 2)
        self.assertEqual(t.failures, [("b", ["# why", "#  more"])])
        self.assertEqual(t.skipped, [("c", "no such machine")])

    def test_explained_before(self):
        t = tally("# of a", "ok 1 - a", "# of b", "not ok 2 - b", "# more of b", "ok 3 - c", code=1)
        self.assertEqual(t.failures, [("b", ["# of b", "# more of b"])])

    def test_names_may_hold_a_hash(self):
        self.assertEqual(tally("not ok 1 - issue #2 is closed").failures,
                         [("issue #2 is closed", [])])

    def test_silent_failures(self):
        for t, words in [
            (tally(), "reported no test"),
            (tally("ok 1 - a", code=3, noise="oh"), "exit code 3"),
            (tally("ok 1 - a", code=-9), "SIGKILL"),
            (tally("1..2", "ok 1 - a"), "planned 2 tests and reported 1"),
            (tally("ok 1 - a", "Bail out! no disk"), "no disk"),
        ]:
            with self.subTest(words):
                self.assertEqual(len(t.failures), 1)
                self.assertIn(words, t.failures[0][0])

    def test_noise_is_shown_for_a_group_that_broke(self):
        self.assertEqual(tally("ok 1 - a", code=3, noise="x\ny").failures[0][1], ["x", "y"])


if __name__ == "__main__":
    unittest.main()
