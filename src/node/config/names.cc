// Compares names of the configuration.
#include "node/config/names.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "node/config/toml.h"

namespace node {

namespace {

constexpr size_t kComparedBytesMax = 64;
constexpr size_t kListedMax = 20;

bool is_letter_or_digit(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9');
}

// The optimal string alignment distance; both texts have at most kComparedBytesMax bytes.
size_t edit_distance(std::string_view a, std::string_view b) {
    using Row = std::array<size_t, kComparedBytesMax + 1>;
    Row before_last{};
    Row last{};
    Row row{};
    std::iota(last.begin(), last.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t replacement = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + replacement});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = std::exchange(last, row);
    }
    return last[b.size()];
}

}  // namespace

bool is_name(std::string_view text, size_t bytes_max, std::string_view further) {
    if (text.empty() || text.size() > bytes_max) {
        return false;
    }
    auto is_further = [&](char character) { return further.contains(character); };
    if (!is_letter_or_digit(text.front()) && !is_further(text.front())) {
        return false;
    }
    return std::ranges::all_of(text, [&](char character) {
        return is_letter_or_digit(character) || character == '.' || character == '_' || character == '-' ||
               is_further(character);
    });
}

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
    std::string_view nearest;
    size_t least = kComparedBytesMax;
    if (name.size() > kComparedBytesMax) {
        return nearest;
    }
    for (std::string_view candidate : known) {
        if (candidate.size() > kComparedBytesMax) {
            continue;
        }
        size_t allowed = (std::max(name.size(), candidate.size()) + 2) / 3;
        size_t distance = edit_distance(name, candidate);
        if (distance <= allowed && distance < least && distance < candidate.size()) {
            nearest = candidate;
            least = distance;
        }
    }
    return nearest;
}

std::string suggestion(
    std::string_view name,
    std::span<const std::string_view> known,
    std::string_view label
) {
    if (known.empty()) {
        return "";
    }
    if (std::string_view nearest = nearest_name(name, known); !nearest.empty()) {
        return "; did you mean " + in_quotes(nearest) + "?";
    }
    std::string text = "; " + std::string(label) + ": ";
    for (size_t at = 0; at < std::min(known.size(), kListedMax); ++at) {
        text += (at == 0 ? "" : ", ") + std::string(known[at]);
    }
    return text + (known.size() > kListedMax ? ", …" : "");
}

}  // namespace node
