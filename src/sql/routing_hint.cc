#include "sql/routing_hint.h"

#include <algorithm>

namespace sql {

namespace {

void apply(std::string_view word, Hint& hint) {
    constexpr std::string_view kMaxLag = "maxlag=";
    if (word == "primary") {
        hint.wish = Hint::Wish::primary;
    } else if (word == "replica") {
        hint.wish = Hint::Wish::replica;
    } else if (word == "noryw") {
        hint.reads_own_writes = false;
    } else if (word.starts_with(kMaxLag)) {
        if (const auto lag = core::parse_duration(word.substr(kMaxLag.size()))) {
            hint.has_max_lag = true;
            hint.max_lag = *lag;
        }
    }
}

}  // namespace

Hint read_hint(std::string_view words) {
    constexpr std::string_view kBetween = " \t\r\n,";
    Hint hint;
    while (true) {
        words.remove_prefix(std::min(words.find_first_not_of(kBetween), words.size()));
        if (words.empty()) {
            return hint;
        }
        const size_t size = std::min(words.find_first_of(kBetween), words.size());
        apply(words.substr(0, size), hint);
        words.remove_prefix(size);
    }
}

}  // namespace sql
