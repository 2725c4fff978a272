"""The table of ambiguous and hostile requests: what is sent, what the client must see, what may reach an origin.

refuse(): answered with one of the statuses, connection closed, no byte at an origin.
late():   the fault lies behind a head (and perhaps data) that may be on its way: an origin may see the beginning of a
          request, never a whole one.
forward(): exactly one request reaches the origin, with this method, target, body, these headers and none of `absent`.
either(): both are safe readings: refused as above, or forwarded as one request that only has one reading.
"""

from dataclasses import dataclass

H = b"Host: a.test\r\n"
POST = b"POST /p HTTP/1.1\r\n" + H
TE = POST + b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"
CHUNKED_BODY = b"5\r\nhello\r\n0\r\n\r\n"

# The limits of the balancer that the table is sent through.
LIMITS = {"request_head": "16KiB", "uri": "8KiB", "headers": 100, "body": "64KiB"}
BAD = (400,)
UNKNOWN_CODING = (501,)
UNKNOWN_VERSION = (505,)


@dataclass
class Case:
    name: str
    data: bytes
    refusals: tuple = ()          # statuses with which it may be refused; empty: it must be forwarded
    reach: str = "nothing"        # what a refused one may leave at an origin: nothing, or incomplete
    may_forward: bool = False
    method: str = "GET"           # what an origin must see of a forwarded one …
    target: str = "/"
    headers: tuple = ()           # (name, value) that must be there exactly once
    absent: tuple = ()            # names that must not be there
    body: bytes = b""
    closes: bool = False          # a forwarded one whose connection ends after the answer

    def __repr__(self):
        return self.name


CASES = []


def refuse(name, data, statuses=BAD):
    CASES.append(Case(name, data, statuses))


def late(name, data, statuses=BAD):
    CASES.append(Case(name, data, statuses, reach="incomplete"))


def forward(name, data, method="GET", target="/", **expected):
    CASES.append(Case(name, data, may_forward=True, method=method, target=target, **expected))


def either(name, data, statuses=BAD, method="GET", target="/", **expected):
    CASES.append(Case(name, data, statuses, "incomplete", True, method=method, target=target, **expected))


def get(extra=b"", target=b"/", version=b"HTTP/1.1", method=b"GET"):
    return method + b" " + target + b" " + version + b"\r\n" + H + extra + b"\r\n"


# ---- Content-Length and Transfer-Encoding against each other (RFC 9112 section 6)

refuse("cl_and_te", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_and_cl", TE + b"Content-Length: 15\r\n\r\n" + CHUNKED_BODY)
refuse("cl_zero_and_te", POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("cl_and_te_in_get", get(b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\nG")
refuse("cl_and_te_with_a_request_behind", TE + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED)
refuse("cl_and_unknown_te", POST + b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\nhello")
refuse("two_equal_lengths", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
refuse("two_different_lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
refuse("two_lengths_apart", POST + b"Content-Length: 5\r\nA: b\r\ncontent-length: 0\r\n\r\nhello")
refuse("length_list_equal", POST + b"Content-Length: 5, 5\r\n\r\nhello")
refuse("length_list_different", POST + b"Content-Length: 5, 6\r\n\r\nhello!")
for shown, value in {
    "plus": b"+5", "minus": b"-5", "minus_zero": b"-0", "hex": b"0x5", "space_inside": b"5 5", "empty": b"",
    "letters": b"abc", "letter_behind": b"5a", "decimal": b"5.0", "exponent": b"1e1", "quoted": b'"5"',
    "comma": b",", "comma_behind": b"5,", "comma_before": b",5", "two_to_the_64": b"18446744073709551616",
    "wraps_to_5": b"18446744073709551621", "two_to_the_63": b"9223372036854775808", "30_digits": b"9" * 30,
    "arabic_digit": "٥".encode(), "vertical_tab": b"\x0b5", "form_feed": b"5\x0c", "nul": b"5\x00", "semicolon": b"5;a=b",
    "underscore_inside": b"1_0", "spaces_only": b"   ",
}.items():
    refuse(f"length_{shown}", POST + b"Content-Length: " + value + b"\r\n\r\nhello")
forward("length_leading_zeros", POST + b"Content-Length: 005\r\n\r\nhello", "POST", "/p", body=b"hello")
refuse("length_many_zeros", POST + b"Content-Length: " + b"0" * 40 + b"5\r\n\r\nhello")
forward("length_with_tab_around", POST + b"Content-Length:\t5\t\r\n\r\nhello", "POST", "/p", body=b"hello")
forward("length_without_space", POST + b"cOnTeNt-lEnGtH:5\r\n\r\nhello", "POST", "/p", body=b"hello")
refuse("length_with_bare_lf", POST + b"Content-Length: 5\n\r\nhello")
refuse("length_name_with_nul", POST + b"Content-Length\x00: 5\r\n\r\nhello")
refuse("length_folded", POST + b"Content-Length:\r\n 5\r\n\r\nhello")

# ---- transfer codings

refuse("te_xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED_BODY, UNKNOWN_CODING)
refuse("te_gzip", POST + b"Transfer-Encoding: gzip\r\n\r\n" + CHUNKED_BODY, UNKNOWN_CODING)
refuse("te_gzip_chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKED_BODY, UNKNOWN_CODING)
refuse("te_chunked_chunked", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_chunked_gzip", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKED_BODY)
refuse("te_identity", POST + b"Transfer-Encoding: identity\r\n\r\nhello", UNKNOWN_CODING)
refuse("te_identity_and_length", POST + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello")
refuse("te_chunked_identity", POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED_BODY)
refuse("te_twice_chunked", TE + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_gzip_then_te_chunked", POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_chunked_then_te_x", TE + b"Transfer-Encoding: x\r\n\r\n" + CHUNKED_BODY)
refuse("te_empty", POST + b"Transfer-Encoding:\r\n\r\n" + CHUNKED_BODY)
refuse("te_comma_first", POST + b"Transfer-Encoding: , chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_comma_last", POST + b"Transfer-Encoding: chunked,\r\n\r\n" + CHUNKED_BODY)
refuse("te_vertical_tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_form_feed_behind", POST + b"Transfer-Encoding: chunked\x0c\r\n\r\n" + CHUNKED_BODY)
refuse("te_nul_behind", POST + b"Transfer-Encoding: chunked\x00\r\n\r\n" + CHUNKED_BODY)
refuse("te_quoted", POST + b'Transfer-Encoding: "chunked"\r\n\r\n' + CHUNKED_BODY)
refuse("te_single_quoted", POST + b"Transfer-Encoding: 'chunked'\r\n\r\n" + CHUNKED_BODY, UNKNOWN_CODING)
refuse("te_parameter", POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n" + CHUNKED_BODY)
refuse("te_letters_apart", POST + b"Transfer-Encoding: chunk ed\r\n\r\n" + CHUNKED_BODY)
refuse("te_non_ascii", POST + b"Transfer-Encoding: \xffchunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_space_before_colon", POST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_tab_before_colon", POST + b"Transfer-Encoding\t: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_lf_before_colon", POST + b"Transfer-Encoding\n: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_name_with_nul", POST + b"Transfer\x00-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_folded", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_behind_a_fold", POST + b"A: b\r\n Transfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_behind_a_bare_cr", POST + b"A: b\rTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_behind_a_bare_lf", POST + b"A: b\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse("te_in_http_1_0", b"POST /p HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY)
refuse(
    "te_in_http_1_0_keep_alive",
    b"POST /p HTTP/1.0\r\n" + H + b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_BODY,
)
forward("te_tab_before_value", POST + b"Transfer-Encoding:\tchunked\r\n\r\n" + CHUNKED_BODY, "POST", "/p", body=b"hello")
forward("te_upper_case", POST + b"TRANSFER-ENCODING: CHUNKED \r\n\r\n" + CHUNKED_BODY, "POST", "/p", body=b"hello")

# ---- chunks (RFC 9112 section 7.1): the first is faulty, so nothing needs to be on its way

for shown, line in {
    "0x": b"0x5", "minus": b"-5", "plus": b"+5", "empty": b"", "space_before": b" 5", "space_behind": b"5 ",
    "tab_behind": b"5\t", "no_hex": b"g", "no_hex_behind": b"5g", "17_digits": b"10000000000000005",
    "64_bits": b"ffffffffffffffff", "63_bits": b"7fffffffffffffff", "wraps_to_5": b"100000000000000000000000000000005",
    "comma": b"5,5", "nul": b"5\x00", "high_digit": "５".encode(), "underscore": b"0_5",
    "extension_with_nul": b"5;a\x00b", "extension_with_control": b"5;a=\x01", "extension_with_bare_cr": b"5;a\rb",
    "extension_with_bare_lf": b"5;a\nb", "extension_lf_smuggle": b"5;\nhello", "extension_huge": b"5;" + b"a" * 20000,
    "zeros_without_end": b"0" * 20000,
}.items():
    refuse(f"chunk_size_{shown}", TE + b"\r\n" + line + b"\r\nhello\r\n0\r\n\r\n")
refuse("chunk_size_line_with_lf", TE + b"\r\n5\nhello\r\n0\r\n\r\n")
refuse("chunk_size_line_with_cr", TE + b"\r\n5\rhello\r\n0\r\n\r\n")
refuse("chunk_size_line_with_cr_cr_lf", TE + b"\r\n5\r\r\nhello\r\n0\r\n\r\n")
forward("chunk_size_16_digits", TE + b"\r\n0000000000000005\r\nhello\r\n0\r\n\r\n", "POST", "/p", body=b"hello")
refuse("chunk_size_17_zeros", TE + b"\r\n00000000000000005\r\nhello\r\n0\r\n\r\n")
forward("chunk_extension", TE + b"\r\n5;a=b\r\nhello\r\n0\r\n\r\n", "POST", "/p", body=b"hello")
forward("chunk_extension_quoted", TE + b'\r\n5;a="b c"\r\nhello\r\n0\r\n\r\n', "POST", "/p", body=b"hello")
forward("chunk_extension_of_the_last", TE + b"\r\n5\r\nhello\r\n0;last\r\n\r\n", "POST", "/p", body=b"hello")
refuse("chunk_extension_without_name", TE + b"\r\n5;\r\nhello\r\n0\r\n\r\n")
refuse("chunk_extension_spaced", TE + b"\r\n5 ; a = b\r\nhello\r\n0\r\n\r\n")
refuse("chunk_extension_open_quote", TE + b'\r\n5;a="b\r\nhello\r\n0\r\n\r\n')
refuse("chunk_extension_non_ascii", TE + b"\r\n5;a=\xff\r\nhello\r\n0\r\n\r\n")
forward("chunk_upper_case_hex", TE + b"\r\nA\r\n0123456789\r\n0\r\n\r\n", "POST", "/p", body=b"0123456789")
forward("chunk_many", TE + b"\r\n" + b"1\r\nx\r\n" * 300 + b"0\r\n\r\n", "POST", "/p", body=b"x" * 300)
late("chunk_data_too_long", TE + b"\r\n5\r\nhelloX\r\n0\r\n\r\n")
late("chunk_data_without_crlf", TE + b"\r\n5\r\nhello0\r\n\r\n")
late("chunk_data_with_lf", TE + b"\r\n5\r\nhello\n0\r\n\r\n")
late("chunk_data_with_cr", TE + b"\r\n5\r\nhello\rX0\r\n\r\n")
late("chunk_second_size_bad", TE + b"\r\n5\r\nhello\r\nzz\r\nhello\r\n0\r\n\r\n")
late("chunk_second_extension_lf", TE + b"\r\n5\r\nhello\r\n5;a\nb\r\nhello\r\n0\r\n\r\n")
late("chunk_last_with_lf", TE + b"\r\n5\r\nhello\r\n0\n\r\n")
late("chunk_end_with_lf", TE + b"\r\n5\r\nhello\r\n0\r\n\n")
late("chunk_end_with_cr", TE + b"\r\n5\r\nhello\r\n0\r\n\rX\r\n\r\n")
late("chunk_tiny_with_huge_extensions", TE + b"\r\n" + (b"1;" + b"a" * 4000 + b"\r\nx\r\n") * 500)

# ---- trailers (RFC 9112 section 7.1.2)

DATA = TE + b"\r\n5\r\nhello\r\n0\r\n"
forward("trailer", DATA + b"X-Sum: 7\r\n\r\n", "POST", "/p", body=b"hello")
for shown, line in {
    "content_length": b"Content-Length: 5", "transfer_encoding": b"Transfer-Encoding: chunked", "host": b"Host: b.test",
    "authorization": b"Authorization: x", "connection": b"Connection: close", "forwarded_for": b"X-Forwarded-For: 9.9.9.9",
    "content_type": b"Content-Type: a/b", "trailer": b"Trailer: X-Sum", "te": b"TE: trailers", "expect": b"Expect: 100-continue",
    "underscored": b"X_Forwarded_For: 9.9.9.9",
}.items():
    absent = ("trailer:" + line.split(b":")[0].decode(),)
    forward(f"trailer_{shown}", DATA + line + b"\r\nX-Sum: 7\r\n\r\n", "POST", "/p", body=b"hello", absent=absent)
late("trailer_with_lf", DATA + b"X-Sum: 7\n\r\n")
late("trailer_space_before_colon", DATA + b"X-Sum : 7\r\n\r\n")
late("trailer_folded", DATA + b"X-Sum: 7\r\n 8\r\n\r\n")
late("trailer_nul", DATA + b"X-Sum: \x00\r\n\r\n")
late("trailer_without_name", DATA + b": 7\r\n\r\n")
late("trailer_without_colon", DATA + b"GET /smuggled HTTP/1.1\r\n\r\n")
late("trailer_huge", DATA + b"X-Sum: " + b"7" * 100000 + b"\r\n\r\n")
late("trailer_many", DATA + b"X-Sum: 7\r\n" * 5000 + b"\r\n")

# ---- line ends

refuse("lf_ends_request_line", b"GET / HTTP/1.1\n" + H + b"\r\n")
refuse("lf_ends_header", b"GET / HTTP/1.1\r\nHost: a.test\nA: b\r\n\r\n")
refuse("lf_ends_last_header", b"GET / HTTP/1.1\r\nHost: a.test\n\r\n")
refuse("lf_ends_head", b"GET / HTTP/1.1\r\n" + H + b"\n")
refuse("lf_everywhere", b"GET / HTTP/1.1\nHost: a.test\n\n")
refuse("lf_lf_before_a_request", b"GET / HTTP/1.1\r\n" + H + b"A: b\n\n" + SMUGGLED)
refuse("lf_in_value", get(b"A: b\nc\r\n"))
refuse("lf_first", b"\n" + get())
refuse("cr_first", b"\rX" + get())
refuse("cr_in_request_line", b"GET / HTTP/1.1\rA: b\r\n" + H + b"\r\n")
refuse("cr_in_target", get(target=b"/a\rb"))
refuse("cr_in_name", get(b"A\rB: c\r\n"))
refuse("cr_in_value", get(b"A: b\rc\r\n"))
refuse("cr_before_crlf", get(b"A: b\r\r\n"))
refuse("cr_cr_lf_ends_request_line", b"GET / HTTP/1.1\r\r\n" + H + b"\r\n")
refuse("cr_cr_lf_ends_head", b"GET / HTTP/1.1\r\n" + H + b"\r\r\n\r\n")
forward("crlf_first", b"\r\n" + get())
refuse("crlf_twice_first", b"\r\n\r\n" + get())
refuse("crlf_without_end", b"\r\n" * 20000)

# ---- header lines

refuse("fold_with_space", get(b"A: b\r\n c\r\n"))
refuse("fold_with_tab", get(b"A: b\r\n\tc\r\n"))
refuse("fold_first_line", b"GET / HTTP/1.1\r\n A: b\r\n" + H + b"\r\n")
refuse("fold_of_nothing", get(b"A: b\r\n \r\n"))
refuse("fold_in_host", b"GET / HTTP/1.1\r\nHost:\r\n a.test\r\n\r\n")
refuse("space_before_colon", get(b"A : b\r\n"))
refuse("tab_before_colon", get(b"A\t: b\r\n"))
refuse("no_colon", get(b"abc\r\n"))
refuse("name_empty", get(b": b\r\n"))
refuse("name_empty_first", b"GET / HTTP/1.1\r\n: b\r\n" + H + b"\r\n")
refuse("name_only_colons", get(b"::\r\n"))
for shown, name in {
    "space": b"A B", "nul": b"A\x00B", "control": b"A\x01B", "del": b"A\x7fB", "non_ascii": b"A\xe9", "parentheses": b"(A)",
    "at": b"A@B", "slash": b"A/B", "quote": b'A"B', "bracket": b"A[0]", "brace": b"{A}", "semicolon": b"A;B",
    "equals": b"A=B", "comma": b"A,B", "backslash": b"A\\B", "question": b"A?",
}.items():
    refuse(f"name_with_{shown}", get(name + b": b\r\n"))
for shown, value in {"nul": b"\x00", "start": b"\x01", "bell": b"b\x07c", "escape": b"\x1b[2J", "vertical_tab": b"\x0b", "del": b"b\x7f"}.items():
    refuse(f"value_with_{shown}", get(b"A: " + value + b"\r\n"))
forward("value_with_high_bytes", get(b"A: \x80\xff\r\n"), headers=(("A", "\x80\xff"),))
forward("value_with_tab", get(b"A: b\tc\r\n"), headers=(("A", "b\tc"),))
forward("value_empty", get(b"A:\r\n"), headers=(("A", ""),))
forward("value_with_spaces_around", get(b"A:   b   \r\n"), headers=(("A", "b"),))
forward("name_with_all_token_characters", get(b"A!#$%&'*+-.^`|~9: b\r\n"), headers=(("A!#$%&'*+-.^`|~9", "b"),))
for name in (b"X_Forwarded_For", b"Content_Length", b"Transfer_Encoding", b"X_Real_IP", b"Remote_User"):
    shown = name.decode()
    forward(f"underscore_{shown.lower()}", get(name + b": 5\r\n"), absent=(shown,))
for name in (b"Authorization", b"Content-Type", b"X-Request-Id", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-Real-IP", b"Upgrade"):
    refuse(f"twice_{name.decode().lower()}", get(name + b": a\r\n" + name + b": b\r\n"))
    refuse(f"twice_equal_{name.decode().lower()}", get(name + b": a\r\nC: d\r\n" + name.upper() + b": a\r\n"))

# ---- the request line

for shown, line in {
    "method_empty": b" / HTTP/1.1", "method_nul": b"G\x00T / HTTP/1.1", "method_control": b"G\x01T / HTTP/1.1",
    "method_parenthesis": b"GE(T / HTTP/1.1", "method_colon": b"GE:T / HTTP/1.1", "method_non_ascii": b"G\xc9T / HTTP/1.1",
    "method_quoted": b'"GET" / HTTP/1.1', "method_slash": b"G/T / HTTP/1.1", "two_spaces_before_target": b"GET  / HTTP/1.1",
    "two_spaces_before_version": b"GET /  HTTP/1.1", "space_first": b" GET / HTTP/1.1", "space_last": b"GET / HTTP/1.1 ",
    "tab_before_target": b"GET\t/ HTTP/1.1", "tab_before_version": b"GET /\tHTTP/1.1", "form_feed": b"GET\x0c/ HTTP/1.1",
    "target_missing": b"GET HTTP/1.1", "target_without_slash": b"GET foo HTTP/1.1", "target_star_with_get": b"GET * HTTP/1.1",
    "target_with_space": b"GET /a b HTTP/1.1", "target_with_fragment": b"GET /a#b HTTP/1.1", "target_nul": b"GET /\x00 HTTP/1.1",
    "target_control": b"GET /\x01 HTTP/1.1", "target_del": b"GET /\x7f HTTP/1.1", "target_non_ascii": b"GET /\xc3\xa9 HTTP/1.1",
    "target_authority": b"GET a.test:80 HTTP/1.1", "target_question_only": b"GET ?a HTTP/1.1", "target_star_path": b"OPTIONS *a HTTP/1.1",
}.items():
    refuse(shown, line + b"\r\n" + H + b"\r\n")
for shown, version in {
    "1_2": b"HTTP/1.2", "2_0": b"HTTP/2.0", "2": b"HTTP/2", "3_0": b"HTTP/3.0", "0_9": b"HTTP/0.9", "1_10": b"HTTP/1.10",
    "1": b"HTTP/1", "1_1x": b"HTTP/1.1x", "01_1": b"HTTP/01.1", "1_": b"HTTP/1.", "comma": b"HTTP/1,1", "11": b"HTTP/11",
    "lower_case": b"http/1.1", "mixed_case": b"Http/1.1", "https": b"HTTPS/1.1", "icy": b"ICY/1.1", "htp": b"HTP/1.1",
    "space": b"HTTP /1.1", "nul": b"HTTP/1.1\x00", "garbage": b"garbage", "minus": b"HTTP/-1.1", "9_9": b"HTTP/9.9",
}.items():
    refuse(f"version_{shown}", get(version=version), UNKNOWN_VERSION if shown in ("2_0", "3_0", "0_9", "9_9") else BAD)
refuse("http_0_9", b"GET /\r\n\r\n")
refuse("http_0_9_with_headers", b"GET /\r\n" + H + b"\r\n")
refuse("http_2_preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", UNKNOWN_VERSION)
refuse("tls_hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n")
refuse("proxy_protocol", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get())
refuse("empty_line_garbage", b"\x00\x00\x00\x00\r\n\r\n")
forward("method_lower_case", get(method=b"get"), method="get")
forward("method_unknown_token", get(method=b"PURGE-ALL"), method="PURGE-ALL")
forward("method_trace", get(method=b"TRACE"), method="TRACE")
refuse("trace_with_body", b"TRACE / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\n\r\nhello")
refuse("connect", b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", (405,))
refuse("connect_to_another_host", b"CONNECT b.test:443 HTTP/1.1\r\n" + H + b"\r\n")
refuse("connect_with_body", b"CONNECT a.test:443 HTTP/1.1\r\n" + H + b"Content-Length: 5\r\n\r\nhello")
refuse("connect_origin_form", b"CONNECT / HTTP/1.1\r\n" + H + b"\r\n")
forward("options_star", get(method=b"OPTIONS", target=b"*"), method="OPTIONS", target="*")

# ---- paths: what is matched is what is sent

for shown, path in {
    "climbs": b"/../x", "climbs_later": b"/a/../../x", "climbs_encoded": b"/%2e%2e/x", "climbs_half_encoded": b"/.%2e/x",
    "climbs_upper_encoded": b"/%2E%2E/x", "climbs_at_the_end": b"/..", "slash_encoded": b"/a%2Fb", "slash_encoded_lower": b"/a%2fb",
    "climbs_by_encoded_slash": b"/a/..%2f..%2fx", "backslash": b"/a\\b", "backslash_encoded": b"/a%5Cb",
    "backslash_encoded_lower": b"/..%5c..%5cx", "nul_encoded": b"/a%00b", "percent_alone": b"/a%", "percent_one_digit": b"/a%4",
    "percent_no_hex": b"/a%zz",
}.items():
    refuse(f"path_{shown}", get(target=path))
for shown, path, sent in (
    ("dot", b"/a/./b", "/a/b"), ("dot_encoded", b"/a/%2e/b", "/a/b"), ("dot_dot", b"/a/../b", "/b"),
    ("dot_dot_encoded", b"/a/%2e%2e/b", "/b"), ("dot_dot_last", b"/a/b/..", "/a/"), ("dots_three", b"/a/.../b", "/a/.../b"),
    ("dot_file", b"/.well-known/x", "/.well-known/x"), ("query_untouched", b"/x?a=/../%2F\x25%32", "/x?a=/../%2F%%32"),
):
    forward(f"path_{shown}", get(target=path), target=sent)
forward("path_double_encoded", get(target=b"/%252e%252e/x"), target="/%252e%252e/x")
forward("path_double_encoded_slash", get(target=b"/a%252fb"), target="/a%252fb")
for shown, path in {
    "dot_dot_semicolon": b"/a/..;/x", "dot_dot_semicolon_parameter": b"/a/..;x=1/y", "encoded_crlf": b"/a%0d%0aA:%20b", "encoded_del": b"/a%7f",
    "quote": b'/a"b', "angle": b"/<a>", "brace": b"/{a}", "pipe": b"/a|b", "caret": b"/a^b", "backtick": b"/a`b",
}.items():
    refuse(f"path_{shown}", get(target=path))
for shown, path in {"overlong_dots": b"/%c0%ae%c0%ae/x", "overlong_slash": b"/a%c0%afb"}.items():
    forward(f"path_{shown}", get(target=path), target=path.decode().replace("c0", "C0").replace("af", "AF").replace("ae", "AE"))
forward("path_two_slashes", get(target=b"//evil.test/x"), target="//evil.test/x")
forward("path_inner_slashes", get(target=b"/a//b"), target="/a//b")
forward("path_unreserved_decoded", get(target=b"/%41%2d%7e%5f"), target="/A-~_")
forward("path_escape_in_upper_case", get(target=b"/a%e9%20b"), target="/a%E9%20b")

# ---- absolute form

forward("absolute", get(target=b"http://a.test/x?y"), target="/x?y", headers=(("Host", "a.test"),))
forward("absolute_without_path", get(target=b"http://a.test"), target="/", headers=(("Host", "a.test"),))
forward("absolute_query_without_path", get(target=b"http://a.test?y"), target="/?y", headers=(("Host", "a.test"),))
forward("absolute_upper_case_scheme", get(target=b"HTTP://a.test/x"), target="/x", headers=(("Host", "a.test"),))
refuse("absolute_against_host", get(target=b"http://b.test/x"))
refuse("absolute_against_port", get(target=b"http://a.test:81/x"))
forward("absolute_options_star", get(target=b"http://a.test", method=b"OPTIONS"), method="OPTIONS", target="*")
either("absolute_https", get(target=b"https://a.test/x"), (400, 421), target="/x", headers=(("Host", "a.test"),))
refuse("absolute_without_host_header", b"GET http://a.test/ HTTP/1.1\r\n\r\n")
refuse("absolute_user", get(target=b"http://user@a.test/"))
refuse("absolute_empty_authority", get(target=b"http:///x"))
refuse("absolute_ftp", get(target=b"ftp://a.test/x"))
refuse("absolute_one_slash", get(target=b"http:/a.test/x"))
refuse("absolute_port_too_large", get(target=b"http://a.test:99999/"))
refuse("absolute_climbs", get(target=b"http://a.test/../x"))
refuse("absolute_bad_host", get(target=b"http://a[b/x"))

# ---- Host (RFC 9112 section 3.2)

refuse("host_missing", b"GET / HTTP/1.1\r\n\r\n")
refuse("host_missing_with_header", b"GET / HTTP/1.1\r\nA: b\r\n\r\n")
refuse("host_twice_equal", get(H))
refuse("host_twice_different", get(b"Host: b.test\r\n"))
refuse("host_twice_other_case", get(b"hOST: b.test\r\n"))
forward("host_missing_in_1_0", b"GET / HTTP/1.0\r\n\r\n", closes=True)
refuse("host_twice_in_1_0", b"GET / HTTP/1.0\r\n" + H + H + b"\r\n")
refuse("host_empty", b"GET / HTTP/1.1\r\nHost:\r\n\r\n")
for shown, value in {
    "space": b"a b", "slash": b"a/b", "user": b"u@a", "two_ports": b"a:80:80", "word_port": b"a:port", "open_bracket": b"[::1",
    "query": b"a?b", "fragment": b"a#b", "nul": b"a\x00b", "scheme": b"http://a.test/", "non_ascii": b"a\xe9", "backslash": b"a\\b",
    "angle": b"<a>", "only_port": b":80", "close_bracket": b"a]", "tab": b"a\tb", "negative_port": b"a:-1",
    "comma": b"a,b", "percent": b"a%00b", "port_too_large": b"a:99999", "empty_port": b"a:", "dots": b"..", "star": b"*",
}.items():
    refuse(f"host_{shown}", b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n")
forward("host_underscore", b"GET / HTTP/1.1\r\nHost: a_b.test\r\n\r\n", headers=(("Host", "a_b.test"),))
forward("host_ipv6", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", headers=(("Host", "[::1]:80"),))
forward("host_port", b"GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n", headers=(("Host", "a.test:8080"),))

# ---- Expect, Connection, Upgrade

refuse("expect_unknown", get(b"Expect: foo\r\n"), (417,))
refuse("expect_unknown_with_body", POST + b"Expect: foo\r\nContent-Length: 5\r\n\r\nhello", (417,))
refuse("expect_obfuscated", POST + b"Expect: y 100-continue\r\nContent-Length: 5\r\n\r\nhello", (417,))
refuse("expect_list", POST + b"Expect: 100-continue, foo\r\nContent-Length: 5\r\n\r\nhello", (417,))
refuse("expect_twice", POST + b"Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
refuse("connection_names_host", get(b"Connection: Host\r\n"))
refuse("connection_names_length", POST + b"Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello")
refuse("connection_names_te", TE + b"Connection: close, transfer-encoding\r\n\r\n" + CHUNKED_BODY)
forward("connection_names_forwarded_for", get(b"Connection: X-Forwarded-For\r\n"), headers=(("X-Forwarded-For", "127.0.0.1"),))
forward("connection_names_via", get(b"Connection: X-Request-Id, Via\r\n"), headers=(("Via", "1.1 trilith"),))
forward("connection_names_authorization", get(b"Connection: Authorization\r\nAuthorization: x\r\n"), headers=(("Authorization", "x"),))
forward("connection_names_a_header", get(b"Connection: X-Secret\r\nX-Secret: s\r\nA: b\r\n"), headers=(("A", "b"),), absent=("X-Secret",))
refuse("connection_with_nul", get(b"Connection: \x00\r\n"))
forward("hop_by_hop", get(b"Keep-Alive: 5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: x\r\n"), absent=("Keep-Alive", "Proxy-Connection", "Upgrade"))
forward("upgrade_h2c", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), absent=("Upgrade", "HTTP2-Settings"))

# ---- a request inside the body of another

forward("get_with_a_request_inside", get(b"Content-Length: %d\r\n" % len(SMUGGLED)) + SMUGGLED, body=SMUGGLED)
forward("get_with_a_request_in_a_chunk", get(b"Transfer-Encoding: chunked\r\n") + b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n", body=SMUGGLED)
forward("delete_with_body", get(b"Content-Length: 5\r\n", method=b"DELETE") + b"hello", method="DELETE", body=b"hello")
forward("head_with_body", get(b"Content-Length: 5\r\n", method=b"HEAD") + b"hello", method="HEAD", body=b"hello")
forward("post_without_length", get(method=b"POST"), method="POST")

# ---- oversized

refuse("uri_too_long", get(target=b"/" + b"a" * 9000), (414,))
refuse("uri_without_end", b"GET /" + b"a" * 40000, (414,))
refuse("method_without_end", b"A" * 40000, (501,))
refuse("head_too_large", get(b"A: " + b"b" * 20000 + b"\r\n"), (431,))
refuse("head_too_large_in_many", get(b"".join(b"A%d: " % i + b"b" * 400 + b"\r\n" for i in range(60))), (431,))
refuse("head_without_end", get()[:-2] + b"A: " + b"b" * 40000, (431,))
refuse("name_too_long", get(b"A" * 20000 + b": b\r\n"), (431,))
refuse("too_many_headers", get(b"".join(b"A%d: b\r\n" % i for i in range(101))), (431,))
refuse("far_too_many_headers", get(b"A:\r\n" * 4000), (431,))
refuse("length_too_large", POST + b"Content-Length: 65537\r\n\r\nhello", (413,))
late("first_chunk_too_large", TE + b"\r\n10001\r\n" + b"x" * 65537 + b"\r\n0\r\n\r\n", (413,))
late("first_chunk_announces_too_much", TE + b"\r\n10001\r\nx", (413,))
late("second_chunk_announces_too_much", TE + b"\r\n8000\r\n" + b"x" * 0x8000 + b"\r\n8001\r\n", (413,))
late("chunks_too_large", TE + b"\r\n" + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 17 + b"0\r\n\r\n", (413,))
