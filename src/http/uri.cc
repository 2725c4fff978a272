// Path normalisation by segments, and the grammar of hosts.
#include "http/uri.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "core/panic.h"
#include "http/text.h"

namespace http {
namespace {

PathResult refuse(std::string_view reason) {
    return {.outcome = PathOutcome::refused, .path = {}, .reason = reason};
}

bool is_control(uint8_t byte) { return byte < 0x20 || byte == 0x7F; }

char upper_hex(uint8_t value) { return "0123456789ABCDEF"[value & 15U]; }

bool is_upper(char byte) { return byte >= 'A' && byte <= 'Z'; }

// Whether the path is normal as it stands: no escape, and no segment that begins with a dot.
bool is_plain(std::string_view path) {
    if (!path.starts_with('/') || find_target_end(path, 0) != path.size() ||
        path.find('%') != std::string_view::npos || path.find('?') != std::string_view::npos) {
        return false;
    }
    for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
        if (path[dot - 1] == '/') {
            return false;
        }
    }
    return true;
}

// "..;x" and its like: no dot segment by RFC 3986, but one for backends that cut the parameters off first.
bool is_dots_with_parameters(std::string_view segment) {
    const std::string_view behind = segment.substr(std::min(segment.find_first_not_of('.'), segment.size()));
    const size_t dots = segment.size() - behind.size();
    return (dots == 1 || dots == 2) && (behind.starts_with(';') || behind.starts_with("%3B"));
}

// Writes the normal form of one path.
class Normalizer {
public:
    Normalizer(std::string_view raw, std::span<char> target) : raw_(raw), target_(target) {}

    PathResult run() {
        if (!raw_.starts_with('/')) {
            return refuse("path does not begin with /");
        }
        put('/');
        segment_ = size_;
        for (at_ = 1; at_ < raw_.size() && reason_.empty(); ++at_) {
            if (raw_[at_] == '/') {
                end_segment(Segment::inner);
            } else if (raw_[at_] == '%') {
                take_escape();
            } else if (is_of(raw_[at_], kTargetByte) && raw_[at_] != '?') {
                put(raw_[at_]);
            } else {
                reason_ = "byte that a path may not have";
            }
        }
        if (reason_.empty()) {
            end_segment(Segment::last);
        }
        if (!reason_.empty()) {
            return refuse(reason_);
        }
        return {.outcome = PathOutcome::rewritten, .path = {target_.data(), size_}, .reason = {}};
    }

private:
    enum class Segment : uint8_t { inner, last };

    void put(char byte) {
        target_[size_] = byte;
        ++size_;
    }

    // RFC 3986 section 5.2.4, on the decoded segment that begins at segment_.
    void end_segment(Segment which) {
        const std::string_view segment(target_.data() + segment_, size_ - segment_);
        if (segment == ".") {
            size_ = segment_;
        } else if (segment == "..") {
            climb();
        } else if (is_dots_with_parameters(segment)) {
            reason_ = "dot segment with parameters";
        } else if (which == Segment::inner) {
            put('/');
        }
        segment_ = size_;
    }

    // Removes the last finished segment; target_[segment_ - 1] is the slash before the one that says "..".
    void climb() {
        if (segment_ == 1) {
            reason_ = "path climbs above the root";
            return;
        }
        size_ = segment_ - 1;
        while (target_[size_ - 1] != '/') {
            --size_;
        }
    }

    void take_escape() {
        if (raw_.size() - at_ < 3) {
            reason_ = "broken percent escape";
            return;
        }
        const uint8_t high = hex_value(raw_[at_ + 1]);
        const uint8_t low = hex_value(raw_[at_ + 2]);
        if (high > 15 || low > 15) {
            reason_ = "broken percent escape";
            return;
        }
        const auto byte = static_cast<uint8_t>(high * 16 + low);
        if (is_control(byte)) {
            reason_ = "escaped control character";
        } else if (byte == '/' || byte == '\\') {
            reason_ = "escaped slash or backslash";
        } else if (is_of(static_cast<char>(byte), kUnreservedByte)) {
            put(static_cast<char>(byte));
        } else {
            put('%');
            put(upper_hex(high));
            put(upper_hex(low));
        }
        at_ += 2;
    }

    std::string_view raw_;
    std::span<char> target_;
    size_t at_ = 0;
    size_t size_ = 0;
    size_t segment_ = 0;  // where the unfinished segment begins in target_
    std::string_view reason_;
};

// Takes the name off a host that is no IPv6 literal: labels of host bytes, none empty. Returns where the name
// and its trailing dot end, 0 if they are not valid.
size_t take_host_name(std::string_view text, Host& host) {
    uint8_t common = kHostByte;
    bool has_empty_label = false;
    char before = '.';
    size_t end = 0;
    for (; end < text.size() && text[end] != ':'; ++end) {
        const char byte = text[end];
        common &= kByteClass[static_cast<unsigned char>(byte)];
        has_empty_label |= byte == '.' && before == '.';
        host.has_upper_case |= is_upper(byte);
        before = byte;
    }
    host.name = text.substr(0, end);
    if (host.name.ends_with('.')) {
        host.name.remove_suffix(1);
    }
    const bool is_valid =
        common != 0 && !has_empty_label && !host.name.empty() && host.name.size() <= kHostNameMax;
    return is_valid ? end : 0;
}

// The text between the brackets.
bool is_ipv6(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size()) {
        return false;
    }
    std::ranges::copy(text, terminated.begin());
    in6_addr address;
    return text.find('\0') == std::string_view::npos && inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

// `digits`: what follows the colon. 0 if that is no port.
uint16_t parse_port(std::string_view digits) {
    constexpr size_t kPortDigitsMax = 5;
    uint64_t port = 0;
    if (digits.size() > kPortDigitsMax || !parse_decimal(digits, port) || port > UINT16_MAX) {
        return 0;
    }
    return static_cast<uint16_t>(port);
}

}  // namespace

PathResult normalize_path(std::string_view raw_path, std::span<char> target) {
    if (raw_path.empty()) {
        return {.outcome = PathOutcome::rewritten, .path = "/", .reason = {}};
    }
    if (is_plain(raw_path)) {
        return {.outcome = PathOutcome::as_is, .path = raw_path, .reason = {}};
    }
    ASSERT(target.size() >= raw_path.size());
    return Normalizer(raw_path, target).run();
}

std::optional<Host> split_host(std::string_view text) {
    Host host;
    size_t name_end = 0;
    if (text.starts_with('[')) {
        const size_t bracket = text.find(']');
        if (bracket == std::string_view::npos || !is_ipv6(text.substr(1, bracket - 1))) {
            return std::nullopt;
        }
        name_end = bracket + 1;
        host.name = text.substr(0, name_end);
        host.has_upper_case = std::ranges::any_of(host.name, is_upper);
    } else {
        name_end = take_host_name(text, host);
        if (name_end == 0) {
            return std::nullopt;
        }
    }
    if (name_end < text.size()) {
        host.port = text[name_end] == ':' ? parse_port(text.substr(name_end + 1)) : uint16_t{0};
        if (host.port == 0) {
            return std::nullopt;
        }
    }
    return host;
}

std::string_view lower_host_name(std::string_view name, std::span<char> target) {
    if (!std::ranges::any_of(name, is_upper)) {
        return name;
    }
    ASSERT(target.size() >= name.size());
    std::ranges::transform(name, target.begin(), to_lower);
    return {target.data(), name.size()};
}

std::optional<Host> parse_host(std::string_view text, std::span<char> target) {
    std::optional<Host> host = split_host(text);
    if (host && host->has_upper_case) {
        host->name = lower_host_name(host->name, target);
        host->has_upper_case = false;
    }
    return host;
}

}  // namespace http
