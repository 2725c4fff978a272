#include "sql/variable_care.h"

#include <algorithm>
#include <span>

#include "mysql/sql_tokens.h"

namespace sql {

namespace {

// Variables whose value holds for a session alone and means the same on every server.
constexpr std::string_view kCarried[] = {
    "big_tables",
    "check_constraint_checks",
    "default_regex_flags",
    "default_storage_engine",
    "default_week_format",
    "div_precision_increment",
    "explicit_defaults_for_timestamp",
    "foreign_key_checks",
    "group_concat_max_len",
    "idle_transaction_timeout",
    "innodb_lock_wait_timeout",
    "innodb_strict_mode",
    "interactive_timeout",
    "join_buffer_size",
    "lc_messages",
    "lc_time_names",
    "lock_wait_timeout",
    "long_query_time",
    "low_priority_updates",
    "max_error_count",
    "max_heap_table_size",
    "max_join_size",
    "max_length_for_sort_data",
    "max_recursive_iterations",
    "max_sort_length",
    "max_statement_time",
    "net_read_timeout",
    "net_write_timeout",
    "note_verbosity",
    "old_mode",
    "old_passwords",
    "optimizer_switch",
    "read_buffer_size",
    "read_rnd_buffer_size",
    "sort_buffer_size",
    "sql_auto_is_null",
    "sql_big_selects",
    "sql_buffer_result",
    "sql_notes",
    "sql_quote_show_create",
    "sql_safe_updates",
    "sql_select_limit",
    "sql_warnings",
    "storage_engine",
    "tmp_disk_table_size",
    "tmp_memory_table_size",
    "tmp_table_size",
    "unique_checks",
    "updatable_views_with_limit",
    "wait_timeout",
};

// session_track_system_variables as the router needs it to be set.
constexpr std::string_view kReported[] = {
    "character_set_client",
    "character_set_connection",
    "character_set_results",
    "collation_connection",
    "sql_mode",
    "time_zone",
    "transaction_isolation",
    "transaction_read_only",
    "tx_isolation",
    "tx_read_only",
};

constexpr std::string_view kPreviousResult[] = {
    "error_count",
    "identity",
    "insert_id",
    "last_gtid",
    "last_insert_id",
    "warning_count",
};

bool is_listed(std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::any_of(names, [name](std::string_view listed) {
        return mysql::equals_ignoring_case(name, listed);
    });
}

}  // namespace

VariableCare variable_care(std::string_view name) {
    constexpr std::string_view kTrackingPrefix = "session_track_";
    if (mysql::equals_ignoring_case(name, "autocommit")) {
        return VariableCare::autocommit;
    }
    if (is_listed(kReported, name)) {
        return VariableCare::reported;
    }
    if (is_listed(kCarried, name)) {
        return VariableCare::carried;
    }
    if (is_listed(kPreviousResult, name)) {
        return VariableCare::previous_result;
    }
    if (mysql::equals_ignoring_case(name.substr(0, kTrackingPrefix.size()), kTrackingPrefix)) {
        return VariableCare::session_tracking;
    }
    return VariableCare::unknown;
}

}  // namespace sql
