// Whole messages off the front of a string; see plain_http.h.
#include "sim/plain_http.h"

#include <algorithm>
#include <charconv>

#include "core/panic.h"

namespace sim {

namespace {

// The number a text begins with.
size_t number(std::string_view text, int base) {
    size_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    ASSERT(error == std::errc());
    return value;
}

// Fills all but the body. Gives the head's length, or 0 while it is not all there.
size_t read_head(std::string_view bytes, PlainMessage& message) {
    size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return 0;
    }
    std::string_view head = bytes.substr(0, end + 2);
    size_t line_end = head.find("\r\n");
    message.start_line = head.substr(0, line_end);
    head.remove_prefix(line_end + 2);
    while (!head.empty()) {
        line_end = head.find("\r\n");
        std::string_view line = head.substr(0, line_end);
        head.remove_prefix(line_end + 2);
        size_t colon = line.find(':');
        ASSERT(colon != std::string_view::npos);
        std::string name(line.substr(0, colon));
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? char(c + 32) : c;
        });
        std::string_view value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        message.fields.emplace_back(std::move(name), value);
    }
    return end + 4;
}

// The length of the chunked body at the start of `bytes` with its framing, or 0 while it is not all there.
size_t read_chunks(std::string_view bytes, std::string& body) {
    size_t at = 0;
    while (true) {
        size_t line_end = bytes.find("\r\n", at);
        if (line_end == std::string_view::npos) {
            return 0;
        }
        size_t size = number(bytes.substr(at), 16);
        at = line_end + 2;
        if (size == 0) {
            break;
        }
        if (bytes.size() < at + size + 2) {
            return 0;
        }
        body += bytes.substr(at, size);
        at += size + 2;
    }
    while (true) {  // trailer lines, then an empty one
        size_t line_end = bytes.find("\r\n", at);
        if (line_end == std::string_view::npos) {
            return 0;
        }
        bool is_empty = line_end == at;
        at = line_end + 2;
        if (is_empty) {
            return at;
        }
    }
}

enum class Otherwise : uint8_t { no_body, until_end };

std::optional<PlainMessage> take_message(
    std::string& bytes,
    PlainMessage message,
    size_t head,
    Otherwise otherwise,
    StreamState state
) {
    std::string_view rest = std::string_view(bytes).substr(head);
    size_t length = 0;
    if (message.field("transfer-encoding") == "chunked") {
        length = read_chunks(rest, message.body);
        if (length == 0) {
            return std::nullopt;
        }
    } else if (std::string_view text = message.field("content-length"); !text.empty()) {
        length = number(text, 10);
        if (rest.size() < length) {
            return std::nullopt;
        }
        message.body = rest.substr(0, length);
    } else if (otherwise == Otherwise::until_end) {
        if (state == StreamState::open) {
            return std::nullopt;
        }
        length = rest.size();
        message.body = rest;
    }
    bytes.erase(0, head + length);
    return message;
}

}  // namespace

std::string_view PlainMessage::field(std::string_view name) const {
    auto found =
        std::ranges::find(fields, name, [](const auto& field) { return std::string_view(field.first); });
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view PlainMessage::second_word() const {
    std::string_view line = start_line;
    line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    return line.substr(0, line.find(' '));
}

std::optional<PlainMessage> take_request(std::string& bytes) {
    PlainMessage message;
    size_t head = read_head(bytes, message);
    if (head == 0) {
        return std::nullopt;
    }
    return take_message(bytes, std::move(message), head, Otherwise::no_body, StreamState::open);
}

std::optional<PlainMessage> take_response(std::string& bytes, BodyRule rule, StreamState state) {
    while (true) {
        PlainMessage message;
        size_t head = read_head(bytes, message);
        if (head == 0) {
            return std::nullopt;
        }
        std::string_view status = message.second_word();
        ASSERT(status.size() == 3);
        if (status.starts_with('1')) {
            bytes.erase(0, head);
            continue;
        }
        if (rule == BodyRule::answers_head || status == "204" || status == "304") {
            bytes.erase(0, head);
            return message;
        }
        return take_message(bytes, std::move(message), head, Otherwise::until_end, state);
    }
}

std::optional<PlainMessage> peek_head(std::string_view bytes) {
    PlainMessage message;
    size_t head = read_head(bytes, message);
    if (head == 0 || message.second_word().starts_with('1')) {
        return std::nullopt;
    }
    return message;
}

}  // namespace sim
