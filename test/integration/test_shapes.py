"""The shapes of the whiteboard, examples/foobar/*.toml: each is checked, explained, brought up, and serves the sample site."""

import re

import pytest

import mariadb_cluster
from app_site import kill_9
from balancer_site import run_trilith
from foobar_site import Shape
from raw_client import wait_until

pytestmark = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")

# What follows from the roles, by the names of the servers: {lb1} is its address.
EXPECTED = {
    "apart.toml": [
        "# derived: lb1 at {lb1}",
        "#   balancer: http://{lb1}:{entry} → pool web: web1 {web1}:8081 (active-active: by weight, from {lb1}; GET /healthz every 2s, down after 3, up after 2)",
        "#   web: http://{web1}:8081 → files of {home}/public; else pool app: app1 {app1}:8082 (active-active: by weight, from {web1}; "
        "GET /healthz every 2s, down after 3, up after 2); believes forwarded headers of {lb1}",
        "#   app: http://{app1}:8082 → the program's instances here (1; GET /healthz every 2s, down after 3, up after 2); believes forwarded headers of {lb1}, {web1}",
        "#   program: DATABASE_URL=mysql://app:SECRET@{app1}:3306/foobar",
        "#   router: {app1}:3306 → app1 {app1}:3307: writes to the primary, reads: replicas",
        "#   database: mariadbd {app1}:3307, for Trilith alone {app1}:3308; the only one: nothing is replicated",
    ],
    "active-passive.toml": [
        "#   balancer: http://{lb1}:{entry} → pool web: web1 {web1}:8081, web2 {web2}:8081 (active-passive: the first that is up takes all, from {lb1}; "
        "GET /healthz every 2s, down after 3, up after 2)",
        "#   web: http://{web2}:8081 → files of {home}/public; else the program's instances here (1; GET /healthz every 2s, down after 3, up after 2); "
        "believes forwarded headers of {lb1}",
        "#   program: DATABASE_URL=mysql://app:SECRET@{web2}:3306/foobar",
        "#   router: {web1}:3306 → web1 {web1}:3307, web2 {web2}:3307: writes to the primary, reads: replicas",
        "#   database: mariadbd {web1}:3307, for Trilith alone {web1}:3308; the first primary, copied by web2",
        "#   database: mariadbd {web2}:3307, for Trilith alone {web2}:3308; a replica of the primary, at first of web1",
    ],
    "two-servers.toml": [
        "#   balancer: http://{one}:{entry} → pool web: one {one}:8081, two {two}:8081 (active-active: by weight, from {one}; "
        "GET /healthz every 2s, down after 3, up after 2)",
        "#   program: DATABASE_URL=mysql://app:SECRET@{two}:3306/foobar",
        "#   database: mariadbd {one}:3307, for Trilith alone {one}:3308; the first primary, copied by two",
        "#   database: mariadbd {two}:3307, for Trilith alone {two}:3308; a replica of the primary, at first of one",
    ],
    "four-servers.toml": [
        "#   balancer: http://{lb1}:{entry} → pool web: web1 {web1}:8081, web2 {web2}:8081, web3 {web3}:8081 (active-active: by weight, from {lb1}; "
        "GET /healthz every 2s, down after 3, up after 2)",
        "#   program: DATABASE_URL=mysql://app:SECRET@{web3}:3306/foobar",
        "#   router: {web2}:3306 → web1 {web1}:3307, web2 {web2}:3307, web3 {web3}:3307: writes to the primary, reads: replicas",
        "#   database: mariadbd {web1}:3307, for Trilith alone {web1}:3308; the first primary, copied by web2, web3",
        "#   database: mariadbd {web3}:3307, for Trilith alone {web3}:3308; a replica of the primary, at first of web1",
    ],
}


@pytest.fixture(params=EXPECTED)
def shape(request):
    made = Shape(request.param)
    made.name = request.param
    try:
        yield made
    finally:
        made.finish()


def check_and_explain(site):
    done = run_trilith("check", site.file, *site.options())
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    text = run_trilith("check", "--explain", site.file, *site.options()).stdout
    for line in EXPECTED[site.name]:
        line = line.format(**site.addresses, entry=site.entry, home=site.home)
        assert f"{line}\n" in text, f"{line}\nis not in\n{text}"


def web_server(site):
    status, text, _ = site.ask("GET", "/")
    assert status == 200, text
    return re.search(r'id="web-server">(\w+)', text)[1]


def test_each_shape_is_what_it_is_explained_to_be_and_serves_the_site(shape):
    check_and_explain(shape)
    shape.start()
    # A replica may be a moment behind the seed: the page says so ("at most 0.2 s old").
    wait_until(lambda: "Ada Lovelace" in shape.ask("GET", "/")[1], 30, "the page to show the seed")
    assert shape.ask("GET", "/style.css")[0] == 200
    shape.add_user("Shapely")
    wait_until(lambda: shape.verb("status").returncode == 0, 60, f"a healthy site: {shape.verb('status').stderr}")
    rows = shape.sql(shape.databases[-1], "SELECT COUNT(*) FROM foobar.users WHERE name = 'Shapely'")
    assert rows == [["1"]], "the last database has it, too"
    if shape.name == "active-passive.toml":
        first_takes_all_until_it_dies(shape)


def first_takes_all_until_it_dies(site):
    assert {web_server(site) for _ in range(10)} == {"web1"}
    kill_9(site.serve_pid("web1"))
    wait_until(lambda: web_server(site) == "web2", 60, "the second to take over")
    wait_until(lambda: web_server(site) == "web1", 60, "the first to take back")
    assert {web_server(site) for _ in range(10)} == {"web1"}
