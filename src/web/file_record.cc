#include "web/file_record.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <iterator>

#include "http/http_date.h"
#include "web/accept_encoding.h"

namespace web {

namespace {

int64_t whole_seconds(int64_t nanoseconds) {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(nanoseconds)).count();
}

}  // namespace

int64_t Representation::modified() const { return whole_seconds(identity.modified_ns); }

int64_t Representation::last_modified() const {
    return whole_seconds(std::min(identity.modified_ns, identity.changed_ns));
}

bool FileRecord::is_stale() const { return std::ranges::any_of(representations, &Representation::is_stale); }

uint64_t FileRecord::memory() const {
    uint64_t bytes = sizeof(FileRecord) + path.capacity() + content_type.capacity() +
                     seen.capacity() * sizeof(SiblingSeen);
    for (const Representation& one : representations) {
        bytes += sizeof(Representation) + one.bytes.capacity() + one.fields.text.capacity();
    }
    return bytes;
}

uint32_t FileRecord::open_files() const {
    uint32_t count = 0;
    for (const Representation& one : representations) {
        count += one.descriptor.is_open() ? 1 : 0;
    }
    return count;
}

std::string make_entity_tag(const runtime::FileIdentity& identity, std::optional<Encoding> encoding) {
    const auto modified = static_cast<uint64_t>(identity.modified_ns);
    if (encoding) {
        return std::format(R"("{:x}-{:x}-{}")", modified, identity.size, encoding_name(*encoding));
    }
    return std::format(R"("{:x}-{:x}")", modified, identity.size);
}

void write_ready_fields(
    Representation& representation,
    std::string_view content_type,
    std::string_view cache_control,
    Vary vary
) {
    ReadyFields& fields = representation.fields;
    const auto target = std::back_inserter(fields.text);
    std::format_to(target, "Content-Length: {}\r\n", representation.size());
    fields.content_type = fields.text.size();
    std::format_to(target, "Content-Type: {}\r\n", content_type);
    fields.content_encoding = fields.text.size();
    if (representation.encoding) {
        std::format_to(target, "Content-Encoding: {}\r\n", encoding_name(*representation.encoding));
    }
    fields.text += "Accept-Ranges: bytes\r\n";
    fields.entity_tag = fields.text.size();
    std::format_to(
        target,
        "ETag: {}\r\nLast-Modified: {}\r\n",
        representation.entity_tag,
        http::format_http_date(representation.last_modified())
    );
    if (!cache_control.empty()) {
        std::format_to(target, "Cache-Control: {}\r\n", cache_control);
    }
    if (vary == Vary::accept_encoding) {
        fields.text += "Vary: Accept-Encoding\r\n";
    }
}

}  // namespace web
