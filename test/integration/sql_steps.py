"""Steps of a client of MariaDB, run over PyMySQL or by one of the programs in drivers/, and what each step gave: to compare the router with a server."""

import json
import os
import shutil
import subprocess

import pymysql
from pymysql.constants import CLIENT, COMMAND

from mariadb_cluster import APP_PASSWORD, APP_USER

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drivers")
PROGRAMS = {"mysqlnd": ["php", os.path.join(HERE, "run_steps.php")], "connector-c": ["perl", os.path.join(HERE, "run_steps.pl")]}


# The router says so where only another connection knows what a statement asks of the one before.
HONEST_ERRORS = (
    b"trilith: the connection that ran the statement before serves another session now",
    b"trilith: the statement before ran on a replica, which alone knows",
)


def without_tracking(packet):
    """An EOF of a server tells a client that tracks nothing that its session changed, at times."""
    is_eof = packet[0] == 0xFE and len(packet) == 5
    return packet[:4] + bytes([packet[4] & ~0x40]) if is_eof else packet


def is_there(driver):
    return driver == "pymysql" or shutil.which(PROGRAMS[driver][0]) is not None


def told(value):
    return value if value is None or isinstance(value, int) else "x" + (value if isinstance(value, bytes) else str(value).encode()).hex()


def error_of(error):
    return {"error": [str(argument) for argument in error.args]}


class Session:
    """A connection of PyMySQL that never decodes a value: what the server sent is what is compared."""

    def __init__(self, address, database, user=APP_USER, password=APP_PASSWORD, **options):
        self.connection = pymysql.connect(host=address[0], port=address[1], user=user, password=password, database=database, autocommit=None, charset="utf8mb4", conv={}, use_unicode=False,
                                          client_flag=CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS, local_infile=True, read_timeout=60, **options)

    def close(self):
        self.connection.close()

    def query(self, sql):
        results = []
        try:
            self.connection.query(sql)
            while True:
                results.append(self._result())
                if not self.connection._result.has_next:  # pylint: disable=protected-access
                    return results
                self.connection.next_result()
        except pymysql.MySQLError as error:
            return [*results, error_of(error)]

    def _result(self):
        result = self.connection._result  # pylint: disable=protected-access
        if result.description is None:
            return {"affected": result.affected_rows, "insert_id": result.insert_id, "info": told(result.message), "warnings": result.warning_count,
                    "status": result.server_status}
        columns = [[field.name, field.org_name, field.table_name, field.org_table, field.db, field.charsetnr, field.length, field.type_code, field.flags, field.scale]
                   for field in result.fields]
        # Not the warnings' count of a result: PyMySQL keeps it where it stands.
        return {"columns": columns, "rows": [[told(value) for value in row] for row in result.rows], "warnings": result.warning_count}

    def run(self, step):
        try:
            if "sql" in step:
                return self.query(step["sql"])
            if "database" in step:
                self.connection.select_db(step["database"])
            elif "ping" in step:
                self.connection.ping(reconnect=False)
            elif "reset" in step:
                self.connection._execute_command(COMMAND.COM_STMT_CLOSE + 6, b"")  # COM_RESET_CONNECTION # pylint: disable=protected-access
                self.connection._read_ok_packet()  # pylint: disable=protected-access
            elif "charset" in step:
                self.connection.set_charset(step["charset"])
            else:
                return ["not known to this driver"]
        except pymysql.MySQLError as error:
            return [error_of(error)]
        return [True]


def run_steps(driver, address, database, steps, user=APP_USER, password=APP_PASSWORD):
    """What each step gave, in order."""
    if driver == "pymysql":
        session = Session(address, database, user, password)
        try:
            return [session.run(step) for step in steps]
        finally:
            session.close()
    given = {"host": address[0], "port": address[1], "user": user, "password": password, "database": database, "steps": steps}
    done = subprocess.run(PROGRAMS[driver], input=json.dumps(given), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]
