#include "web/file_path.h"

#include <algorithm>

#include "http/text.h"

namespace web {
namespace {

FilePath refuse(std::string_view reason) { return {.reason = reason}; }

// The byte at `at` of the escaped text, decoded; `at` moves behind it. -1: a broken escape.
int take_byte(std::string_view text, size_t& at) {
    const char byte = text[at];
    if (byte != '%') {
        ++at;
        return static_cast<unsigned char>(byte);
    }
    if (text.size() - at < 3) {
        return -1;
    }
    const uint8_t high = http::hex_value(text[at + 1]);
    const uint8_t low = http::hex_value(text[at + 2]);
    at += 3;
    return high > 15 || low > 15 ? -1 : high * 16 + low;
}

// Why a segment names no file; empty: it may.
std::string_view refuse_segment(std::string_view segment, HiddenFiles hidden) {
    if (segment.empty()) {
        return "path with an empty segment";
    }
    if (segment == "." || segment == "..") {
        return "path with a dot segment";
    }
    if (segment.size() > kFileNameMax) {
        return "path with a name over 255 bytes";
    }
    if (segment.front() == '.' && hidden == HiddenFiles::refuse && segment != ".well-known") {
        return "path of a hidden file";
    }
    return {};
}

// Appends one segment, decoded. Why it is refused; empty: it is there.
std::string_view append_segment(std::string_view escaped, HiddenFiles hidden, PathBuffer& target) {
    const size_t begin = target.text().size();
    for (size_t at = 0; at < escaped.size();) {
        const int byte = take_byte(escaped, at);
        if (byte < 0) {
            return "path with a broken percent escape";
        }
        if (byte < 0x20 || byte == 0x7F) {
            return "path with a control character";
        }
        if (byte == '/' || byte == '\\') {
            return "path with an escaped slash or a backslash";
        }
        const char decoded = static_cast<char>(byte);
        if (!target.append({&decoded, 1})) {
            return "path over 4095 bytes";
        }
    }
    return refuse_segment(target.text().substr(begin), hidden);
}

}  // namespace

bool PathBuffer::append(std::string_view text) {
    if (text.size() > bytes_.size() - size_) {
        return false;
    }
    std::ranges::copy(text, bytes_.data() + size_);
    size_ += text.size();
    return true;
}

FilePath read_file_path(std::string_view path, HiddenFiles hidden, PathBuffer& target) {
    target.clear();
    if (!path.starts_with('/')) {
        return refuse("path does not begin with /");
    }
    path.remove_prefix(1);
    if (path.empty()) {
        return {.ends_with_slash = true};
    }
    while (true) {
        const size_t slash = path.find('/');
        const std::string_view reason = append_segment(path.substr(0, slash), hidden, target);
        if (!reason.empty()) {
            return refuse(reason);
        }
        if (slash == std::string_view::npos) {
            return {.relative = target.text()};
        }
        path.remove_prefix(slash + 1);
        if (path.empty()) {
            return {.relative = target.text(), .ends_with_slash = true};
        }
        if (!target.append("/")) {
            return refuse("path over 4095 bytes");
        }
    }
}

}  // namespace web
