"""Siblings in an encoding: which one a client gets, by its weights, and that each is a representation of its own."""

import gzip
import os

import pytest

from raw_client import wait_until
from web_site import MARGIN, content_range, numbered_bytes, read_multipart, start_web, stored_brotli, stored_zstd, write_tree

MTIME = 1_700_000_000
SCRIPT = numbered_bytes(5000)
# Its siblings are stored, so they are over the 64 KiB that are kept in memory, too.
BIG = numbered_bytes(150_000)
NAMES = {"script": "/app.js", "big": "/big.js"}
SIBLINGS = {
    "script": {None: SCRIPT, "br": stored_brotli(SCRIPT), "zstd": stored_zstd(SCRIPT), "gzip": gzip.compress(SCRIPT, mtime=0)},
    "big": {None: BIG, "br": stored_brotli(BIG), "zstd": stored_zstd(BIG), "gzip": gzip.compress(BIG, mtime=0)},
}
SUFFIXES = {None: "", "br": ".br", "zstd": ".zst", "gzip": ".gz"}


def make_tree(root):
    for which, name in NAMES.items():
        write_tree(root, {name[1:] + SUFFIXES[coding]: content for coding, content in SIBLINGS[which].items()}, MTIME)
    write_tree(
        root,
        {
            "gzip_only.css": b"a{}", "gzip_only.css.gz": gzip.compress(b"a{}", mtime=0),
            "alone.txt": b"alone",
            "packed.tar.gz": b"no sibling: a file",
            "fresh.css": b"new{}",
            "folder.css": b"f{}", "folder.css.br/x": b"",
            "empty.css": b"e{}", "empty.css.br": b"",
        },
        MTIME,
    )
    write_tree(root, {"fresh.css.br": stored_brotli(b"old{}")}, MTIME - 10)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("root")
    make_tree(made)
    return made


@pytest.fixture(scope="module")
def server(module_stage, root):
    return start_web(module_stage, root)


@pytest.fixture(scope="module")
def connection(server):
    with server.client() as client:
        yield client


def ask(server, target, *accepted, extra=(), method="GET"):
    return server.fetch(target, *(f"Accept-Encoding: {value}" for value in accepted), *extra, method=method)


CHOICES = {
    "none": ([], None),
    "empty": ([""], None),
    "brotli": (["br"], "br"),
    "zstandard": (["zstd"], "zstd"),
    "gzip": (["gzip"], "gzip"),
    "capitals": (["GZip"], "gzip"),
    "old_name": (["x-gzip"], "gzip"),
    "equal_weights_ours_first": (["gzip, zstd, br"], "br"),
    "browser": (["gzip, deflate, br, zstd"], "br"),
    "old_browser": (["gzip, deflate"], "gzip"),
    "weights": (["br;q=0.5, zstd;q=0.7, gzip;q=0.9"], "gzip"),
    "weights_with_spaces": (["gzip ; q=0.8 , br ; q=0.9"], "br"),
    "weight_q_in_capitals": (["gzip;Q=0.8, br;Q=0.9"], "br"),
    "smallest_weight": (["zstd;q=0.001"], "zstd"),
    "weight_one_in_full": (["gzip;q=1.000, br;q=0.999"], "gzip"),
    "brotli_refused": (["br;q=0, gzip"], "gzip"),
    "brotli_refused_in_full": (["br;q=0.000, gzip;q=0.1"], "gzip"),
    "any": (["*"], "br"),
    "any_but_brotli": (["*, br;q=0"], "zstd"),
    "named_beats_any": (["*;q=0.5, gzip;q=0.6"], "gzip"),
    "any_but_packed": (["*;q=0, identity"], None),
    "identity": (["identity"], None),
    "identity_wanted_more": (["br;q=0.5, identity"], None),
    "identity_wanted_as_much": (["br;q=0.5, identity;q=0.5"], "br"),
    "identity_refused": (["identity;q=0, gzip;q=0.1"], "gzip"),
    "all_refused_by_name": (["br;q=0, zstd;q=0, gzip;q=0"], None),
    "unknown": (["deflate, compress"], None),
    "unknown_first": (["deflate, zstd;q=0.1"], "zstd"),
    "two_lines": (["gzip;q=0.5", "zstd;q=0.6"], "zstd"),
    "weight_too_large": (["br;q=1.001, gzip"], "gzip"),
    "weight_negative": (["br;q=-1, gzip"], "gzip"),
    "weight_no_number": (["br;q=high, gzip"], "gzip"),
    "weight_too_long": (["br;q=0.1234, gzip"], "gzip"),
    "weight_empty": (["br;q=, gzip"], "gzip"),
    "empty_elements": ([",, ,gzip,"], "gzip"),
    "prefix_of_a_name": (["brotli, gz"], None),
}


@pytest.mark.parametrize("which", NAMES)
@pytest.mark.parametrize("case", CHOICES)
def test_the_encoding_that_is_sent(server, which, case):
    accepted, coding = CHOICES[case]
    content = SIBLINGS[which][coding]
    for method in ("GET", "HEAD"):
        response = ask(server, NAMES[which], *accepted, method=method)
        assert response.status == 200
        assert response.get("content-encoding") == coding
        assert response.get("content-length") == str(len(content))
        assert response.body == (content if method == "GET" else b"")
        assert response.get("content-type") == "text/javascript; charset=utf-8", "of what is packed, not of the packing"
        assert response.tokens("vary") == ["accept-encoding"]


@pytest.mark.parametrize("accepted", ["identity;q=0", "*;q=0", "identity;q=0, deflate", "*;q=0, deflate;q=1", "identity;q=0, br;q=0, zstd;q=0, gzip;q=0.000"])
def test_nothing_acceptable(server, accepted):
    response = ask(server, "/app.js", accepted)
    assert response.status == 406
    assert response.tokens("vary") == ["accept-encoding"]
    assert SCRIPT[:50] not in response.body


def test_each_encoding_has_a_tag_of_its_own(server):
    for which, name in NAMES.items():
        tags = [ask(server, name, coding or "identity").get("etag") for coding in SIBLINGS[which]]
        assert len(set(tags)) == 4 and not any(tag.startswith("W/") for tag in tags)


def test_a_tag_is_compared_with_that_of_the_encoding_that_would_be_sent(server):
    for which, name in NAMES.items():
        tags = {coding: ask(server, name, coding or "identity").get("etag") for coding in SIBLINGS[which]}
        for sent in SIBLINGS[which]:
            for held, tag in tags.items():
                response = ask(server, name, sent or "identity", extra=[f"If-None-Match: {tag}"])
                assert response.status == (304 if held == sent else 200), (sent, held)
                assert response.tokens("vary") == ["accept-encoding"]
                if response.status == 304:
                    assert response.get("etag") == tag and response.body == b""
                else:
                    assert response.body == SIBLINGS[which][sent]


def test_ranges_of_a_sibling_are_ranges_of_its_bytes(server):
    for which, name in NAMES.items():
        for coding in ("br", "zstd", "gzip"):
            content = SIBLINGS[which][coding]
            tag = ask(server, name, coding).get("etag")
            response = ask(server, name, coding, extra=["Range: bytes=3-40", f"If-Range: {tag}"])
            assert (response.status, response.body) == (206, content[3:41])
            assert content_range(response.get("content-range")) == (3, 40, len(content))
            assert (response.get("content-encoding"), response.get("etag")) == (coding, tag)
            assert response.tokens("vary") == ["accept-encoding"]
            parts = read_multipart(ask(server, name, coding, extra=["Range: bytes=0-1,10-19,-3"]))
            assert [piece for _, _, piece in parts] == [content[:2], content[10:20], content[-3:]]
            response = ask(server, name, coding, extra=[f"Range: bytes={len(content)}-"])
            assert (response.status, response.get("content-range")) == (416, f"bytes */{len(content)}")
            plain = ask(server, name, "identity").get("etag")
            response = ask(server, name, coding, extra=["Range: bytes=3-40", f"If-Range: {plain}"])
            assert (response.status, response.body) == (200, content), "a part of another encoding would not fit"


def test_a_file_without_siblings_does_not_vary(server):
    response = ask(server, "/alone.txt", "br, gzip")
    assert (response.body, response.get("content-encoding"), response.get("vary")) == (b"alone", None, None)


def test_a_file_with_one_sibling(server):
    assert ask(server, "/gzip_only.css", "br, gzip;q=0.1").get("content-encoding") == "gzip"
    response = ask(server, "/gzip_only.css", "br, zstd")
    assert (response.body, response.get("content-encoding"), response.tokens("vary")) == (b"a{}", None, ["accept-encoding"])


def test_a_sibling_asked_for_by_its_name_is_a_file(server):
    response = ask(server, "/app.js.gz", "gzip")
    assert (response.body, response.get("content-encoding")) == (SIBLINGS["script"]["gzip"], None)
    assert response.get("content-type") == "application/gzip"
    assert ask(server, "/packed.tar", "gzip").status == 404, "a sibling without its file"
    assert ask(server, "/packed.tar.gz", "gzip").get("content-encoding") is None


def test_what_is_no_good_sibling_is_not_sent(server):
    response = ask(server, "/fresh.css", "br")
    assert (response.body, response.get("content-encoding")) == (b"new{}", None), "older than its file"
    response = ask(server, "/folder.css", "br")
    assert (response.body, response.get("content-encoding")) == (b"f{}", None), "a folder"


def test_siblings_come_and_go_while_the_server_runs(stage, tmp_path):
    write_tree(tmp_path, {"a.css": b"a{}"}, MTIME)
    server = start_web(stage, tmp_path, cache={"valid": "100ms"})
    packed = stored_brotli(b"a{}")
    assert ask(server, "/a.css", "br").body == b"a{}"
    write_tree(tmp_path, {"a.css.br": packed}, MTIME)
    wait_until(lambda: ask(server, "/a.css", "br").body == packed, MARGIN, "the sibling that came")
    write_tree(tmp_path, {"a.css": b"changed{}"}, MTIME + 10)
    wait_until(lambda: ask(server, "/a.css", "br").body == b"changed{}", MARGIN, "the file that is newer than its sibling")
    os.unlink(tmp_path / "a.css")
    wait_until(lambda: ask(server, "/a.css", "br").status == 404, MARGIN, "the end of a file whose sibling stays")


@pytest.mark.parametrize(
    ("configured", "accepted", "coding"),
    [(["gzip"], "br, zstd, gzip;q=0.1", "gzip"), (["gzip"], "br", None), ([], "br, zstd, gzip", None), (["gzip", "br"], "br, zstd, gzip", "gzip")],
)
def test_only_what_is_configured_is_looked_for(stage, root, configured, accepted, coding):
    server = start_web(stage, root, precompressed=configured)
    response = ask(server, "/app.js", accepted)
    assert (response.get("content-encoding"), response.body) == (coding, SIBLINGS["script"][coding])
    assert response.tokens("vary") == (["accept-encoding"] if configured else [])
