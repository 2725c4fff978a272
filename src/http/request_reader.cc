// The request line, the form of its target, and what the fields say of host, body and connection.
#include "http/request_reader.h"

#include <algorithm>

#include "http/field_section.h"
#include "http/text.h"
#include "http/uri.h"

namespace http {
namespace {

constexpr size_t kMethodMax = 32;  // bytes; the longest registered method has 17
constexpr std::string_view kVersionEnd = "HTTP/1.1\r\n";

HeadResult bad_request(std::string_view reason) {
    return HeadResult::refused(400, reason);
}

// Reads one request head; a value of one call.
class RequestReader {
public:
    RequestReader(std::string_view bytes, const HeadLimits& limits, FieldTable& fields, RequestHead& head)
        : bytes_(bytes), limits_(limits), fields_(fields), head_(head) {}

    HeadResult read() {
        head_ = {};
        fields_.clear();
        HeadResult part = read_request_line();
        if (part.outcome != HeadOutcome::complete) {
            return part;
        }
        head_.fields_begin = part.length;
        const HeadResult section = read_fields(bytes_, part.length, limits_.fields_max, fields_);
        if (section.outcome != HeadOutcome::complete) {
            return section;
        }
        part = read_known_fields();
        return part.outcome == HeadOutcome::complete ? section : part;
    }

private:
    // Each step's result is complete with the position behind it (0 where there is none), or ends the reading.
    HeadResult read_request_line() {
        size_t at = 0;
        if (bytes_.starts_with('\r')) {
            if (bytes_.size() == 1) {
                return HeadResult::need_more();
            }
            at = bytes_[1] == '\n' ? 2 : 0;
        }
        HeadResult part = read_method(at);
        if (part.outcome != HeadOutcome::complete) {
            return part;
        }
        part = read_target(part.length);
        if (part.outcome != HeadOutcome::complete) {
            return part;
        }
        const HeadResult line = read_version(part.length);
        if (line.outcome != HeadOutcome::complete) {
            return line;
        }
        part = judge_target();
        return part.outcome == HeadOutcome::complete ? line : part;
    }

    HeadResult read_method(size_t begin) {
        const size_t end = std::min(bytes_.size(), begin + kMethodMax + 1);
        size_t at = begin;
        while (at < end && is_of(bytes_[at], kTokenByte)) {
            ++at;
        }
        if (at == end) {
            return end - begin > kMethodMax ? HeadResult::refused(501, "method too long") : HeadResult::need_more();
        }
        if (at == begin || bytes_[at] != ' ') {
            return bad_request("the request does not begin with a method and a space");
        }
        head_.method_text = slice(begin, at);
        head_.method = parse_method(bytes_.substr(begin, at - begin));
        return done(at + 1);
    }

    HeadResult read_target(size_t begin) {
        const size_t end = std::min(bytes_.size(), begin + limits_.uri_max + 1);
        size_t at = begin;
        while (at < end && is_of(bytes_[at], kTargetByte)) {
            ++at;
        }
        if (at == end) {
            return end - begin > limits_.uri_max ? HeadResult::refused(414, "request target too long")
                                                 : HeadResult::need_more();
        }
        if (bytes_[at] != ' ') {
            return bad_request(
                bytes_[at] == '\r' || bytes_[at] == '\n' ? "request line without version"
                                                         : "byte that a request target may not have");
        }
        if (at == begin) {
            return bad_request("empty request target");
        }
        head_.target = slice(begin, at);
        return done(at + 1);
    }

    HeadResult read_version(size_t begin) {
        const std::string_view rest = bytes_.substr(begin, kVersionEnd.size());
        if (rest == kVersionEnd) {
            return done(begin + kVersionEnd.size());
        }
        if (rest == "HTTP/1.0\r\n") {
            head_.version_minor = 0;
            return done(begin + kVersionEnd.size());
        }
        return refuse_version(rest);
    }

    // `rest`: what is there of the 10 bytes that end the request line.
    [[gnu::cold]] static HeadResult refuse_version(std::string_view rest) {
        constexpr size_t kMajor = 5;
        constexpr size_t kMinor = 7;
        for (size_t i = 0; i < rest.size(); ++i) {
            const bool is_digit_place = i == kMajor || i == kMinor;
            if (is_digit_place ? !is_of(rest[i], kDigitByte) : rest[i] != kVersionEnd[i]) {
                return bad_request("malformed HTTP version or end of the request line");
            }
        }
        if (rest.size() > kMajor && rest[kMajor] != '1') {
            return HeadResult::refused(505, "major HTTP version other than 1");
        }
        if (rest.size() > kMinor && rest[kMinor] != '0' && rest[kMinor] != '1') {
            return bad_request("minor HTTP version other than 0 and 1");
        }
        return HeadResult::need_more();
    }

    // RFC 9112 section 3.2: which form the target has, and whether the method may have it.
    HeadResult judge_target() {
        const std::string_view target = text(head_.target);
        if (head_.method == Method::connect) {
            head_.form = TargetForm::authority;
            head_.host = head_.target;
            const bool is_valid = read_host();
            return is_valid && head_.host_port != 0 ? done(0) : bad_request("CONNECT needs host:port");
        }
        if (target.front() == '/') {
            split_path(head_.target.offset);
            return done(0);
        }
        if (target == "*") {
            head_.form = TargetForm::asterisk;
            return head_.method == Method::options ? done(0) : bad_request("target * without OPTIONS");
        }
        return judge_absolute_target(target);
    }

    HeadResult judge_absolute_target(std::string_view target) {
        const size_t scheme_end = target.find("://");
        const std::string_view scheme = target.substr(0, scheme_end);
        if (scheme_end == std::string_view::npos ||
            (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))) {
            return bad_request("request target is neither a path nor an http URI");
        }
        const size_t host_begin = scheme_end + 3;
        const size_t host_end = std::min(target.find_first_of("/?", host_begin), target.size());
        head_.form = TargetForm::absolute;
        head_.host = slice(head_.target.offset + host_begin, head_.target.offset + host_end);
        if (!read_host()) {
            return bad_request("invalid authority in the request target");
        }
        if (host_end == target.size() && head_.method == Method::options) {
            head_.form = TargetForm::asterisk;
        } else {
            split_path(head_.target.offset + host_end);
        }
        return done(0);
    }

    // The rest of the target from `begin` on is a path, then "?" and a query.
    void split_path(size_t begin) {
        const size_t end = head_.target.end();
        const size_t mark = bytes_.substr(begin, end - begin).find('?');
        head_.has_query = mark != std::string_view::npos;
        const size_t path_end = head_.has_query ? begin + mark : end;
        head_.path = slice(begin, path_end);
        if (head_.has_query) {
            head_.query = slice(path_end + 1, end);
        }
    }

    HeadResult read_known_fields() {
        if (fields_.duplicated().has_any_of(kOnceInRequest)) {
            return bad_request("a field that may stand once stands twice");
        }
        HeadResult part = read_host_field();
        if (part.outcome != HeadOutcome::complete) {
            return part;
        }
        part = read_framing();
        if (part.outcome != HeadOutcome::complete) {
            return part;
        }
        part = read_connection_field();
        if (part.outcome != HeadOutcome::complete) {
            return part;
        }
        mark_underscored();
        return fields_.present().has(FieldId::expect) ? read_expect() : done(0);
    }

    HeadResult read_host_field() {
        const Field* field = fields_.find(FieldId::host);
        if (field == nullptr) {
            return head_.version_minor == 0 ? done(0) : bad_request("no Host in an HTTP/1.1 request");
        }
        if (!head_.host.is_empty()) {
            // RFC 9112 section 3.2.2 lets the target win, but a backend that takes Host would see another site.
            return equals_ignoring_case(text(head_.host), text(field->value))
                       ? done(0)
                       : bad_request("Host differs from the authority of the request target");
        }
        head_.host = field->value;
        return read_host() ? done(0) : bad_request("empty or invalid Host");
    }

    // Takes head_.host apart; false if it is not a host.
    bool read_host() {
        const std::optional<Host> host = split_host(text(head_.host));
        if (!host) {
            return false;
        }
        const auto begin = static_cast<size_t>(host->name.data() - bytes_.data());
        head_.host_name = slice(begin, begin + host->name.size());
        head_.host_port = host->port;
        head_.host_case = host->has_upper_case ? HostCase::mixed : HostCase::lower;
        return true;
    }

    // RFC 9112 section 6.3, without its leniency.
    HeadResult read_framing() {
        const Field* coding = fields_.find(FieldId::transfer_encoding);
        const Field* length = fields_.find(FieldId::content_length);
        if (coding != nullptr) {
            if (length != nullptr) {
                return bad_request("Content-Length beside Transfer-Encoding");
            }
            if (head_.version_minor == 0) {
                return bad_request("Transfer-Encoding in HTTP/1.0");
            }
            switch (judge_transfer_encoding(text(coding->value))) {
                case CodingVerdict::invalid: return bad_request("invalid Transfer-Encoding");
                case CodingVerdict::unknown: return HeadResult::refused(501, "unknown transfer coding");
                case CodingVerdict::chunked: head_.framing.kind = FramingKind::chunked; break;
            }
        } else if (length != nullptr) {
            if (!parse_decimal(text(length->value), head_.framing.length)) {
                return bad_request("Content-Length is not a number");
            }
            head_.framing.kind = head_.framing.length == 0 ? FramingKind::none : FramingKind::length;
        }
        if (head_.framing.kind != FramingKind::none && head_.method == Method::trace) {
            return bad_request("TRACE with a body");
        }
        return done(0);
    }

    HeadResult read_connection_field() {
        ConnectionOptions options;
        if (fields_.present().has(FieldId::connection)) {
            if (const std::string_view reason = read_connection(bytes_, fields_, options); !reason.empty()) {
                return bad_request(reason);
            }
        }
        const bool is_kept = !options.has_close && (head_.version_minor == 1 || options.has_keep_alive);
        head_.keep_alive = is_kept ? KeepAlive::keep : KeepAlive::close;
        if (options.has_upgrade && head_.version_minor == 1) {
            if (const Field* field = fields_.find(FieldId::upgrade); field != nullptr) {
                head_.upgrade = field->value;
            }
        }
        return done(0);
    }

    // RFC 9110 section 10.1.1.
    HeadResult read_expect() {
        const Field* expect = fields_.find(FieldId::expect);
        if (head_.version_minor == 1) {
            if (!equals_ignoring_case(text(expect->value), "100-continue")) {
                return HeadResult::refused(417, "unknown expectation");
            }
            head_.expects_continue = head_.framing.kind != FramingKind::none;
        }
        if (!head_.expects_continue) {
            for (Field& field : fields_.mutable_fields()) {
                field.fate = field.id == FieldId::expect ? FieldFate::hop_by_hop : field.fate;
            }
        }
        return done(0);
    }

    void mark_underscored() {
        for (Field& field : fields_.mutable_fields()) {
            // No known field has an underscore in its name.
            if (field.id == FieldId::other && field.fate == FieldFate::pass &&
                text(field.name).find('_') != std::string_view::npos) {
                field.fate = FieldFate::underscored;
            }
        }
    }

    [[nodiscard]] std::string_view text(Slice part) const { return bytes_.substr(part.offset, part.length); }

    static Slice slice(size_t begin, size_t end) {
        return {.offset = static_cast<uint32_t>(begin), .length = static_cast<uint32_t>(end - begin)};
    }

    static HeadResult done(size_t behind) { return HeadResult::complete(static_cast<uint32_t>(behind)); }

    std::string_view bytes_;
    const HeadLimits& limits_;
    FieldTable& fields_;
    RequestHead& head_;
};

}  // namespace

HeadResult parse_request_head(
    std::string_view bytes, const HeadLimits& limits, HeadProgress& progress, FieldTable& fields, RequestHead& head) {
    ASSERT(limits.fields_max <= fields.capacity());
    const std::string_view bounded = bytes.substr(0, limits.head_max);
    const uint32_t request_line_max = static_cast<uint32_t>(kMethodMax + kVersionEnd.size() + 2) + limits.uri_max;
    const bool is_first_look = progress.scanned == 0;
    if (!is_first_look) {
        const HeadResult found = find_head_end(bounded, limits, request_line_max, progress);
        if (found.outcome != HeadOutcome::complete) {
            return found;
        }
    }
    const HeadResult result = RequestReader(bounded, limits, fields, head).read();
    if (result.outcome == HeadOutcome::need_more) {
        ASSERT(is_first_look);
        const HeadResult search = find_head_end(bounded, limits, request_line_max, progress);
        ASSERT(search.outcome != HeadOutcome::complete);
        return search;
    }
    return result;
}

}  // namespace http
