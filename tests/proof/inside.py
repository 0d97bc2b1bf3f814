"""The database of a server, seen from below: what must hold in it at any moment.

    with inside.look(server) as database:
        faults = database.faults()

SQLite is looked at in a copy of its files, taken while no server runs, so that the server's own
recovery stays untouched. PostgreSQL is asked through libpq while the server may run.
"""
import contextlib
import ctypes
import ctypes.util
import hashlib
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

# Each finds what must not be: a row is a fault. {texts} are the ids of records that can be searched.
RULES = {
    "event ids have no gap":
        "SELECT count(*), max(id) FROM event HAVING count(*) <> coalesce(max(id), 0)",
    "every event has its private part":
        "SELECT id FROM event WHERE id NOT IN (SELECT event_id FROM event_private)",
    "digests are those of the private parts":
        "SELECT e.id FROM event e JOIN event_private p ON p.event_id = e.id"
        " WHERE {sha256: p.salt || p.body} <> e.digest",
    "a record has as many events as revisions":
        "SELECT r.number, r.revision, count(e.id) FROM record r"
        " LEFT JOIN event e ON e.record_id = r.id GROUP BY r.id, r.number, r.revision"
        " HAVING count(e.id) <> r.revision OR count(DISTINCT e.revision) <> r.revision"
        " OR max(e.revision) <> r.revision",
    "a record is in the state that its last event says":
        "SELECT r.number, r.state, e.to_state FROM record r JOIN event e ON e.id ="
        " (SELECT max(id) FROM event WHERE record_id = r.id AND to_state IS NOT NULL)"
        " WHERE r.state <> e.to_state OR r.status <> e.to_status"
        " OR r.active <> CASE WHEN r.status <= 2 THEN 1 ELSE 0 END",
    "states of events follow one another":
        "SELECT id, record_id, from_state, was FROM (SELECT id, record_id, from_state,"
        " lag(to_state) OVER (PARTITION BY record_id ORDER BY id) AS was FROM event"
        " WHERE record_id IS NOT NULL AND to_state IS NOT NULL) x WHERE was <> from_state",
    "group and priority are those of the last event":
        "SELECT r.number FROM record r JOIN event e ON e.id ="
        " (SELECT max(id) FROM event WHERE record_id = r.id)"
        " WHERE r.group_id IS DISTINCT FROM e.group_id OR r.priority IS DISTINCT FROM e.priority",
    "the tally equals a recount":
        "SELECT process_id, org_id, state, status, g, p, sum(n) FROM ("
        "SELECT process_id, org_id, state, status, group_id AS g, priority AS p, n FROM tally"
        " UNION ALL SELECT process_id, org_id, state, status, coalesce(group_id, 0),"
        " coalesce(priority, 0), -1 FROM record) x"
        " GROUP BY process_id, org_id, state, status, g, p HAVING sum(n) <> 0",
    "every record can be searched":
        "SELECT r.number FROM record r WHERE r.id NOT IN ({texts})"
        " UNION ALL SELECT CAST(t.id AS TEXT) FROM ({texts}) t"
        " WHERE t.id NOT IN (SELECT id FROM record)",
    "open tasks and children are counted":
        "SELECT r.number, r.open_tasks, r.open_children FROM record r"
        " LEFT JOIN (SELECT c.parent_id, sum(CASE WHEN p.name = 'task' THEN 1 ELSE 0 END) AS tasks,"
        " sum(CASE WHEN p.name = 'task' THEN 0 ELSE 1 END) AS others FROM record c"
        " JOIN process p ON p.id = c.process_id WHERE c.active = 1 AND c.parent_id IS NOT NULL"
        " GROUP BY c.parent_id) x ON x.parent_id = r.id"
        " WHERE r.open_tasks <> coalesce(x.tasks, 0) OR r.open_children <> coalesce(x.others, 0)",
    "attachments belong to their event":
        "SELECT a.id FROM attachment a LEFT JOIN event e ON e.id = a.event_id"
        " AND e.record_id = a.record_id AND e.kind = 'attach' WHERE e.id IS NULL",
    "every attach event has its attachment":
        "SELECT e.id FROM event e JOIN event_private p ON p.event_id = e.id WHERE e.kind = 'attach'"
        " AND p.body LIKE '%\"attached\"%' AND NOT EXISTS"
        " (SELECT 1 FROM attachment a WHERE a.event_id = e.id)",
    "notices belong to their event":
        "SELECT n.id FROM notice n LEFT JOIN event e ON e.id = n.event_id"
        " AND e.record_id = n.record_id WHERE e.id IS NULL",
    "every link has its event":
        "SELECT l.id FROM link l WHERE NOT EXISTS (SELECT 1 FROM event e"
        " WHERE e.record_id IN (l.from_id, l.to_id) AND (e.kind = 'link' OR e.kind = 'action'))",
    "who is resolved will be closed, who is at an end has no timer":
        "SELECT r.number, r.state FROM record r JOIN process p ON p.id = r.process_id"
        " WHERE p.name = 'incident' AND (r.state = 'resolved') <> EXISTS (SELECT 1 FROM job j"
        " WHERE j.record_id = r.id AND j.kind = 'timer' AND j.name = 'close')",
    "answers that are kept are good ones":
        "SELECT key FROM idempotency WHERE status < 200 OR status > 299 OR body = ''",
}


def number_faults(numbers, series):
    """Numbers without gap or double: exactly 1 to n of each series."""
    found, faults = {}, []
    for number in numbers:
        prefix, digits = re.fullmatch(r"(.*?)(\d+)", number).groups()
        found.setdefault(prefix, []).append(int(digits))
    for prefix, have in found.items():
        if sorted(have) != list(range(1, len(have) + 1)):
            missing = sorted(set(range(1, max(have) + 1)) - set(have))[:10]
            faults.append(f"{prefix}: {len(have)} numbers up to {max(have)}, missing {missing}")
    if sorted(series) != sorted(len(have) for have in found.values()):
        faults.append(f"series stand at {sorted(series)}, numbers at "
                      f"{ {prefix: len(have) for prefix, have in found.items()} }")
    return faults


class Database:
    """rows(sql) gives tuples; the rest is common."""

    def faults(self):
        texts = self.texts
        found = []
        for rule, sql in RULES.items():
            rows = self.rows(self.translate(sql.replace("{texts}", texts)))
            if rows:
                found.append(f"{rule}: {len(rows)} rows, as {rows[:3]}")
        numbers = [row[0] for row in self.rows(
            "SELECT number FROM record UNION SELECT number FROM record_alias")]
        found += number_faults(numbers, [int(row[0]) for row in
                                         self.rows("SELECT n FROM series WHERE n > 0")])
        return found + self.own_faults()

    def blob_faults(self, blobs):
        """Every attachment's file is there and has the content that names it."""
        found = []
        for sha256, size in self.rows("SELECT DISTINCT sha256, size FROM attachment"):
            path = Path(blobs) / sha256[:2] / sha256
            if not path.exists():
                found.append(f"{path} is missing")
                continue
            content = path.read_bytes()
            if len(content) != int(size) or hashlib.sha256(content).hexdigest() != sha256:
                found.append(f"{path} has other content")
        return found

    def count(self, table):
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])


class Sqlite(Database):
    """A copy of the files, and whatever recovery makes of them."""
    texts = "SELECT id FROM record_text_docsize"

    def __init__(self, data):
        self.folder = Path(tempfile.mkdtemp(prefix="fettle-copy-"))
        for suffix in ("", "-wal"):
            if (data / f"fettle.db{suffix}").exists():
                shutil.copy(data / f"fettle.db{suffix}", self.folder)
        self.connection = sqlite3.connect(self.folder / "fettle.db")
        self.connection.create_function(
            "sha256", 1, lambda s: hashlib.sha256(s.encode()).hexdigest(), deterministic=True)

    def translate(self, sql):
        return re.sub(r"\{sha256: (.*?)\}", r"sha256(\1)", sql)

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def own_faults(self):
        found = [f"quick_check: {row[0]}" for row in self.rows("PRAGMA quick_check")
                 if row[0] != "ok"]
        return found + [f"foreign key: {row}" for row in self.rows("PRAGMA foreign_key_check")]

    def close(self):
        self.connection.close()
        shutil.rmtree(self.folder)


class Postgres(Database):
    """libpq, as far as it is needed."""
    texts = "SELECT record_id AS id FROM record_text"
    library = None

    def __init__(self, url):
        pq = Postgres.library or self.load()
        self.connection = pq.PQconnectdb(url.encode())
        if pq.PQstatus(self.connection) != 0:
            raise RuntimeError(pq.PQerrorMessage(self.connection).decode())

    @staticmethod
    def load():
        pq = Postgres.library = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
        for name, result, arguments in (
                ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]),
                ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
                ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]),
                ("PQfinish", None, [ctypes.c_void_p]),
                ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
                ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
                ("PQntuples", ctypes.c_int, [ctypes.c_void_p]),
                ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
                ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
                ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
                ("PQclear", None, [ctypes.c_void_p])):
            function = getattr(pq, name)
            function.restype, function.argtypes = result, arguments
        return pq

    def translate(self, sql):
        sql = re.sub(r"\{sha256: (.*?)\}", r"encode(sha256(convert_to(\1, 'UTF8')), 'hex')", sql)
        return sql

    def rows(self, sql):
        pq = self.library
        result = pq.PQexec(self.connection, sql.encode())
        try:
            if pq.PQresultStatus(result) not in (1, 2):
                raise RuntimeError(pq.PQerrorMessage(self.connection).decode() + sql)
            return [tuple(None if pq.PQgetisnull(result, i, k) else
                          pq.PQgetvalue(result, i, k).decode()
                          for k in range(pq.PQnfields(result)))
                    for i in range(pq.PQntuples(result))]
        finally:
            pq.PQclear(result)

    def own_faults(self):
        return []

    def close(self):
        self.library.PQfinish(self.connection)


@contextlib.contextmanager
def look(server):
    database = (Postgres(server.settings["database"]) if server.engine == "postgres" else
                Sqlite(server.data))
    try:
        yield database
    finally:
        database.close()
