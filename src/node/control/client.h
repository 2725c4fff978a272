// Asks a running server over its control socket: one HTTP/1.1 request, one answer, then the connection ends.
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"
#include "core/units.h"
#include "http/method.h"
#include "runtime/os.h"

namespace node {

inline constexpr size_t kAnswerBytesMax = 16 << 20;

struct ControlCall {
    http::Method method = http::Method::get;
    std::string path;  // "/v1/status"
    std::string body;  // JSON; empty: none
};

struct ControlAnswer {
    int status = 0;
    std::string body;
};

// Blocks until the answer is complete, at most `timeout`. Fails with a sentence that names the socket:
// not_found (no socket), refused (a socket that a dead process left), permission, timed_out, closed (the
// server went away while it answered), too_large (more than kAnswerBytesMax), invalid (no HTTP).
[[nodiscard]] core::Result<ControlAnswer> call(
    runtime::Os& os,
    const std::string& socket_path,
    const ControlCall& order,
    core::Duration timeout
);

// Success: a process listens on the socket. Errors as of call(); sends nothing.
[[nodiscard]] core::Result<void> probe(runtime::Os& os, const std::string& socket_path);

}  // namespace node
