#include "web/file_answer.h"

#include <format>
#include <iterator>
#include <string>
#include <utility>

#include "web/accept_encoding.h"
#include "web/byte_range.h"
#include "web/conditional.h"
#include "web/multipart.h"

namespace web {
namespace {

using http::FieldId;

constexpr http::FieldSet kConditions = {
    FieldId::if_match,
    FieldId::if_modified_since,
    FieldId::if_none_match,
    FieldId::if_unmodified_since,
};

// The lines of a field that is a list, joined in `joined` where there are several (RFC 9110 section 5.3);
// none: there is no line.
std::optional<std::string_view> list_value(
    const http::LocalRequest& request,
    FieldId id,
    std::string& joined
) {
    if (!request.fields.present().has(id)) {
        return std::nullopt;
    }
    if (!request.fields.duplicated().has(id)) {
        return request.value(id);
    }
    for (const http::Field& field : request.fields.fields()) {
        if (field.id == id) {
            joined += joined.empty() ? "" : ", ";
            joined += field.value.in(request.base);
        }
    }
    return joined;
}

// Of a field that may stand once; none too where it stands twice.
std::optional<std::string_view> single_value(const http::LocalRequest& request, FieldId id) {
    const bool is_single = request.fields.present().has(id) && !request.fields.duplicated().has(id);
    return is_single ? std::optional(request.value(id)) : std::nullopt;
}

EncodingChoice choose(const http::LocalRequest& request, const FileRecord& file) {
    AcceptedEncodings accepted;
    std::string joined;
    if (const auto value = list_value(request, FieldId::accept_encoding, joined)) {
        accepted.add(*value);
    }
    return choose_encoding(accepted, file.encodings);
}

Validators validators_of(const Representation& representation) {
    return {.tag = representation.tag(), .modified = representation.last_modified()};
}

Precondition check_conditions(const http::LocalRequest& request, const Representation& representation) {
    if (!request.fields.present().has_any_of(kConditions)) {
        return Precondition::proceed;
    }
    std::string joined_match;
    std::string joined_none_match;
    const Conditions conditions{
        .if_match = list_value(request, FieldId::if_match, joined_match),
        .if_unmodified_since = single_value(request, FieldId::if_unmodified_since),
        .if_none_match = list_value(request, FieldId::if_none_match, joined_none_match),
        .if_modified_since = single_value(request, FieldId::if_modified_since),
    };
    return check_preconditions(conditions, validators_of(representation));
}

// Ranges are for GET alone (section 14.2).
RangeVerdict check_range(const http::LocalRequest& request, const Representation& representation) {
    const std::optional<std::string_view> range = single_value(request, FieldId::range);
    if (!range || request.method != http::Method::get || request.fields.duplicated().has(FieldId::if_range)) {
        return {};
    }
    const Conditions conditions{.if_range = single_value(request, FieldId::if_range)};
    if (!is_range_wanted(conditions, validators_of(representation))) {
        return {};
    }
    return read_ranges(*range, representation.size());
}

http::BodyPart::Kind source_of(const Representation& representation) {
    return representation.descriptor.is_open() ? http::BodyPart::Kind::file : http::BodyPart::Kind::shared;
}

// Names where the bytes are, and nothing of them yet.
void point_to(const FileRecord& file, const Representation& representation, http::LocalAnswer& answer) {
    if (representation.descriptor.is_open()) {
        answer.file = {
            .descriptor = representation.descriptor.get(),
            .size = representation.size(),
            .modified_ns = representation.identity.modified_ns,
            .is_stale = &representation.is_stale,
            .name = file.path,
            .shares_pages = file.shares_pages,
        };
    } else {
        answer.shared_body = representation.bytes;
    }
}

void describe_range(
    const FileRecord& file,
    const Representation& representation,
    const ByteRange& range,
    http::LocalAnswer& answer
) {
    point_to(file, representation, answer);
    if (representation.descriptor.is_open()) {
        answer.parts.push_back(
            {.kind = http::BodyPart::Kind::file, .offset = range.first, .length = range.length}
        );
    } else {
        answer.shared_body = answer.shared_body.substr(range.first, range.length);
    }
}

void answer_in_part(
    const FileRecord& file,
    const Representation& representation,
    const RangeVerdict& verdict,
    core::Random& boundaries,
    http::LocalAnswer& answer
) {
    const auto target = std::back_inserter(answer.made_fields);
    answer.status = 206;
    if (verdict.ranges().size() == 1) {
        const ByteRange& range = verdict.ranges().front();
        std::format_to(
            target,
            "Content-Range: {}\r\nContent-Length: {}\r\n",
            format_content_range(range, representation.size()),
            range.length
        );
        answer.shared_fields = representation.fields.of_part();
        describe_range(file, representation, range, answer);
        return;
    }
    const std::string boundary = make_boundary(boundaries);
    point_to(file, representation, answer);
    const Multipart multipart{
        .ranges = verdict.ranges(),
        .size = representation.size(),
        .content_type = file.content_type,
        .boundary = boundary,
        .source = source_of(representation),
    };
    const uint64_t length = describe_multipart(multipart, answer);
    std::format_to(
        target,
        "Content-Type: multipart/byteranges; boundary={}\r\nContent-Length: {}\r\n",
        boundary,
        length
    );
    answer.shared_fields = representation.fields.of_parts();
}

}  // namespace

FileRefusal answer_with_file(
    std::shared_ptr<const FileRecord> file,
    const http::LocalRequest& request,
    core::Random& boundaries,
    http::LocalAnswer& answer
) {
    const EncodingChoice choice = choose(request, *file);
    if (!choice.is_acceptable) {
        answer.made_fields += "Vary: Accept-Encoding\r\n";
        return {
            .status = 406,
            .reason = "client refuses the file as it is, and has no encoding that is there"
        };
    }
    const Representation& sent = choice.sibling ? file->representations[*choice.sibling + 1] : file->plain();
    switch (check_conditions(request, sent)) {
        case Precondition::failed: return {.status = 412, .reason = "precondition failed"};
        case Precondition::not_modified:
            answer.status = 304;
            answer.shared_fields = sent.fields.of_not_modified();
            answer.owner = std::move(file);
            return {};
        case Precondition::proceed: break;
    }
    const RangeVerdict verdict = check_range(request, sent);
    switch (verdict.outcome) {
        case RangeOutcome::unsatisfiable:
            answer.made_fields += "Content-Range: " + format_unsatisfied_range(sent.size()) + "\r\n";
            return {.status = 416, .reason = "no such range in the file"};
        case RangeOutcome::partial: answer_in_part(*file, sent, verdict, boundaries, answer); break;
        case RangeOutcome::whole:
            answer.status = 200;
            answer.shared_fields = sent.fields.of_whole();
            describe_range(*file, sent, {.first = 0, .length = sent.size()}, answer);
            break;
    }
    answer.owner = std::move(file);
    return {};
}

void answer_with_page(std::shared_ptr<const FileRecord> file, uint16_t status, http::LocalAnswer& answer) {
    const Representation& page = file->plain();
    answer.status = status;
    std::format_to(
        std::back_inserter(answer.made_fields),
        "Content-Type: {}\r\nContent-Length: {}\r\n",
        file->content_type,
        page.size()
    );
    describe_range(*file, page, {.first = 0, .length = page.size()}, answer);
    answer.owner = std::move(file);
}

}  // namespace web
