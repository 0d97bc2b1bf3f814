"""Framing attacks against the running server, and senders who take their time.

Every attack carries a request of its own in what follows it: whoever takes the bytes apart wrongly
creates a record with a title that must then be nowhere. src/http/vectors_test.c tries more of them
against the module alone, and what each is answered.
"""
import selectors
import socket
import time

HOST = "Host: fettle.example\r\n"


class Attacks:
    def __init__(self, token):
        self.proof = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        body = '{"title":"SMUGGLED","impact":"minor","urgency":"low"}'
        self.inner = (f"POST /api/v1/incident HTTP/1.1\r\n{HOST}{self.proof}"
                      f"Content-Length: {len(body)}\r\n\r\n{body}")

    def post(self, fields, body=""):
        return f"POST /api/v1/incident HTTP/1.1\r\n{HOST}{self.proof}{fields}\r\n{body}"

    def get(self, fields="", line="GET /healthz HTTP/1.1\r\n", host=HOST):
        return f"{line}{host}{fields}\r\n"

    def all(self):
        """(name, bytes): what follows the first request is the inner one."""
        n = len(self.inner)
        found = {}
        for name, value in self.lengths(n):
            found[f"length {name}"] = self.post(value, "xx")
        for name, value in self.codings():
            found[f"coding {name}"] = self.post(value, "0\r\n\r\n")
        for name, value in self.both(n):
            found[f"both {name}"] = self.post(value, "0\r\n\r\n")
        for name, chunks in self.chunks():
            found[f"chunk {name}"] = self.post("Transfer-Encoding: chunked\r\n", chunks)
        for name, text in self.heads(n):
            found[f"head {name}"] = text
        return [(name, (text + self.inner).encode("latin-1")) for name, text in found.items()]

    def lengths(self, n):
        values = ("+2", "-2", " 2 2", "2,2", "2, 2", "2,3", "0x2", "2a", "a", "", " ", "2\t2", "2.0",
                  "1e1", "\"2\"", "18446744073709551618", "99999999999999999999", "2;2", "２",
                  "2\x00", "\x0b2", "2\x0c")
        for value in values:
            yield repr(value), f"Content-Length: {value}\r\n".encode().decode("latin-1")
        for a, b in (("2", "2"), ("2", "3"), ("0", str(n)), ("2", "0")):
            yield f"{a} and {b}", f"Content-Length: {a}\r\nContent-Length: {b}\r\n"
        yield "space before colon", "Content-Length : 2\r\n"
        yield "underscore", f"Content_Length: 2\r\nContent-Length: 2 \x01\r\n"
        yield "folded", "Content-Length:\r\n 2\r\n"

    def codings(self):
        values = ("identity", "gzip", "chunked, gzip", "gzip, chunked", "chunked, chunked",
                  "chunked,", ",chunked", "xchunked", "chunkedx", "\"chunked\"", "'chunked'",
                  "chunked;a=b", "chunk ed", "\x0bchunked", "\x0cchunked", "chunked\x00",
                  "\xa0chunked", "cow, chunked", "", "deflate")
        for value in values:
            yield repr(value), f"Transfer-Encoding: {value}\r\n"
        yield "twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
        yield "twice, one identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"
        yield "space before colon", "Transfer-Encoding : chunked\r\n"
        yield "tab before colon", "Transfer-Encoding\t: chunked\r\n"
        yield "folded", "Transfer-Encoding:\r\n chunked\r\n"
        yield "behind a bare LF", "X: y\nTransfer-Encoding: chunked\r\n"
        yield "behind a bare CR", "X: y\rTransfer-Encoding: chunked\r\n"
        yield "underscore", "Transfer_Encoding: chunked\r\nTransfer-Encoding: \x01chunked\r\n"

    def both(self, n):
        yield "length first", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        yield "coding first", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"
        yield "length of it all", f"Content-Length: {n + 5}\r\nTransfer-Encoding: chunked\r\n"
        yield "length zero", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"
        yield "coding in capitals", "Content-Length: 5\r\nTRANSFER-ENCODING: chunked\r\n"
        yield "coding hidden", "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n"
        yield "connection close", ("Connection: close, Content-Length\r\nContent-Length: 5\r\n"
                                   "Transfer-Encoding: chunked\r\n")

    def chunks(self):
        for size in ("-3", "+3", " 3", "0x3", "3 ", "3\t", "3;", "3\x00", "g", "", "3_", "3\xa0",
                     "fffffffffffffffffffff3", "3 ;a", "3,3"):
            if size in ("3;",):
                continue  # an extension without a name is read by many; it is answered, not here
            yield repr(size), f"{size}\r\nabc\r\n0\r\n\r\n"
        yield "bare LF behind the size", "3\nabc\r\n0\r\n\r\n"
        yield "bare LF behind the data", "3\r\nabc\n0\r\n\r\n"
        yield "bare CR behind the size", "3\rabc\r\n0\r\n\r\n"
        yield "data longer", "3\r\nabcd\r\n0\r\n\r\n"
        yield "data shorter", "4\r\nabc\r\n0\r\n\r\n"
        yield "LF in an extension", "3;a\nb\r\nabc\r\n0\r\n\r\n"
        yield "NUL in an extension", "3;a\x00\r\nabc\r\n0\r\n\r\n"
        yield "bare LF at the end", "0\n\n"
        yield "trailer with a bare LF", "0\r\nX: y\n\r\n"
        yield "trailer folded", "0\r\nX: y\r\n z\r\n\r\n"
        yield "trailer with NUL", "0\r\nX: \x00\r\n\r\n"
        yield "trailer without colon", "0\r\nX\r\n\r\n"

    def heads(self, n):
        length = f"Content-Length: {n}\r\n"
        yield "two hosts", self.get("Host: other.example\r\n" + length)
        yield "two equal hosts", self.get(HOST + length)
        yield "no host", self.get(length, host="")
        yield "host with a space", self.get(length, host="Host: a b\r\n")
        yield "host with a comma", self.get(length, host="Host: a,b\r\n")
        yield "host with a path", self.get(length, host="Host: a/b\r\n")
        yield "host folded", self.get(length, host="Host:\r\n a\r\n")
        yield "another host in the target", self.get(length, "GET http://evil.example/ HTTP/1.1\r\n")
        yield "folded", self.get("X: a\r\n b\r\n" + length)
        yield "first line folded", self.get(length, "GET /healthz\r\n HTTP/1.1\r\n")
        yield "first field folded", "GET /healthz HTTP/1.1\r\n X: y\r\n" + HOST + length + "\r\n"
        yield "NUL in a value", self.get("X: a\x00b\r\n" + length)
        yield "NUL in a name", self.get("X\x00: a\r\n" + length)
        yield "NUL in the target", self.get(length, "GET /health\x00z HTTP/1.1\r\n")
        yield "bare CR in a value", self.get("X: a\rb\r\n" + length)
        yield "bare LF in a value", self.get("X: a\nb\r\n" + length)
        yield "bare LF at the end", f"GET /healthz HTTP/1.1\r\n{HOST}{length}\n"
        yield "all bare LF", f"GET /healthz HTTP/1.1\n{HOST}{length}\r\n".replace("\r", "")
        yield "space before colon", self.get("X : a\r\n" + length)
        yield "no colon", self.get("X\r\n" + length)
        yield "empty name", self.get(": a\r\n" + length)
        yield "two spaces", self.get(length, "GET  /healthz HTTP/1.1\r\n")
        yield "tab", self.get(length, "GET\t/healthz\tHTTP/1.1\r\n")
        yield "no version", "GET /healthz\r\n" + HOST + length + "\r\n"
        yield "HTTP/1.2", self.get(length, "GET /healthz HTTP/1.2\r\n")
        yield "HTTP/2.0", self.get(length, "GET /healthz HTTP/2.0\r\n")
        yield "HTTP/01.1", self.get(length, "GET /healthz HTTP/01.1\r\n")
        yield "lower case version", self.get(length, "GET /healthz http/1.1\r\n")
        yield "unknown method", self.get(length, "SMUGGLE /healthz HTTP/1.1\r\n")
        yield "CONNECT", self.get(length, "CONNECT fettle.example:443 HTTP/1.1\r\n")
        yield "TRACE", self.get(length, "TRACE / HTTP/1.1\r\n")
        yield "PRI", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        yield "absolute without host", self.get(length, "GET http:///healthz HTTP/1.1\r\n")
        yield "dots", self.get(length, "GET /api/v1/../healthz HTTP/1.1\r\n")
        yield "encoded slash", self.get(length, "GET /api%2fv1/me HTTP/1.1\r\n")
        yield "encoded NUL", self.get(length, "GET /healthz%00 HTTP/1.1\r\n")
        yield "control in the method", self.get(length, "G\x01T /healthz HTTP/1.1\r\n")
        yield "too many fields", self.get("".join(f"X{i}: y\r\n" for i in range(200)) + length)
        yield "too long a field", self.get("X: " + "y" * 40000 + "\r\n" + length)
        yield "unknown expectation", self.get("Expect: 200-ok\r\n" + length)


# ---- one exchange --------------------------------------------------------------------------------

def read_all(sock, deadline):
    """Everything until the server closes; None when it does not."""
    content = b""
    while time.monotonic() < deadline:
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            part = sock.recv(65536)
        except socket.timeout:
            return content, False
        except ConnectionResetError:
            return content, True
        if not part:
            return content, True
        content += part
    return content, False


def answers(content):
    """The statuses of the answers in these bytes."""
    statuses = []
    while content:
        head, _, rest = content.partition(b"\r\n\r\n")
        statuses.append(int(head.split(b" ")[1]))
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        content = rest[int(length[0].split(b":")[1]):] if length else rest
    return statuses


def attack(port, name, content, step=None):
    """A sentence when it was not refused once and for all. step: bytes sent at a time."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for i in range(0, len(content), step or len(content)):
                sock.sendall(content[i:i + (step or len(content))])
        except (BrokenPipeError, ConnectionResetError):
            pass
        got, is_closed = read_all(sock, time.monotonic() + 3)
    statuses = answers(got)
    if not is_closed or len(statuses) > 1 or any(s < 400 or s in (401, 403, 404) for s in statuses):
        return f"{name}: {statuses}, {'closed' if is_closed else 'still open'}"
    return None


# ---- those who take their time -------------------------------------------------------------------

class Slow:
    """Many connections that send a byte now and then. Runs in a process of its own."""

    def __init__(self, port, count, make, every):
        self.selector = selectors.DefaultSelector()
        self.every = every
        self.open, self.cut, self.refused = {}, [], 0
        for i in range(count):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setblocking(False)
            self.open[sock] = [make(i), 0, time.monotonic()]
            self.selector.register(sock, selectors.EVENT_READ)

    def listen(self, timeout):
        for key, _ in self.selector.select(timeout):
            sock = key.fileobj
            try:
                answer = sock.recv(4096)
            except OSError:
                answer = b""
            if answer.startswith(b"HTTP/1.1 503"):
                self.refused += 1
            self.cut.append(time.monotonic() - self.open.pop(sock)[2])
            self.selector.unregister(sock)
            sock.close()

    def send(self):
        for sock, state in list(self.open.items()):
            content, at, _ = state
            try:
                sock.send(content[at % len(content):][:1])
            except OSError:
                continue
            state[1] = at + 1

    def run(self, until):
        """How long each lived; those that are left at the end are not among them."""
        next_at = time.monotonic()
        while self.open and time.monotonic() < until:
            if time.monotonic() >= next_at:
                self.send()
                next_at += self.every
            self.listen(max(0, min(0.05, next_at - time.monotonic())))
        return {"cut": sorted(self.cut), "left": len(self.open), "refused": self.refused}
