// What the heads of requests and responses have in common: slices, fields, limits, the table one core reuses,
// the verdict.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "http/field_id.h"

namespace http {

// A run of bytes of a head, counted from the head's first byte, so that the bytes may move between buffers.
struct Slice {
    uint32_t offset = 0;
    uint32_t length = 0;

    // `base` points to the head's first byte.
    [[nodiscard]] std::string_view in(const char* base) const { return {base + offset, length}; }

    [[nodiscard]] bool is_empty() const { return length == 0; }

    [[nodiscard]] uint32_t end() const { return offset + length; }

    friend bool operator==(const Slice&, const Slice&) = default;
};

// What a proxy does with a field line before any rule of its own.
enum class FieldFate : uint8_t {
    pass,
    hop_by_hop,   // kHopByHopFields; an Expect without effect; the Content-Length of a 1xx or 204
    nominated,    // named by a Connection header (RFC 9110 section 7.6.1)
    underscored,  // in requests: CGI-like backends cannot tell X_Real_IP from X-Real-IP, so nobody forges it
};

struct Field {
    Slice name;         // the line begins here: nothing may stand before a name
    Slice value;        // without the white space around it; may be empty
    uint32_t line_end;  // one past the line's CRLF, which is where the next line begins
    FieldId id;
    FieldFate fate;
};

// The field lines of one head. One core owns one for requests and one for responses and reuses them for every
// head: nothing is allocated after construction. What it holds is valid until the next head is parsed into
// it.
class FieldTable {
public:
    // `capacity`: the most fields any head may have, 1 to 65535.
    explicit FieldTable(uint32_t capacity) : fields_(capacity) { ASSERT(capacity >= 1 && capacity <= 65535); }

    void clear() {
        size_ = 0;
        present_ = {};
        duplicated_ = {};
    }

    [[nodiscard]] uint32_t capacity() const { return static_cast<uint32_t>(fields_.size()); }

    // The lines in the order received, without gaps: each begins where the one before ended.
    [[nodiscard]] std::span<const Field> fields() const { return std::span(fields_).first(size_); }

    // The known fields that stand at least once, and those that stand at least twice.
    [[nodiscard]] FieldSet present() const { return present_; }
    [[nodiscard]] FieldSet duplicated() const { return duplicated_; }

    // The first line of a known field (not FieldId::other); nullptr if there is none. O(1).
    [[nodiscard]] const Field* find(FieldId id) const {
        return present_.has(id) ? &fields_[first_[index(id)]] : nullptr;
    }

    // For the readers: the place for the next line, which is filled in and then added. The table must not be
    // full.
    [[nodiscard]] Field& next() { return fields_[size_]; }

    void add_next() {
        const FieldId id = fields_[size_].id;
        if (present_.has(id)) {
            duplicated_.add(id);
        } else {
            present_.add(id);
            first_[index(id)] = static_cast<uint16_t>(size_);
        }
        ++size_;
    }

    // For the readers: the fate of the first line of a known field, if there is one.
    void set_fate(FieldId id, FieldFate fate) {
        if (present_.has(id)) {
            fields_[first_[index(id)]].fate = fate;
        }
    }

    // For the readers.
    [[nodiscard]] std::span<Field> mutable_fields() { return std::span(fields_).first(size_); }

private:
    static size_t index(FieldId id) { return std::to_underlying(id); }

    std::vector<Field> fields_;
    uint32_t size_ = 0;
    FieldSet present_;
    FieldSet duplicated_;
    std::array<uint16_t, kFieldIdCount> first_{};
};

// Bounds of one head. fields_max must not exceed the capacity of the table.
struct HeadLimits {
    uint32_t uri_max = 8 << 10;    // bytes of a request target, then 414; not used for responses
    uint32_t head_max = 16 << 10;  // bytes of the whole head, then 431 (414 while in the request line)
    uint32_t fields_max = 100;     // field lines, then 431
};

// How far the search for the end of one head has come, so that a head which arrives byte by byte is searched
// once and not once a byte. One a connection; reset to {} before each new head. Counted from the head's first
// byte.
struct HeadProgress {
    uint32_t scanned = 0;     // bytes known to hold no end of the head
    uint32_t line_begin = 0;  // where the last, unfinished line begins
    uint32_t lines = 0;       // finished lines
};

enum class HeadOutcome : uint8_t { complete, need_more, refused };

// The verdict on the bytes received so far. Each status comes with the reason as one static sentence for the
// log.
struct HeadResult {
    HeadOutcome outcome = HeadOutcome::need_more;
    uint16_t status = 0;        // refused: what to answer before the connection is closed
    uint32_t length = 0;        // complete: bytes of the head with the empty line that ends it
    std::string_view reason{};  // refused

    static HeadResult complete(uint32_t length) {
        return {.outcome = HeadOutcome::complete, .length = length};
    }
    static HeadResult need_more() { return {}; }
    static HeadResult refused(uint16_t status, std::string_view reason) {
        return {.outcome = HeadOutcome::refused, .status = status, .reason = reason};
    }
};

enum class FramingKind : uint8_t {
    none,    // no body follows
    length,  // exactly Framing::length bytes, at least 1 for a request
    chunked,
    until_close,  // responses only: all bytes until the backend closes
};

// Where a message's body ends (RFC 9112 section 6.3).
struct Framing {
    FramingKind kind = FramingKind::none;
    uint64_t length = 0;  // at most 2^63 - 1

    friend bool operator==(const Framing&, const Framing&) = default;
};

}  // namespace http
