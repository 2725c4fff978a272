// For fuzzers: any bytes as the packets of an answer.
#pragma once

#include <algorithm>
#include <string_view>

#include "core/panic.h"
#include "mariadb/query_reader.h"

namespace mariadb {

// Cuts the bytes into packets by their first byte, and gives them to a reader of answers until its end;
// `more` where they are used up before it. A failure has a sentence (asserted).
template <class Reader>
QueryProgress feed_packets(Reader& reader, std::string_view bytes) {
    QueryProgress progress = QueryProgress::more;
    while (!bytes.empty() && progress == QueryProgress::more) {
        size_t size = std::min<size_t>(static_cast<unsigned char>(bytes.front()), bytes.size() - 1);
        progress = reader.read(bytes.substr(1, size));
        bytes.remove_prefix(1 + size);
    }
    ASSERT(progress != QueryProgress::failed || !reader.failure().message.empty());
    return progress;
}

}  // namespace mariadb
