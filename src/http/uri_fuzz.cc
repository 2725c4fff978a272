// Any bytes as a path and as a host: what is accepted is in its normal form, and normal again the second
// time.
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "core/panic.h"
#include "http/text.h"
#include "http/uri.h"

namespace http {
namespace {

void check_path(std::string_view raw) {
    std::vector<char> target(raw.size());
    const PathResult result = normalize_path(raw, target);
    if (result.outcome == PathOutcome::refused) {
        ASSERT(!result.reason.empty());
        return;
    }
    ASSERT(result.path.starts_with('/'));
    ASSERT(result.path.size() <= raw.size() || raw.empty());
    ASSERT(all_of(result.path, kTargetByte));
    const std::string closed = std::string(result.path) + "/";
    for (const std::string_view part :
         {"/../", "/./", "/..;", "/.;", "%2F", "%2f", "%5C", "%5c", "%00", "%2E", "%2e", "?"}) {
        ASSERT(closed.find(part) == std::string::npos);
    }
    std::vector<char> again_target(result.path.size());
    const PathResult again = normalize_path(result.path, again_target);
    ASSERT(again.outcome != PathOutcome::refused);
    ASSERT(again.path == result.path);
}

void check_host(std::string_view text) {
    std::array<char, kHostNameMax> target;
    const std::optional<Host> host = parse_host(text, target);
    if (!host) {
        return;
    }
    ASSERT(!host->name.empty());
    ASSERT(host->name.size() <= kHostNameMax);
    ASSERT(!host->name.ends_with('.'));
    for (const char byte : host->name) {
        ASSERT(to_lower(byte) == byte);
        ASSERT(is_of(byte, kHostByte) || byte == '[' || byte == ']' || byte == ':');
    }
    const std::string name(host->name);
    const std::optional<Host> again = split_host(name);
    ASSERT(again.has_value());
    ASSERT(again->name == name);
    ASSERT(again->port == 0);
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view bytes(exact.data(), exact.size());
    http::check_path(bytes);
    http::check_host(bytes);
    http::check_path("/" + std::string(bytes));
    return 0;
}
