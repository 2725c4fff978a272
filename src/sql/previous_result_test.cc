// Which questions about the statement before the router can answer itself.
#include "sql/previous_result.h"

#include <doctest/doctest.h>

namespace sql {

TEST_CASE("a question that stands alone is answered with what is known") {
    struct Row {
        std::string_view text;
        std::string_view answer;
    };
    const Row rows[] = {
        {"SELECT ROW_COUNT()", "SELECT IF(1, -1, ROW_COUNT()) AS `ROW_COUNT()`"},
        {" select found_rows( ) ; ", "SELECT IF(1, 7, FOUND_ROWS()) AS `found_rows( )`"},
        {"SELECT FOUND_ROWS() AS n", "SELECT IF(1, 7, FOUND_ROWS()) AS `n`"},
        {"SELECT FOUND_ROWS() AS `a b`", "SELECT IF(1, 7, FOUND_ROWS()) AS `a b`"},
        {"/* c */ SELECT ROW_COUNT() -- d", "SELECT IF(1, -1, ROW_COUNT()) AS `ROW_COUNT()`"},
        {"SELECT ROW_COUNT", ""},
        {"SELECT ROW_COUNT(1)", ""},
        {"SELECT ROW_COUNT() + 1", ""},
        {"SELECT ROW_COUNT(), 1", ""},
        {"SELECT ROW_COUNT() FROM t", ""},
        {"SELECT ROW_COUNT() AS", ""},
        {"SELECT ROW_COUNT() AS 'a'", ""},
        {"SELECT ROW_COUNT() AS `a``b`", ""},
        {"SELECT ROW_COUNT(); SELECT 1", ""},
        {"SELECT LAST_INSERT_ID()", ""},
        {"SELECT", ""},
        {"", ""},
    };
    PreviousResult result{.row_count = -1, .found_rows = 7};
    for (const Row& row : rows) {
        CAPTURE(row.text);
        auto question = read_previous_question(row.text, {});
        CHECK(question.has_value() == !row.answer.empty());
        if (question) {
            CHECK(answering_statement(*question, result) == row.answer);
        }
    }
}

TEST_CASE("what is not known is not answered") {
    PreviousResult result{.found_rows = std::nullopt};
    auto question = read_previous_question("SELECT FOUND_ROWS()", {});
    REQUIRE(question.has_value());
    CHECK_FALSE(answering_statement(*question, result).has_value());
}

}  // namespace sql
