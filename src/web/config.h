// What the configuration says of the web tier, checked and frozen. Every field's comment states unit, range
// and effect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/units.h"
#include "web/try_files.h"

namespace web {

using namespace std::chrono_literals;

// What becomes of files and folders whose name begins with a dot. `.well-known` (RFC 8615) is not hidden.
enum class HiddenFiles : uint8_t {
    refuse,  // they do not exist for clients
    serve,
};

// An encoding in which a sibling of a file may lie beside it: "app.js.br" for "app.js".
enum class Encoding : uint8_t {
    brotli,     // .br
    zstandard,  // .zst
    gzip,       // .gz
};

inline constexpr size_t kEncodingCount = 3;

struct CacheControlRule {
    // "*.css": the file's name; with a slash, "/assets/*": its whole path below the root. "*" stands for any
    // text, slashes included; everything else for itself.
    std::string match;
    std::string value;  // of Cache-Control, as it is sent; no control characters

    friend bool operator==(const CacheControlRule&, const CacheControlRule&) = default;
};

struct ErrorPage {
    uint16_t status = 404;  // 400 to 599
    std::string path;       // "/errors/404.html", below the root; sent with that status

    friend bool operator==(const ErrorPage&, const ErrorPage&) = default;
};

struct MimeOverride {
    std::string extension;  // without the dot, any case
    std::string type;       // "text/x-log"; with parameters it is sent as it stands

    friend bool operator==(const MimeOverride&, const MimeOverride&) = default;
};

// Bounds of what one core keeps of the files that it has served.
struct CacheConfig {
    uint32_t entries_max = 10000;    // names; a tenth of them for names that are not there; 10 to 10000000
    uint64_t bytes_max = 32 << 20;   // of files in memory, and of what is known of all; 64KiB to 64GiB
    uint64_t memory_max = 64 << 10;  // bytes of a file that is kept in memory; larger ones are sent from the
                                     // disk; 0 to 16MiB
    uint32_t open_files_max = 1000;  // descriptors of such larger files, kept open; 1 to 1000000
    core::Duration valid = 1s;       // how long an entry is believed before its file is looked at again, and
                                     // the root too; 0s: at every request; 0s to 1h

    friend bool operator==(const CacheConfig&, const CacheConfig&) = default;
};

struct Config {
    // An absolute path; it may be a link, which a deploy switches. Empty: there are no files, and @app is the
    // only step.
    std::string root = {};
    std::vector<std::string> index{"index.html"};  // names, tried in order for a path that ends with "/"
    std::vector<TryStep> try_files = default_try_files(Fallback::not_found);  // at least one
    std::vector<CacheControlRule> cache_control = {};  // first match in this order; none: no Cache-Control
    std::vector<ErrorPage> error_pages = {};           // at most one a status
    HiddenFiles hidden = HiddenFiles::refuse;
    // Looked for beside each file, and preferred, in this order; empty: none. Each at most once.
    std::vector<Encoding> precompressed{Encoding::brotli, Encoding::zstandard, Encoding::gzip};
    // Whether files that are not kept in memory go out by sendfile(2), which costs less than copying, and
    // lets a client have a mix of two versions of a file that is written to in place (docs/decisions/0015).
    bool uses_sendfile = false;
    CacheConfig cache = {};
    std::string charset = "utf-8";  // told for text/ types; empty: none is
    std::vector<MimeOverride> mime_types = {};

    friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace web
