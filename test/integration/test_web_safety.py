"""Nothing outside the root, hidden, locked or special is ever given away, and no name makes the server wait or lose its framing."""

import os
import shutil
import tempfile
import threading
import urllib.parse

import pytest

from balancer_site import balancer_config
from hostile_requests import CASES, LIMITS
from origins import response
from raw_client import RawClient, raw_request, wait_until
from raw_http import WireError
from web_site import CAN_BE_DENIED, MARGIN, OTHER_USER, HeldPort, WebSite, replace_link, request_bytes, start_web, write_tree
from web_targets import GOOD, GROUPS, PUBLIC, HostileTree

# What a target that names nothing public may be answered with.
REFUSALS = {301, 400, 403, 404, 405, 414, 421, 431, 501, 505}
# Longer than any answer takes, shorter than any wait for the other end of a FIFO.
PATIENCE = 8


def open_folder(ends):
    """A folder that every user may enter, which pytest's own are not."""
    made = tempfile.mkdtemp(prefix="tr-", dir="/tmp")
    os.chmod(made, 0o755)

    def remove():
        for folder, _, _ in os.walk(made):
            if os.path.isdir(f"{folder}/locked"):
                os.chmod(f"{folder}/locked", 0o700)
        shutil.rmtree(made)

    ends.append(remove)
    return made


needs_denial = pytest.mark.skipif(not CAN_BE_DENIED, reason="root may read everything, and no other user may run the program")


@pytest.fixture(scope="module")
def tree(module_stage):
    return HostileTree(open_folder(module_stage.ends))


def start_route(stage, tree):
    """The same files straight from a balancer."""
    holder = HeldPort()
    text = balancer_config(["127.0.0.1:9"], balancer={"listen": [f"http://127.0.0.1:{holder.number}"]})
    text += f'\n[[routes]]\nroot = "{tree.root}"\n'
    site = WebSite(text, server="lb1", port=holder.number, user=OTHER_USER, holders=[holder])
    stage.ends.append(site.finish)
    return site.start()


VARIANTS = {
    "memory": {},
    "disk": {"cache": {"memory": "0", "valid": "0s"}},
    "hidden_served": {"hidden": True},
    "app_of_one_page": {"try": ["{path}", "{path}.html", "{path}/", "/index.html"]},
    "route": None,
}


@pytest.fixture(scope="module", params=VARIANTS)
def server(request, module_stage, tree):
    keys = VARIANTS[request.param]
    made = start_route(module_stage, tree) if keys is None else start_web(module_stage, tree.root, user=OTHER_USER, **keys)
    made.variant = request.param
    return made


def probe(port, target, method="GET"):
    """What is wrong with how one target is answered, as sentences, and the answer."""
    received = bytearray()
    try:
        with RawClient(port, PATIENCE) as client:
            client.received = received
            answer = client.request(request_bytes(target, "Accept-Encoding: br, gzip", method=method), method)
            if "close" in answer.tokens("connection"):
                return ([] if client.is_closed_within(PATIENCE) else ["the connection stays open"]), answer, received
            good = client.request(request_bytes(GOOD, "Connection: close"))
            if (good.status, good.body) != (200, PUBLIC):
                return [f"the request behind it was answered {good}"], answer, received
            if not client.is_closed_within(PATIENCE):
                return ["bytes behind the last answer"], answer, received
            return [], answer, received
    except (WireError, OSError) as error:
        return [f"{type(error).__name__}: {error}"], None, received


def judge(port, tree, target, is_hidden_public=False, method="GET"):
    faults, answer, received = probe(port, target, method)
    faults += [f"gives away what is {name}" for name in tree.leaks(received, is_hidden_public)]
    if answer is None:
        return faults
    if answer.status == 200:
        is_public = answer.body in (PUBLIC, b"ok\n") or (method == "HEAD" and not answer.body)
        if not (is_public or (is_hidden_public and answer.body == tree.hidden)):
            faults.append(f"a body that is not public: {answer.body[:60]!r}")
    elif answer.status not in REFUSALS:
        faults.append(f"the status {answer.status}")
    return faults


def judge_all(port, tree, targets, **options):
    found = {str(target): faults for target in targets if (faults := judge(port, tree, target, **options))}
    fresh, answer, _ = probe(port, GOOD)
    if fresh or answer.body != PUBLIC:
        found["a good request afterwards"] = fresh
    return found


def test_the_corpus_is_large():
    targets = {target if isinstance(target, bytes) else target.encode("latin-1") for group in GROUPS.values() for target in group}
    assert len(targets) > 500


@pytest.mark.parametrize("group", GROUPS)
def test_no_target_gives_anything_away(server, tree, group):
    found = judge_all(server.web_port, tree, GROUPS[group], is_hidden_public=server.variant == "hidden_served")
    assert found == {}


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_no_method_gives_anything_away(server, tree, method):
    """Not even the length: what HEAD says of a secret is a part of it."""
    is_hidden_public = server.variant == "hidden_served"
    for group in ("links", "special", "locked", "dots"):
        assert judge_all(server.web_port, tree, GROUPS[group], is_hidden_public=is_hidden_public, method=method) == {}
    if method == "HEAD":
        for target in GROUPS["links"]:
            _, answer, _ = probe(server.web_port, target, method)
            assert answer.get("content-length") != str(len(tree.outside)), target


def test_what_is_public_is_served(server):
    """The judge does not pass because nothing is served at all."""
    for target in (
        GOOD, "/", "/sub/a.txt", "/sub/deep/", "/.well-known/acme", "/link_in", "/link_in_twice", "/folder_in/a.txt", "/sub/up_in", "/chain0", "/chain30",
        "/page.html", "/a..b/a.txt", "/good%2Etxt", "/./good.txt", "/sub/../good.txt", "/sub/deep/../../good.txt", "/con.txt", "/UPPER.txt",
        "/good.txt?../../secret.txt", "/%252e%252e/a.txt",
    ):
        faults, answer, _ = probe(server.web_port, target)
        assert (faults, answer.status, answer.body) == ([], 200, PUBLIC), target
        assert answer.get("content-encoding") is None, f"{target}: the sibling is a link out of the root, or a FIFO"


@needs_denial
def test_what_may_not_be_read_is_forbidden(server, tree):
    """Where the file system says no, the answer is not "not there"."""
    if server.variant == "app_of_one_page":
        pytest.skip("the fallback may answer")
    for target in ("/unreadable.txt", "/locked/secret.txt"):
        faults, answer, _ = probe(server.web_port, target)
        assert (faults, answer.status) == ([], 403), target
    server.wait_log(r"web: file may not be read")


def test_dot_files_are_served_where_that_is_wished(module_stage, tree):
    server = start_web(module_stage, tree.root, user=OTHER_USER, hidden=True)
    for target in ("/.env", "/.git/config", "/.git/", "/sub/.htpasswd", "/.well-known/.key", "/...", "/..data/a.txt", "/hidden_by_link"):
        assert server.fetch(target).body == tree.hidden, target
    for target in ("/.", "/..", "/../.env", "/../secret.txt"):
        assert tree.outside not in server.fetch(target).body


# ---- links and files that change under the server


def fetch_until(port, target, count, stop, seen, timeout=PATIENCE):
    """Fetches again and again; what came goes to `seen` as (status, body), what went wrong as a text."""
    client = None
    while not stop.is_set() and len(seen) < count:
        try:
            client = client or RawClient(port, timeout)
            answer = client.request(request_bytes(target))
            seen.append((answer.status, answer.body))
        except (WireError, OSError) as error:
            seen.append(f"{type(error).__name__}: {error}")
            client = None
    if client is not None:
        client.close()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_that_is_switched_back_and_forth_never_leads_out(stage, what):
    """The look at a path and the opening are one step: there is no moment between them."""
    tree = HostileTree(open_folder(stage.ends))
    server = start_web(stage, tree.root, user=OTHER_USER, cache={"valid": "0s"})
    targets = ("good.txt", "../secret.txt") if what == "file" else ("sub", "../outside")
    write_tree(tree.root, {"sub/secret.txt": PUBLIC})
    flip = tree.path("flip")
    url = "/flip" if what == "file" else "/flip/secret.txt"
    os.symlink(targets[0], flip)
    stop, seen = threading.Event(), [[], [], []]
    threads = [threading.Thread(target=fetch_until, args=(server.web_port, url, 1500, stop, seen[i]), daemon=True) for i in range(3)]
    for thread in threads:
        thread.start()
    flips = 0
    while any(thread.is_alive() for thread in threads) and flips < 200_000:
        replace_link(targets[flips % 2], flip)
        flips += 1
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    results = [one for thread_seen in seen for one in thread_seen]
    assert len(results) >= 3000
    assert {one[0] if isinstance(one, tuple) else one for one in results} == {200, 404}, "both sides were met"
    assert {one[1] for one in results if one[0] == 200} == {PUBLIC}


@pytest.mark.parametrize("becomes", ["link_out", "fifo", "folder", pytest.param("locked", marks=needs_denial), "nothing", "socket"])
@pytest.mark.parametrize("memory", ["64KiB", "0"])
def test_a_file_that_becomes_something_else(stage, becomes, memory):
    tree = HostileTree(open_folder(stage.ends))
    server = start_web(stage, tree.root, user=OTHER_USER, cache={"valid": "100ms", "memory": memory})
    path = tree.path("changing.txt")
    write_tree(tree.root, {"changing.txt": PUBLIC})
    assert server.fetch("/changing.txt").body == PUBLIC
    os.unlink(path)
    changes = {
        "link_out": lambda: os.symlink("../secret.txt", path),
        "fifo": lambda: os.mkfifo(path),
        "folder": lambda: write_tree(path, {"secret.txt": tree.outside}),
        "locked": lambda: (write_tree(tree.root, {"changing.txt": tree.locked}), os.chmod(path, 0)),
        "nothing": lambda: None,
        "socket": lambda: os.link(tree.path("socket"), path),
    }
    changes[becomes]()
    answers = []

    def is_refused():
        try:
            answers.append(server.fetch("/changing.txt"))
        except WireError:
            return False  # broken off: see test_web_change.py
        return answers[-1].status != 200

    wait_until(is_refused, MARGIN, "the end of what was cached")
    assert answers[-1].status == (403 if becomes == "locked" else 404)
    assert all(answer.body == PUBLIC for answer in answers[:-1])
    assert tree.leaks(answers[-1].body) == []
    assert server.fetch(GOOD).body == PUBLIC


def test_pages_and_indexes_that_are_links_out_are_not_there(stage):
    tree = HostileTree(open_folder(stage.ends))
    keys = {"error_pages": {404: "/link_out", 405: "/fifo"}, "index": ["link_out", "fifo", "index.html"], "try": ["{path}", "{path}/", "/link_absolute", "=404"]}
    server = start_web(stage, tree.root, user=OTHER_USER, **keys)
    assert server.fetch("/").body == PUBLIC
    for target, status in (("/missing", 404), ("/index_out/", 404)):
        answer = server.fetch(target)
        assert answer.status == status and tree.leaks(answer.body) == []
    assert server.fetch(GOOD, "Content-Length: 0", method="POST").status == 405


# ---- requests that are no HTTP

REFUSED = [case for case in CASES if not case.may_forward]


def test_ambiguous_requests_are_refused_here_too(module_stage, tree):
    """The table that the balancer is judged by: one answer, and the end of the connection."""
    server = start_web(module_stage, tree.root, user=OTHER_USER, limits=LIMITS)
    found = {}
    for case in REFUSED:
        exchange = raw_request(server.web_port, case.data)
        try:
            answers = exchange.responses([case.method])
        except WireError as error:
            found[case.name] = f"{error}: {exchange.received[:200]!r}"
            continue
        statuses = [answer.status for answer in answers]
        # A fault behind the head comes after the answer, which does not need the body.
        is_behind = case.reach != "nothing" or case.name.startswith("chunk")
        allowed = set(case.refusals) | ({404, 405} if is_behind else set())
        if len(statuses) != 1 or statuses[0] not in allowed or not exchange.is_closed or tree.leaks(exchange.received):
            found[case.name] = (statuses, allowed, exchange.is_closed)
    assert found == {}
    assert len(REFUSED) > 100
    assert server.fetch(GOOD).body == PUBLIC


# ---- the judge itself


def test_control_a_naive_server_is_seen_through(tree, origin):
    """It decodes and opens: what the judge says of it is what the corpus is for."""

    def answer(request):
        path = urllib.parse.unquote(request.target.split("?")[0].split("://")[-1]).replace("\\", "/")
        path = tree.root + "/" + path.split("\0")[0]
        if os.path.isdir(path):
            path += "/index.html"
        try:
            if os.path.isfile(path) and os.path.getsize(path) < 100_000:
                with open(path, "rb") as file:
                    return response(file.read(100_000))
        except (OSError, ValueError):
            pass
        return response(b"", 404, "Not Found")

    naive = origin(answer=answer)
    found = {target: judge(naive.port, tree, target) for group in ("climbing", "hidden", "links") for target in GROUPS[group]}
    given = [target for target, faults in found.items() if any("gives away" in fault for fault in faults)]
    for one in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt", "/.env", "/%2eenv", "/link_out", "/environ", "/folder_out/"):
        assert one in given, (one, found[one])
    assert len(given) > 60
    assert probe(naive.port, GOOD)[0] == []


def test_control_a_server_that_waits_for_a_fifo_is_seen(origin):
    stuck = threading.Event()
    waiting = origin(answer=lambda request: (stuck.wait(20), response())[1])
    with RawClient(waiting.port, 0.3) as client, pytest.raises(TimeoutError):
        client.request(request_bytes("/fifo"))
    stuck.set()
