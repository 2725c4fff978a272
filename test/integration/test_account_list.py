"""The table that the unit test of the router's account list goes by is what a real MariaDB server says."""

import json
import os

import pytest

from app_site import free_port
from mariadb_cluster import IS_THERE, Database
from mariadb_login import LoginRefused, RawLogin

pytestmark = pytest.mark.skipif(not IS_THERE, reason="mariadb-server-core and mariadb-client are not installed")
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/sql/account_cases_test.cc")
# What the router's list looks at.
FIELDS = {"plugin", "authentication_string", "auth_or", "account_locked", "ssl_type", "is_role", "max_user_connections"}


@pytest.fixture(scope="module", name="cases")
def read_cases():
    with open(CASES, encoding="utf-8") as file:
        return json.loads(file.read().partition('R"json(')[2].partition(')json"')[0])


@pytest.fixture(scope="module", params=["skip_name_resolve", "localhost"], name="server")
def start_server(request, cases):
    """(server, its logins): where names are resolved, 127.0.0.1 is localhost."""
    is_resolved = request.param == "localhost"
    database = Database("0.0.0.0", free_port(["0.0.0.0"]), 1, {"skip-name-resolve": "0" if is_resolved else "1"})
    try:
        database.start()
        for statement in cases["statements"]:
            database.sql("".join(statement))
        yield database, cases["localhost_logins" if is_resolved else "logins"]
    finally:
        database.finish()


def outcome(database, user, source, password):
    where, source = (database.socket, None) if source == "unix" else (("127.0.0.1", database.port), source)
    try:
        login = RawLogin(where, user, password, source)
    except LoginRefused as refused:
        return refused.number
    try:
        return login.value("SELECT CURRENT_USER()")
    except LoginRefused as refused:
        assert refused.number == 1820  # the password has expired: nothing but SET PASSWORD is allowed
        return f"{user}@%"
    finally:
        login.close()


def test_logins_end_as_the_table_says(server):
    database, logins = server
    assert len(logins) > 5
    for user, source, password, expected in logins:
        assert outcome(database, user, source, password) == expected, (user, source, password)


def test_rows_are_as_the_table_says(server, cases):
    database, _ = server
    found = {}
    for host, user, privileges in database.sql("SELECT Host, User, Priv FROM mysql.global_priv"):
        privileges = json.loads(privileges)
        kept = {key: value for key, value in privileges.items() if key in FIELDS}
        if privileges.get("password_last_changed") == 0:
            kept["password_last_changed"] = 0
        found[host, user] = kept
    for host, user, privileges in cases["rows"]:
        assert found[host, user] == privileges
