// The words of SQL that decide where a statement goes, and MariaDB's built-in functions that are pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace sql {

// Words that a statement is judged by; all others are `none`, also where they have marks.
enum class Word : uint8_t {
    none,
    // They begin statements.
    select,
    with,
    values,
    insert,
    replace,
    update,
    delete_,
    load,
    call,
    do_,
    begin,
    start,
    commit,
    rollback,
    savepoint,
    release,
    xa,
    set,
    use,
    show,
    describe,
    explain,
    help,
    analyze,
    create,
    alter,
    drop,
    truncate,
    rename,
    grant,
    revoke,
    lock,
    unlock,
    backup,
    flush,
    reset,
    prepare,
    execute,
    deallocate,
    handler,
    kill,
    check,  // CHECK, CHECKSUM, OPTIMIZE, REPAIR
    get,    // GET, SIGNAL, RESIGNAL
    admin,  // CHANGE, STOP, PURGE, INSTALL, UNINSTALL, SHUTDOWN, BINLOG, CACHE
    // They make a SELECT more than a read.
    into,
    for_,
    procedure,
    next,
    previous,
    sql_calc_found_rows,
    limit,            // LIMIT, FETCH: how many rows it would have found is not how many it gives
    from,             // of tables, unless a call_with_from has it
    call_with_from,   // TRIM(x FROM y), EXTRACT, SUBSTRING
    dotted_sequence,  // s.nextval, s.currval of sql_mode ORACLE
    // Functions with more than a value.
    get_lock,
    release_lock,
    release_all_locks,
    ask_lock,
    last_insert_id,
    row_count,
    found_rows,
    next_value,
    last_value_of_sequence,
    server_function,
    connection_id,
    server_function_without_call,  // CURRENT_USER, CURRENT_ROLE
    xpath,                         // they read user variables inside a string: '//b[$@a]'
    server_schema,
};

struct WordEntry {
    Word word = Word::none;
    bool is_pure_function = false;
    bool needs_adjacent_call = false;  // without IGNORE_SPACE "now (" asks for a stored function
    bool is_keyword = false;           // stands before "(" without calling anything: IN (, VALUES (
};

// What is known of the word, in any case; an entry without anything for all others. Cost: one hash, and one
// comparison where the hash is known.
[[nodiscard]] WordEntry find_word(std::string_view text);

}  // namespace sql
