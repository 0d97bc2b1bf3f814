"""tools/check-*: each finds what it is there to find, and nothing in good code."""
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Checks(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        subprocess.run(["git", "init", "-q", self.folder], check=True)
        shutil.copytree(ROOT / "tools", self.folder / "tools",
                        ignore=shutil.ignore_patterns("node_modules", "__pycache__", ".lock"))
        shutil.copy(ROOT / ".clang-format", self.folder)

    def faults(self, check, **files):
        """What a check says about a project of these files: a__b_c stands for src/a/b.c."""
        for name, content in files.items():
            path = self.folder / "src" / (name.replace("__", "/")[:-2] + "." + name[-1])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode())
        done = subprocess.run([self.folder / "tools" / check], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1 if done.stdout else 0)
        return done.stdout

    def test_layers(self):
        for name, line, words in [
            ("base__a_c", '#include "base/b.h"', ""),
            ("rec__a_c", '#include "flow/flow.h"', ""),
            ("base__a_c", '#include "db/db.h"', "src/base/a.c:1: base may not include db"),
            ("flow__a_c", '#include "db/db.h"', "flow may not include db"),
            ("flow__a_c", '/* #include "db/db.h" */', ""),
            ("base__a_c", '#include "b.h"', 'neither "module/file.h" nor'),
            ("base__a_c", "#include <glib.h>", "does not know"),
            ("base__a_h", "#include <uv.h>", "belongs into a .c file"),
            ("base__a_c", "#include <sys/epoll.h>", ""),
            ("base__a_c", "#include <cmocka.h>", "does not know"),
            ("base__a_test_c", "#include <cmocka.h>", ""),
        ]:
            with self.subTest(line, file=name):
                self.assertIn(words, self.faults("check-layers", **{name: line + "\n"}) or "")
                shutil.rmtree(self.folder / "src")

    def test_a_library_has_one_user(self):
        self.assertIn("<uv.h> is included by more than one file: src/base/b.c:1, src/http/a.c:1",
                      self.faults("check-layers", http__a_c="#include <uv.h>\n",
                                  base__b_c="#include <uv.h>\n"))

    def test_statements_belong_to_their_module(self):
        (self.folder / "src/job").mkdir(parents=True)
        (self.folder / "src/job/job.sql").write_text("-- name: a\nSELECT 1\n")
        found = self.faults("check-layers", job__a_c='#include "job_sql.h"\n',
                            rec__a_c='#include "job_sql.h"\n')
        self.assertEqual(found.count("\n"), 1)
        self.assertIn("src/rec/a.c:1: statements of job are its own", found)

    def test_banned(self):
        for code, words in [
            ('f("strcpy(a)"); /* system() */', ""),
            ("x->system(1); my_system(2);", ""),
            ("strcpy(a, b);", "src/base/a.c:2: strcpy()"),
            ("n = rand ();", "rand()"),
            ("localtime_r(&t, &tm);", "localtime_r()"),
            ('f("SELECT one FROM two");', "a statement outside"),
            ('f(" UPDATE t SET a = 1");', "a statement outside"),
            ('f("Update the record");', ""),
            ('f("UPDATE it");', ""),
        ]:
            with self.subTest(code):
                found = self.faults("check-banned", base__a_c="\n" + code + "\n")
                self.assertTrue(words in found if words else not found, found)

    def test_what_tests_and_drivers_may(self):
        self.assertEqual(self.faults("check-banned", base__a_test_c="fork();\n",
                                     db__sqlite_c='f("SELECT 1 FROM x");\n'), "")

    def test_words(self):
        for text, words in [
            ("fine\n", ""),
            ("trailing \n", "white space"),
            ("no end", "does not end with one new line"),
            ("two ends\n\n", "does not end with one new line"),
            ("a\r\n", "carriage return"),
            ("/* TO" "DO later */\n", "do it or leave it out"),
            ("mktemp " + 6 * "X" + "\n", ""),
        ]:
            with self.subTest(text):
                found = self.faults("check-words", base__a_c=text)
                self.assertTrue(words in found if words else not found, found)

    def test_format(self):
        self.assertEqual(self.faults("check-format", base__a_c="int a;\n"), "")
        self.assertIn("a.c:1", self.faults("check-format", base__a_c="int   a;\n"))


if __name__ == "__main__":
    unittest.main()
