/* What a sender may try, and what becomes of it. Behind every vector a second request follows:
 * after a refusal nothing of it may ever be answered, after a request that is fine it must be. */
#include "http/harness.h"

#define HOST "Host: x\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define CANARY "GET /canary HTTP/1.1\r\n" HOST "\r\n"

/* CLOSE: served, and the connection ends by what was asked. PART: it waits for more; its sender
 * goes away, and nothing is served. */
enum end { REFUSED, SERVED, CLOSED, PART };

#define V(s) (s), sizeof(s) - 1

static const struct vector {
    const char *name;
    const char *bytes;
    size_t len;
    int status;
    enum end end;
} vectors[] = {
    /* ---- fine */
    {"plain", V(GET HOST "\r\n"), 200, SERVED},
    {"one empty line before", V("\r\n" GET HOST "\r\n"), 200, SERVED},
    {"no space after colon", V(GET "Host:x\r\n\r\n"), 200, SERVED},
    {"space around values", V(GET "Host: \t x \t \r\n\r\n"), 200, SERVED},
    {"empty value", V(GET HOST "X-Empty:\r\n\r\n"), 200, SERVED},
    {"latin value", V(GET HOST "X-A: caf\xc3\xa9\r\n\r\n"), 200, SERVED},
    {"empty value hides nothing", V(POST "Connection:\r\nContent-Length: 33\r\n\r\n" CANARY), 200,
     SERVED},
    {"port", V(GET "Host: x:8080\r\n\r\n"), 200, SERVED},
    {"IPv6 host", V(GET "Host: [::1]:8080\r\n\r\n"), 200, SERVED},
    {"absolute target", V("GET http://x/a HTTP/1.1\r\n" HOST "\r\n"), 200, SERVED},
    {"absolute target without path", V("GET http://x HTTP/1.1\r\n" HOST "\r\n"), 200, SERVED},
    {"OPTIONS *", V("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 204, SERVED},
    {"length 0", V(POST "Content-Length: 0\r\n\r\n"), 200, SERVED},
    {"length", V(POST "Content-Length: 5\r\n\r\nhello"), 200, SERVED},
    {"length with zeros", V(POST "Content-Length: 0005\r\n\r\nhello"), 200, SERVED},
    {"canary within a body", V(POST "Content-Length: 33\r\n\r\n" CANARY), 200, SERVED},
    {"body on GET", V(GET HOST "Content-Length: 33\r\n\r\n" CANARY), 200, SERVED},
    {"body on DELETE", V("DELETE / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi"), 200, SERVED},
    {"no length on POST", V(POST "\r\n"), 200, SERVED},
    {"chunks", V(CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), 200, SERVED},
    {"no chunks", V(CHUNKED "0\r\n\r\n"), 200, SERVED},
    {"hex chunk", V(CHUNKED "a\r\n0123456789\r\n0\r\n\r\n"), 200, SERVED},
    {"upper hex chunk", V(CHUNKED "A\r\n0123456789\r\n0\r\n\r\n"), 200, SERVED},
    {"chunk zeros", V(CHUNKED "0003\r\nabc\r\n000\r\n\r\n"), 200, SERVED},
    {"chunk extension", V(CHUNKED "3;a=b\r\nabc\r\n0\r\n\r\n"), 200, SERVED},
    {"trailer", V(CHUNKED "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"), 200, SERVED},
    {"trailer cannot frame", V(CHUNKED "0\r\nContent-Length: 33\r\n\r\n"), 200, SERVED},
    {"canary within a chunk", V(CHUNKED "21\r\n" CANARY "\r\n0\r\n\r\n"), 200, SERVED},
    {"coding in capitals", V(POST "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"), 200, SERVED},
    {"field names in capitals", V("POST / HTTP/1.1\r\nHOST: x\r\nCONTENT-LENGTH: 2\r\n\r\nhi"), 200,
     SERVED},
    {"upgrade is ignored", V(GET HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), 200,
     SERVED},
    {"upgrade to h2c is ignored",
     V(GET HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
                "\r\n"),
     200, SERVED},
    {"upgrade with a body",
     V(POST "Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 33\r\n\r\n" CANARY), 200, SERVED},
    {"keep-alive said", V(GET HOST "Connection: keep-alive\r\n\r\n"), 200, SERVED},
    {"connection close", V(GET HOST "Connection: close\r\n\r\n"), 200, CLOSED},
    {"connection close among others", V(GET HOST "Connection: foo, Close\r\n\r\n"), 200, CLOSED},
    {"connection names other fields",
     V(POST "Connection: content-length\r\nContent-Length: 2\r\n"
            "\r\nhi"),
     200, SERVED},
    {"HTTP/1.0", V("GET / HTTP/1.0\r\n" HOST "\r\n"), 200, CLOSED},
    {"HTTP/1.0 without host", V("GET / HTTP/1.0\r\n\r\n"), 200, CLOSED},
    {"HTTP/1.0 kept alive", V("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200, SERVED},
    {"expect in HTTP/1.0",
     V("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"), 200, CLOSED},
    {"expect with the body at once", V(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"),
     200, SERVED},
    {"encoded path", V("GET /a%20b%C3%A9 HTTP/1.1\r\n" HOST "\r\n"), 200, SERVED},
    {"query with everything", V("GET /?a=%26&b=+&c HTTP/1.1\r\n" HOST "\r\n"), 200, SERVED},
    {"trailing slash", V("GET /a/ HTTP/1.1\r\n" HOST "\r\n"), 200, SERVED},
    {"dots in a name", V("GET /a..b/.c HTTP/1.1\r\n" HOST "\r\n"), 200, SERVED},
    {"unknown coding offered", V(GET HOST "TE: trailers\r\n\r\n"), 200, SERVED},

    /* ---- lengths */
    {"two equal lengths", V(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"), 400},
    {"two lengths", V(POST "Content-Length: 2\r\nContent-Length: 33\r\n\r\n"), 400},
    {"length list", V(POST "Content-Length: 2, 2\r\n\r\nhi"), 400},
    {"length +", V(POST "Content-Length: +2\r\n\r\nhi"), 400},
    {"length -", V(POST "Content-Length: -2\r\n\r\n"), 400},
    {"length hex", V(POST "Content-Length: 0x23\r\n\r\n"), 400},
    {"length with letters", V(POST "Content-Length: 2a\r\n\r\nhi"), 400},
    {"length with a point", V(POST "Content-Length: 2.0\r\n\r\nhi"), 400},
    {"length with a space", V(POST "Content-Length: 3 5\r\n\r\n"), 400},
    {"length with a tab", V(POST "Content-Length: 3\t5\r\n\r\n"), 400},
    {"length empty", V(POST "Content-Length:\r\n\r\n"), 400},
    {"length blank", V(POST "Content-Length: \t\r\n\r\n"), 400},
    {"length of 20 digits", V(POST "Content-Length: 00000000000000000002\r\n\r\nhi"), 400},
    {"length overflow", V(POST "Content-Length: 18446744073709551618\r\n\r\nhi"), 400},
    {"length overflow signed", V(POST "Content-Length: 9223372036854775808\r\n\r\n"), 400},
    {"length quoted", V(POST "Content-Length: \"2\"\r\n\r\nhi"), 400},
    {"length underscore", V(POST "Content-Length: 3_5\r\n\r\n"), 400},
    {"length utf-8 digit", V(POST "Content-Length: \xd9\xa2\r\n\r\n"), 400},
    {"length beyond the limit", V(POST "Content-Length: 100001\r\n\r\n"), 413},
    {"length far beyond", V(POST "Content-Length: 9223372036854775807\r\n\r\n"), 413},
    {"length in disguise", V(POST "Content_Length: 35\r\n\r\n"), 200, SERVED},

    /* ---- codings */
    {"length and chunked",
     V(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunked and length",
     V(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400},
    {"length 0 and chunked",
     V(POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunked twice", V(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunked in two fields",
     V(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunked and identity in two fields",
     V(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"), 400},
    {"identity", V(POST "Transfer-Encoding: identity\r\n\r\n"), 400},
    {"gzip", V(POST "Transfer-Encoding: gzip\r\n\r\n"), 400},
    {"gzip, chunked", V(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunked, gzip", V(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 400},
    {"xchunked", V(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunkedx", V(POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"), 400},
    {"\\xa0chunked",
     V(POST "Transfer-Encoding: \xa0"
            "chunked\r\n\r\n0\r\n\r\n"),
     400},
    {"chunked\\xa0", V(POST "Transfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n"), 400},
    {"\\x0bchunked",
     V(POST "Transfer-Encoding: \x0b"
            "chunked\r\n\r\n0\r\n\r\n"),
     400},
    {"\\x0cchunked",
     V(POST "Transfer-Encoding: \x0c"
            "chunked\r\n\r\n0\r\n\r\n"),
     400},
    {"chunked;q", V(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"), 400},
    {"chunked with a comma", V(POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"), 400},
    {"comma chunked", V(POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"), 400},
    {"chunked quoted", V(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), 400},
    {"coding empty", V(POST "Transfer-Encoding:\r\n\r\n"), 400},
    {"coding junk behind a tab", V(POST "Transfer-Encoding: chunked\tx\r\n\r\n0\r\n\r\n"), 400},
    {"coding after a tab", V(POST "Transfer-Encoding:\tchunked\t\r\n\r\n0\r\n\r\n"), 400},
    {"space before the colon", V(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), 400},
    {"tab before the colon", V(POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"NUL before the colon", V(POST "Transfer-Encoding\0: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"space before the name", V(GET " " HOST "\r\n"), 400},
    {"coding in HTTP/1.0", V("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     400},
    {"coding folded", V(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), 400},
    {"coding behind a bare CR", V(POST "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"coding behind a bare LF", V(POST "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {"coding with NUL", V(POST "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"), 400},

    /* ---- lines */
    {"bare LF after the request line", V("GET / HTTP/1.1\n" HOST "\r\n"), 400},
    {"bare LF after a field", V(GET "Host: x\n\r\n"), 400},
    {"bare LF at the end", V(GET HOST "\n"), 400},
    {"bare LFs throughout", V("GET / HTTP/1.1\nHost: x\n\n"), 400},
    {"CR CR LF", V("GET / HTTP/1.1\r\r\n" HOST "\r\n"), 400},
    {"bare CR in a value", V(GET HOST "X: a\rb\r\n\r\n"), 400},
    {"bare CR after a field", V(GET HOST "X: a\rY: b\r\n\r\n"), 400},
    {"CR at the end", V(GET HOST "\rX"), 400},
    {"folded field", V(GET HOST "X: a\r\n b\r\n\r\n"), 400},
    {"field folded with a tab", V(GET HOST "X: a\r\n\tb\r\n\r\n"), 400},
    {"first field folded", V(GET " X: a\r\n" HOST "\r\n"), 400},
    {"NUL in a value", V(GET HOST "X: a\0b\r\n\r\n"), 400},
    {"NUL in a name", V(GET HOST "X\0Y: a\r\n\r\n"), 400},
    {"DEL in a value", V(GET HOST "X: a\x7f\r\n\r\n"), 400},
    {"ESC in a value", V(GET HOST "X: a\x1b[0m\r\n\r\n"), 400},
    {"no colon", V(GET HOST "X\r\n\r\n"), 400},
    {"no name", V(GET HOST ": a\r\n\r\n"), 400},
    {"space in a name", V(GET HOST "X Y: a\r\n\r\n"), 400},
    {"bracket in a name", V(GET HOST "X(Y): a\r\n\r\n"), 400},
    {"latin in a name", V(GET HOST "X\xc3\xa9: a\r\n\r\n"), 400},
    {"two empty lines before", V("\r\n\r\n" GET HOST "\r\n"), 400},
    {"LF before", V("\n" GET HOST "\r\n"), 400},
    {"space before", V(" " GET HOST "\r\n"), 400},

    /* ---- request line */
    {"two spaces before the target", V("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two spaces behind the target", V("GET /  HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"tab instead of space", V("GET\t/\tHTTP/1.1\r\n" HOST "\r\n"), 400},
    {"space behind the version", V("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400},
    {"no version", V("GET /\r\n" HOST "\r\n"), 400},
    {"no target", V("GET HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"HTTP/0.9", V("GET / HTTP/0.9\r\n" HOST "\r\n"), 505},
    {"HTTP/1.2", V("GET / HTTP/1.2\r\n" HOST "\r\n"), 505},
    {"HTTP/2.0", V("GET / HTTP/2.0\r\n" HOST "\r\n"), 505},
    {"HTTP/2 preface", V("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
    {"HTTP/1.10", V("GET / HTTP/1.10\r\n" HOST "\r\n"), 400},
    {"HTTP/1", V("GET / HTTP/1\r\n" HOST "\r\n"), 400},
    {"HTTP/01.1", V("GET / HTTP/01.1\r\n" HOST "\r\n"), 400},
    {"HTTP/1.1x", V("GET / HTTP/1.1x\r\n" HOST "\r\n"), 400},
    {"http/1.1", V("GET / http/1.1\r\n" HOST "\r\n"), 400},
    {"HTTP 1.1", V("GET / HTTP 1.1\r\n" HOST "\r\n"), 400},
    {"HTTP/1,1", V("GET / HTTP/1,1\r\n" HOST "\r\n"), 400},
    {"HTPP/1.1", V("GET / HTPP/1.1\r\n" HOST "\r\n"), 400},
    {"RTSP", V("GET / RTSP/1.0\r\n" HOST "\r\n"), 400},
    {"ICE", V("SOURCE / ICE/1.0\r\n" HOST "\r\n"), 400},
    {"TRACE", V("TRACE / HTTP/1.1\r\n" HOST "\r\n"), 405},
    {"CONNECT", V("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n"), 405},
    {"PROPFIND", V("PROPFIND / HTTP/1.1\r\n" HOST "\r\n"), 501},
    {"unknown method", V("BREW / HTTP/1.1\r\n" HOST "\r\n"), 501},
    {"method in small letters", V("get / HTTP/1.1\r\n" HOST "\r\n"), 501},
    {"method beginning like one", V("GETX / HTTP/1.1\r\n" HOST "\r\n"), 501},
    {"method with a control", V("G\x01T / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"method with a bracket", V("G(T / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"TLS", V("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400},

    /* ---- targets */
    {"authority target", V("GET x:80 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"star target", V("GET * HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target without slash", V("GET a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target of a query", V("GET ?a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target of another host", V("GET http://y/ HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target of no host", V("GET http:/// HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target with a user", V("GET http://u@x/ HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"target of another scheme", V("GET ftp://x/ HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"absolute target without Host", V("GET http://x/ HTTP/1.1\r\n\r\n"), 400},
    {"fragment", V("GET /#a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"NUL in the target", V("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"control in the target", V("GET /\x01 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"latin in the target", V("GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"backslash", V("GET /a\\b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"angle brackets", V("GET /<a> HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent cut off", V("GET /%4 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent not hex", V("GET /%zz HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent unicode", V("GET /%u0041 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent NUL", V("GET /a%00 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent LF", V("GET /a%0a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent slash", V("GET /a%2fb HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent backslash", V("GET /a%5cb HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent not utf-8", V("GET /%ff HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"percent overlong", V("GET /%c0%ae HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"dot segment", V("GET /a/./b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"dots", V("GET /a/../b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"dots at the end", V("GET /a/.. HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"dots encoded", V("GET /a/%2e%2E/b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two slashes", V("GET //a HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two slashes within", V("GET /a//b HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"query with a broken percent", V("GET /?a=%g0 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"query with NUL", V("GET /?a=%00 HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"query not utf-8", V("GET /?a=%ff HTTP/1.1\r\n" HOST "\r\n"), 400},

    /* ---- Host */
    {"no Host", V(GET "\r\n"), 400},
    {"two Hosts", V(GET HOST "Host: y\r\n\r\n"), 400},
    {"two equal Hosts", V(GET HOST HOST "\r\n"), 400},
    {"two Hosts in HTTP/1.0", V("GET / HTTP/1.0\r\n" HOST "Host: y\r\n\r\n"), 400},
    {"Host empty", V(GET "Host:\r\n\r\n"), 400},
    {"Host list", V(GET "Host: x, y\r\n\r\n"), 400},
    {"Host with a path", V(GET "Host: x/y\r\n\r\n"), 400},
    {"Host with a user", V(GET "Host: u@x\r\n\r\n"), 400},
    {"Host with a space", V(GET "Host: x y\r\n\r\n"), 400},
    {"Host of a port alone", V(GET "Host: :80\r\n\r\n"), 400},
    {"Host with an empty port", V(GET "Host: x:\r\n\r\n"), 400},
    {"Host with a long port", V(GET "Host: x:808080\r\n\r\n"), 400},
    {"Host with two ports", V(GET "Host: x:80:80\r\n\r\n"), 400},
    {"Host not closed", V(GET "Host: [::1\r\n\r\n"), 400},
    {"Host latin", V(GET "Host: \xc3\xa9\r\n\r\n"), 400},
    {"Host quoted", V(GET "Host: \"x\"\r\n\r\n"), 400},

    /* ---- other fields that may come once */
    {"two types", V(POST "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n"), 400},
    {"two authorizations", V(GET HOST "Authorization: a\r\nAuthorization: b\r\n\r\n"), 400},
    {"expectation unknown", V(POST "Expect: 200-ok\r\nContent-Length: 33\r\n\r\n" CANARY), 417},
    {"expectation empty", V(POST "Expect:\r\nContent-Length: 2\r\n\r\nhi"), 417},
    {"expectation and bad length", V(POST "Expect: x\r\nContent-Length: x\r\n\r\n"), 400},
    {"expectation beyond the limit",
     V(POST "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n"), 413},

    /* ---- chunks */
    {"chunk size empty", V(CHUNKED "\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size +", V(CHUNKED "+3\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size -", V(CHUNKED "-3\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size 0x", V(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size with a letter", V(CHUNKED "3g\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size with a space before", V(CHUNKED " 3\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size with a space behind", V(CHUNKED "3 \r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size with a tab", V(CHUNKED "3\t\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size with NUL", V(CHUNKED "3\0\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size underscore", V(CHUNKED "1_0\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size quoted", V(CHUNKED "\"3\"\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size of 16 digits", V(CHUNKED "fffffffffffffff0\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size overflow", V(CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size of many zeros", V(CHUNKED "0000000000000000000003\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk beyond the limit", V(CHUNKED "186a1\r\n" CANARY), 413, REFUSED},
    {"chunk size bare LF", V(CHUNKED "3\nabc\r\n0\r\n\r\n"), 400},
    {"chunk size bare CR", V(CHUNKED "3\rabc\r\n0\r\n\r\n"), 400},
    {"chunk size CR X", V(CHUNKED "3\rXabc\r\n0\r\n\r\n"), 400},
    {"chunk extension bare LF", V(CHUNKED "3;a\nabc\r\n0\r\n\r\n"), 400},
    {"chunk extension bare CR", V(CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk extension NUL", V(CHUNKED "3;a\0\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk extension without semicolon", V(CHUNKED "3,a\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk data longer", V(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"), 400},
    {"chunk data shorter", V(CHUNKED "4\r\nabc\r\n0\r\n\r\n"), 400},
    {"chunk data ends with LF", V(CHUNKED "3\r\nabc\n0\r\n\r\n"), 400},
    {"chunk data ends with CR", V(CHUNKED "3\r\nabc\r0\r\n\r\n"), 400},
    {"chunk data without end", V(CHUNKED "3\r\nabc0\r\n\r\n"), 400},
    {"last chunk bare LF", V(CHUNKED "0\n\r\n"), 400},
    {"end bare LF", V(CHUNKED "0\r\n\n"), 400},
    {"end X", V(CHUNKED "0\r\nX\r\n"), 400},
    {"trailer folded", V(CHUNKED "0\r\nX: a\r\n b\r\n\r\n"), 400},
    {"trailer with bare LF", V(CHUNKED "0\r\nX: a\nY: b\r\n\r\n"), 400},
    {"trailer with NUL", V(CHUNKED "0\r\nX: a\0\r\n\r\n"), 400},
    {"trailer with a space", V(CHUNKED "0\r\nX : a\r\n\r\n"), 400},

    /* ---- not all of it */
    {"head cut off", V(GET HOST), -1, PART},
    {"body cut off", V(POST "Content-Length: 3300\r\n\r\n" CANARY), -1, PART},
    {"chunk cut off", V(CHUNKED "fff\r\n" CANARY), -1, PART},
    {"nothing but an empty line", V("\r\n"), -1, PART},
};

/* ---- sending -------------------------------------------------------------------------------- */

static struct harness h;

static int start(void **state)
{
    (void)state;
    harness_init(&h);
    harness_start(&h);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    harness_done(&h);
    return 0;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* Part after part, as small as asked. */
static void say_parts(int fd, const struct vector *v, size_t part)
{
    for (size_t at = 0; at < v->len; at += part)
        if (!say_bytes(fd, v->bytes + at, v->len - at < part ? v->len - at : part))
            return;
}

static int failures;

/* All vectors that fail are listed, not only the first. */
__attribute__((format(printf, 2, 3))) static void note_failure(const char *name, const char *fmt,
                                                               ...)
{
    va_list args;
    va_start(args, fmt);
    print_error("%s: ", name);
    vprint_error(fmt, args);
    print_error("\n");
    va_end(args);
    failures++;
}

static void check(const struct vector *v, const char *heard, bool is_over)
{
    const bool is_answered = v->end == SERVED;
    const int status = strncmp(heard, "HTTP/1.1 ", 9) == 0 ? (int)strtol(heard + 9, NULL, 10) : -1;
    const int replies = count(heard, "HTTP/1.1 ");
    const int canaries = atomic_exchange(&h.canaries, 0);
    if (status != v->status || replies != (v->status > 0) + is_answered ||
        canaries != (is_answered ? 1 : 0) || !is_over)
        note_failure(v->name, "status %d, %d replies, %d canaries, %s; heard:\n%.300s", status,
                     replies, canaries, is_over ? "closed" : "left open", heard);
    if (v->status >= 400 && !strstr(heard, "Content-Type: application/problem+json\r\n"))
        note_failure(v->name, "no problem document:\n%s", heard);
}

static void run(const struct vector *v, size_t part)
{
    static char heard[256 << 10];
    const int fd = dial(&h);
    assert_true(fd >= 0);
    say_parts(fd, v, part);
    if (v->end != PART)
        say(fd, CANARY);
    shutdown(fd, SHUT_WR);
    const bool is_over = hear_all(fd, heard, sizeof(heard), NULL, 3000);
    close(fd);
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    check(v, heard + (str_starts(heard, interim) ? strlen(interim) : 0), is_over);
}

static void test_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(vectors); i++)
        run(&vectors[i], 1 << 20);
    assert_int_equal(failures, 0);
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(vectors); i++)
        run(&vectors[i], 1);
    assert_int_equal(failures, 0);
}

/* ---- sizes, too large for a table ----------------------------------------------------------- */

static void repeat(struct buf *b, const char *s, int times)
{
    while (times-- > 0)
        buf_puts(b, s);
}

static void run_text(const char *name, const struct buf *text, int status)
{
    const struct vector v = {name, buf_text(text), text->len, status,
                             status == 200 ? SERVED : REFUSED};
    run(&v, 1 << 20);
    run(&v, 1000);
}

static const struct {
    const char *name, *before, *what;
    int times;
    const char *after;
    int status;
} sizes[] = {
    {"target of 8192", "GET /", "a", 8191, " HTTP/1.1\r\n" HOST "\r\n", 200},
    {"target of 8193", "GET /", "a", 8192, " HTTP/1.1\r\n" HOST "\r\n", 414},
    {"target of 20000", "GET /", "a", 19999, " HTTP/1.1\r\n" HOST "\r\n", 414},
    {"target without end", "GET /", "a", 60000, "", 414},
    {"method without end", "", "A", 60000, "", 414},
    {"version without end", "GET / ", "A", 60000, "", 431},
    {"100 fields", GET HOST, "X: y\r\n", 99, "\r\n", 200},
    {"101 fields", GET HOST, "X: y\r\n", 100, "\r\n", 431},
    {"10000 fields", GET HOST, "X: y\r\n", 9999, "\r\n", 431},
    {"field of 15000", GET HOST "X: ", "y", 15000, "\r\n\r\n", 200},
    {"field of 17000", GET HOST "X: ", "y", 17000, "\r\n\r\n", 431},
    {"field name of 17000", GET HOST, "y", 17000, ": x\r\n\r\n", 431},
    {"chunk extension of 60000", CHUNKED "3;", "x", 60000, "\r\nabc\r\n0\r\n\r\n", 400},
    {"trailer of 60000", CHUNKED "0\r\nX: ", "x", 60000, "\r\n\r\n", 400},
    {"60000 trailers", CHUNKED "0\r\n", "X: y\r\n", 10000, "\r\n", 400},
    {"chunks of one byte", CHUNKED, "1\r\nx\r\n", 20000, "0\r\n\r\n", 200},
    {"chunks beyond the limit", CHUNKED, "5\r\nhello\r\n", 20001, "0\r\n\r\n", 413},
    {"body at the limit", POST "Content-Length: 100000\r\n\r\n", "x", 100000, "", 200},
};

static void test_sizes(void **state)
{
    (void)state;
    for (int i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf text = {.arena = h.arena};
        buf_puts(&text, sizes[i].before);
        repeat(&text, sizes[i].what, sizes[i].times);
        buf_puts(&text, sizes[i].after);
        run_text(sizes[i].name, &text, sizes[i].status);
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
