<?php
// Runs the steps that stand in its input over mysqlnd, PHP's own implementation of the protocol, and prints what
// each gave: see test_sql_drivers.py.
mysqli_report(MYSQLI_REPORT_OFF);
$input = json_decode(stream_get_contents(STDIN), true);
ini_set("mysqli.allow_local_infile", "1");
$link = mysqli_init();
$link->options(MYSQLI_OPT_LOCAL_INFILE, true);
if (!$link->real_connect($input["host"], $input["user"], $input["password"], $input["database"], $input["port"])) {
    fwrite(STDERR, $link->connect_error);
    exit(1);
}
$link->set_charset("utf8mb4");

function told($value)
{
    return is_string($value) ? "x" . bin2hex($value) : $value;
}

function columns($result)
{
    return array_map(
        fn($field) => [$field->name, $field->orgname, $field->table, $field->orgtable, $field->db, $field->charsetnr,
            $field->length, $field->type, $field->flags, $field->decimals],
        $result->fetch_fields()
    );
}

function rows($result)
{
    $rows = [];
    while ($row = $result->fetch_row()) {
        $rows[] = array_map("told", $row);
    }
    return $rows;
}

function error($of)
{
    return ["error" => [$of->errno, $of->sqlstate, $of->error]];
}

function query($link, $sql)
{
    $results = [];
    if (!$link->multi_query($sql)) {
        return [error($link)];
    }
    for (;;) {
        $result = $link->store_result();
        if ($result) {
            $results[] = ["columns" => columns($result), "rows" => rows($result)];
            $result->free();
        } else {
            $results[] = ["affected" => $link->affected_rows, "insert_id" => $link->insert_id, "info" => $link->info];
        }
        $results[] = ["warnings" => $link->warning_count];
        if (!$link->more_results()) {
            return $results;
        }
        if (!$link->next_result()) {
            $results[] = error($link);
            return $results;
        }
    }
}

function prepared($link, $step)
{
    $statement = $link->stmt_init();
    if (!$statement->prepare($step["prepare"])) {
        return [error($statement)];
    }
    if ($step["cursor"] ?? false) {
        $statement->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    }
    $results = [["parameters" => $statement->param_count]];
    foreach ($step["executions"] as $parameters) {
        if ($parameters) {
            $types = implode("", array_map(fn($p) => is_int($p) ? "i" : (is_float($p) ? "d" : "s"), $parameters));
            $statement->bind_param($types, ...$parameters);
        }
        if (!$statement->execute()) {
            $results[] = error($statement);
            continue;
        }
        for (;;) {
            $result = $statement->get_result();
            if ($result) {
                $results[] = ["columns" => columns($result), "rows" => rows($result)];
            } else {
                $results[] = ["affected" => $statement->affected_rows, "insert_id" => $statement->insert_id];
            }
            if (!$statement->more_results() || !$statement->next_result()) {
                break;
            }
        }
        $results[] = ["warnings" => $link->warning_count];
        if ($step["reset"] ?? false) {
            $results[] = ["reset" => $statement->reset()];
        }
    }
    $statement->close();
    return $results;
}

foreach ($input["steps"] as $step) {
    if (isset($step["sql"])) {
        $results = query($link, $step["sql"]);
    } elseif (isset($step["prepare"])) {
        $results = prepared($link, $step);
    } elseif (isset($step["database"])) {
        $results = [$link->select_db($step["database"]) ?: error($link)];
    } elseif (isset($step["charset"])) {
        $results = [$link->set_charset($step["charset"]) ?: error($link)];
    } elseif (isset($step["change_user"])) {
        $results = [$link->change_user(...$step["change_user"]) ?: error($link)];
    } elseif (isset($step["ping"])) {
        $results = [@$link->query("DO 1") ?: error($link)];
    } else {
        $results = ["not known to this driver"];
    }
    echo json_encode($results, JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n";
}
