"""`trilith explain`: where a statement would go and why, without a file and without a running site."""

import json
import subprocess

import pytest

from balancer_site import BINARY


def explain(*words, cwd):
    return subprocess.run([BINARY, "explain", *words], cwd=cwd, capture_output=True, text=True, timeout=10, check=False)


def explained(sql, *options, cwd):
    run = explain("--json", *options, sql, cwd=cwd)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return json.loads(run.stdout)


@pytest.mark.parametrize(
    "sql, target, verb",
    [
        ("SELECT 1", "read", "select"),
        ("SELECT a FROM t FOR UPDATE", "primary", "select"),
        ("SELECT f(1)", "primary", "select"),
        ("INSERT INTO t VALUES (1)", "primary", "insert"),
        ("START TRANSACTION READ ONLY", "read", "begin"),
        ("SELECT LAST_INSERT_ID()", "same_connection_as_before", "select"),
        ("SET NAMES utf8mb4", "session", "set"),
        ("SELECT 1; SELECT 2", "primary", "select"),
        ("", "primary", "other"),
    ],
)
def test_the_target_is_told_with_its_reason(sql, target, verb, tmp_path, trilith):
    answer = explained(sql, cwd=tmp_path)
    assert (answer["target"], answer["verb"]) == (target, verb)
    assert answer["reason"] and not answer["reason"].endswith(".")


def test_effects_are_told(tmp_path, trilith):
    effects = explained("CREATE TEMPORARY TABLE t (a INT)", cwd=tmp_path)["effects"]
    assert effects["pins"] == ["temporary_table"]
    effects = explained("SET @a = 'x', sql_mode = ''", cwd=tmp_path)["effects"]
    assert effects["sets"] == {"@a": "'x'", "sql_mode": "''"}
    assert explained("USE `d`", cwd=tmp_path)["effects"]["schema"] == "d"


def test_sql_mode_changes_what_is_read(tmp_path, trilith):
    sql = "SELECT 'a\\', SLEEP(1) -- '"
    assert explained(sql, cwd=tmp_path)["target"] == "read"
    assert explained(sql, "--sql-mode", "NO_BACKSLASH_ESCAPES", cwd=tmp_path)["target"] == "primary"
    assert explained('SELECT "f"(1)', "--sql-mode", "ansi_quotes,no_backslash_escapes", cwd=tmp_path)["target"] == "primary"


def test_text_for_people(tmp_path, trilith):
    run = explain("SELECT SLEEP(1)", cwd=tmp_path)
    assert run.returncode == 0
    assert "primary" in run.stdout
    assert "SLEEP is not known to be a pure function" in run.stdout


def test_wrong_usage_is_one_sentence(tmp_path, trilith):
    for words in ([], ["--sql-mode", "nosuch", "SELECT 1"]):
        run = explain(*words, cwd=tmp_path)
        assert run.returncode == 2
        assert run.stdout == ""
        assert run.stderr.count("\n") == 1
