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

// Reads one request head; a value of one call. Each step says whether the reading goes on; if not, result_
// says why.
class RequestReader {
public:
    RequestReader(std::string_view bytes, const HeadLimits& limits, FieldTable& fields, RequestHead& head)
        : bytes_(bytes), limits_(limits), fields_(fields), head_(head) {}

    HeadResult read() {
        head_ = {};
        fields_.clear();
        if (!read_request_line()) {
            return result_;
        }
        head_.fields_begin = static_cast<uint32_t>(at_);
        const HeadResult section =
            read_fields(bytes_, at_, limits_.fields_max, UnderscoredNames::drop, fields_);
        if (section.outcome != HeadOutcome::complete) {
            return section;
        }
        return read_known_fields() ? section : result_;
    }

private:
    bool need_more() {
        result_ = HeadResult::need_more();
        return false;
    }

    [[gnu::cold]] bool refuse(uint16_t status, std::string_view reason) {
        result_ = HeadResult::refused(status, reason);
        return false;
    }

    [[gnu::cold]] bool refuse(std::string_view reason) { return refuse(400, reason); }

    bool read_request_line() {
        if (bytes_.starts_with('\r')) [[unlikely]] {
            if (bytes_.size() == 1) {
                return need_more();
            }
            at_ = bytes_[1] == '\n' ? 2 : 0;
        }
        return read_method() && read_target() && read_version() && judge_target();
    }

    bool read_method() {
        const size_t begin = at_;
        const size_t end = std::min(bytes_.size(), begin + kMethodMax + 1);
        while (at_ < end && is_of(bytes_[at_], kTokenByte)) {
            ++at_;
        }
        if (at_ == end) {
            return end - begin > kMethodMax ? refuse(501, "method too long") : need_more();
        }
        if (at_ == begin || bytes_[at_] != ' ') {
            return refuse("the request does not begin with a method and a space");
        }
        head_.method_text = slice(begin, at_);
        head_.method = parse_method(bytes_.substr(begin, at_ - begin));
        ++at_;
        return true;
    }

    bool read_target() {
        const size_t begin = at_;
        at_ = find_target_end(bytes_, begin);
        if (at_ - begin > limits_.uri_max) {
            return refuse(414, "request target too long");
        }
        if (at_ == bytes_.size()) {
            return need_more();
        }
        if (bytes_[at_] != ' ') {
            const bool is_line_end = bytes_[at_] == '\r' || bytes_[at_] == '\n';
            return refuse(
                is_line_end ? "request line without version" : "byte that a request target may not have"
            );
        }
        if (at_ == begin) {
            return refuse("empty request target");
        }
        head_.target = slice(begin, at_);
        ++at_;
        return true;
    }

    bool read_version() {
        const std::string_view rest = bytes_.substr(at_, kVersionEnd.size());
        if (!begins_with(rest, "HTTP/1.1\r\n")) {
            if (!begins_with(rest, "HTTP/1.0\r\n")) {
                return judge_version(rest);
            }
            head_.version_minor = 0;
        }
        at_ += kVersionEnd.size();
        return true;
    }

    // `rest`: what is there of the 10 bytes that end the request line, and not one of the two versions we
    // speak.
    [[gnu::cold]] bool judge_version(std::string_view rest) {
        constexpr size_t kMajor = 5;
        constexpr size_t kMinor = 7;
        for (size_t i = 0; i < rest.size(); ++i) {
            const bool is_digit_place = i == kMajor || i == kMinor;
            if (is_digit_place ? !is_of(rest[i], kDigitByte) : rest[i] != kVersionEnd[i]) {
                return refuse("malformed HTTP version or end of the request line");
            }
        }
        // Not before the "." is there, or the answer to "HTTP/01.1" would depend on how it was cut.
        if (rest.size() > kMajor + 1 && rest[kMajor] != '1') {
            return refuse(505, "major HTTP version other than 1");
        }
        if (rest.size() > kMinor && rest[kMinor] != '0' && rest[kMinor] != '1') {
            return refuse("minor HTTP version other than 0 and 1");
        }
        return need_more();
    }

    // RFC 9112 section 3.2: which form the target has, and whether the method may have it.
    bool judge_target() {
        if (head_.method == Method::connect) [[unlikely]] {
            head_.form = TargetForm::authority;
            head_.host = head_.target;
            return (read_host() && head_.host_port != 0) || refuse("CONNECT needs host:port");
        }
        const std::string_view target = text(head_.target);
        if (target.front() == '/') {
            split_path(head_.target.offset);
            return true;
        }
        if (target == "*") {
            head_.form = TargetForm::asterisk;
            return head_.method == Method::options || refuse("target * without OPTIONS");
        }
        return judge_absolute_target(target);
    }

    bool judge_absolute_target(std::string_view target) {
        const size_t scheme_end = target.find("://");
        const std::string_view scheme = target.substr(0, scheme_end);
        if (scheme_end == std::string_view::npos ||
            (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))) {
            return refuse("request target is neither a path nor an http URI");
        }
        const size_t host_begin = scheme_end + 3;
        const size_t host_end = std::min(target.find_first_of("/?", host_begin), target.size());
        head_.form = TargetForm::absolute;
        head_.host = slice(head_.target.offset + host_begin, head_.target.offset + host_end);
        if (!read_host()) {
            return refuse("invalid authority in the request target");
        }
        if (host_end == target.size() && head_.method == Method::options) {
            head_.form = TargetForm::asterisk;
        } else {
            split_path(head_.target.offset + host_end);
        }
        return true;
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

    bool read_known_fields() {
        if (fields_.duplicated().has_any_of(kOnceInRequest)) {
            return refuse("a field that may stand once stands twice");
        }
        if (!read_host_field() || !read_framing() || !read_connection_field()) {
            return false;
        }
        return !fields_.present().has(FieldId::expect) || read_expect();
    }

    bool read_host_field() {
        const Field* field = fields_.find(FieldId::host);
        if (field == nullptr) {
            return head_.version_minor == 0 || refuse("no Host in an HTTP/1.1 request");
        }
        if (!head_.host.is_empty()) {
            // RFC 9112 section 3.2.2 lets the target win, but a backend that takes Host would see another
            // site.
            return equals_ignoring_case(text(head_.host), text(field->value)) ||
                   refuse("Host differs from the authority of the request target");
        }
        head_.host = field->value;
        return read_host() || refuse("empty or invalid Host");
    }

    // Takes head_.host apart; false if it is not a host.
    bool read_host() {
        const std::optional<Host> host = split_host(text(head_.host));
        if (!host) {
            return false;
        }
        head_.host_name = {.offset = head_.host.offset, .length = static_cast<uint32_t>(host->name.size())};
        head_.host_port = host->port;
        head_.host_case = host->has_upper_case ? HostCase::mixed : HostCase::lower;
        return true;
    }

    // RFC 9112 section 6.3, without its leniency.
    bool read_framing() {
        if (const Field* coding = fields_.find(FieldId::transfer_encoding); coding != nullptr) {
            return read_transfer_encoding(text(coding->value));
        }
        const Field* length = fields_.find(FieldId::content_length);
        if (length == nullptr) {
            return true;
        }
        if (!parse_decimal(text(length->value), head_.framing.length)) {
            return refuse("Content-Length is not a number");
        }
        if (head_.framing.length != 0) {
            head_.framing.kind = FramingKind::length;
            return head_.method != Method::trace || refuse("TRACE with a body");
        }
        return true;
    }

    bool read_transfer_encoding(std::string_view coding) {
        if (fields_.present().has(FieldId::content_length)) {
            return refuse("Content-Length beside Transfer-Encoding");
        }
        if (head_.version_minor == 0) {
            return refuse("Transfer-Encoding in HTTP/1.0");
        }
        switch (judge_transfer_encoding(coding)) {
            case CodingVerdict::invalid: return refuse("invalid Transfer-Encoding");
            case CodingVerdict::unknown: return refuse(501, "unknown transfer coding");
            case CodingVerdict::chunked: break;
        }
        head_.framing.kind = FramingKind::chunked;
        return head_.method != Method::trace || refuse("TRACE with a body");
    }

    bool read_connection_field() {
        ConnectionOptions options;
        if (fields_.present().has(FieldId::connection)) {
            if (const std::string_view reason = read_connection(bytes_, fields_, options); !reason.empty()) {
                return refuse(reason);
            }
        }
        const bool is_kept = !options.has_close && (head_.version_minor == 1 || options.has_keep_alive);
        head_.keep_alive = is_kept ? KeepAlive::keep : KeepAlive::close;
        if (options.has_upgrade && head_.version_minor == 1) {
            if (const Field* field = fields_.find(FieldId::upgrade); field != nullptr) {
                head_.upgrade = field->value;
            }
        }
        return true;
    }

    // RFC 9110 section 10.1.1.
    bool read_expect() {
        if (head_.version_minor == 1) {
            if (!equals_ignoring_case(text(fields_.find(FieldId::expect)->value), "100-continue")) {
                return refuse(417, "unknown expectation");
            }
            head_.expects_continue = head_.framing.kind != FramingKind::none;
        }
        if (!head_.expects_continue) {
            fields_.set_fate(FieldId::expect, FieldFate::hop_by_hop);
        }
        return true;
    }

    [[nodiscard]] std::string_view text(Slice part) const { return bytes_.substr(part.offset, part.length); }

    static Slice slice(size_t begin, size_t end) {
        return {.offset = static_cast<uint32_t>(begin), .length = static_cast<uint32_t>(end - begin)};
    }

    std::string_view bytes_;
    const HeadLimits& limits_;
    FieldTable& fields_;
    RequestHead& head_;
    size_t at_ = 0;  // what is before it has been read
    HeadResult result_;
};

}  // namespace

HeadResult parse_request_head(
    std::string_view bytes,
    const HeadLimits& limits,
    HeadProgress& progress,
    FieldTable& fields,
    RequestHead& head
) {
    ASSERT(limits.fields_max <= fields.capacity());
    const std::string_view bounded = bytes.substr(0, limits.head_max);
    const uint32_t request_line_max =
        static_cast<uint32_t>(kMethodMax + kVersionEnd.size() + 2) + limits.uri_max;
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
