#include "sdk/form.h"

#include <algorithm>

#include "core/percent.h"
#include "core/utf8.h"

namespace trilith::sdk {

core::Result<Form> Form::read(std::string_view text) {
    Form form;
    form.decoded_ = std::make_unique_for_overwrite<char[]>(text.size());
    char* free = form.decoded_.get();
    auto decode = [&](std::string_view piece) {
        char* begin = free;
        free = core::decode_percent(piece, core::Plus::space, free);
        return std::string_view(begin, free);
    };
    while (!text.empty()) {
        std::string_view piece = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), piece.size() + 1));
        if (piece.empty()) {
            continue;
        }
        if (form.fields_.size() == kFieldsMax) {
            return core::fail(core::ErrorKind::too_large, "a form of more than 1000 fields");
        }
        size_t equals = std::min(piece.find('='), piece.size());
        std::string_view name = decode(piece.substr(0, equals));
        std::string_view value = decode(piece.substr(std::min(equals + 1, piece.size())));
        if (!core::is_utf8(name) || !core::is_utf8(value)) {
            return core::fail(core::ErrorKind::invalid, "a form or query that is not UTF-8");
        }
        form.fields_.push_back({.name = name, .value = value});
    }
    return form;
}

std::optional<std::string_view> Form::find(std::string_view name) const {
    auto found = std::ranges::find(fields_, name, &Field::name);
    return found == fields_.end() ? std::nullopt : std::optional(found->value);
}

}  // namespace trilith::sdk
