// Any bytes as SQL, in every mode: tokens lie in the text one behind the other, are not empty, and end.
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "mysql/sql_tokens.h"

namespace mysql {
namespace {

void check(std::string_view text, const TokenSettings& settings) {
    TokenReader reader(text, settings);
    const char* end = text.data();
    for (size_t count = 0; count <= text.size(); ++count) {
        const Token token = reader.next();
        ASSERT(token.text.data() >= end);
        end = token.text.data() + token.text.size();
        ASSERT(end <= text.data() + text.size());
        (void)unquoted(token);
        if (token.kind == TokenKind::end || token.kind == TokenKind::unclear) {
            ASSERT(reader.next().kind == token.kind);
            return;
        }
        ASSERT(!token.text.empty());
    }
    ASSERT(false);
}

}  // namespace
}  // namespace mysql

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    using mysql::TextEncoding;
    const std::vector<char> exact(data, data + size);
    const std::string_view text(exact.data(), exact.size());
    for (const TextEncoding encoding : {TextEncoding::utf8, TextEncoding::other, TextEncoding::overlapping}) {
        mysql::check(text, {.encoding = encoding});
        mysql::check(text, {.encoding = encoding, .has_backslash_escapes = false, .has_ansi_quotes = true});
    }
    return 0;
}
