"""examples/foobar in a browser, on a phone's and a desktop's screen, with scripts and without: what a visitor does, and hostile names."""

import contextlib
import urllib.parse

import pymysql
import pytest

import browser
import mariadb_cluster
from browser import DESKTOP, PHONE, Browser
from foobar_site import Foobar, Mirror
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")
HOSTILE = [
    "<script>document.title='owned'</script>",
    "\"><img src=x onerror=\"document.title='owned'\">",
    "Robert'); DROP TABLE users;-- ",
    "{{name}} {{{name}}} \\' %_!",
    "ẞ𝄞 مرحبا ‮abc",
    "W" * 100,
]


@pytest.fixture(scope="module")
def site():
    made = Foobar(max_lag="60s")  # a late replica is asked all the same
    try:
        yield made.start()
    finally:
        made.finish()


VISITORS = {"phone": (PHONE, True), "phone-without-scripts": (PHONE, False), "desktop": (DESKTOP, True), "desktop-without-scripts": (DESKTOP, False)}


def visitors(*names):
    return pytest.mark.parametrize("visitor", names, indirect=True)


@pytest.fixture
def visitor(request):
    if browser.PROGRAM is None:
        pytest.skip("chromium is not installed: scripts/install-dependencies test brings it")
    size, scripts = VISITORS[request.param]
    made = Browser(size, scripts)
    made.name = request.param
    yield made
    made.close()


def assert_fits(page):
    """Nothing sticks out to the right, and what is to be pressed is large enough for a finger."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page is wider than the window"
    small = page.evaluate("[...document.querySelectorAll('button, .button, input:not([type=hidden])')].filter(e => e.getBoundingClientRect().height < 40).map(e => e.outerHTML)")
    assert small == []


def fill(page, name, email, city=""):
    for field, text in (("#name", name), ("#email", email), ("#city", city)):
        page.type(field, text)


@visitors(*VISITORS)
def test_a_visitor_adds_edits_searches_and_removes(site, visitor):
    page = visitor
    page.open(site.url)
    assert page.evaluate("getComputedStyle(document.querySelector('button')).borderRadius") != "0px", "the style sheet is not there"
    assert_fits(page)
    page.picture(f"list-{page.name}")
    page.follow("nav .button", "Add a user")
    assert_fits(page)
    page.picture(f"add-{page.name}")
    email = f"{page.name}@foobar.com"
    fill(page, "Zoë Test", email, "Köln")
    page.follow("button", "Save")
    assert page.text(".notice") == "The user was added."
    page.type("#q", email)
    page.follow("button", "Search")
    assert page.texts("td.name") == ["Zoë Test"] and page.texts("td.city") == ["Köln"]
    page.follow("a", "Edit")
    assert page.evaluate("document.querySelector('#name').value") == "Zoë Test"
    page.type("#name", "Zoë Changed")
    page.follow("button", "Save")
    assert page.text(".notice") == "The user was edited."
    page.type("#q", email)
    page.follow("button", "Search")
    assert page.texts("td.name") == ["Zoë Changed"]
    page.follow("a.danger", "Remove")
    assert_fits(page)
    page.picture(f"remove-{page.name}")
    page.follow("button", "Remove")
    assert page.text(".notice") == "The user was removed."
    page.type("#q", email)
    page.follow("button", "Search")
    assert page.texts("td.name") == [] and "Nobody is found" in page.text(".nobody")


@visitors("phone-without-scripts", "desktop")
def test_hostile_names_are_shown_as_they_are(site, visitor):
    page = visitor
    for number, name in enumerate(HOSTILE):
        email = f"hostile{number}@{page.name}.foobar.com"
        page.open(f"{site.url}/users/new")
        fill(page, name, email, name[:100])
        page.follow("button", "Save")
        page.open(f"{site.url}/?q={urllib.parse.quote(email)}")
        assert page.evaluate("document.querySelector('td.name').textContent") == name.strip()
        assert page.evaluate("document.title") == "Users · www.foobar.com"
        assert_fits(page)
        page.follow("a", "Edit")
        assert page.evaluate("document.querySelector('#name').value") == name.strip()
        page.open(f"{site.url}/?q={urllib.parse.quote(name)}")
        assert_fits(page)
        assert name.strip() in page.evaluate("[...document.querySelectorAll('td.name')].map(e => e.textContent)")
    page.open(f"{site.url}/?q=hostile")
    page.picture(f"hostile-{page.name}")


@visitors("phone-without-scripts", "desktop")
def test_pages_hold_everybody_once(site, visitor):
    page = visitor
    page.open(site.url)
    names, pages = page.texts("td.email"), 1
    while page.texts("a[rel=next]"):
        page.follow("a[rel=next]")
        names += page.texts("td.email")
        pages += 1
        assert_fits(page)
    assert pages >= 3 and len(names) == len(set(names)) and len(names) >= 26
    page.picture(f"last-page-{page.name}")
    for _ in range(pages - 1):
        page.follow("a[rel=prev]")
    assert page.texts("td.email") == names[:12]


@visitors("phone")
def test_what_is_wrong_with_a_form_is_said_and_nothing_is_lost(site, visitor):
    page = visitor
    page.open(f"{site.url}/users/new")
    fill(page, "Somebody Else", "ada@foobar.com", "Nowhere")
    page.follow("button", "Save")
    assert page.text(".notice.bad") == "Another user has this e-mail address."
    assert page.evaluate("document.querySelector('#name').value") == "Somebody Else"
    page.picture(f"wrong-{page.name}")


@contextlib.contextmanager
def late_replica(site):
    """The replica's applier waits for a lock."""
    admin = pymysql.connect(host=site.addresses["web2"], port=3307, user="trilith_admin", password=site.secret("admin"), autocommit=True)
    with contextlib.closing(admin), admin.cursor() as cursor:
        cursor.execute("LOCK TABLES foobar.users READ")
        yield


def is_caught_up(site):
    counts = [site.sql(server, "SELECT COUNT(*), MAX(id), MD5(GROUP_CONCAT(name ORDER BY id)) FROM foobar.users") for server in ("web1", "web2")]
    return counts[0] == counts[1]


@visitors("phone-without-scripts", "desktop")
def test_a_visitor_sees_what_they_changed_though_the_replica_is_late(site, visitor):
    """And does not where the cookie with the position does not come."""
    page = visitor
    for dropped in (None, "trilith_position"):
        wait_until(lambda: is_caught_up(site), 60, "a replica that has caught up")
        email = f"late-{'without' if dropped else 'with'}@{page.name}.foobar.com"
        with Mirror((site.addresses["web2"], 8081), dropped) as mirror:
            with late_replica(site):
                page.open(f"{mirror.url}/users/new")
                fill(page, "!Late", email)
                page.follow("button", "Save")
                assert page.text(".notice") == "The user was added."
                assert (email in page.texts("td.email")) == (dropped is None), page.text("#database-server")
            wait_until(lambda: is_caught_up(site), 60, "a replica that has caught up")
            page.open(f"{mirror.url}/?q={email}")
            page.follow("a", "Edit")
            with late_replica(site):
                page.type("#name", "!Changed")
                page.follow("button", "Save")
                assert page.text(".notice") == "The user was edited."
                shown = dict(zip(page.texts("td.email"), page.texts("td.name")))
                assert shown[email] == ("!Changed" if dropped is None else "!Late"), page.text("#database-server")
        site.sql("web1", f"DELETE FROM foobar.users WHERE email = '{email}'")
