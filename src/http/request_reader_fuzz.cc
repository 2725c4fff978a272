// Any bytes to the request reader: it reads nothing beyond them, splitting them changes nothing, what it read
// can be written.
#include <cstddef>
#include <string>
#include <vector>

#include "core/panic.h"
#include "http/request_reader.h"
#include "http/text.h"

namespace http {
namespace {

constexpr HeadLimits kLimits = {.uri_max = 512, .head_max = 4096, .fields_max = 32};

struct Reading {
    std::vector<char> bytes;
    HeadProgress progress;
    FieldTable fields{32};
    RequestHead head;
    HeadResult result;

    HeadOutcome feed(std::string_view all) {
        bytes.assign(all.begin(), all.end());
        bytes.shrink_to_fit();
        result = parse_request_head({bytes.data(), bytes.size()}, kLimits, progress, fields, head);
        return result.outcome;
    }

    [[nodiscard]] std::string_view text(Slice slice) const {
        ASSERT(slice.end() <= result.length);
        return slice.in(bytes.data());
    }
};

void check_same(const Reading& a, const Reading& b) {
    ASSERT(a.result.length == b.result.length);
    ASSERT(a.head.framing == b.head.framing);
    ASSERT(a.head.keep_alive == b.head.keep_alive);
    ASSERT(a.text(a.head.path) == b.text(b.head.path));
    ASSERT(a.text(a.head.host_name) == b.text(b.head.host_name));
    ASSERT(a.fields.fields().size() == b.fields.fields().size());
    for (size_t i = 0; i < a.fields.fields().size(); ++i) {
        ASSERT(a.text(a.fields.fields()[i].name) == b.text(b.fields.fields()[i].name));
        ASSERT(a.text(a.fields.fields()[i].value) == b.text(b.fields.fields()[i].value));
        ASSERT(a.fields.fields()[i].fate == b.fields.fields()[i].fate);
    }
}

// Lines without gaps, no byte in the head that a line may not have.
void check_shape(const Reading& reading) {
    uint32_t line_begin = reading.head.fields_begin;
    for (const Field& field : reading.fields.fields()) {
        ASSERT(field.name.offset == line_begin);
        ASSERT(all_of(reading.text(field.name), kTokenByte));
        ASSERT(all_of(reading.text(field.value), kValueByte));
        ASSERT(trim(reading.text(field.value)) == reading.text(field.value));
        line_begin = field.line_end;
    }
    ASSERT(line_begin + 2 == reading.result.length);
    ASSERT(all_of(reading.text(reading.head.target), kTargetByte));
}

std::string write(const Reading& reading) {
    std::string bytes(reading.text(reading.head.method_text));
    bytes += " ";
    bytes += reading.text(reading.head.target);
    bytes += reading.head.version_minor == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
    for (const Field& field : reading.fields.fields()) {
        bytes += reading.text(field.name);
        bytes += ":";
        bytes += reading.text(field.value);
        bytes += "\r\n";
    }
    return bytes + "\r\n";
}

void check_request(std::string_view bytes, size_t first_cut, size_t second_cut) {
    Reading whole;
    const HeadOutcome outcome = whole.feed(bytes);
    Reading split;
    HeadOutcome split_outcome = split.feed(bytes.substr(0, first_cut));
    for (const size_t cut : {second_cut, bytes.size()}) {
        if (split_outcome == HeadOutcome::need_more) {
            split_outcome = split.feed(bytes.substr(0, cut));
        }
    }
    if (outcome != HeadOutcome::refused) {
        ASSERT(split_outcome == outcome);
    } else {
        // Cut, a broken head may have to end before its fault is looked for.
        ASSERT(split_outcome != HeadOutcome::complete);
        ASSERT(whole.result.status >= 400);
    }
    if (outcome == HeadOutcome::complete) {
        check_same(whole, split);
        check_shape(whole);
        Reading again;
        const HeadOutcome again_outcome = again.feed(write(whole));
        ASSERT(again_outcome == HeadOutcome::complete);
        again.result.length = whole.result.length = kLimits.head_max;  // white space around values is not
                                                                       // written
        check_same(whole, again);
    }
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const size_t first_cut = size == 0 ? 0 : (data[size - 1] * 7U) % size;
    const size_t second_cut = first_cut + (size - first_cut) / 2;
    http::check_request(bytes, first_cut, second_cut);
    http::check_request(bytes, size / 2, size);
    return 0;
}
