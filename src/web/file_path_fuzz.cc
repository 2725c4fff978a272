// Any bytes as a path, normalised before and not: what names a file cannot climb, and names no hidden one.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/panic.h"
#include "http/uri.h"
#include "web/file_path.h"

namespace web {
namespace {

void check(std::string_view path, HiddenFiles hidden) {
    static const auto buffer = std::make_unique<PathBuffer>();
    const FilePath file = read_file_path(path, hidden, *buffer);
    if (!file.reason.empty()) {
        ASSERT(file.relative.empty());
        return;
    }
    ASSERT(path.starts_with('/'));
    ASSERT(file.relative.size() <= kFilePathMax);
    ASSERT(!file.relative.starts_with('/') && !file.relative.ends_with('/'));
    for (const char byte : file.relative) {
        ASSERT(static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7F && byte != '\\');
    }
    const std::string closed = "/" + std::string(file.relative) + "/";
    ASSERT(file.relative.empty() || !closed.contains("//"));
    ASSERT(!closed.contains("/./") && !closed.contains("/../"));
    if (hidden == HiddenFiles::refuse) {
        for (size_t dot = closed.find("/."); dot != std::string::npos; dot = closed.find("/.", dot + 1)) {
            ASSERT(std::string_view(closed).substr(dot).starts_with("/.well-known/"));
        }
    }
}

}  // namespace
}  // namespace web

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    const std::vector<char> exact(data, data + size);
    const std::string_view bytes(exact.data(), exact.size());
    for (const web::HiddenFiles hidden : {web::HiddenFiles::refuse, web::HiddenFiles::serve}) {
        web::check(bytes, hidden);
        web::check("/" + std::string(bytes), hidden);
    }
    std::vector<char> target(bytes.size());
    const http::PathResult normal = http::normalize_path(bytes, target);
    if (normal.outcome != http::PathOutcome::refused) {
        web::check(normal.path, web::HiddenFiles::refuse);
    }
    return 0;
}
