// The head of COM_STMT_EXECUTE and COM_STMT_BULK_EXECUTE: what stands before the values (MariaDB KB:
// COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE). A client sends the types of the parameters when they have
// changed; a server keeps them with the statement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mysql/capabilities.h"

namespace mysql {

struct ExecutionHead {
    bool opens_cursor = false;
    bool sends_types = false;
    // Behind the command's byte: where the types stand, or would stand.
    size_t types_at = 0;
};

// Bytes behind the command's byte that a head has at most, its types included.
[[nodiscard]] size_t execution_head_max(Command command, uint16_t parameters);

// Of the payload behind the command's byte, as far as it is there. Nothing: it ends within the head.
[[nodiscard]] std::optional<ExecutionHead> read_execution(
    Command command,
    std::string_view payload,
    uint16_t parameters
);

// `packet` begins with a header and has a head that sends no types: the same beginning up to where the values
// stand, with `types` said. The packet's length must leave room for them (asserted).
[[nodiscard]] std::string with_types(
    Command command,
    std::string_view packet,
    const ExecutionHead& head,
    std::string_view types
);

}  // namespace mysql
