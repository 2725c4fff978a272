// Failures of connections to database servers that are not the servers' own words.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "mariadb/query_reader.h"
#include "net/socket.h"

namespace mariadb {

[[nodiscard]] inline ServerFailure failure(core::ErrorKind kind, std::string message) {
    return {.kind = kind, .message = std::move(message)};
}

[[nodiscard]] inline std::unexpected<ServerFailure> failed(core::ErrorKind kind, std::string message) {
    return std::unexpected(failure(kind, std::move(message)));
}

// Of what a socket gave: 0 or -errno.
[[nodiscard]] inline std::unexpected<ServerFailure> failed(ssize_t result, std::string_view operation) {
    if (result == 0) {
        return failed(core::ErrorKind::closed, std::string(operation) + ": the server closed the connection");
    }
    core::Error error = net::error_of(result, operation);
    return failed(error.kind(), error.context());
}

}  // namespace mariadb
