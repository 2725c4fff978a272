// Texts as one: "web1, web2".
#pragma once

#include <ranges>
#include <string>
#include <string_view>

namespace core {

// `parts` is a range of what a string can be made longer by.
[[nodiscard]] std::string joined(
    const std::ranges::input_range auto& parts,
    std::string_view separator = ", "
) {
    std::string text;
    bool is_first = true;
    for (const auto& part : parts) {
        text += is_first ? "" : separator;
        text += part;
        is_first = false;
    }
    return text;
}

}  // namespace core
