// Any bytes to the response reader: it reads nothing beyond them, and splitting them changes nothing.
#include <cstddef>
#include <vector>

#include "core/panic.h"
#include "http/response_reader.h"
#include "http/text.h"

namespace http {
namespace {

constexpr HeadLimits kLimits = {.uri_max = 0, .head_max = 4096, .fields_max = 32};

struct Reading {
    std::vector<char> bytes;
    HeadProgress progress;
    FieldTable fields{32};
    ResponseHead head;
    HeadResult result;

    HeadOutcome feed(std::string_view all, Method method) {
        bytes.assign(all.begin(), all.end());
        bytes.shrink_to_fit();
        result = parse_response_head({bytes.data(), bytes.size()}, kLimits, progress, fields, head, method);
        return result.outcome;
    }
};

void check_shape(const Reading& reading) {
    uint32_t line_begin = reading.head.fields_begin;
    for (const Field& field : reading.fields.fields()) {
        ASSERT(field.name.offset == line_begin);
        ASSERT(field.value.end() + 2 <= field.line_end);
        ASSERT(all_of(field.value.in(reading.bytes.data()), kValueByte));
        line_begin = field.line_end;
    }
    ASSERT(line_begin + 2 == reading.result.length);
    ASSERT(all_of(reading.head.reason.in(reading.bytes.data()), kValueByte));
    if (reading.head.framing.kind == FramingKind::until_close) {
        ASSERT(reading.head.keep_alive == KeepAlive::close);
    }
}

void check_response(std::string_view bytes, size_t first_cut, Method method) {
    Reading whole;
    const HeadOutcome outcome = whole.feed(bytes, method);
    Reading split;
    HeadOutcome split_outcome = split.feed(bytes.substr(0, first_cut), method);
    for (const size_t cut : {first_cut + (bytes.size() - first_cut) / 2, bytes.size()}) {
        if (split_outcome == HeadOutcome::need_more) {
            split_outcome = split.feed(bytes.substr(0, cut), method);
        }
    }
    if (outcome == HeadOutcome::refused) {
        ASSERT(whole.result.status == 502);
        ASSERT(split_outcome != HeadOutcome::complete);
    } else {
        ASSERT(split_outcome == outcome);
    }
    if (outcome == HeadOutcome::complete) {
        ASSERT(split.result.length == whole.result.length);
        ASSERT(split.head.status == whole.head.status);
        ASSERT(split.head.framing == whole.head.framing);
        ASSERT(split.head.keep_alive == whole.head.keep_alive);
        ASSERT(split.fields.fields().size() == whole.fields.fields().size());
        check_shape(whole);
    }
}

}  // namespace
}  // namespace http

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const size_t cut = size == 0 ? 0 : (data[size - 1] * 7U) % size;
    http::check_response(bytes, cut, http::Method::get);
    http::check_response(bytes, size / 2, http::Method::head);
    return 0;
}
