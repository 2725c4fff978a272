"""Copies of a running primary as SQL: while writes wait for the copy, and where mariadb-backup is not installed."""

import os

import pytest

from app_site import kill_9
from database_site import NAME, DatabaseSite, Writers, assert_equal_everywhere
from mariadb_cluster import IS_THERE
from raw_client import wait_until
from test_database_rejoin import is_copying, lead_astray, origin_of, purge_first_binlog, replica_of, started

pytestmark = pytest.mark.skipif(not IS_THERE, reason="MariaDB's programs are not there")


def test_a_copy_is_made_while_the_writes_wait_for_it(trilith):
    """Two servers, writes wait for a replica, and the replica's data are gone: files cannot be copied while commits wait."""
    site = started(alone="hold")
    try:
        site.wait_whole()
        with Writers(site, 2) as writers:
            writers.wait_more()
            server, source = replica_of(site), site.primary
            purge_first_binlog(site)
            data = os.path.join(site.state, "database", "servers", server, "data")
            os.rename(data, data + ".gone")
            kill_9(site.mariadbd(server))
            wait_until(lambda: os.path.isdir(data), 120, f"a copy; {site.stderr()[-3000:]}")
            site.wait_whole()
            writers.wait_more()
        assert f"copy {source} 0-" in origin_of(site, server)
        assert "async" not in site.journal()
        site.wait_whole()
        assert writers.lost(server) == []
        assert_equal_everywhere(site)
    finally:
        site.finish()


RICH = """
    CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) CHARACTER SET utf8mb4, raw BLOB, at TIMESTAMP(6) NULL, fraction DOUBLE, exact DECIMAL(20,4));
    CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
    INSERT INTO parent VALUES (3, 'é𝄞 \\'', x'00FF0A27', '2026-11-28 01:02:03.000004', 0.1, 1234.5678), (7, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO child VALUES (1, 3);
    CREATE VIEW names AS SELECT name FROM parent; CREATE SEQUENCE numbers START WITH 5;
    CREATE TRIGGER filled BEFORE INSERT ON child FOR EACH ROW SET NEW.parent = COALESCE(NEW.parent, 3);
    CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n;
    CREATE USER somebody@'10.%' IDENTIFIED BY 'secret'; GRANT SELECT (name) ON parent TO somebody@'10.%'"""
ALL_OF_IT = {
    "rows": f"SELECT id, name, HEX(raw), at, fraction, exact FROM {NAME}.parent",
    "children": f"SELECT * FROM {NAME}.child",
    "objects": f"SELECT table_name, table_type, engine, auto_increment FROM information_schema.tables WHERE table_schema = '{NAME}' ORDER BY 1",
    "routines": "SELECT db, name, body, definer FROM mysql.proc WHERE db NOT IN ('sys', 'mysql') ORDER BY 1, 2",
    "triggers": "SELECT trigger_name, action_statement, definer FROM information_schema.triggers WHERE trigger_schema <> 'sys' ORDER BY 1",
    "accounts": "SELECT host, user, JSON_REMOVE(priv, '$.password_last_changed') FROM mysql.global_priv ORDER BY 1, 2",
    "grants": "SELECT host, db, user, select_priv, insert_priv FROM mysql.db ORDER BY 1, 2, 3",
    "columns": "SELECT host, db, user, table_name, column_name, column_priv FROM mysql.columns_priv ORDER BY 1, 2, 3, 4, 5",
}


def test_without_mariadb_backup_small_data_are_copied_as_sql(trilith):
    site = DatabaseSite(2, rejoin="automatic")
    try:
        site.hide("mariadb-backup")
        site.start().wait_whole()
        server, primary = replica_of(site), site.primary
        site.sql(primary, RICH, database=NAME)
        site.sql(primary, "CREATE TABLE bulk ENGINE=InnoDB SELECT seq, REPEAT('x', 60000) AS text FROM seq_1_to_100", database=NAME)
        site.wait_whole()
        purge_first_binlog(site)
        with Writers(site, 2) as writers:
            lead_astray(site, server, 4714)
            wait_until(lambda: is_copying(site, server, "mariadb-dump"), 60, f"a copy; {site.stderr()[-3000:]}")
            kill_9(site.serve_pid(server))  # it begins anew
            site.wait_whole()
            writers.wait_more()
        assert site.primary == primary and f"copy {primary} 0-" in origin_of(site, server)
        assert_equal_everywhere(site)
        assert_equal_everywhere(site, "bulk")
        found = {name: {where: site.sql(where, text) for where in site.databases} for name, text in ALL_OF_IT.items()}
        for name, rows in found.items():
            assert rows[server] == rows[primary] and rows[server], name
        assert not os.path.exists(os.path.join(site.state, "database", "servers", server, "tmp", "copy"))
        site.do("switchover", "--to", server)  # it is as good as any
        with Writers(site, 1) as more:
            more.wait_more()
    finally:
        site.finish()
