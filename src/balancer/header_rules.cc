#include "balancer/header_rules.h"

#include <algorithm>
#include <cstring>

#include "core/panic.h"
#include "http/text.h"

namespace balancer {

using http::Field;
using http::FieldFate;
using http::FieldId;
using http::FieldSet;
using http::Slice;

namespace {

constexpr std::string_view kVia = "Via: 1.1 trilith\r\n";
constexpr size_t kRequestIdMax = 128;

// Appends to memory whose bound the caller has computed.
class HeadWriter {
public:
    explicit HeadWriter(std::span<char> target) : target_(target) {}

    void append(std::string_view text) {
        ASSERT(text.size() <= target_.size() - size_);
        std::memcpy(target_.data() + size_, text.data(), text.size());
        size_ += static_cast<uint32_t>(text.size());
    }

    // The same, and where it lies now.
    Slice append_slice(std::string_view text) {
        Slice slice{.offset = size_, .length = static_cast<uint32_t>(text.size())};
        append(text);
        return slice;
    }

    [[nodiscard]] uint32_t size() const { return size_; }

private:
    std::span<char> target_;
    uint32_t size_ = 0;
};

// Copies field lines, each run of kept lines at once.
class LineCopier {
public:
    LineCopier(HeadWriter& writer, const char* base, uint32_t begin)
        : writer_(writer), base_(base), run_begin_(begin) {}

    // Lines before `field` are copied, its own is not.
    void skip(const Field& field) {
        flush(field.name.offset);
        run_begin_ = field.line_end;
    }

    // Lines up to `end` are copied.
    void flush(uint32_t end) { writer_.append({base_ + run_begin_, end - run_begin_}); }

    // Where `slice`, of a line that will be copied with the present run, is going to lie.
    [[nodiscard]] Slice place_of(Slice slice) const {
        return {.offset = writer_.size() + slice.offset - run_begin_, .length = slice.length};
    }

private:
    HeadWriter& writer_;
    const char* base_;
    uint32_t run_begin_;
};

// What we always write ourselves towards a backend.
constexpr FieldSet kRewritten = {
    FieldId::x_forwarded_for,
    FieldId::x_forwarded_proto,
    FieldId::x_forwarded_host,
    FieldId::forwarded,
    FieldId::x_request_id,
};
// What an untrusted client may not say.
constexpr FieldSet kOnlyTrusted = {FieldId::x_forwarded_port, FieldId::x_real_ip};

std::string_view value_of(const RequestHeadFacts& facts, FieldId id) {
    const Field* field = facts.fields.find(id);
    return field == nullptr ? std::string_view{} : field->value.in(facts.base);
}

// Writes the values of all lines of `id`, in their order, each followed by ", ".
void append_list(HeadWriter& writer, const RequestHeadFacts& facts, FieldId id) {
    if (!facts.fields.present().has(id)) {
        return;
    }
    for (const Field& field : facts.fields.fields()) {
        if (field.id == id && field.fate == FieldFate::pass && !field.value.is_empty()) {
            writer.append(field.value.in(facts.base));
            writer.append(", ");
        }
    }
}

void append_forwarded(HeadWriter& writer, const RequestHeadFacts& facts, std::string_view host) {
    bool is_trusted = facts.trust == Trust::trusted_proxy;
    writer.append("X-Forwarded-For: ");
    if (is_trusted) {
        append_list(writer, facts, FieldId::x_forwarded_for);
    }
    writer.append(facts.client_address);
    std::string_view proto = is_trusted ? value_of(facts, FieldId::x_forwarded_proto) : std::string_view{};
    writer.append("\r\nX-Forwarded-Proto: ");
    writer.append(proto.empty() ? "http" : proto);
    std::string_view first_host =
        is_trusted ? value_of(facts, FieldId::x_forwarded_host) : std::string_view{};
    writer.append("\r\nX-Forwarded-Host: ");
    writer.append(first_host.empty() ? host : first_host);
    writer.append("\r\nForwarded: ");
    if (is_trusted) {
        append_list(writer, facts, FieldId::forwarded);
    }
    // RFC 7239 section 6: an IPv6 address is bracketed and quoted.
    bool is_ipv6 = facts.client_address.contains(':');
    writer.append(is_ipv6 ? "for=\"[" : "for=");
    writer.append(facts.client_address);
    writer.append(is_ipv6 ? "]\";host=\"" : ";host=\"");
    writer.append(host);
    writer.append("\";proto=http\r\n");
}

void append_framing(HeadWriter& writer, const RequestHeadFacts& facts) {
    if (facts.head.framing.kind == http::FramingKind::chunked) {
        writer.append("Transfer-Encoding: chunked\r\n");
    }
    if (!facts.upgrade.empty()) {
        writer.append("Connection: upgrade\r\nUpgrade: ");
        writer.append(facts.upgrade);
        writer.append("\r\n");
    }
}

Slice append_target(HeadWriter& writer, const RequestHeadFacts& facts) {
    uint32_t begin = writer.size();
    writer.append(facts.path);
    if (facts.head.has_query) {
        writer.append("?");
        writer.append(facts.head.query.in(facts.base));
    }
    return {.offset = begin, .length = writer.size() - begin};
}

bool is_dropped(const RequestHeadFacts& facts, const Field& field) {
    return field.fate != FieldFate::pass || kRewritten.has(field.id) || field.id == FieldId::host ||
           (kOnlyTrusted.has(field.id) && facts.trust == Trust::outside);
}

// Copies what is passed on, and notes where the fields for the log lie.
void copy_request_fields(HeadWriter& writer, const RequestHeadFacts& facts, WrittenRequestHead& written) {
    LineCopier copier(writer, facts.base, facts.head.fields_begin);
    uint32_t end = facts.head.fields_begin;
    for (const Field& field : facts.fields.fields()) {
        end = field.line_end;
        if (is_dropped(facts, field)) {
            copier.skip(field);
        } else if (field.id == FieldId::user_agent) {
            written.user_agent = copier.place_of(field.value);
        } else if (field.id == FieldId::referer) {
            written.referer = copier.place_of(field.value);
        }
    }
    copier.flush(end);
}

}  // namespace

bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= kRequestIdMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    });
}

size_t request_head_room(uint32_t length) {
    // Every received byte once, the host (at most 262 bytes) three times more, and what we add by ourselves.
    return size_t{length} + 1536;
}

WrittenRequestHead write_request_head(const RequestHeadFacts& facts, std::span<char> target) {
    HeadWriter writer(target);
    WrittenRequestHead written;
    written.method = writer.append_slice(facts.head.method_text.in(facts.base));
    writer.append(" ");
    written.target = append_target(writer, facts);
    std::string_view host = facts.head.host.is_empty() ? facts.own_host : facts.head.host.in(facts.base);
    writer.append(" HTTP/1.1\r\nHost: ");
    written.host = writer.append_slice(host);
    writer.append("\r\n");
    copy_request_fields(writer, facts, written);
    append_framing(writer, facts);
    append_forwarded(writer, facts, host);
    std::string_view given_id = value_of(facts, FieldId::x_request_id);
    writer.append("X-Request-Id: ");
    written.request_id = writer.append_slice(is_request_id(given_id) ? given_id : facts.new_request_id);
    writer.append("\r\n");
    writer.append(kVia);
    writer.append("\r\n");
    written.size = writer.size();
    return written;
}

size_t write_response_head(const ResponseHeadFacts& facts, std::span<char> target) {
    HeadWriter writer(target);
    char status[3] = {
        static_cast<char>('0' + facts.head.status / 100),
        static_cast<char>('0' + facts.head.status / 10 % 10),
        static_cast<char>('0' + facts.head.status % 10),
    };
    writer.append("HTTP/1.1 ");
    writer.append({status, 3});
    writer.append(" ");
    writer.append(facts.head.reason.in(facts.base));
    writer.append("\r\n");
    LineCopier copier(writer, facts.base, facts.head.fields_begin);
    uint32_t end = facts.head.fields_begin;
    for (const Field& field : facts.fields.fields()) {
        end = field.line_end;
        if (field.fate != FieldFate::pass) {
            copier.skip(field);
        }
    }
    copier.flush(end);
    if (facts.head.status == 101) {
        writer.append("Connection: upgrade\r\nUpgrade: ");
        writer.append(facts.head.upgrade.in(facts.base));
        writer.append("\r\n");
    } else if (!facts.head.is_interim()) {
        if (facts.framing == http::FramingKind::chunked) {
            writer.append("Transfer-Encoding: chunked\r\n");
        }
        // One that the backend nominates is not passed on, and is missing like one that never was.
        const Field* date = facts.fields.find(FieldId::date);
        if (date == nullptr || date->fate != FieldFate::pass) {
            writer.append("Date: ");
            writer.append(facts.date);
            writer.append("\r\n");
        }
        if (facts.is_closing) {
            writer.append("Connection: close\r\n");
        } else if (facts.client_version_minor == 0) {
            writer.append("Connection: keep-alive\r\n");
        }
    }
    writer.append(kVia);
    writer.append("\r\n");
    return writer.size();
}

}  // namespace balancer
