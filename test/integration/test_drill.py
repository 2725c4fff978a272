"""`trilith drill`: what it refuses, what it counts, that it takes back what it did; each passing drill has one beside it that must fail."""

import json
import re
import signal
import subprocess

import pytest

import mariadb_cluster
from app_site import app_table, make_tiers, stat_of
from balancer_site import BINARY, run_trilith, toml_table
from foobar_site import Foobar
from raw_client import wait_until

SHORT = {"rate": 100, "connections": 16, "steady": "500ms", "tail": "500ms", "timeout": "30s", "within": "120s", "requests": ["/who"]}
# What a busy machine does to times is not what is tested here.
PATIENT = {"request_pause": "60s", "write_pause": "60s", "read_pause": "60s"}
THREE = {"lb1": ["balancer"], "web1": ["web", "app"], "web2": ["web", "app"]}
needs_mariadb = pytest.mark.skipif(not mariadb_cluster.IS_THERE, reason="no mariadbd here: scripts/install-dependencies test")


def drill(site, *words):
    """(exit code, what each drill reports, standard error)."""
    done = subprocess.run([BINARY, "drill", *words, "--json", *site.options()], capture_output=True, text=True, timeout=290, check=False)
    reports = json.loads(done.stdout)["drills"] if done.stdout else []
    return done.returncode, reports, done.stderr


def unmet(report):
    return [one["objective"] for one in report["objectives"] if not one["met"]]


def overridden(site):
    """What some server sends otherwise than the file says, by an order."""
    statuses = json.loads(run_trilith("status", "--json", *site.options()).stdout)["servers"]
    sent_to = [one for status in statuses for pool in status["pools"] for one in pool["backends"]]
    sent_to += [one for status in statuses for one in (status.get("router") or {}).get("nodes", [])]
    return [one["name"] for one in sent_to if one.get("override")]


def start(stage, roles, app=None, **tables):
    site = make_tiers(stage, roles, app=app or app_table(), **{"drill": SHORT, "objectives": PATIENT, **tables}).start()
    site.wait_count("info up: the site is up", 1, seconds=60)
    for name in roles:
        site.wait_pools_up(name, seconds=60)
    return site


# ---- without a database


def test_an_instance_a_server_and_a_reload_are_not_noticed_by_clients(stage):
    site = start(stage, THREE)
    for name in ("app", "web1", "reload", "weights"):
        code, (report,), err = drill(site, name)
        assert code == 0 and report["passed"], (report, err)
        assert report["requests"]["total"] >= 50 and report["requests"]["failed"] == 0
        assert report["ledger"] is None and report["writes"]["total"] == 0
        assert name in ("reload", "weights") or "was killed" in report["deed"], report
    assert site.log_count("warn up: killed by order") == 2
    assert not overridden(site), "what it ordered it took back"


def test_control_without_a_second_instance_and_without_retries_the_failures_are_counted(stage):
    # Connections of their own: one that was kept and ends unanswered counts as stale, and is made anew without a retry.
    site = start(stage, {"web1": ["web", "app"]}, app_table(["--delay", "200", "--close"], instances=1), web_limits={"retries": 0})
    code, (report,), err = drill(site, "app")
    assert code == 1 and not report["passed"], err
    assert unmet(report) == ["failed_requests"], report
    assert sum(report["requests"]["failures"].values()) == report["requests"]["failed"] + report["requests"]["cut"] > 0


def test_control_an_objective_that_cannot_be_met_fails_and_is_named(stage):
    site = start(stage, {"web1": ["web", "app"]}, app_table(["--delay", "30"], instances=1), objectives={**PATIENT, "request_pause": "1ms"})
    # Of each drill there is a pause, of a reload that is over at once perhaps no request in the middle of it.
    code, (report,), _ = drill(site, "reload")
    assert code == 1 and unmet(report) == ["request_pause"], report
    done = subprocess.run([BINARY, "drill", "reload", *site.options()], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1 and re.search(r"FAILED request_pause: \S+, at most 1ms", done.stdout) and done.stdout.endswith("FAILED\n"), done.stdout


def test_what_is_not_there_or_not_whole_is_not_begun(stage):
    site = make_tiers(stage, {"web1": ["web", "app"]}, app=app_table(["--healthy-if", "good"], instances=1), drill=SHORT, objectives=PATIENT).start()
    # Before that `up` does not answer yet, or web1 does not.
    wait_until(lambda: "it is not ready" in drill(site, "app")[2], 30, "web1 to listen")
    code, reports, err = drill(site, "app")
    assert code == 1 and not reports and "the site is not whole: web1: it is not ready" in err, err
    code, reports, err = drill(site, "web2")
    assert code == 2 and not reports and 'this site has no drill "web2"; did you mean "web1"?' in err, err
    code, reports, err = drill(site, "primary")
    assert code == 2 and "no drill" in err
    done = subprocess.run([BINARY, "drill", "list", "--json", *site.options()], capture_output=True, text=True, timeout=30, check=False)
    assert [one["name"] for one in json.loads(done.stdout)["drills"]] == ["reload", "weights", "drain", "app", "web1"]
    site.touch("good")


def test_clients_that_fail_before_it_are_no_time_for_a_drill(stage):
    site = start(stage, {"web1": ["web", "app"]}, drill={**SHORT, "requests": ["/who", "/nothing"]})
    pids = site.pids("web1")
    code, (report,), _ = drill(site, "app")
    assert code == 1 and report["deed"] == "" and "nothing was done" in report["problem"]
    assert set(report["requests"]["failures"]) == {"404"} and site.pids("web1") == pids


def test_a_site_without_up_is_refused(stage):
    site = make_tiers(stage, {"web1": ["web", "app"]}, drill=SHORT, objectives=PATIENT)
    site.server = "web1"
    site.start()
    site.wait_instances()
    code, reports, err = drill(site, "app")
    assert code == 1 and not reports and "not run by `trilith up`" in err, err
    code, (report,), _ = drill(site, "reload", "--force")
    assert code == 0 and report["passed"], report


# ---- with databases


@needs_mariadb
def test_nobody_notices_that_the_primarys_server_is_drained(foobar):
    before = foobar.primary
    code, (report,), err = drill(foobar, "drain")
    assert code == 0 and report["passed"], (report, err)
    assert report["deed"].startswith(f"{before} was drained") and foobar.primary != before
    assert report["requests"]["failed"] == report["reads"]["failed"] == report["ledger"]["lost"] == 0 < report["writes"]["total"]
    assert not overridden(foobar)


@needs_mariadb
def test_what_an_operator_ordered_is_not_taken_back(foobar):
    foobar.wait_whole()
    assert foobar.verb("weight", "web1", "50").returncode == 0
    code, reports, err = drill(foobar, "weights")
    assert (code, reports) == (1, []) and "trilith undo web1" in err
    assert overridden(foobar)
    assert foobar.verb("undo", "web1").returncode == 0


@pytest.fixture(scope="module")
def foobar():
    site = Foobar()
    form = {"path": "/users/1", "body": "name=Ada&email=ada%40foobar.com&city=London&form_token={token}", "token": "form_token"}
    with open(site.file, "a", encoding="utf-8") as file:
        file.write(toml_table("drill", {**SHORT, "requests": ["/", "/users/1", "/style.css", "/healthz"], "forms": [form], "statements": 50}))
        file.write(toml_table("objectives", PATIENT))
    try:
        yield site.start().wait_whole()
    finally:
        site.finish()


@needs_mariadb
def test_no_acknowledged_write_and_no_read_is_lost_with_the_primary_or_a_replica(foobar):
    for name in ("primary", "replica"):
        code, (report,), err = drill(foobar, name)
        assert code == 0 and report["passed"], (report, err)
        assert report["writes"]["total"] > 10 and report["ledger"]["acknowledged"] > 0 and report["ledger"]["lost"] == 0
        assert report["ledger"]["same_sum"] and report["reads"]["failed"] == 0 and report["forms"]["total"] > 0
        assert "database" in [one["tier"] for one in report["recoveries"]], report
    assert foobar.sql("web1", "SHOW TABLES FROM foobar LIKE 'trilith_drill'") == []


@needs_mariadb
def test_ctrl_c_lets_a_frozen_primary_go_on_and_reports(foobar):
    foobar.wait_whole()
    running = subprocess.Popen([BINARY, "drill", "freeze-primary", *foobar.options()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    while not lines or "was stopped (SIGSTOP)" not in lines[-1]:
        lines.append(running.stderr.readline())
        assert lines[-1], lines
    pid = int(re.search(r"pid (\d+)", lines[-1])[1])
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 1 and "interrupted" in out and "acknowledged writes: 0 lost" in out, (out, err)
    assert json.loads(up_status(foobar))["frozen"] == []
    wait_until(lambda: (stat_of(pid) or ("S",))[0] != "T", 30, "the primary goes on, or was replaced")
    foobar.wait_whole()


def up_status(site):
    code, text = site.control_of("up", "GET", "/v1/status")
    assert code == 200, text
    return text


@needs_mariadb
def test_control_a_write_that_is_gone_is_found(foobar):
    """Rows are deleted while the drill runs: it must say so."""
    foobar.wait_whole()
    running = subprocess.Popen([BINARY, "drill", "reload", "--json", *foobar.options()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    while not lines or "read the file again" not in lines[-1]:
        lines.append(running.stderr.readline())
        assert lines[-1], lines
    running.send_signal(signal.SIGSTOP)  # or it has ended before the rows are gone
    primary = foobar.primary
    foobar.sql(primary, "SET SESSION sql_log_bin = 1; DELETE FROM foobar.trilith_drill WHERE id > 0 ORDER BY entry LIMIT 2")
    running.send_signal(signal.SIGCONT)
    out, err = running.communicate(timeout=120)
    (report,) = json.loads(out)["drills"]
    assert running.returncode == 1 and unmet(report) == ["lost_writes"], (report, err)
    assert report["ledger"]["lost"] == 2 and not report["ledger"]["same_sum"]
