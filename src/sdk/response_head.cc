#include "sdk/response_head.h"

#include <charconv>
#include <cstring>

#include "core/panic.h"
#include "http/status.h"

namespace trilith::sdk {

namespace {

class Cursor {
public:
    explicit Cursor(std::span<char> target)
        : begin_(target.data()), at_(begin_), end_(begin_ + target.size()) {}

    void append(std::string_view text) {
        ASSERT(text.size() <= static_cast<size_t>(end_ - at_));
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }

    void append(uint64_t number) { at_ = std::to_chars(at_, end_, number).ptr; }

    [[nodiscard]] size_t size() const { return static_cast<size_t>(at_ - begin_); }

private:
    char* begin_;
    char* at_;
    char* end_;
};

}  // namespace

size_t write_response_head(const ResponseHead& head, std::span<char> target) {
    ASSERT(target.size() >= kHeadBytesMax);
    Cursor cursor(target);
    if (head.status == 200) {
        cursor.append("HTTP/1.1 200 OK\r\nDate: ");
    } else {
        cursor.append("HTTP/1.1 ");
        cursor.append(static_cast<uint64_t>(head.status));
        cursor.append(" ");
        cursor.append(http::reason_phrase(static_cast<uint16_t>(head.status)));
        cursor.append("\r\nDate: ");
    }
    cursor.append(head.date);
    if (!head.content_type.empty()) {
        cursor.append("\r\nContent-Type: ");
        cursor.append(head.content_type);
    }
    if (head.body == BodyForm::length) {
        cursor.append("\r\nContent-Length: ");
        cursor.append(head.length);
    } else if (head.body == BodyForm::chunked) {
        cursor.append("\r\nTransfer-Encoding: chunked");
    }
    if (head.must_close) {
        cursor.append("\r\nConnection: close");
    } else if (head.is_old_client) {
        cursor.append("\r\nConnection: keep-alive");
    }
    cursor.append("\r\n");
    cursor.append(head.fields);
    cursor.append("\r\n");
    return cursor.size();
}

}  // namespace trilith::sdk
