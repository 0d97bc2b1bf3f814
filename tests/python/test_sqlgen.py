"""tools/sqlgen.py: what becomes of SQL, and what it refuses."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import sqlgen  # noqa: E402


def both(sql):
    """(text for SQLite, text for PostgreSQL, parameters) of one statement."""
    [statement] = sqlgen.read_statements("src/job/job.sql", "-- name: x\n" + sql)
    return statement.texts["sqlite"], statement.texts["postgres"], statement.params


def fault(call, *args):
    try:
        call(*args)
    except sqlgen.Fault as found:
        return str(found)
    return "no fault"


class Texts(unittest.TestCase):
    def test_a_name_keeps_its_position(self):
        self.assertEqual(both("SELECT :b, :a, :b"),
                         ("SELECT ?1, ?2, ?1", "SELECT $1, $2, $1", ["b", "a"]))

    def test_tokens(self):
        for sql, sqlite, postgres in [
            ("SELECT x{sqlite: } FROM ( a )", "SELECT x FROM (a)", "SELECT x FROM (a)"),
            ("SELECT 1 {skip_locked}", "SELECT 1", "SELECT 1 FOR UPDATE SKIP LOCKED"),
            ("SELECT 1 WHERE x IN {ids :g}",
             "SELECT 1 WHERE x IN (SELECT value FROM json_each(?1))",
             "SELECT 1 WHERE x IN (SELECT unnest(CAST($1 AS bigint[])))"),
            ("SELECT 1 WHERE x IN {texts :g}",
             "SELECT 1 WHERE x IN (SELECT value FROM json_each(?1))",
             "SELECT 1 WHERE x IN (SELECT unnest(CAST($1 AS text[])))"),
            ("SELECT {json fields.impact}", "SELECT (fields ->> 'impact')",
             "SELECT (fields ->> 'impact')"),
            ("SELECT {json r.fields.impact}", "SELECT (r.fields ->> 'impact')",
             "SELECT (r.fields ->> 'impact')"),
            ("SELECT {sqlite: rowid} {postgres: CAST(:x AS text)} + :x",
             "SELECT rowid + ?1", "SELECT CAST($1 AS text) + $1"),
            ("SELECT CAST(:x AS INTEGER)", "SELECT CAST(?1 AS INTEGER)", "SELECT CAST($1 AS BIGINT)"),
            ("SELECT CAST(:x AS real)", "SELECT CAST(?1 AS REAL)",
             "SELECT CAST($1 AS DOUBLE PRECISION)"),
        ]:
            with self.subTest(sql):
                self.assertEqual(both(sql)[:2], (sqlite, postgres))

    def test_literals_are_left_alone(self):
        sql = """SELECT ':a {blob} -- INTEGER ''?''  two', "INTEGER :b" """
        self.assertEqual(both(sql), (sql.strip(), sql.strip(), []))

    def test_comments_go(self):
        self.assertEqual(both("SELECT 1 -- not :this\n /* nor {that} */ + 2;")[0], "SELECT 1 + 2")

    def test_a_comment_still_separates(self):
        self.assertEqual(both("SELECT 1/**/FROM x")[0], "SELECT 1 FROM x")

    def test_one_text_for_each_engine(self):
        [statement] = sqlgen.read_statements("ft.sql", """
            -- name: search
            -- only: sqlite
            SELECT 1 WHERE :q = :n
            -- name: search
            -- only: postgres
            SELECT 2 WHERE :n = :q""")
        self.assertEqual(statement.texts, {"sqlite": "SELECT 1 WHERE ?1 = ?2",
                                           "postgres": "SELECT 2 WHERE $2 = $1"})

    def test_what_writes(self):
        for sql, writes in [
            ("SELECT 1", False),
            ("VALUES (1)", False),
            ("insert into t VALUES (1)", True),
            ("WITH x AS (SELECT 1) SELECT * FROM x", False),
            ("WITH x AS (SELECT 1) UPDATE t SET a = 1", True),
            ("SELECT 'DELETE'", False),
            ("SELECT 1 {skip_locked}", True),
        ]:
            with self.subTest(sql):
                [statement] = sqlgen.read_statements("a.sql", "-- name: x\n" + sql)
                self.assertEqual(statement.is_write, writes)


class Refusals(unittest.TestCase):
    def test_statements(self):
        for sql, words in [
            ("SELECT 1", "a.sql:1: a statement without a line '-- name: ...' above it"),
            ("-- name: x\n", "a.sql:1: x has no statement"),
            ("-- name: X\nSELECT 1", "small letters"),
            ("-- name: x\nSELECT 1; SELECT 2", "a.sql:2: x is more than one statement"),
            ("-- name: x\nSELECT 1\n-- name: x\nSELECT 2", "a.sql:3: a_x is there twice"),
            ("-- name: x\nSELECT ?", "a.sql:2: ? instead of a parameter with a name"),
            ("-- name: x\nSELECT $1", "$1 instead of a parameter with a name"),
            ("-- name: x\nSELECT\n 1::text", "a.sql:3: :: is PostgreSQL alone"),
            ("-- name: x\nSELECT {nothing}", "unknown token {nothing}; there are {identity}"),
            ("-- name: x\nSELECT {ids groups}", "unknown token {ids groups}"),
            ("-- name: x\nSELECT 'a", "a.sql:2: ' is not closed"),
            ("-- name: x\nDROP TABLE t", "a statement begins with SELECT"),
            ("-- name: x\n-- only: oracle\nSELECT 1", "only: sqlite or postgres, not oracle"),
            ("-- name: x\nSELECT {sqlite: :a} 1", "a_x for postgres does not use :a"),
            ("-- name: x\n-- only: sqlite\nSELECT :a\n-- name: x\n-- only: postgres\nSELECT :a, :b",
             "the engines' texts differ in their parameters"),
        ]:
            with self.subTest(sql):
                self.assertIn(words, fault(sqlgen.read_statements, "a.sql", sql))

    def test_two_files_of_one_name(self):
        self.assertIn("would clash", fault(sqlgen.generate, [("a/x.sql", ""), ("b/x.sql", "")], []))


class Migrations(unittest.TestCase):
    def texts(self, sql):
        return sqlgen.read_migration("sql/0001_start.sql", sql.encode()).texts

    def test_types(self):
        self.assertEqual(
            self.texts("CREATE TABLE a (id {identity}, n INTEGER, b {blob}, j {json_type});"),
            {"sqlite": ["CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER, b BLOB, j TEXT)"],
             "postgres": ["CREATE TABLE a (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "
                          "n BIGINT, b BYTEA, j JSONB)"]})

    def test_semicolons_in_literals_comments_and_triggers(self):
        trigger = ("CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET n = CASE WHEN 1 THEN 2 "
                   "ELSE 3 END; DELETE FROM b; END")
        self.assertEqual(
            self.texts(f"INSERT INTO a VALUES (';'); -- not; here\n-- only: sqlite\n{trigger};"),
            {"sqlite": ["INSERT INTO a VALUES (';')", trigger],
             "postgres": ["INSERT INTO a VALUES (';')"]})

    def test_checksum_is_of_the_file(self):
        migration = sqlgen.read_migration("0001_a.sql", b"")
        self.assertEqual(migration.sha256,
                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

    def test_refusals(self):
        for name, sql, words in [
            ("1_a.sql", "", "a migration is called NNNN_name.sql"),
            ("0001_a.sql", "\nSELECT 1", "0001_a.sql:2: the last statement has no semicolon"),
            ("0001_a.sql", "SELECT :x;", "a migration has no parameters, but here is :x"),
            ("0002_a.sql", "", "0001 is missing"),
        ]:
            with self.subTest(words):
                self.assertIn(words, fault(sqlgen.read_migrations, [(name, sql.encode())]))


class C(unittest.TestCase):
    def test_strings(self):
        self.assertEqual(sqlgen.c_string('a "b" \\ c', 0), '"a \\"b\\" \\\\ c"')

    def test_long_strings_lose_nothing(self):
        text = " ".join(f"word{i}" for i in range(100))
        pieces = [line.strip()[1:-1] for line in sqlgen.c_string(text, 4).split("\n")]
        self.assertEqual("".join(pieces), text)
        self.assertLess(max(map(len, pieces)), 90)

    def test_everything_is_listed(self):
        outputs = sqlgen.generate([("src/job/job.sql", "-- name: a\nSELECT 1"),
                                   ("src/rec/rec.sql", "-- name: b\n-- Why.\nSELECT 2")],
                                  [("0001_a.sql", b"SELECT 1;")])
        self.assertEqual(set(outputs), {"job_sql.h", "job_sql.c", "rec_sql.h", "rec_sql.c",
                                        "sql_all.c", "migrations.c"})
        self.assertIn("SQL_job_a,\n    SQL_rec_b,\n    NULL", outputs["sql_all.c"])
        self.assertIn("/* Why. */\nextern const struct sql sql_rec_b;", outputs["rec_sql.h"])


if __name__ == "__main__":
    unittest.main()
