// Paths and hosts as routing sees them: a path normalised once, so that what is matched is what is sent;
// hosts taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace http {

enum class PathOutcome : uint8_t {
    as_is,      // already normal: `path` is the text that was given
    rewritten,  // `path` lies in the target buffer
    refused,    // 400: `reason` says why
};

struct PathResult {
    PathOutcome outcome = PathOutcome::refused;
    std::string_view path{};
    std::string_view reason{};  // one static sentence
};

// Brings the path of a request target ("/a/b", without "?") into the one form that is both matched and sent
// (RFC 3986 section 6.2.2): escaped unreserved characters are decoded, other escapes written in upper case,
// "." and ".." segments removed; "" becomes "/". Refused: ".." above the root, dot segments with parameters
// ("..;x" or "..%3Bx", which some backends climb with), escaped or plain "\", escaped "/", escaped control
// characters, broken escapes, bytes a target may not have. Empty segments ("//") stay: they name other
// resources. Idempotent. `target` must be at least as long as the path and not overlap it.
[[nodiscard]] PathResult normalize_path(std::string_view raw_path, std::span<char> target);

inline constexpr size_t kHostNameMax = 255;  // bytes (RFC 1035 section 2.3.4)

struct Host {
    std::string_view name{};  // as written, without port and without one trailing dot; an IPv6 literal keeps
                              // its brackets
    uint16_t port = 0;        // 0: none was written
    bool has_upper_case = false;
};

// Takes "host", "host:port", "[v6]" or "[v6]:port" apart. Names: letters, digits, "-", "_" in non-empty
// labels joined by dots, at most kHostNameMax bytes; "foobar.com." is the same host as "foobar.com". Ports: 1
// to 65535 in at most 5 digits, not empty. IPv6: RFC 3986's IPv6address, without a zone. Nothing else: no
// user information, no escapes.
[[nodiscard]] std::optional<Host> split_host(std::string_view text);

// The name in lower case: the name itself if it has no upper case, else a copy in `target` (at least
// kHostNameMax bytes).
[[nodiscard]] std::string_view lower_host_name(std::string_view name, std::span<char> target);

// split_host and lower_host_name in one: the name in lower case, in `target` where it had to be changed.
[[nodiscard]] std::optional<Host> parse_host(std::string_view text, std::span<char> target);

}  // namespace http
