// Which words are known, and as what.
#include "sql/word_table.h"

#include <doctest/doctest.h>

namespace sql {
namespace {

TEST_CASE("pure functions are found in any case, and nothing that is like them") {
    for (const char* name :
         {"abs", "ABS", "Concat", "st_geometrycollectionfromtext", "x", "count", "uuid", "rand"}) {
        CAPTURE(name);
        CHECK(find_word(name).is_pure_function);
    }
    for (const char* name :
         {"", "ab", "absx", "con cat", "concat_", "st\x7Fx", "\x01\x02s", "f", "no_such_function"}) {
        CAPTURE(name);
        CHECK_FALSE(find_word(name).is_pure_function);
    }
    CHECK_FALSE(find_word("a_name_that_is_longer_than_any_word_known_here").is_pure_function);
}

TEST_CASE("functions with an effect, a wait or an answer of one server are not pure") {
    for (const char* name :
         {"sleep",
          "benchmark",
          "load_file",
          "get_lock",
          "release_lock",
          "release_all_locks",
          "is_free_lock",
          "is_used_lock",
          "last_insert_id",
          "row_count",
          "found_rows",
          "nextval",
          "lastval",
          "setval",
          "connection_id",
          "user",
          "current_user",
          "session_user",
          "system_user",
          "current_role",
          "version",
          "uuid_short",
          "master_pos_wait",
          "master_gtid_wait",
          "binlog_gtid_pos",
          "wsrep_last_seen_gtid",
          "wsrep_last_written_gtid",
          "wsrep_sync_wait_upto_gtid",
          "extractvalue",
          "updatexml",
          "default",
          "des_encrypt",
          "des_decrypt"}) {
        CAPTURE(name);
        CHECK_FALSE(find_word(name).is_pure_function);
    }
}

TEST_CASE("functions that the server knows only right before the bracket say so") {
    CHECK(find_word("now").needs_adjacent_call);
    CHECK(find_word("COUNT").needs_adjacent_call);
    CHECK_FALSE(find_word("concat").needs_adjacent_call);
    CHECK_FALSE(find_word("if").needs_adjacent_call);
}

TEST_CASE("keywords stand before a bracket without calling") {
    for (const char* word : {"in", "VALUES", "and", "varchar", "over"}) {
        CAPTURE(word);
        CHECK(find_word(word).is_keyword);
    }
    CHECK_FALSE(find_word("sleep").is_keyword);
    CHECK(find_word("select").word == Word::select);
    CHECK(find_word("SYS").word == Word::server_schema);
}

}  // namespace
}  // namespace sql
