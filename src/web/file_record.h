// What is known of one file that is served: its bytes or its descriptor, and the header fields of every
// answer, made once. Immutable; an answer that is being sent keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/file.h"
#include "web/config.h"
#include "web/entity_tag.h"

namespace web {

// Fields of answers, in one text of which each answer takes the end that it needs. Every field has its CRLF.
struct ReadyFields {
    std::string text;
    size_t content_type = 0;      // where Content-Type begins; Content-Length stands before it
    size_t content_encoding = 0;  // or, without one, Accept-Ranges
    size_t entity_tag = 0;        // ETag, Last-Modified, Cache-Control, Vary

    [[nodiscard]] std::string_view of_whole() const { return text; }

    // 206 with one part: what is missing is Content-Range and Content-Length.
    [[nodiscard]] std::string_view of_part() const { return std::string_view(text).substr(content_type); }

    // 206 with several parts, which have a Content-Type of their own.
    [[nodiscard]] std::string_view of_parts() const {
        return std::string_view(text).substr(content_encoding);
    }

    // 304 (RFC 9110 section 15.4.5).
    [[nodiscard]] std::string_view of_not_modified() const {
        return std::string_view(text).substr(entity_tag);
    }
};

// A file, or a sibling of it in one encoding.
struct Representation {
    std::optional<Encoding> encoding;  // none: the file as it is
    runtime::FileIdentity identity;
    runtime::Descriptor descriptor;  // open where the bytes are not in memory
    std::string bytes;
    std::string entity_tag;  // strong, with its quotes
    // Set by whoever sent it and found that it is not the file any more: it is not believed again.
    mutable bool is_stale = false;
    ReadyFields fields;

    [[nodiscard]] EntityTag tag() const { return {.opaque = entity_tag}; }

    [[nodiscard]] uint64_t size() const { return identity.size; }

    // mtime: whole seconds since the epoch, rounded down.
    [[nodiscard]] int64_t modified() const;

    // Last-Modified: mtime, or where somebody has set that to a later time, ctime: no answer may say that its
    // file was modified after the answer was made (RFC 9110 section 8.8.2.1), and ctime never lies in the
    // future of the system's own clock.
    [[nodiscard]] int64_t last_modified() const;
};

// What lay beside a file when it was looked at; none: nothing, or no regular file.
struct SiblingSeen {
    Encoding encoding;
    std::optional<runtime::FileIdentity> identity;
};

struct FileRecord {
    std::string path;  // below the root
    std::string content_type;
    bool shares_pages = false;  // Config::uses_sendfile
    // The file, then its siblings in the order of preference; the names of the latter's encodings beside
    // them.
    std::vector<Representation> representations;
    std::vector<Encoding> encodings;
    std::vector<SiblingSeen> seen;

    [[nodiscard]] const Representation& plain() const { return representations.front(); }

    [[nodiscard]] bool is_stale() const;

    // What the record costs: bytes of memory, about, and open descriptors.
    [[nodiscard]] uint64_t memory() const;
    [[nodiscard]] uint32_t open_files() const;
};

// A strong validator of "mtime-size-encoding" in hexadecimal. The same bytes deployed with the same mtime
// have the same tag on every server; the inode, which nginx leaves out too, would differ.
[[nodiscard]] std::string make_entity_tag(
    const runtime::FileIdentity& identity,
    std::optional<Encoding> encoding
);

enum class Vary : uint8_t {
    none,
    accept_encoding,  // a sibling is there: which representation is sent depends on the request
};

// Fills `fields` of a representation whose other members are there.
void write_ready_fields(
    Representation& representation,
    std::string_view content_type,
    std::string_view cache_control,  // empty: none is sent
    Vary vary
);

}  // namespace web
