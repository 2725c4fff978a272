// The status line, and what the fields say of a response's body and connection.
#include "http/response_reader.h"

#include "http/field_section.h"
#include "http/text.h"

namespace http {
namespace {

constexpr std::string_view kStatusLineBegin = "HTTP/1.1 200";

HeadResult bad_gateway(std::string_view reason) { return HeadResult::refused(502, reason); }

// Reads one response head; a value of one call.
class ResponseReader {
public:
    ResponseReader(std::string_view bytes, FieldTable& fields, ResponseHead& head, Method request_method)
        : bytes_(bytes), fields_(fields), head_(head), request_method_(request_method) {}

    HeadResult read(uint32_t fields_max) {
        head_ = {};
        fields_.clear();
        const HeadResult line = read_status_line();
        if (line.outcome != HeadOutcome::complete) {
            return line;
        }
        head_.fields_begin = line.length;
        const HeadResult section =
            read_fields(bytes_, line.length, fields_max, UnderscoredNames::pass, fields_);
        if (section.outcome != HeadOutcome::complete) {
            return section;
        }
        const std::string_view reason = read_known_fields();
        return reason.empty() ? section : bad_gateway(reason);
    }

private:
    HeadResult read_status_line() {
        const std::string_view begin = bytes_.substr(0, kStatusLineBegin.size());
        const bool is_usual = begins_with(begin, "HTTP/1.1 200");
        if (!is_usual && !is_status_line_begin(begin)) {
            return bad_gateway("malformed status line");
        }
        if (begin.size() < kStatusLineBegin.size()) {
            return HeadResult::need_more();
        }
        head_.version_minor = begin[7] == '1' ? 1 : 0;
        head_.status =
            static_cast<uint16_t>((begin[9] - '0') * 100 + (begin[10] - '0') * 10 + (begin[11] - '0'));
        if (head_.status < 100) {
            return bad_gateway("status below 100");
        }
        return read_reason();
    }

    // Whether `begin`, which may be cut anywhere, fits "HTTP/1.x nnn".
    static bool is_status_line_begin(std::string_view begin) {
        for (size_t i = 0; i < begin.size(); ++i) {
            const bool fits = i == 7  ? begin[i] == '0' || begin[i] == '1'
                              : i > 8 ? is_of(begin[i], kDigitByte)
                                      : begin[i] == kStatusLineBegin[i];
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    HeadResult read_reason() {
        size_t at = kStatusLineBegin.size();
        const size_t end = find_value_end(bytes_, at);
        if (at < end && bytes_[at] != ' ') {
            return bad_gateway("status of more than three digits");
        }
        at += at < end ? 1 : 0;
        head_.reason = {.offset = static_cast<uint32_t>(at), .length = static_cast<uint32_t>(end - at)};
        if (end == bytes_.size()) {
            return HeadResult::need_more();
        }
        if (!has_crlf(bytes_, end)) {
            const bool may_become = bytes_[end] == '\r' && end + 1 == bytes_.size();
            return may_become ? HeadResult::need_more()
                              : bad_gateway("bare CR, LF or control in the status line");
        }
        return HeadResult::complete(static_cast<uint32_t>(end + 2));
    }

    // The reason for a refusal, "" if all is well; so do the following.
    std::string_view read_known_fields() {
        if (fields_.duplicated().has_any_of(kOnceInResponse)) {
            return "a field that may stand once stands twice";
        }
        ConnectionOptions options;
        if (fields_.present().has(FieldId::connection)) {
            if (const std::string_view reason = read_connection(bytes_, fields_, options); !reason.empty()) {
                return reason;
            }
        }
        const bool is_kept = !options.has_close && (head_.version_minor == 1 || options.has_keep_alive);
        head_.keep_alive = is_kept ? KeepAlive::keep : KeepAlive::close;
        if (options.has_upgrade) {
            if (const Field* field = fields_.find(FieldId::upgrade); field != nullptr) {
                head_.upgrade = field->value;
            }
        }
        return read_framing();
    }

    // RFC 9112 section 6.3. The fields are judged even where no body follows: what is wrong there is wrong in
    // the next answer.
    std::string_view read_framing() {
        const Field* coding = fields_.find(FieldId::transfer_encoding);
        const Field* length = fields_.find(FieldId::content_length);
        Framing framing = {.kind = FramingKind::until_close};
        if (coding != nullptr) {
            if (length != nullptr) {
                return "Content-Length beside Transfer-Encoding";
            }
            if (head_.version_minor == 0) {
                return "Transfer-Encoding in HTTP/1.0";
            }
            if (judge_transfer_encoding(text(coding->value)) != CodingVerdict::chunked) {
                return "Transfer-Encoding other than chunked";
            }
            framing.kind = FramingKind::chunked;
        } else if (length != nullptr) {
            if (!parse_decimal(text(length->value), framing.length)) {
                return "Content-Length is not a number";
            }
            framing.kind = framing.length == 0 ? FramingKind::none : FramingKind::length;
        }
        set_framing(framing);
        return {};
    }

    // `announced`: what the fields alone say.
    void set_framing(Framing announced) {
        const bool never_has_body = head_.status < 200 || head_.status == 204;
        if (never_has_body) {
            const bool announces_body =
                announced.kind == FramingKind::chunked || announced.kind == FramingKind::length;
            head_.keep_alive = announces_body ? KeepAlive::close : head_.keep_alive;
            // RFC 9110 section 8.6: there must be none here, and a client could wait for those bytes.
            fields_.set_fate(FieldId::content_length, FieldFate::hop_by_hop);
        } else if (request_method_ != Method::head && head_.status != 304) {
            head_.framing = announced;
            head_.keep_alive =
                announced.kind == FramingKind::until_close ? KeepAlive::close : head_.keep_alive;
        }
    }

    [[nodiscard]] std::string_view text(Slice part) const { return bytes_.substr(part.offset, part.length); }

    std::string_view bytes_;
    FieldTable& fields_;
    ResponseHead& head_;
    Method request_method_;
};

}  // namespace

HeadResult parse_response_head(
    std::string_view bytes,
    const HeadLimits& limits,
    HeadProgress& progress,
    FieldTable& fields,
    ResponseHead& head,
    Method request_method
) {
    ASSERT(limits.fields_max <= fields.capacity());
    const std::string_view bounded = bytes.substr(0, limits.head_max);
    const bool is_first_look = progress.scanned == 0;
    HeadResult result = HeadResult::complete(0);
    if (!is_first_look) {
        result = find_head_end(bounded, limits, limits.head_max, progress);
    }
    if (result.outcome == HeadOutcome::complete) {
        result = ResponseReader(bounded, fields, head, request_method).read(limits.fields_max);
    }
    if (is_first_look && result.outcome == HeadOutcome::need_more) {
        result = find_head_end(bounded, limits, limits.head_max, progress);
        ASSERT(result.outcome != HeadOutcome::complete);
    }
    if (result.outcome == HeadOutcome::refused) {
        result.status = 502;
    }
    return result;
}

}  // namespace http
