#include "web/content_type.h"

#include <algorithm>

#include "http/text.h"
#include "web/mime_table.h"

namespace web {
namespace {

constexpr std::string_view kUnknownType = "application/octet-stream";

std::string_view extension_of(std::string_view name) {
    name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
    const size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

}  // namespace

ContentTypes::ContentTypes(const Config& config) : overrides_(config.mime_types), charset_(config.charset) {}

std::string ContentTypes::of(std::string_view name) const {
    const std::string_view extension = extension_of(name);
    const auto own = std::ranges::find_if(overrides_, [&](const MimeOverride& override) {
        return http::equals_ignoring_case(override.extension, extension);
    });
    std::string_view type = own != overrides_.end() ? own->type : find_mime_type(extension);
    if (type.empty()) {
        type = kUnknownType;
    }
    std::string value(type);
    if (type.starts_with("text/") && !type.contains(';') && !charset_.empty()) {
        value += "; charset=" + charset_;
    }
    return value;
}

}  // namespace web
