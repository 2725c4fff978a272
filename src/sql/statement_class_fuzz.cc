// Any bytes as a statement: it is judged without end or harm, the views lie in the text, and what was called
// a read is none any more when something that writes stands behind it.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "sql/assignment_reader.h"
#include "sql/statement_class.h"

namespace sql {
namespace {

void check_views(std::string_view text, const StatementClass& found) {
    if (!found.schema.empty()) {
        ASSERT(found.schema.data() >= text.data());
        ASSERT(found.schema.data() + found.schema.size() <= text.data() + text.size());
    }
    ASSERT(!reason_sentence(found).empty());
}

void check(std::string_view text, const mysql::TokenSettings& settings) {
    const StatementClass found = classify(text, settings);
    check_views(text, found);
    ASSERT(classify(text, settings, TextExtent::beginning).target == Target::primary);
    if (found.target == Target::read) {
        // A line break ends a comment that may be open.
        ASSERT(classify(std::string(text) + "\n;DELETE FROM t", settings).target != Target::read);
        ASSERT(found.pins.is_empty() || found.pins == PinSet::of(Pin::found_rows));
    }
    AssignmentReader reader(text, settings);
    for (size_t count = 0; reader.next(); ++count) {
        ASSERT(count <= text.size());
    }
}

}  // namespace
}  // namespace sql

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view text(exact.data(), exact.size());
    sql::check(text, {});
    sql::check(text, {.has_backslash_escapes = false, .has_ansi_quotes = true});
    sql::check(text, {.encoding = mysql::TextEncoding::overlapping});
    return 0;
}
